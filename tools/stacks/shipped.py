"""The files that are shipped: stacks as differences to kin ones of the same Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keras_doctor.knowledge.stacks import Pin, decode
from tools.compile_knowledge import KNOWLEDGE
from tools.stacks.plan import Plan
from tools.stacks.resolve import Row, Rows

FOLDER = KNOWLEDGE / "compiled" / "stacks"


class Made(NamedTuple):
    """A resolved stack."""

    plan: Plan
    rows: Rows


def read_made(plans: Iterable[Plan], folder: Path = FOLDER) -> dict[str, Made]:
    """The stacks that are shipped now, by id, of those that are planned."""
    made: dict[str, Made] = {}
    for plan in plans:
        path = folder / f"py{plan.python}.json"
        rows = json.loads(path.read_text(encoding="utf-8"))["stacks"] if path.exists() else {}
        if plan.id in rows:
            pins = decode(rows, plan.id)
            made[plan.id] = Made(
                plan, {pin.name: Row(pin.version, pin.needs) for pin in pins.values()}
            )
    return made


def write_made(made: Iterable[Made], about: Mapping[str, Any], folder: Path = FOLDER) -> int:
    """Write all stacks anew; return the bytes of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    by_python: dict[str, list[Made]] = {}
    index = []
    for one in made:
        plan = one.plan
        by_python.setdefault(plan.python, []).append(one)
        row = [plan.id, plan.python, plan.backend, plan.release, plan.date, len(one.rows)]
        index.append(row)
    size = _write(folder / "index.json", {"about": about, "stacks": index})
    for python, of_python in by_python.items():
        rows = encode({one.plan.id: one.rows for one in of_python})
        size += _write(folder / f"py{python}.json", {"about": about, "stacks": rows})
    return size


def encode(stacks: Mapping[str, Rows]) -> dict[str, Any]:
    """Each stack as lines, on top of that earlier one from which it differs least."""
    done: dict[str, Any] = {}
    for name, rows in stacks.items():
        choices: list[tuple[str, str | None]] = [(_lines(rows, {}), None)]
        choices += [(_lines(rows, stacks[base]), base) for base in done]
        lines, base = min(choices, key=lambda choice: len(choice[0]))
        done[name] = {"base": base, "lines": lines}
    return done


def _lines(rows: Rows, base: Rows) -> str:
    lines = [name for name in base if name not in rows]
    for name, row in rows.items():
        old = base.get(name)
        if old is None or (old.needs != row.needs):
            lines.append(" ".join((name, row.version, *row.needs)))
        elif old.version != row.version:
            lines.append(f"{name} {row.version} =" if row.needs else f"{name} {row.version}")
    return "\n".join(sorted(lines))


def pins_of(rows: Rows) -> dict[str, Pin]:
    """The pins as they are read at run time."""
    return {name: Pin(name, row.version, row.needs) for name, row in rows.items()}


def _write(path: Path, data: Mapping[str, Any]) -> int:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return len(text.encode())
