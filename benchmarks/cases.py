"""Judges failures from public issue threads by `explain`: their text and the facts beside it.

Each row of a file (JSON lines with ``packages``, ``python``, ``os``, ``manager``, ``env``,
``command``, ``error`` or ``text``, ``cause``, ``also``) is judged by its text together with what
is stated of it; no text of a row is printed. ``KERAS_DOCTOR_CASES`` names the file, or the
arguments do.

With ``--third A`` (or B, C) only that third of the groups counts: a rule may have been written
with one third in sight, and is then judged on another.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_doctor import api
from keras_doctor.errors.facts import facts_of_file

CONFIDENCES = ("proven", "certain")


class Judged(NamedTuple):
    """One row and what became of it."""

    row: dict[str, Any]
    causes: tuple[str, ...]
    """The slugs in order, each once."""
    confidence: str | None

    @property
    def accepted(self) -> set[str]:
        """The row's cause, and those that it accepts."""
        return {self.row["cause"], *self.row["also"]}

    @property
    def right(self) -> bool:
        """Whether the first cause is accepted."""
        return bool(self.causes) and self.causes[0] in self.accepted

    @property
    def within_three(self) -> bool:
        """Whether one of the first three is."""
        return bool(self.accepted & set(self.causes[:3]))

    @property
    def wrong(self) -> bool:
        """Whether it is sure of another cause."""
        known = bool(self.causes) and self.causes[0] != "unknown"
        return known and not self.right and self.confidence in CONFIDENCES


def judge(row: dict[str, Any]) -> Judged:
    """Explain what a row states."""
    text = row.get("error") or row.get("text") or ""
    stated = {key: row.get(key) for key in ("packages", "python", "os", "manager", "command")}
    stated["env"] = row["env"]
    facts = facts_of_file(json.dumps(stated), frozenset())
    found = api.explain(text, facts=facts).diagnosis.causes
    return Judged(
        row=row,
        causes=tuple(dict.fromkeys(one.cause for one in found)),
        confidence=found[0].confidence if found else None,
    )


def thirds(rows: Iterable[dict[str, Any]]) -> dict[str, str]:
    """A, B or C for each group (a row without one is its own): shuffled once, seed 1."""
    groups = sorted({row.get("group") or row["id"] for row in rows})
    random.Random(1).shuffle(groups)  # noqa: S311 -- it parts rows, it keeps no secret
    return {group: "ABC"[i * 3 // len(groups)] for i, group in enumerate(groups)}


def report(label: str, judged: Sequence[Judged]) -> str:
    """One line of shares."""
    total = len(judged)
    if not total:
        return f"{label}: none"
    first, three = sum(j.right for j in judged), sum(j.within_three for j in judged)
    wrong = sum(j.wrong for j in judged)
    silent = sum(j.causes[:1] in ((), ("unknown",)) for j in judged)
    return (
        f"{label}: {first} of {total} right at the first place ({first / total:.0%}), "
        f"{three} within three ({three / total:.0%}), {silent} unknown, "
        f"{wrong} sure and wrong ({wrong / total:.0%})"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the shares; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="default: what KERAS_DOCTOR_CASES names")
    parser.add_argument("--third", choices="ABC", action="append")
    parser.add_argument("--ids", action="store_true", help="list the rows, without their text")
    options = parser.parse_args(arguments)
    files = options.files or [name for name in [os.environ.get("KERAS_DOCTOR_CASES")] if name]
    if not files:
        print("KERAS_DOCTOR_CASES names no file", file=sys.stderr)
        return 2
    for name in files:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines if line.strip()]
        third = thirds(rows)
        chosen = options.third or ["A", "B", "C"]
        rows = [row for row in rows if third[row.get("group") or row["id"]] in chosen]
        judged = [judge(row) for row in rows]
        verbatim = [j for j in judged if j.row.get("error_source", "verbatim") == "verbatim"]
        confirmed = [j for j in verbatim if j.row.get("confirmed", True)]
        print(f"{Path(name).name}, thirds {''.join(chosen)}")
        print(report("  verbatim", verbatim))
        print(report("  verbatim and confirmed", confirmed))
        print(report("  all", judged))
        for one in judged if options.ids else ():
            verdict = "ok  " if one.right else "3   " if one.within_three else "MISS"
            sure = "SURE" if one.wrong else ""
            wanted = "/".join([one.row["cause"], *one.row["also"]])
            print(f"  {verdict}{sure} {one.row['id']}: {wanted}, got {', '.join(one.causes)}")
        print(" ", Counter(j.row["cause"] for j in judged if not j.right).most_common(8))
    return 0


if __name__ == "__main__":
    sys.exit(main())
