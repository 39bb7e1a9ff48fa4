"""Packages and indexes for the tests of refreshing."""

from __future__ import annotations

from pathlib import Path

from indexserver import FakeIndex

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.packages import Wanted
from keras_doctor.registry.address import Index, index_from


def wanted(name: str, *, per_platform: bool = False, newest: int | None = None) -> Wanted:
    return Wanted(name=name, why="", per_platform=per_platform, newest=newest)


def where(index: FakeIndex) -> Index:
    return index_from(index.url + "/simple")


def fill(index: FakeIndex, *versions: str, name: str = "made-up") -> None:
    """A project of one wheel a version, each requiring something of its own."""
    rows = [index.add_wheel(name, version, f"numpy>={version}") for version in versions]
    index.add_project(name, rows)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def versions_in(folder: Path, name: str = "made-up") -> list[str]:
    """The versions that the user's copy holds."""
    copy = copies.users_copy(str(folder))
    assert copy is not None
    package = copies.read_package(copy, name)
    assert package is not None
    return [row.version for row in package.releases]
