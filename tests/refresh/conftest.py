from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from indexserver import FakeIndex, serve

from keras_doctor.knowledge import copies, releases


def forget() -> None:
    copies.in_use.cache_clear()
    releases.package.cache_clear()
    releases._by_version.cache_clear()


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as running:
        yield running


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where the user's copies lie."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    forget()
    yield tmp_path / "data" / "keras-doctor" / "releases"
    forget()
