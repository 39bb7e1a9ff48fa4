"""The published JSON Schema (draft 2020-12) of the reports, as a file beside this one."""

from __future__ import annotations

import os


def schema_text() -> str:
    """The schema as it is published; its ``$defs`` hold one schema for each command."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.json")
    with open(path, encoding="utf-8") as file:
        return file.read()
