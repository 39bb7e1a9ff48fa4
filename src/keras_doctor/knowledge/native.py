"""What native code needs of the machine: system packages, processor features, drivers."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.names import normalize
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@cache
def _data() -> dict[str, Any]:
    return load("native")


def debian_package(library: str) -> str | None:
    """The Debian package that holds a well-known library, by its soname."""
    for row in _data()["packages"]:
        if library in row["libraries"]:
            return str(row["libraries"][library])
    return None


def needed_instruction(distribution: str, version: str) -> tuple[str, str] | None:
    """The processor flag without which a release does not run, and who says so."""
    name = normalize(distribution)
    for row in _data()["instructions"]:
        if name in row["distributions"] and satisfies(version, f">={row['since']}"):
            return row["flag"], row["source"]
    return None


def oldest_driver(cuda: int) -> int | None:
    """The first number of the oldest NVIDIA driver that runs a CUDA release."""
    for row in _data()["drivers"]:
        if row["cuda"] == cuda:
            return int(row["driver"])
    return None
