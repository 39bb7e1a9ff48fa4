"""Which releases were seen to go together: measured boundaries, each from real runs.

Made by ``python -m tools.measure``: environments of the time of a release, one distribution
changed at a time, the import and one training step run. See the file's ``about`` for date,
platform and number of runs.
"""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Failure(NamedTuple):
    """How a combination failed."""

    type: str
    """The exception's type, or the signal that ended the process, or ``hung``."""
    message: str
    """Its first line, paths and addresses as ``…``."""
    stage: str | None
    """``import`` or ``train``."""
    raised_in: str | None
    """The top-level package of the code that raised it; ``python`` for the standard library."""


class Edge(NamedTuple):
    """One subject release and one of its dependencies, on one Python."""

    subject: str
    """``tensorflow`` (any of its variants), ``keras``, ``theano``, ``jax``."""
    release: str
    python: str
    """Like ``3.10``."""
    dependency: str
    """Normalised name."""
    statement: str
    """What was run: an import, or the name of a program that saves a model."""
    good: tuple[str, str]
    """The lowest and the highest release that worked."""
    newer: str | None
    """The first release above that failed; None when none did."""
    newer_failures: tuple[Failure, ...]
    older: str | None
    """The first release below that failed."""
    older_failures: tuple[Failure, ...]
    date: str

    def side_of(self, version: str) -> str | None:
        """``newer`` or ``older`` when a release of the dependency lies beyond an edge."""
        key = compare_key(version)
        if self.newer is not None and key >= compare_key(self.newer):
            return "newer"
        if self.older is not None and key <= compare_key(self.older):
            return "older"
        return None

    def failures(self, side: str) -> tuple[Failure, ...]:
        """How releases on one side failed."""
        return self.newer_failures if side == "newer" else self.older_failures

    def worked_with(self, version: str) -> bool:
        """Whether a release lies within the ones that worked."""
        low, high = (compare_key(one) for one in self.good)
        return low <= compare_key(version) <= high


class Base(NamedTuple):
    """A subject release on one Python, with everything else from its own time."""

    subject: str
    release: str
    python: str
    works: bool
    failure: Failure | None
    others: dict[str, str]
    """What it was installed with, of the distributions that were varied."""
    statement: str | None = None
    """The import that was tried; None where the file does not tell."""


def about() -> dict[str, Any]:
    """Date, platform, number of runs, and the command that repeats them."""
    found: dict[str, Any] = _data()["about"]
    return found


def series(version: str) -> tuple[int, ...]:
    """What releases are taken to be alike: 2.10.0 and 2.10.1, but of 0.4.30 only that one.

    A first number of 0 says that each release may change everything (as jax does).
    """
    numbers = release(version)
    return numbers[: 2 if numbers[:1] != (0,) else 3]


@cache
def _data() -> dict[str, Any]:
    return load("measured")


def _of_the_series(kind: str, subject: str, version: str) -> list[dict[str, Any]]:
    """The rows of a release's series; most are told apart by their text, which is quick."""
    key = series(version)
    head = ".".join(map(str, key))
    return [
        row
        for row in _data()[kind]
        if row["release"].startswith(head)
        and row["subject"] == subject
        and series(row["release"]) == key
    ]


def edges_of(subject: str, version: str) -> tuple[Edge, ...]:
    """What was measured with a release of the same series of a subject."""
    return tuple(map(_edge, _of_the_series("edges", subject, version)))


def all_edges() -> tuple[Edge, ...]:
    """Everything that was measured."""
    return tuple(_edge(row) for row in _data()["edges"])


@cache
def all_bases() -> tuple[Base, ...]:
    """Every subject release and Python that was tried."""
    return tuple(_base(row) for row in _data()["bases"])


def bases_of(subject: str, version: str) -> tuple[Base, ...]:
    """On which Pythons a release of the same series was seen to work, or not to."""
    return tuple(map(_base, _of_the_series("bases", subject, version)))


def _edge(row: dict[str, Any]) -> Edge:
    return Edge(
        subject=row["subject"],
        release=row["release"],
        python=row["python"],
        dependency=row["dependency"],
        statement=row["statement"],
        good=(row["good"][0], row["good"][1]),
        newer=row["newer"],
        newer_failures=tuple(map(_failure, row["newer_failures"])),
        older=row["older"],
        older_failures=tuple(map(_failure, row["older_failures"])),
        date=row["date"],
    )


def _failure(row: list[str]) -> Failure:
    return Failure(type=row[0], message=row[1], stage=row[2], raised_in=row[3])


def _base(row: dict[str, Any]) -> Base:
    return Base(
        subject=row["subject"],
        release=row["release"],
        python=row["python"],
        works=row["works"],
        failure=_failure(row["failure"]) if row["failure"] else None,
        others=row["with"],
        statement=row.get("statement"),
    )
