"""Carries out the steps that a report of `fix` leaves to the user, as a script would."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def carry_out(steps: Sequence[dict[str, Any]], directory: Path) -> str | None:
    """Does the typed steps: variables go into the laboratory's repair.sh.

    Args:
        steps: The report's ``manual``.
        directory: Where the scenario was built.

    Returns:
        Why a step could not be done, or None.
    """
    for step in steps:
        kind = step["kind"]
        if kind == "set-env":
            _append(directory, _variable(step["name"], step["value"]))
        elif kind == "rename-file":
            Path(step["path"]).rename(step["to"])
        elif kind == "edit-code":
            if not _edit(Path(step["path"]), step["line"], step["old"], step["new"]):
                return f"line {step['line']} of {step['path']} is not {step['old']!r}"
        elif kind == "use-env":
            folder = step["path"]
            if not folder:
                return "use-env names no environment"
            _append(directory, f"export VIRTUAL_ENV={shlex.quote(folder)}\n")
            _append(directory, f'export PATH={shlex.quote(folder)}/bin:"$PATH"\n')
        else:
            return f"{kind}: {step['summary']}"
    return None


def _variable(name: str, value: str | None) -> str:
    return f"unset {name}\n" if value is None else f"export {name}={shlex.quote(value)}\n"


def _append(directory: Path, text: str) -> None:
    with (directory / "repair.sh").open("a", encoding="utf-8") as file:
        file.write(text)


def _edit(path: Path, line: int, old: str, new: str) -> bool:
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[line - 1] != old:
        return False
    lines[line - 1] = new
    path.write_text("\n".join(lines), encoding="utf-8")
    return True
