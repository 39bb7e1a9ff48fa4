"""Messages of failures that no general rule can read: what they mean, and where that was seen.

Authored in ``sources/signatures/*.toml``; ``sources/signatures/README.md`` explains the fields.
"""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

CONFIDENCES = ("certain", "likely", "possible")
"""How far a message settles a cause, the surest first."""


class Remedy(NamedTuple):
    """One way out, before it is put into the words of the user's shell."""

    kind: str
    """As :attr:`keras_doctor.model.Fix.kind`."""
    summary: str
    name: str | None
    """The requirement to install, the variable to set, the file to edit."""
    value: str | None


class Condition(NamedTuple):
    """Facts beside the message that a meaning asks for; every part that is given must hold.

    A fact that nobody told does not hold.
    """

    packages: tuple[tuple[str, str], ...]
    """(normalised name, specifier); an empty specifier: installed in any version."""
    python: str | None
    systems: tuple[str, ...]
    managers: tuple[str, ...]
    text: str | None
    """A regular expression that is found somewhere else in the text."""
    not_text: str | None


class Meaning(NamedTuple):
    """One cause that a message may have."""

    cause: str
    culprit: str
    """Groups of the pattern may stand in it, like ``{module}``; so in title and why."""
    confidence: str
    title: str
    why: str
    when: Condition | None
    fixes: tuple[Remedy, ...]
    ask: str | None
    """What to look at to tell this cause from the others, as a question."""
    ask_command: str | None


class Signature(NamedTuple):
    """A message with its meanings, the most probable first."""

    id: str
    literals: tuple[str, ...]
    """One of these stands in every text that the pattern matches (any case)."""
    pattern: str
    scope: str
    """``exception``: the type and message of an exception, or the whole text when it shows no
    traceback. ``text``: the whole text."""
    frames: str | None
    """A pattern for the path of some frame, with forward slashes."""
    unless: str | None
    """A pattern that must not be found in the text."""
    source: str
    meanings: tuple[Meaning, ...]


@cache
def signatures() -> tuple[Signature, ...]:
    """All of them, in the order of their files."""
    return tuple(_signature(row) for row in load("signatures")["signature"])


def _signature(row: Mapping[str, Any]) -> Signature:
    return Signature(
        id=row["id"],
        literals=tuple(literal.lower() for literal in row["literals"]),
        pattern=row["pattern"],
        scope=row.get("scope", "exception"),
        frames=row.get("frames"),
        unless=row.get("unless"),
        source=row["source"],
        meanings=tuple(_meaning(each) for each in row["meaning"]),
    )


def _meaning(row: Mapping[str, Any]) -> Meaning:
    return Meaning(
        cause=row["cause"],
        culprit=row["culprit"],
        confidence=row["confidence"],
        title=row["title"],
        why=row["why"],
        when=_condition(row["when"]) if "when" in row else None,
        fixes=tuple(
            Remedy(
                kind=each["kind"],
                summary=each["summary"],
                name=each.get("name"),
                value=each.get("value"),
            )
            for each in row.get("fix", ())
        ),
        ask=row.get("ask"),
        ask_command=row.get("ask_command"),
    )


def _condition(row: Mapping[str, Any]) -> Condition:
    return Condition(
        packages=tuple(sorted(row.get("packages", {}).items())),
        python=row.get("python"),
        systems=tuple(row.get("systems", ())),
        managers=tuple(row.get("managers", ())),
        text=row.get("text"),
        not_text=row.get("not_text"),
    )
