"""Resolves the planned stacks one after the other, and keeps what was seen."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from typing import Any

from tools.stacks import results
from tools.stacks.grow import Grown, grow
from tools.stacks.plan import Plan, read_plans
from tools.stacks.resolve import UnresolvableError
from tools.stacks.shipped import Made, read_made, write_made


def build(only: list[str], *, missing: bool) -> int:
    """Resolve stacks and write them, after each one.

    Args:
        only: Parts of ids; empty for all.
        missing: Pass over those that are there.

    Returns:
        The exit code: 1 when a stack could not be resolved.
    """
    plans = read_plans()
    made = read_made(plans)
    failed = 0
    for plan in plans:
        if (only and not any(part in plan.id for part in only)) or (missing and plan.id in made):
            continue
        began = time.monotonic()
        grown = _grow(plan, made)
        if grown is None:
            failed += 1
            continue
        made[plan.id] = Made(plan, grown.rows)
        size = write_made([made[one.id] for one in plans if one.id in made], about())
        spent = time.monotonic() - began
        told = f"{len(grown.rows)} packages, {len(grown.left)} left out, {spent:.0f} s"
        print(f"{plan.id}: {told}; {size / 1000:.0f} kB", flush=True)
    return 1 if failed else 0


def _grow(plan: Plan, made: Mapping[str, Made]) -> Grown | None:
    """Resolve one stack and keep what was seen; None when there is no such stack."""
    seen = results.read()
    kin = _kin(plan, made)
    refused: dict[str, str] = {}
    if kin and kin.plan.backend == plan.backend:
        row = seen["stacks"].get(kin.plan.id, {})
        # Of its own refusals those of the same day still hold: there are no other releases.
        if kin.plan.id != plan.id or row.get("until") == plan.date:
            refused = row.get("left_out", {})
    source = set(seen["source"].get(plan.era, ()))
    try:
        grown = grow(plan, kin.rows if kin else {}, refused, source)
    except UnresolvableError as error:
        print(f"{plan.id}: {error}", flush=True)
        seen["unresolved"][plan.id] = str(error)
        results.write(seen)
        return None
    seen = results.read()
    seen["unresolved"].pop(plan.id, None)
    seen["source"][plan.era] = sorted(source)
    seen["stacks"].setdefault(plan.id, {}).update(
        date=_today(),
        until=plan.date,
        packages=len(grown.rows),
        extras=len(grown.taken),
        left_out=grown.left,
    )
    results.write(seen)
    return grown


def about() -> Mapping[str, Any]:
    """Where the shipped stacks come from."""
    return {
        "what": "One version each of the distributions of a stack, and which others each needs",
        "date": _today(),
        "how": "uv pip compile on the real interpreter, Linux x86-64; see tools/stacks/stacks.toml",
        "command": "python -m tools.stacks build",
    }


def _kin(plan: Plan, made: Mapping[str, Made]) -> Made | None:
    """The stack whose pins are kept where they can be: of the same Python and era, or itself."""
    if plan.id in made:
        return made[plan.id]
    rows = [
        one
        for one in made.values()
        if (one.plan.python, one.plan.era, one.plan.date) == (plan.python, plan.era, plan.date)
    ]
    rows.sort(key=lambda one: one.plan.backend != plan.backend)
    return rows[0] if rows else None


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()
