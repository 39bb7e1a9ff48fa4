"""What every JSON report has: one envelope for every command, and how it becomes text."""

from __future__ import annotations

import json

from keras_doctor import __version__
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from keras_doctor.model import Snapshot

SCHEMA_VERSION = 1
"""Of the reports that this version writes."""

_EXAMINATION = (
    "healthy",
    "wish",
    "live",
    "selection",
    "backends",
    "causes",
    "consequences",
    "notes",
    "ruled_out",
    "skipped",
    "crashed",
    "ask",
    "problems",
    "verified",
)
"""What every examination has, whatever was examined: an environment, a command, a text."""

OWN_KEYS: dict[str, tuple[str, ...]] = {
    "check": _EXAMINATION,
    "run": _EXAMINATION,
    "explain": (*_EXAMINATION, "failures", "facts"),
    "fix": (
        *_EXAMINATION,
        "plan",
        "alternatives",
        "rehearsal",
        "applied",
        "manual",
        "journal",
        "environment",
        "remarks",
        "refusal",
    ),
    "use": (
        "backend",
        "where",
        "before",
        "after",
        "changed",
        "works",
        "overrides",
        "others",
        "manual",
        "remarks",
        "journal",
        "refusal",
    ),
    "undo": ("undone", "recovered", "refusal"),
    "history": ("repairs", "problems", "folder", "dropped"),
    "backends": ("wish", "selection", "backends", "live"),
    "envs": ("environments",),
    "compat": (
        "asked",
        "python",
        "platform",
        "newest",
        "unseen",
        "elsewhere",
        "otherwise",
        "held",
        "tables",
        "overview",
        "gaps",
        "gave_up",
        "releases_read",
        "measured_on",
        "measured_platform",
        "measured_runs",
    ),
    "scan": ("python", "files", "paths", "packages", "problems"),
    "snapshot": ("snapshot",),
    "rules": ("rules",),
    "rule": ("rule",),
    "knowledge": ("copy", "packages", "missing", "files", "update"),
}
"""The keys of each command beside those of the envelope, in order."""


class Problem(NamedTuple):
    """Why a command has no result."""

    code: str
    """``usage``, ``target``, ``snapshot`` ...: stable, for programs."""
    message: str
    hint: str | None


def dumps(report: Mapping[str, Any]) -> str:
    """A report as text: UTF-8 when encoded, keys in the order of the contract.

    Characters that a terminal would obey, and halves of surrogate pairs (bytes that no
    encoding explains), are written as escapes, which every JSON reader accepts; everything
    else stays readable.
    """
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def failure(command: str | None, problem: Problem, *, exit_code: int) -> dict[str, Any]:
    """The envelope of a command that came to nothing: its own keys are all null."""
    error = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    report = envelope(command, None, exit_code=exit_code, errors=[error])
    report.update(dict.fromkeys(OWN_KEYS.get(command or "", ())))
    return report


def target(facts: Snapshot) -> dict[str, Any]:
    """The Python that was examined, and how the user would run it."""
    given, python = facts.target, facts.interpreter
    return {
        "python": given.python,
        "version": python.version if python else None,
        "implementation": python.implementation if python else None,
        "chosen": given.chosen,
        "folder": given.folder,
        "start": given.start,
        "path0": given.path0,
        "script": given.script,
        "command": list(given.command),
        "environment": given.environment,
        "manager": given.manager,
    }


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def envelope(
    command: str | None,
    target: dict[str, Any] | None,
    *,
    exit_code: int,
    errors: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """What every report begins with.

    Args:
        command: Its name.
        target: What was meant, see :func:`target`; None when there is none.
        exit_code: Of the process.
        errors: Why it came to nothing.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "tool": {"name": "keras-doctor", "version": __version__},
        "target": target,
        "exit_code": exit_code,
        "errors": list(errors),
    }
