"""The packages whose releases are known offline."""

from __future__ import annotations

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple


class Wanted(NamedTuple):
    """One package, and how much of it is read."""

    name: str
    why: str
    per_platform: bool
    """Whether its wheels require different things on different systems."""
    newest: int | None
    """Of how many releases the requirements are read; None for all."""


def wanted_packages() -> tuple[Wanted, ...]:
    """All of them, in the order of their families."""
    return tuple(
        Wanted(
            name=row["name"],
            why=row["why"],
            per_platform=row.get("per_platform", False),
            newest=row.get("newest"),
        )
        for row in load("packages")["package"]
    )
