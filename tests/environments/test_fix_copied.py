"""`fix` where no overlay can be mounted: rehearsed in a copy of a real environment."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from environments.builder import Environment, fingerprint
from keras_doctor import api
from keras_doctor.fixes import ground
from keras_doctor.fixes.rehearse import copying
from keras_doctor.fixes.rehearse.place import NoPlaceError
from keras_doctor.model.plan import Consent, Repair

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
PROGRAM = """\
import keras
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(3,))])
open("ran", "w").write("the user's program ran in a rehearsal")
"""


@pytest.fixture(autouse=True)
def no_overlay(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NoPlaceError("unshare: Operation not permitted")

    monkeypatch.setattr(ground, "Overlay", refuse)


@pytest.fixture
def patient(theano_environment: Environment) -> Environment:
    usual = os.path.join(os.path.expanduser("~"), ".cache", "uv")
    theano_environment.variables["UV_CACHE_DIR"] = os.environ.get("UV_CACHE_DIR", usual)
    theano_environment.variables["THEANO_FLAGS"] = "mode=FAST_COMPILE"
    for name, value in os.environ.items():
        if name.startswith("PIP_"):
            theano_environment.variables[name] = value
    return theano_environment


def fix(patient: Environment, *command: str, apply: bool = True) -> Repair:
    return api.fix(
        command=command,
        wish="theano",
        environ=patient.variables,
        folder=str(patient.project),
        agree=lambda plan: Consent(
            apply=apply,
            moves=tuple(s.path for s in plan.manual if s.kind == "rename-file" and s.path),
        ),
    )


def _moved(plan: Repair) -> list[str | None]:
    return [step.path for step in plan.manual if step.kind == "rename-file"]


def undo(patient: Environment) -> None:
    api.undo(environ=patient.variables)


def seen(patient: Environment) -> dict[str, tuple[object, ...]]:
    found = fingerprint(patient.folder / "env", patient.project, patient.home / ".keras")
    # The time and size of a folder change with what was done in it and undone.
    return {path: row for path, row in found.items() if not os.path.isdir(path)}


@pytest.mark.parametrize("rung", ["hard links", "copy"])
def test_damaged_files_come_back(
    patient: Environment, rung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "RUNGS", (rung,))
    patient.variables["KERAS_BACKEND"] = "theano"
    patient.replace(patient.site / "theano" / "configdefaults.py", b"")
    before = seen(patient)
    dry = fix(patient, apply=False)
    assert dry.rehearsal is not None
    assert (dry.rehearsal.rung, dry.rehearsal.passed) == (rung, True)
    assert dry.rehearsal.untouched
    assert seen(patient) == before
    done = fix(patient)
    assert (done.applied, done.verified) == (True, True)
    assert ".keras-doctor-stage" not in repr(done)
    assert [p for p in patient.folder.iterdir() if "stage" in p.name] == []
    stale = subprocess.run(["grep", "-rl", "keras-doctor-stage", patient.folder / "env"])
    assert stale.returncode == 1
    undo(patient)
    assert seen(patient) == before


def test_the_users_files_and_settings(patient: Environment) -> None:
    """A file that hides a package gets another name, a configuration another backend."""
    path = patient.keras_json(backend="cntk")
    shadow = patient.project / "theano.py"
    shadow.write_text("value = 1\n")
    (patient.project / "train.py").write_text(PROGRAM)
    before = seen(patient)
    done = fix(patient, "python", "train.py")
    assert (done.applied, done.verified) == (True, True), done
    assert json.loads(path.read_text())["backend"] == "theano"
    assert not shadow.exists()
    assert (patient.project / "my_theano.py").read_text() == "value = 1\n"
    assert not (patient.project / "ran").exists()
    undo(patient)
    assert seen(patient) == before


def test_a_hostile_record_touches_nothing_outside(patient: Environment) -> None:
    patient.variables["KERAS_BACKEND"] = "theano"
    outside = patient.folder / "outside"
    outside.mkdir()
    precious = outside / "precious.txt"
    precious.write_text("keep me\n")
    (patient.site / "way_out").symlink_to(outside)
    record = next(patient.site.glob("[Tt]heano-*.dist-info")) / "RECORD"
    relative = os.path.relpath(precious, patient.site)
    hostile = f"{relative},,\n{precious},,\nway_out/precious.txt,,\n"
    patient.replace(record, record.read_bytes() + hostile.encode())
    patient.replace(patient.site / "theano" / "configdefaults.py", b"")
    done = fix(patient)
    assert precious.read_text() == "keep me\n", done
    assert (patient.site / "way_out").is_symlink()


def test_what_leads_to_the_original_is_refused(patient: Environment) -> None:
    """A start by another way than through the copy must not pass for a repaired copy."""
    patient.variables["KERAS_BACKEND"] = "theano"
    patient.replace(patient.site / "theano" / "configdefaults.py", b"")
    program = patient.folder / "start"
    program.write_text(f"#!/bin/sh\nexec {patient.python} train.py\n")
    program.chmod(0o755)
    (patient.project / "train.py").write_text("import keras\n")
    done = fix(patient, str(program))
    assert not done.applied
    assert done.refusal is not None
    assert "not to its copy" in done.refusal
    assert [p for p in Path(patient.folder).iterdir() if "stage" in p.name] == []
