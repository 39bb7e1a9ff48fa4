"""`use` in real environments that share one HOME: one is mended, the other stays as it is."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from environments.builder import Environment, copy_stack, keras_doctor, runs

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
SAY = "import keras; print('on', keras.backend.backend())"


@pytest.fixture
def old(jax_environment: Environment, theano_stack: Path) -> Environment:
    """Keras 2.3.1 with Theano in another project below the same HOME."""
    folder = jax_environment.home / "old"
    folder.mkdir()
    made = copy_stack(theano_stack, folder)
    return made._replace(variables={**made.variables, "HOME": str(jax_environment.home)})


def use(environment: Environment, *words: str) -> dict[str, Any]:
    done = keras_doctor(environment, "use", *words, "--format", "json")
    data: dict[str, Any] = json.loads(done.stdout)
    assert data["exit_code"] == done.returncode, done.stderr
    return data


def test_a_backend_that_works_is_written_and_taken_back(jax_environment: Environment) -> None:
    path = jax_environment.keras_json()
    before = path.read_bytes()
    data = use(jax_environment, "jax")
    assert (data["refusal"], data["changed"], data["works"]) == (None, True, True)
    assert (data["before"], data["after"]) == ("tensorflow", "jax")
    assert runs(jax_environment, "-c", SAY).stdout.strip() == "on jax"
    numpy = use(jax_environment, "numpy")
    assert (numpy["works"], numpy["changed"]) == (True, True)
    assert runs(jax_environment, "-c", SAY).stdout.strip() == "on numpy"
    for _ in range(2):
        assert keras_doctor(jax_environment, "undo").returncode == 0
    assert path.read_bytes() == before


def test_a_backend_whose_files_are_damaged_is_refused_with_the_cause(
    jax_environment: Environment,
) -> None:
    path = jax_environment.keras_json()
    before = path.read_bytes()
    (jax_environment.site / "jax" / "numpy" / "fft.py").unlink()
    data = use(jax_environment, "jax")
    assert (data["works"], data["changed"]) == (False, False)
    assert data["refusal"].startswith("jax does not work here: ")
    assert "KD301" in data["refusal"]
    assert path.read_bytes() == before


def test_the_other_environment_keeps_its_backend(
    jax_environment: Environment, old: Environment
) -> None:
    path = jax_environment.keras_json(backend="theano")
    before = path.read_bytes()
    refused = use(jax_environment, "jax")
    assert refused["exit_code"] == 1
    assert [(o["python"], o["before"], o["after"]) for o in refused["others"]] == [
        (str(old.python), "theano", "jax")
    ]
    assert path.read_bytes() == before
    # A way that only this environment sees mends it, and the other one still imports.
    commands = [c["command"] for step in refused["manual"] for c in step["commands"]]
    assert commands[0] == "export KERAS_BACKEND=jax"
    line = keras_doctor(jax_environment, "use", "jax", "--shell", "bash").stdout.strip()
    name, _, value = line.removeprefix("export ").partition("=")
    mended = jax_environment._replace(variables={**jax_environment.variables, name: value})
    assert runs(mended, "-c", SAY).stdout.strip() == "on jax"
    assert says(old, jax_environment.home) == "on theano"


def test_with_a_word_both_are_switched_and_undo_brings_both_back(
    jax_environment: Environment, old: Environment
) -> None:
    jax_environment.keras_json(backend="theano")
    data = use(jax_environment, "jax", "--yes")
    assert (data["changed"], data["works"], len(data["others"])) == (True, True, 1)
    assert runs(jax_environment, "-c", SAY).stdout.strip() == "on jax"
    assert says(old, jax_environment.home) == "ValueError: Unable to import backend : jax"
    assert keras_doctor(jax_environment, "undo").returncode == 0
    assert says(old, jax_environment.home) == "on theano"


def says(environment: Environment, home: Path) -> str:
    """The last line of an import with the HOME that both share."""
    done = subprocess.run(
        [str(environment.python), "-c", SAY],
        cwd=environment.project,
        env={**environment.variables, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    return (done.stdout or done.stderr).strip().splitlines()[-1]
