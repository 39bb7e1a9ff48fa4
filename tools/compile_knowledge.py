"""Compile the readable knowledge files to what is shipped.

Reading TOML costs fourteen times as much as reading the same as JSON, and knowledge is on the
cold path of every check. So people edit ``knowledge/sources/*.toml`` and run::

    python -m tools.compile_knowledge

A test fails when the two differ.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

KNOWLEDGE = Path(__file__).resolve().parent.parent / "src" / "keras_doctor" / "knowledge"


def compile_source(path: Path) -> str:
    """The JSON text that is shipped for one TOML file."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, sort_keys=True) + "\n"


def compile_signatures(folder: Path) -> str:
    """The JSON text that is shipped for all files of signatures: without their examples."""
    rows = []
    for path in sorted(folder.glob("*.toml")):
        with path.open("rb") as file:
            rows += tomllib.load(file).get("signature", [])
    for row in rows:
        del row["example"], row["counter"]
    return json.dumps({"signature": rows}, separators=(",", ":"), ensure_ascii=False) + "\n"


def main() -> int:
    """Write every compiled file; return the exit code."""
    for source in sorted((KNOWLEDGE / "sources").glob("*.toml")):
        _write(source.stem, compile_source(source))
    _write("signatures", compile_signatures(KNOWLEDGE / "sources" / "signatures"))
    return 0


def _write(name: str, text: str) -> None:
    (KNOWLEDGE / "compiled" / f"{name}.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{name}.json\n")


if __name__ == "__main__":
    sys.exit(main())
