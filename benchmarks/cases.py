"""Judges real failures from public issue threads by the facts that they state.

Each row of the file (JSON lines with ``packages``, ``python``, ``os``, ``env``, ``error``,
``cause``, ``also``) becomes a partial snapshot and the outcome that its text shows; the diagnosis
is compared with the row's cause. Rows are told apart by what is known of them; no text of a row
is printed. ``KERAS_DOCTOR_CASES`` names the file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_doctor.diagnosis import diagnose
from keras_doctor.errors.given import given_outcome, given_snapshot, named
from keras_doctor.rules.context import Context

VERSIONS = {
    "requirement-unmet",
    "undeclared-incompatibility",
    "keras-backend-mismatch",
    "python-unsupported",
    "abi-mismatch",
    "tensorflow-variant-or-plugin-mismatch",
}
"""The causes that versions alone may tell."""


class Judged(NamedTuple):
    """One row and what became of it."""

    row: dict[str, Any]
    first: str | None
    causes: tuple[str, ...]
    confidence: str | None

    @property
    def right(self) -> bool:
        """Whether the first cause is the row's, or one that it accepts."""
        return self.first in {self.row["cause"], *self.row["also"]}

    @property
    def wrong(self) -> bool:
        """Whether it is sure of another cause."""
        known = self.first not in (None, "unknown")
        return known and not self.right and self.confidence == "certain"


def judge(row: dict[str, Any], *, with_text: bool = True) -> Judged:
    """Diagnose what a row states."""
    text = row["error"] or ""
    snapshot = given_snapshot(
        named(row["packages"]),
        python=row["python"],
        system=row["os"],
        variables={k: v for k, v in row["env"].items() if k.isupper() and isinstance(v, str)},
        text=text,
    )
    outcomes = (given_outcome(text, row["command"] or "import keras"),) if with_text else ()
    found = diagnose(Context(snapshot, outcomes=outcomes)).causes
    return Judged(
        row=row,
        first=found[0].cause if found else None,
        causes=tuple(one.cause for one in found),
        confidence=found[0].confidence if found else None,
    )


def suffices(row: dict[str, Any]) -> bool:
    """Whether versions are stated that may tell: two of packages, or one and the Python."""
    known = len(named(row["packages"])) + bool(row["python"])
    return row["cause"] in VERSIONS and len(named(row["packages"])) >= 1 and known >= 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the shares; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ids", action="store_true", help="list the rows, without their text")
    options = parser.parse_args(arguments)
    path = os.environ.get("KERAS_DOCTOR_CASES")
    if not path:
        print("KERAS_DOCTOR_CASES names no file", file=sys.stderr)
        return 2
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    chosen = [row for row in rows if suffices(row)]
    for label, group, with_text in (
        ("versions suffice, facts alone", chosen, False),
        ("versions suffice, facts and text", chosen, True),
        ("all rows, facts and text", rows, True),
    ):
        judged = [judge(row, with_text=with_text) for row in group]
        right = sum(one.right for one in judged)
        wrong = sum(one.wrong for one in judged)
        silent = sum(one.first in (None, "unknown") for one in judged)
        print(f"{label}: {right} of {len(judged)} right, {silent} unknown, {wrong} sure and wrong")
        for one in judged if options.ids else ():
            verdict = "ok  " if one.right else "MISS"
            print(f"  {verdict} {one.row['id']}: {one.row['cause']}, got {', '.join(one.causes)}")
    print(Counter(row["cause"] for row in chosen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
