"""The stacks of Keras, installed once a session, and a copy of one for each test."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments.builder import (
    JAX_STACK,
    THEANO_STACK,
    Environment,
    build_stack,
    copy_stack,
    old_python,
)


@pytest.fixture(scope="session")
def jax_stack() -> Iterator[Path]:
    """Keras 3 and JAX, on the Python that runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="keras-doctor-jax-"))
    base = getattr(sys, "_base_executable", sys.executable)
    build_stack(folder, base, JAX_STACK)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def theano_stack() -> Iterator[Path]:
    """Keras 2.3.1 and Theano, on Python 3.8 or 3.7."""
    python = old_python()
    if python is None:
        pytest.skip("no Python 3.8 or 3.7 on this machine (pyenv, PATH)")
    folder = Path(tempfile.mkdtemp(prefix="keras-doctor-theano-"))
    build_stack(folder, python, THEANO_STACK, "--no-deps")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def jax_environment(jax_stack: Path) -> Iterator[Environment]:
    """A copy of Keras 3 with JAX that this test may break; no backend is asked for."""
    with tempfile.TemporaryDirectory(prefix="keras-doctor-patient-") as folder:
        yield copy_stack(jax_stack, Path(folder))


@pytest.fixture
def theano_environment(theano_stack: Path) -> Iterator[Environment]:
    """A copy of Keras 2.3.1 with Theano that this test may break."""
    with tempfile.TemporaryDirectory(prefix="keras-doctor-patient-") as folder:
        yield copy_stack(theano_stack, Path(folder))
