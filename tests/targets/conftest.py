"""Fixtures of the tests of targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_doctor.targets import Found, find_target
from targets.targets_help import Find, make_venv


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_venv(tmp_path_factory.mktemp("venv") / "env")


@pytest.fixture
def world(tmp_path: Path, venv: Path) -> dict[str, str]:
    """Variables of a user with an empty home whose `python` is a virtual environment's."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": f"{venv / 'bin'}:/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


@pytest.fixture
def find(world: dict[str, str], folder: Path) -> Find:
    """find_target with the defaults of the tests: no argument, no environment of the tool's."""

    def call(*command: str, **given: object) -> Found:
        arguments: dict[str, object] = {
            "python": None,
            "kernel": None,
            "project": None,
            "environ": world,
            "folder": str(folder),
            "own": "/no/such/environment",
            **given,
        }
        return find_target(command=command, **arguments)  # type: ignore[arg-type]

    return call
