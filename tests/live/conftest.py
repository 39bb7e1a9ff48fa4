"""Fixtures: patients with real interpreters, and environments of the laboratory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from live.patients import PYTHONS, Patient

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """A patient with the Python that runs the tests."""
    return Patient(tmp_path, sys.executable)


@pytest.fixture
def patient_of(tmp_path: Path) -> Callable[[str], Patient]:
    """Makes a patient with a Python of another version."""
    return lambda version: Patient(tmp_path, PYTHONS[version])


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder of an environment of the laboratory, building small ones.

    KERAS_DOCTOR_LAB is the laboratory; KERAS_DOCTOR_LAB_BUILT may name a folder that holds
    built environments by their ids, which are used as they are. Others are built (with hard
    links: nothing here writes into them), but not those that need TensorFlow or torch.
    """
    built: dict[str, Path] = {}

    def folder(name: str, *, heavy: bool = False) -> Path:
        ready = os.environ.get("KERAS_DOCTOR_LAB_BUILT")
        if ready and (Path(ready) / name).is_dir():
            return Path(ready) / name
        laboratory = os.environ.get("KERAS_DOCTOR_LAB")
        if not laboratory or not shutil.which("uv"):
            pytest.skip("KERAS_DOCTOR_LAB names no laboratory, or uv is missing")
        if heavy:
            pytest.skip(f"{name} is large: build it and set KERAS_DOCTOR_LAB_BUILT")
        if name not in built:
            made = tmp_path_factory.mktemp("lab") / name
            environ = {"LAB_LINK_MODE": "hardlink", **os.environ}
            command = [sys.executable, os.path.join(laboratory, "lab.py"), "build", name, str(made)]
            subprocess.run(command, env=environ, check=True, timeout=300, capture_output=True)
            built[name] = made
        return built[name]

    return folder
