"""Looking changes nothing: environment, HOME, project and temporary files stay as they were.

The copies have no bytecode and no keras.json, so an import has every reason to write some.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments.builder import Environment, copy_stack, fingerprint, keras_doctor, runs

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
COMMANDS = [["check"], ["check", "--train"], ["backends"], ["check", "--no-live"]]


@pytest.fixture
def fresh_jax(jax_stack: Path) -> Iterator[Environment]:
    with tempfile.TemporaryDirectory(prefix="keras-doctor-patient-") as folder:
        environment = copy_stack(jax_stack, Path(folder), compiled=False)
        environment.variables["KERAS_BACKEND"] = "jax"
        # Every start of this Python imports it, and would like to keep its bytecode.
        (environment.site / "sitecustomize.py").write_text("VALUE = 1\n")
        yield environment


@pytest.fixture
def fresh_theano(theano_stack: Path) -> Iterator[Environment]:
    with tempfile.TemporaryDirectory(prefix="keras-doctor-patient-") as folder:
        environment = copy_stack(theano_stack, Path(folder), compiled=False)
        environment.variables["KERAS_BACKEND"] = "theano"
        yield environment


def assert_untouched(environment: Environment, arguments: list[str]) -> None:
    (environment.project / "train.py").write_text("import keras\n")
    folders = (environment.folder / "env", environment.home, environment.project)
    before = fingerprint(*folders)
    done = keras_doctor(environment, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    after = fingerprint(*folders)
    changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    assert changed == []
    assert list((environment.folder / "tmp").iterdir()) == []


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_keras_3(fresh_jax: Environment, arguments: list[str]) -> None:
    assert_untouched(fresh_jax, arguments)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_keras_2(fresh_theano: Environment, arguments: list[str]) -> None:
    assert_untouched(fresh_theano, arguments)


def test_a_plain_import_would_have_written(fresh_jax: Environment) -> None:
    """The counter-check: without the doctor's care these folders do change."""
    before = fingerprint(fresh_jax.folder / "env")
    program = "import keras, os; print(os.listdir(os.path.expanduser('~/.keras')))"
    assert "keras.json" in runs(fresh_jax, "-c", program).stdout
    assert len(fingerprint(fresh_jax.folder / "env")) > len(before)
