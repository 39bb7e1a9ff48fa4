"""An empty site-packages folder for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifying.verify_sites import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "env" / "lib" / "site-packages")


@pytest.fixture
def not_racy(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the files had been written long before: their change time cannot be set."""
    monkeypatch.setattr("keras_doctor.verify.cache.RACY", -(10**15))
