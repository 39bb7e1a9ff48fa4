"""String the files of :mod:`keras_doctor.collect.patient` together into one source text.

The text needs nothing but an interpreter: it is piped into ``python -``, here, through ssh or
``docker exec``, or saved by the user and run as a file.
"""

from __future__ import annotations

import os
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FILES = (
    "head",
    "files",
    "metadata",
    "startup",
    "paths",
    "interpreter",
    "outside",
    "record",
    "codeversion",
    "tree",
    "distributions",
    "integrity",
    "modules",
    "way",
    "settings",
    "conda",
    "machine",
    "commands",
    "output",
    "main",
)
"""The order of concatenation; ``head`` runs before any other file is reached."""

FOLDER = os.path.join(os.path.dirname(__file__), "patient")
"""Where the files lie."""

_BEGIN = 'START = begin(REQUEST, globals().get("__file__"))\n'
_END = "run(REQUEST, START)\n"


def build_source(payload: Mapping[str, Any]) -> str:
    """The collector as one program, in ASCII.

    Args:
        payload: Plain values (dicts, lists, texts, numbers, bools, None); they stand in the
            program as one literal.
    """
    head, rest = _program()
    return f"REQUEST = {dict(payload)!a}\n{head}{_BEGIN}{rest}{_END}"


@cache
def _program() -> tuple[str, str]:
    """(the head, everything after it), without the imports between the files."""
    texts = []
    for name in FILES:
        with open(os.path.join(FOLDER, name + ".py"), encoding="ascii") as file:
            texts.append(strip(file.read()))
    return texts[0], "".join(texts[1:])


def strip(text: str) -> str:
    """A file's code without what the patient does not need.

    That is its imports of the other files, and docstrings and comment lines, which would be
    sent and parsed in every start.
    """
    kept = []
    until: str | None = None
    for line in text.splitlines():
        bare = line.strip()
        if until is not None:
            until = None if bare.endswith(until) else until
        elif bare.startswith("from keras_doctor."):
            until = ")" if bare.endswith("(") else None
        elif bare.startswith('"""'):
            until = None if len(bare) > 5 and bare.endswith('"""') else '"""'
        elif bare and not bare.startswith("#"):
            kept.append(line)
    return "\n".join(kept) + "\n"
