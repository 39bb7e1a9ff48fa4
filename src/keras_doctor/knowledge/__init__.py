"""What is known about releases: data with provenance, and its readers.

People edit ``sources/*.toml``; ``compiled/*.json`` is what is read at run time (see
``tools/compile_knowledge.py``).
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMPILED = os.path.join(os.path.dirname(__file__), "compiled")


def folder() -> str:
    """Where the compiled files lie."""
    return _COMPILED


def load(name: str) -> dict[str, Any]:
    """The compiled knowledge file `name`, parsed."""
    with open(os.path.join(_COMPILED, name + ".json"), encoding="utf-8") as file:
        data: dict[str, Any] = json.load(file)
    return data
