"""What is measured: subjects, jobs, and the row that one run leaves."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Subject:
    """A package whose releases are held against its dependencies."""

    name: str
    distributions: tuple[str, ...]
    """Of these the first that has the release for the Python is installed."""
    releases: tuple[str, ...]
    backend: str
    axes: tuple[str, ...]
    """The dependencies to vary, the most telling first, each perhaps with the import that is
    tried for it, or the name of a program: ``keras: import keras``. One training step follows."""
    statement: str = "import keras"
    """The import that is tried where an axis names none."""
    base: tuple[str, ...] = ()
    """Further requirements of the environment."""
    pythons: tuple[str, ...] = ()
    """() for all that this machine has."""
    no_binary: tuple[str, ...] = ()
    """Distributions that exist as source only."""
    until: str = ""
    """The day up to which the base may be chosen; "" for that of the release and two months."""
    every_python: bool = False
    """Whether its other Pythons are as telling as the newest one."""
    priority: int = 5
    """Jobs with a smaller number come first."""


@dataclass(frozen=True)
class Job:
    """One subject release on one Python: the unit of work that an executor is given."""

    subject: Subject
    release: str
    python: str
    side: str
    """``newer`` or ``older``: where the edge is looked for."""

    @property
    def key(self) -> str:
        """Like ``tensorflow 2.10.1 on 3.10, newer``."""
        return f"{self.subject.name} {self.release} on {self.python}, {self.side}"


@dataclass(frozen=True)
class Run:
    """What one run showed; a row of the results."""

    subject: str
    release: str
    distribution: str
    python: str
    platform: str
    statement: str
    axis: str
    """The distribution that was varied; "" for the environment as it was resolved."""
    version: str
    """Its release in this run."""
    status: str
    """``passed``, or how it failed as :class:`keras_doctor.model.Outcome` says, or
    ``not-installable``."""
    stage: str | None
    """``import`` or ``train``, of a failure."""
    error: str | None
    """The type of the last exception."""
    message: str | None
    """Its first line, paths masked."""
    raised_in: str | None
    """The top-level package of the innermost frame of the first exception."""
    packages: dict[str, str] = field(default_factory=dict)
    """Every distribution of the environment."""
    date: str = ""


def load_subjects() -> tuple[Subject, ...]:
    """The plan, in its order."""
    return tuple(_subject(row) for row in _plan()["subject"])


def program_of(statement: str) -> str:
    """The text that a statement stands for: itself, or the program of that name."""
    text: str = _plan()["programs"].get(statement, statement)
    return text


@cache
def _plan() -> dict[str, Any]:
    with (FOLDER / "subjects.toml").open("rb") as file:
        return tomllib.load(file)


def _subject(row: dict[str, Any]) -> Subject:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Subject(**fields)
