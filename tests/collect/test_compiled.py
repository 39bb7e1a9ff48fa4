"""The collector as byte code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from collect.collect_patients import Patient, installed_pythons
from keras_doctor.collect import collect, compiled, process
from keras_doctor.collect.bundle import FILES
from keras_doctor.collect.start import READER, build_payload


@pytest.fixture(autouse=True)
def writable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Byte code may be kept beside our own files, whatever the shell says."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    cached = compiled._byte_code
    cached.cache_clear()
    yield
    cached.cache_clear()


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first of the last arguments of every start."""
    seen: list[str] = []
    real = process.run_program

    def run(argv: Sequence[str], *rest: object) -> process.Completed:
        seen.append("text" if READER in argv else "byte code")
        return real(argv, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("keras_doctor.collect.run_program", run)
    return seen


def test_both_ways_give_the_same(
    patient: Patient, starts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.install("keras")
    (patient.project / "json.py").write_text("raise SystemExit(9)\n")
    first = collect(patient.target(), patient.environ)
    monkeypatch.setattr(compiled, "_byte_code", lambda: ())
    assert collect(patient.target(), patient.environ) == first
    assert starts == ["byte code", "text"]
    assert first.start.mode == "normal"


def test_all_files_are_handed_over() -> None:
    assert [name.rpartition(".")[2] for name, _ in compiled._byte_code()] == list(FILES)


def test_a_name_that_lies(patient: Patient, tmp_path: Path, starts: list[str]) -> None:
    others = [path for path in installed_pythons() if sys.prefix not in path]
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    others = [path for path in others if not os.path.realpath(path).endswith(ours)]
    if not others:
        pytest.skip("this machine has no Python of another version")
    liar = tmp_path / ours
    liar.write_text(f'#!/bin/sh\nexec {others[0]} "$@"\n')
    liar.chmod(0o755)
    snapshot = collect(patient.target(python=str(liar)), patient.environ)
    assert starts == ["byte code", "text"]
    assert snapshot.start.mode == "normal"


def test_nothing_is_kept_where_python_may_not_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    assert compiled._byte_code() == ()


def test_a_mistake_of_ours_is_no_broken_python(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **named: Any) -> object:
        return {**build_payload(*args, **named), "roots": 3}

    monkeypatch.setattr("keras_doctor.collect.build_payload", broken)
    with pytest.raises(RuntimeError, match=r"the collector failed: TypeError.*gather:"):
        collect(patient.target(), patient.environ)
