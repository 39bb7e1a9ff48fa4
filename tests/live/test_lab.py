"""Real environments of the laboratory, healthy and broken."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from keras_doctor.codec import decode
from keras_doctor.live import run_command, run_imports
from keras_doctor.model import Outcome
from live.patients import as_plain_user, lab_target, listing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Lab = Callable[..., Path]

pytestmark = pytest.mark.lab


def run(folder: Path, **options: Any) -> Outcome:
    target, environ = lab_target(folder)
    return run_imports(target, environ, **options)


@pytest.mark.parametrize(
    ("name", "backend", "version"),
    [("ok-jax-k38", "jax", "3.8.0"), ("ok-theano-k224", "theano", "2.2.4")],
)
def test_training_leaves_no_trace(lab: Lab, name: str, backend: str, version: str) -> None:
    folder = lab(name)
    before = listing(folder)
    outcome = run(folder, train=True, wish=backend)
    assert outcome.status == "passed", outcome.output
    assert (outcome.kind, outcome.backend, outcome.keras_version) == ("train", backend, version)
    assert outcome.keras_file is not None
    assert outcome.keras_file.startswith(str(folder / "env"))
    assert outcome.device is not None
    assert outcome.device.startswith("cpu")
    assert "keras-doctor-" not in repr(outcome)
    after = listing(folder)
    assert {key: value for key, value in after.items() if before.get(key) != value} == {}
    assert after == before


def test_another_wish_is_not_trained(lab: Lab) -> None:
    outcome = run(lab("ok-jax-k38"), train=True, wish="torch")
    assert (outcome.kind, outcome.status, outcome.backend) == ("imports", "passed", "jax")


def test_a_command_leaves_no_trace(lab: Lab) -> None:
    folder = lab("ok-theano-k224")
    target, environ = lab_target(folder)
    before = listing(folder)
    outcome = run_command(["python", "-c", "import keras"], environ, target.folder)
    assert outcome.status == "passed"
    assert "Using Theano backend." in outcome.output
    assert listing(folder) == before


def test_an_unknown_backend(lab: Lab) -> None:
    folder = lab("sel-k3-typo-pytorch", heavy=True)
    outcome = run(folder)
    assert outcome.status == "raised"
    assert outcome.chain[-1].message == "Unable to import backend : pytorch"
    target, environ = lab_target(folder)
    line = run_command(["python train.py; echo"], environ, target.folder, shell=True)  # noqa: S604
    assert (line.status, line.chain[-1].message) == ("raised", "Unable to import backend : pytorch")


def test_a_truncated_library_is_a_bus_error(lab: Lab) -> None:
    folder = lab("int-tf-lib-truncated", heavy=True)
    outcome = run(folder)
    assert (outcome.status, outcome.signal) == ("died", "SIGBUS")
    assert "tensorflow/python/pywrap_tensorflow.py" in outcome.crash_frames[-1].file
    target, environ = lab_target(folder)
    typed = "python train.py; rc=$?; echo exit $rc; exit $rc"
    line = run_command([typed], environ, target.folder, shell=True)  # noqa: S604
    assert (line.status, line.signal) == ("died", "SIGBUS")
    assert line.crash_frames[0].file == str(folder / "project" / "train.py")


PROGRAM = """
import json
from keras_doctor.codec import encode
from keras_doctor.live import run_imports
from keras_doctor.model import Target
print(json.dumps(encode(run_imports(Target(**{target!r}), {environ!r}))))
"""


def test_a_read_only_home_fails_theano_as_for_the_user(lab: Lab) -> None:
    folder = lab("inst-home-readonly-theano")
    target, environ = lab_target(folder)
    program = PROGRAM.format(target=target._asdict(), environ=environ)
    command = as_plain_user([sys.executable, "-c", program])
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    outcome = decode(Outcome, json.loads(result.stdout))
    assert outcome.status == "raised"
    assert f"{folder}/home/.theano" in outcome.chain[-1].message
    assert "Permission denied" in outcome.chain[-1].message or "PermissionError" in repr(outcome)
