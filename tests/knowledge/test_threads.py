"""Failures from public issue threads, each with the cause that the thread established.

The rows were read before the last of the signatures were written, so the shares below are no
measure of what an unseen text would get; they keep what was reached from getting lost.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cases import Judged, judge
from rules.test_rules_table import SLUGS

FOLDER = Path(__file__).parent.parent / "data" / "threads"
FILES = sorted(FOLDER.glob("*.jsonl"))
CAUSES = {slug for slugs in SLUGS.values() for slug in slugs.split()}


def judged(path: Path) -> list[Judged]:
    return [judge(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_most_are_right_and_hardly_one_is_surely_wrong(path: Path) -> None:
    rows = judged(path)
    assert len(rows) >= 40
    assert sum(row.right for row in rows) >= 0.9 * len(rows)
    assert sum(row.within_three for row in rows) >= 0.94 * len(rows)
    assert sum(row.wrong for row in rows) <= 0.02 * len(rows)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rows_are_well_formed(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert row["url"].startswith("https://"), row["id"]
        assert {row["cause"], *row["also"]} <= CAUSES, row["id"]
        assert row["text"].strip(), row["id"]
