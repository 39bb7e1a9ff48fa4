"""Facts recorded in real environments, judged without running anything.

The environments are those of the laboratory, broken on purpose: each is known to fail as its name
says, or to train. How they were recorded: tests/record_snapshots.py.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from keras_doctor.api import check
from keras_doctor.codec import encode
from keras_doctor.collect.load import dumps_snapshot, loads_snapshot
from keras_doctor.diagnosis import diagnose
from keras_doctor.model import Snapshot
from keras_doctor.rules.context import Context

FOLDER = Path(__file__).parent / "data" / "snapshots"


class Recorded(NamedTuple):
    """What must be said of a recorded environment when nothing is run."""

    name: str
    wish: str
    causes: tuple[tuple[str, str], ...]
    """All causes in order: slug, and the last part of the culprit."""
    notes: tuple[str, ...] = ()


HEALTHY = ()
RECORDED = (
    Recorded("ok-jax-k38", "jax", HEALTHY),
    Recorded("ok-tf-218", "tensorflow", HEALTHY),
    Recorded("ok-theano-k224", "theano", HEALTHY),
    Recorded("ok-torch-json", "torch", HEALTHY),
    Recorded("sel-k3-typo-pytorch", "torch", (("backend-unknown", "KERAS_BACKEND"),)),
    Recorded("sel-k3-json-capital", "tensorflow", (("backend-unknown", "keras.json"),)),
    Recorded("sel-theano-var-tf1", "tensorflow", (("backend-not-installed", "KERAS_BACKEND"),)),
    Recorded(
        "sel-var-theano-json-tf", "tensorflow", (("backend-source-conflict", "KERAS_BACKEND"),)
    ),
    Recorded("sel-keras-home", "tensorflow", (("backend-source-conflict", "KERAS_HOME"),)),
    Recorded("sel-env-after-import", "jax", (("backend-setting-ignored", "train.py"),)),
    Recorded("sel-ignored-theano-k24", "theano", (("backend-setting-ignored", "keras"),)),
    Recorded("sel-json-in-project", "torch", (("backend-setting-ignored", "keras.json"),)),
    Recorded("sel-json-bom", "jax", (("keras-config-invalid", "keras.json"),)),
    Recorded("sel-json-dataformat", "jax", (("keras-config-invalid", "keras.json"),)),
    Recorded(
        "sel-legacy-without-tfkeras",
        "tensorflow",
        (("legacy-keras-switch", "TF_USE_LEGACY_KERAS"),),
    ),
    Recorded("res-keras-folder", "jax", (("shadowed-module", "keras"),)),
    Recorded("res-remnant-keras", "jax", (("namespace-remnant", "keras"),)),
    Recorded("res-optree-missing", "torch", (("not-installed", "optree"),)),
    Recorded("res-pythonpath-other", "theano", (("foreign-path", "PYTHONPATH"),)),
    Recorded("res-tf-cpu-removed", "tensorflow", (("same-import-name", "tensorflow"),)),
    Recorded("res-pip-of-newer-python", "jax", (("wrong-interpreter", "pip"),)),
    # Whether such a file does harm only a run can tell.
    Recorded("res-types-py", "theano", HEALTHY, ("shadowed-module",)),
    Recorded("int-zeroed-py", "tensorflow", (("altered-files", "keras"),)),
    Recorded("int-init-deleted-k2", "tensorflow", (("missing-files", "Keras"),)),
    Recorded("int-tf-lib-truncated", "tensorflow", (("altered-files", "tensorflow-cpu"),)),
    Recorded("int-tilde-keras", "torch", (("interrupted-install", "keras"),)),
    Recorded(
        "int-two-distinfos-numpy",
        "tensorflow",
        (("mixed-version-files", "numpy"),),
        ("duplicate-metadata",),
    ),
    # Declared and measured to fail.
    Recorded("comp-keras27-tf26", "tensorflow", (("keras-backend-mismatch", "keras"),)),
    # A version table that says no is a risk until a failure was seen.
    Recorded("comp-jaxlib-old", "jax", HEALTHY, ("tensorflow-variant-or-plugin-mismatch",)),
    Recorded(
        "multi-k3-theano-optree-floatx",
        "jax",
        (
            ("backend-unknown", "KERAS_BACKEND"),
            ("keras-config-invalid", "keras.json"),
            ("not-installed", "optree"),
        ),
    ),
)
EACH = pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded.name)


def load(name: str) -> Snapshot:
    return loads_snapshot((FOLDER / f"{name}.json").read_bytes())


@EACH
def test_causes(recorded: Recorded) -> None:
    diagnosis = diagnose(Context(load(recorded.name), wish=recorded.wish))
    causes = tuple((f.cause, os.path.basename(f.culprit)) for f in diagnosis.causes)
    assert causes == recorded.causes
    assert tuple(sorted({f.cause for f in diagnosis.notes})) == recorded.notes
    assert [r for r in diagnosis.results if r.state == "crashed"] == []
    assert diagnosis.healthy is None


@EACH
def test_every_cause_offers_a_way_out(recorded: Recorded) -> None:
    diagnosis = diagnose(Context(load(recorded.name), wish=recorded.wish))
    for found in diagnosis.causes:
        assert found.fixes
        assert found.evidence
        assert all(fix.summary for fix in found.fixes)


@EACH
def test_a_snapshot_survives_the_journey(recorded: Recorded) -> None:
    snapshot = load(recorded.name)
    assert loads_snapshot(dumps_snapshot(snapshot)) == snapshot
    text = (FOLDER / f"{recorded.name}.json").read_text(encoding="ascii")
    # Fields that were added later take their default.
    expected = {**Snapshot._field_defaults, **json.loads(text)}
    expected["files"] = [{"dangling": [], **row} for row in expected["files"]]
    expected["interpreter"] = {"externally_managed": False, **expected["interpreter"]}
    assert expected == encode(snapshot)


@EACH
def test_a_wish_for_another_backend_is_never_met_in_silence(recorded: Recorded) -> None:
    """Whatever else is wrong: cntk is known to no Keras 3, and installed nowhere."""
    diagnosis = diagnose(Context(load(recorded.name), wish="cntk"))
    assert diagnosis.causes


def test_the_api_judges_a_snapshot_and_runs_nothing() -> None:
    examination, considered = check(snapshot=load("sel-json-bom"), wish="jax")
    assert examination.outcomes == ()
    assert considered == ()
    assert [f.cause for f in examination.diagnosis.causes] == ["keras-config-invalid"]


def test_every_recorded_file_is_judged_and_none_is_large() -> None:
    files = {path.stem: path.stat().st_size for path in FOLDER.glob("*.json")}
    assert set(files) == {recorded.name for recorded in RECORDED}
    assert max(files.values()) < 150_000
    assert sum(files.values()) < 1_500_000


def test_nothing_in_them_says_who_recorded_them() -> None:
    for path in FOLDER.glob("*.json"):
        snapshot = load(path.stem)
        homes = [v.value for v in snapshot.variables if v.name == "HOME"]
        assert set(homes) <= {"<home>"}
        assert snapshot.target.folder == "/lab/project"
        places = {entry.path.split("/")[1] for entry in snapshot.path if entry.path.startswith("/")}
        assert places <= {"lab", "opt", "usr"}
