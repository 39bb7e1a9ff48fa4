"""Where Theano compiles, and with what."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collect.collect_patients import Patient
from keras_doctor.collect import Request, collect
from keras_doctor.collect.patient.theano import _global_settings
from keras_doctor.model import Theano


def theano(patient: Patient, **environ: str) -> Theano:
    request = Request(asked=("theano",))
    found = collect(patient.target(), {**patient.environ, **environ}, request).theano
    assert found is not None
    return found


def test_nothing_is_asked_without_theano(patient: Patient) -> None:
    assert collect(patient.target(), patient.environ).theano is None


def test_defaults(patient: Patient, tmp_path: Path) -> None:
    found = theano(patient, PATH=str(tmp_path / "empty"))
    assert found.compiledir == str(patient.home / ".theano")
    assert (found.compiledir_where, found.compiledir_writable) == (None, True)
    assert (found.cxx, found.compiler) == (None, None)
    compiler = tmp_path / "bin" / "g++"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\n")
    compiler.chmod(0o755)
    assert theano(patient, PATH=str(compiler.parent)).compiler == str(compiler)


def test_settings(patient: Patient) -> None:
    rc = patient.home / ".theanorc"
    rc.write_text("[blas]\ncxx = no\n[global]\n# cxx = no\ncxx: /opt/g++\nbase_compiledir=~/x\n")
    found = theano(patient)
    assert (found.cxx, found.cxx_where, found.compiler) == ("/opt/g++", f"{rc}:5", None)
    assert (found.compiledir, found.compiledir_where) == (str(patient.home / "x"), f"{rc}:6")
    found = theano(patient, THEANO_FLAGS="cxx=,device=cpu,base_compiledir=~/.theanorc/x")
    assert (found.cxx, found.cxx_where, found.compiler) == ("", "THEANO_FLAGS", None)
    assert (found.compiledir, found.compiledir_writable) == (f"{rc}/x", False)


def test_a_file_in_the_place_of_the_folder(patient: Patient) -> None:
    (patient.home / ".theano").write_text("")
    assert not theano(patient).compiledir_writable


@given(st.text("[]global=:#; \nx", max_size=80))
def test_any_theanorc(text: str) -> None:
    for value, where in _global_settings(text, "f").values():
        assert where.startswith("f:")
        assert value == value.strip()
