"""Configuration files, variables, conda and commands, in small real environments."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path

from collect.collect_patients import Patient
from keras_doctor.collect import collect
from keras_doctor.model import ConfigFile, Snapshot

KERAS_JSON = '{"backend": "jax"}'


def config(snapshot: Snapshot, source: str, kind: str = "keras.json") -> ConfigFile:
    return next(one for one in snapshot.configs if (one.source, one.kind) == (source, kind))


def test_configurations(patient: Patient) -> None:
    (patient.home / ".keras").mkdir()
    (patient.home / ".keras/keras.json").write_bytes(b"\xef\xbb\xbf{}\xff")
    (patient.home / ".theanorc").mkdir()
    (patient.project / ".keras").mkdir()
    (patient.project / ".keras/keras.json").write_text("{" + " " * 70_000)
    os.mkfifo(patient.project / "keras.json")
    snapshot = collect(patient.target(), {**patient.environ, "KERAS_HOME": "~/other"})
    home = config(snapshot, "home")
    assert (home.state, home.text, home.folder_writable) == ("read", "\ufeff{}\udcff", True)
    assert home.mode == (patient.home / ".keras/keras.json").stat().st_mode & 0o7777
    assert config(snapshot, "KERAS_HOME").path == str(patient.home / "other/keras.json")
    assert config(snapshot, "KERAS_HOME").state == "absent"
    assert config(snapshot, "home", ".theanorc").state == "folder"
    states = {one.path: one.state for one in snapshot.configs if one.source == "project"}
    assert states == {
        str(patient.project / "keras.json"): "unreadable",
        str(patient.project / ".keras/keras.json"): "too-large",
    }


def test_an_empty_keras_home_means_the_working_folder(patient: Patient) -> None:
    (patient.project / "keras.json").write_text(KERAS_JSON)
    snapshot = collect(patient.target(), {**patient.environ, "KERAS_HOME": ""})
    found = config(snapshot, "KERAS_HOME")
    assert (found.path, found.text) == (str(patient.project / "keras.json"), KERAS_JSON)
    assert [one for one in snapshot.configs if one.source == "project"] == []


def test_theanorc_list(patient: Patient) -> None:
    (patient.project / "rc").write_text("[global]\n")
    environ = {**patient.environ, "THEANORC": f"rc{os.pathsep}~/.theanorc"}
    found = [one for one in collect(patient.target(), environ).configs if one.kind == ".theanorc"]
    assert [(one.path, one.state) for one in found] == [
        (str(patient.project / "rc"), "read"),
        (str(patient.home / ".theanorc"), "absent"),
    ]


def test_who_sets_a_variable_while_python_starts(patient: Patient) -> None:
    site = patient.project / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        '# KERAS_BACKEND\nimport os\nos.environ["KERAS_BACKEND"] = "torch"\n'
    )
    given = {"PYTHONPATH": str(site), "KERAS_HOME": "/x", "KERAS_BACKEND": "jax"}
    snapshot = collect(patient.target(), {**patient.environ, **given})
    found = {one.name: (one.value, one.set_by) for one in snapshot.variables}
    assert found["KERAS_BACKEND"] == ("torch", f"{site / 'sitecustomize.py'}:3")
    assert found["KERAS_HOME"] == ("/x", None)


def test_only_listed_variables(patient: Patient) -> None:
    environ = {**patient.environ, "KERAS_BACKEND": "", "SECRET_TOKEN": "x", "LD_PRELOAD_X": "y"}
    snapshot = collect(patient.target(), environ)
    found = {one.name: one.value for one in snapshot.variables}
    assert found.pop("KERAS_BACKEND") == ""
    assert set(found) == {"HOME", "PATH", "PYTHONDONTWRITEBYTECODE"}


def test_conda(patient: Patient) -> None:
    prefix = patient.folder / "env"
    (prefix / "conda-meta").mkdir()
    record = {"build": "h1", "channel": "https://conda.anaconda.org/x", "files": ["a"] * 9000}
    (prefix / "conda-meta/lib-a-b-1.2-h1_0.json").write_text(json.dumps(record))
    (prefix / "conda-meta/history").write_text("")
    (prefix / "conda-meta/state").write_text('{"env_vars": {"KERAS_BACKEND": "jax", "X": "y"}}')
    (prefix / "etc/conda/activate.d").mkdir(parents=True)
    script = prefix / "etc/conda/activate.d/keras.sh"
    script.write_text("#!/bin/sh\nexport KERAS_BACKEND=tensorflow\n")
    snapshot = collect(patient.target(), {**patient.environ, "KERAS_BACKEND": "tensorflow"})
    assert snapshot.conda is not None
    assert [tuple(one) for one in snapshot.conda.packages] == [
        ("lib-a-b", "1.2", "h1_0", "https://conda.anaconda.org/x")
    ]
    assert [(one.name, one.value, one.set_by) for one in snapshot.conda.variables] == [
        ("KERAS_BACKEND", "tensorflow", f"{script}:2"),
        ("KERAS_BACKEND", "jax", str(prefix / "conda-meta/state")),
    ]
    assert snapshot.variables[0].set_by == f"{script}:2"


def test_commands(patient: Patient, tmp_path: Path) -> None:
    other = Patient(tmp_path / "other")
    other.install("keras", "2.0")
    other.install("requests", "2.0")
    for command, python in (("pip", other.python), ("jupyter", patient.python)):
        script = patient.folder / "env/bin" / command
        script.write_text(f"#!{python}\nimport sys\n")
        script.chmod(0o755)
    found = {one.name: one for one in collect(patient.target(), patient.environ).commands}
    assert found["python"].path == patient.python
    assert found["python"].interpreter is None
    assert found["python"].same_environment is None
    assert found["pip"].interpreter == other.python
    assert found["pip"].same_environment is False
    assert found["pip"].python == sysconfig.get_python_version()
    assert found["pip"].holds == ("keras 2.0",)
    assert found["jupyter"].same_environment is True
    assert found["jupyter"].holds == ()
