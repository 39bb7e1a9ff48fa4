"""What was seen while the stacks were made: what was left out and why, what was tried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")


def read(path: Path = RESULTS) -> dict[str, Any]:
    """All of it, by id of the stack."""
    if not path.exists():
        return {"stacks": {}, "unresolved": {}, "source": {}}
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def write(data: dict[str, Any], path: Path = RESULTS) -> None:
    """Keep it, readable."""
    text = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
