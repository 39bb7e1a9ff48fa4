"""From runs to the edges that ship: where good turned to bad. Pure, but for the last function."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from keras_doctor.versions import compare_key
from tools.compile_knowledge import KNOWLEDGE
from tools.measure.model import Run
from tools.measure.store import Store

NAMES = {"tensorflow-plugins": "tensorflow"}
"""Subjects of the plan that are another subject's releases in a roomier environment."""
_ANSWERS = {"not-installable", "not-started"}
_MOST_FAILURES = 4
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.+-]+){2,}")
_ABSENT = re.compile(r"^No module named '(\w+)'$")
_ONCE_PYTHONS = {"distutils", "imp", "asynchat", "asyncore"}
_ADDRESS = re.compile(r"0x[0-9a-f]+")


def edges_of(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """One entry for each subject release, Python, varied distribution and statement.

    Returns:
        Plain dicts as ``keras_doctor.knowledge.measured`` reads them; ``good`` holds the lowest
        and the highest release that worked without a failing one between them and the base.
    """
    chosen = [
        run for run in runs if run.axis and run.status not in _ANSWERS and not _lacks_a_package(run)
    ]

    def key(run: Run) -> tuple[str, ...]:
        return (run.subject, run.release, run.python, run.axis, run.statement)

    edges = [_edge(list(group)) for _key, group in groupby(sorted(chosen, key=key), key)]
    return [edge for edge in edges if edge is not None]


def _lacks_a_package(run: Run) -> bool:
    """Whether a run failed for want of a whole package: that is no clash of the two."""
    found = _ABSENT.search(run.message or "") if run.error == "ModuleNotFoundError" else None
    return found is not None and found[1] not in sys.stdlib_module_names | _ONCE_PYTHONS


def _edge(runs: list[Run]) -> dict[str, Any] | None:
    latest = {run.version: run for run in runs}
    ordered = sorted(latest.values(), key=lambda run: compare_key(run.version))
    good = [run for run in ordered if run.status == "passed"]
    if not good:
        return None
    low, high = _around(ordered, good)
    first = runs[0]
    newer = [run for run in ordered if _above(run, high) and run.status != "passed"]
    older = [run for run in ordered if _above(low, run) and run.status != "passed"]
    return {
        "subject": NAMES.get(first.subject, first.subject),
        "release": first.release,
        "python": first.python,
        "dependency": first.axis,
        "statement": first.statement,
        "good": [low.version, high.version],
        "newer": newer[0].version if newer else None,
        "newer_failures": _failures(newer),
        "older": older[-1].version if older else None,
        "older_failures": _failures(reversed(older)),
        "runs": len(ordered),
        "date": max(run.date for run in runs),
    }


def _around(ordered: list[Run], good: list[Run]) -> tuple[Run, Run]:
    """The ends of the longest unbroken row of releases that worked."""
    rows: list[list[Run]] = [[]]
    for run in ordered:
        if run.status == "passed":
            rows[-1].append(run)
        elif rows[-1]:
            rows.append([])
    longest = max(rows, key=len) if any(rows) else good
    return longest[0], longest[-1]


def _above(one: Run, other: Run) -> bool:
    return compare_key(one.version) > compare_key(other.version)


def _failures(runs: Iterable[Run]) -> list[list[str | None]]:
    """Distinct (type, message, stage, where) of failures, the nearest to the edge first."""
    found = dict.fromkeys(
        (run.error or run.status, tidy(run.message or ""), run.stage, run.raised_in) for run in runs
    )
    return [list(one) for one in list(found)[:_MOST_FAILURES]]


def tidy(message: str) -> str:
    """A message without what differs from machine to machine."""
    return _ADDRESS.sub("…", _PATH.sub("…", message))[:160]


def bases_of(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """For each subject release and Python: whether what was resolved works, and with what."""
    latest = {
        (run.subject, run.release, run.python): run
        for run in runs
        if not run.axis and run.status not in _ANSWERS
    }
    return [
        {
            "subject": run.subject,
            "release": run.release,
            "python": run.python,
            "statement": run.statement,
            "works": run.status == "passed",
            "failure": _failures([run])[0] if run.status != "passed" else None,
            "with": run.packages if run.status == "passed" else {},
        }
        for _key, run in sorted(latest.items())
        if run.subject not in NAMES
    ]


def write_boundaries(target: Path = KNOWLEDGE / "compiled" / "measured.json") -> int:
    """Compile the runs to what ships; return the exit code."""
    runs = Store().runs
    edges, bases = edges_of(runs), bases_of(runs)
    told = {edge["dependency"] for edge in edges} | {edge["subject"] for edge in edges}
    for base in bases:
        base["with"] = {n: v for n, v in base["with"].items() if n in told}
    data = {
        "about": {
            "date": max((run.date for run in runs), default=""),
            "platform": "linux-x86_64",
            "runs": len(runs),
            "command": "python -m tools.measure run",
        },
        "edges": edges,
        "bases": bases,
    }
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"
    target.write_text(text, encoding="utf-8")
    limits = sum(bool(edge["newer"]) + bool(edge["older"]) for edge in edges)
    print(f"{len(runs)} runs, {len(edges)} edges, {limits} boundaries, {len(text)} bytes")
    return 0
