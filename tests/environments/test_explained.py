"""A text whose environment is at hand is judged by both."""

from __future__ import annotations

import os
import subprocess

import pytest

from environments.builder import Environment
from keras_doctor import api

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]


def failure(environment: Environment) -> str:
    """What a bare import prints."""
    path = environment.site / "keras" / "src" / "models" / "sequential.py"
    environment.replace(path, path.read_bytes()[:4000])
    environment.variables["KERAS_BACKEND"] = "jax"
    done = subprocess.run(
        [str(environment.python), "-c", "import keras"],
        env=environment.variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("named", [True, False], ids=["--python", "by its paths"])
def test_text_and_environment_are_joined(jax_environment: Environment, named: bool) -> None:
    text = failure(jax_environment)
    active = {**jax_environment.variables, "VIRTUAL_ENV": str(jax_environment.folder / "env")}
    found = api.explain(
        text,
        python=str(jax_environment.python) if named else None,
        here=True,
        environ=active,
        folder=str(jax_environment.project),
    )
    assert found.snapshot.start.mode == "normal"
    first = found.diagnosis.causes[0]
    assert (first.cause, first.culprit, first.confidence) == ("altered-files", "keras", "certain")


def test_a_text_from_elsewhere_is_judged_alone(jax_environment: Environment) -> None:
    text = failure(jax_environment).replace(str(jax_environment.folder), "/somewhere/else")
    active = {**jax_environment.variables, "VIRTUAL_ENV": str(jax_environment.folder / "env")}
    found = api.explain(text, here=True, environ=active, folder=str(jax_environment.project))
    assert found.snapshot.start.mode == "given"
