"""A small world of releases and runs instead of the shipped ones."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import keras_doctor.compat
from keras_doctor.knowledge import copies, measured, releases
from keras_doctor.knowledge.releasefile import Package
from keras_doctor.refresh.copyfiles import write_copy

Build = Callable[..., None]


def forget() -> None:
    """Clear what was remembered of another world."""
    names = [m.name for m in pkgutil.iter_modules(keras_doctor.compat.__path__)]
    modules = [importlib.import_module(f"keras_doctor.compat.{name}") for name in names]
    for module in (*modules, measured, releases):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@pytest.fixture
def build(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    """Make the world: releases by package, then edges and bases."""

    def make(
        packages: dict[str, list[Any]],
        edges: list[dict[str, Any]] | None = None,
        bases: list[dict[str, Any]] | None = None,
        gaps: list[tuple[str, str]] | None = None,
    ) -> None:
        rows = [
            Package(
                name=name,
                read="2024-05-01T00:00:00Z",
                releases=tuple(found),
                gaps=(("requirements", "some were not read"),)
                if any(row.requires is None for row in found)
                else (),
            )
            for name, found in packages.items()
        ]
        write_copy(str(tmp_path), rows, gaps or [], "for a test")
        copy = copies.open_copy(str(tmp_path), "shipped")
        data = {
            "about": {
                "date": "2024-06-01",
                "platform": "linux-x86_64",
                "runs": 7,
                "command": "python -m tools.measure run",
            },
            "edges": edges or [],
            "bases": bases or [],
        }
        monkeypatch.setattr(copies, "in_use", lambda: (copy, None))
        monkeypatch.setattr(measured, "load", lambda name: data)
        forget()

    yield make
    monkeypatch.undo()
    forget()
