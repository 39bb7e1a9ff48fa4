"""Fixtures: patients with real interpreters."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from collect.collect_patients import Patient, installed_pythons


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "any_python" in metafunc.fixturenames:
        paths = installed_pythons()
        metafunc.parametrize(
            "any_python",
            [pytest.param(path, marks=pytest.mark.pythons) for path in paths],
            ids=[Path(path).parts[-3] if "versions" in path else Path(path).name for path in paths],
        )


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path / "patient")


@pytest.fixture
def patient_of(tmp_path: Path) -> Callable[[str], Patient]:
    return lambda python: Patient(tmp_path / "patient", python)


@pytest.fixture
def built_lab() -> Path:
    """The folder that holds built environments of the laboratory by their ids."""
    folder = os.environ.get("KERAS_DOCTOR_LAB_BUILT")
    if not folder:
        pytest.skip("KERAS_DOCTOR_LAB_BUILT names no built environments")
    return Path(folder)
