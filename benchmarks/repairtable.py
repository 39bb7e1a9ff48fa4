"""Draws the results of `make lab-fix` as Markdown and as JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def line(row: Any) -> str:
    """One row for a terminal."""
    mark = "ok  " if is_right(row) else "MISS"
    manual = f" by hand: {', '.join(row.manual)}" if row.manual else ""
    problem = f" [{row.problem}]" if row.problem else ""
    problem = f" newly broken {row.broken}{problem}" if row.broken else problem
    return (
        f"{mark} {row.id:32} goal {_yes(row.goal)} changed {row.changed}/{_bound(row)} "
        f"undo {_yes(row.undone)} {row.seconds:.0f} s{manual}{problem}"
    )


def is_right(row: Any) -> bool:
    """Whether the goal holds, no more was changed than needed, and undo gave everything back."""
    few = row.healing is None or row.changed <= row.healing
    return bool(row.goal) and few and row.undone is not False


def summary(rows: Sequence[Any]) -> str:
    """The figures in one line."""
    return (
        f"{sum(map(is_right, rows))} of {len(rows)} right; goal holds in "
        f"{sum(row.goal for row in rows)}; undone to the byte "
        f"{sum(row.undone is True for row in rows)} of "
        f"{sum(row.undone is not None for row in rows)}"
    )


def markdown(rows: Sequence[Any], *, bare: bool = False) -> str:
    """The table; `bare`: nothing stood after the dashes."""
    ours = "`make lab-fix`: `keras-doctor fix --yes --backend <wish> -- <failing command>`, the"
    if bare:
        ours = "`make lab-fix ARGS=--bare`: `keras-doctor fix --yes --backend <wish>` alone, the"
    head = (
        f"# Repairs of the laboratory's environments\n\n{ours}\n"
        "steps left to the user carried out by a script, then the laboratory's own goal; then "
        "`keras-doctor undo`.\n\n"
        f"{summary(rows)}.\n\n"
        "| environment | goal | by hand | packages changed (healing) | rehearsed in | undone "
        "| s |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(
        f"| {row.id} | {_yes(row.goal)} | {', '.join(row.manual)} | "
        f"{row.changed} ({_bound(row)}) | {row.rung or ''} | {_yes(row.undone)} | "
        f"{row.seconds:.0f} |\n"
        for row in rows
    )


def as_json(rows: Sequence[Any]) -> str:
    """All data."""
    return json.dumps([row._asdict() for row in rows], indent=1) + "\n"


def _yes(value: bool | None) -> str:  # noqa: FBT001
    return "" if value is None else "yes" if value else "no"


def _bound(row: Any) -> str:
    return "new" if row.healing is None else str(row.healing)
