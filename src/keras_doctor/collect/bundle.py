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
    "native",
    "elf",
    "loader",
    "headers",
    "closure",
    "objects",
    "modules",
    "way",
    "settings",
    "conda",
    "machine",
    "commands",
    "theano",
    "output",
    "main",
)
"""The order of concatenation; ``head`` runs before any other file is reached."""

LATE: Mapping[str, tuple[str, ...]] = {
    "objects": ("elf", "loader", "headers", "closure", "objects"),
    "theano": ("theano",),
}
"""Files that most starts do without, with what only they need: by the one that is imported.

Reading a text costs the patient next to nothing, and compiling it a tenth of a millisecond for
five lines. So these travel as texts, and the import statement inside a function that asks for one
of them becomes the order to compile it.
"""

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
    head, later, rest = _program()
    return f"REQUEST = {dict(payload)!a}\n{head}{_BEGIN}{later}{rest}{_END}"


@cache
def _program() -> tuple[str, str, str]:
    """(the head, the late texts, everything else), without the imports between the files."""
    late = {name: "".join(map(_stripped, names)) for name, names in LATE.items()}
    not_now = {name for names in LATE.values() for name in names}
    texts = [_stripped(name) for name in FILES if name not in not_now]
    return texts[0], f"LATER = {late!a}\n", "".join(texts[1:])


def _stripped(name: str) -> str:
    with open(os.path.join(FOLDER, name + ".py"), encoding="ascii") as file:
        return strip(file.read())


def strip(text: str) -> str:
    """A file's code without what the patient does not need.

    That is its imports of the other files, and docstrings and comment lines, which would be
    sent and parsed in every start. An import inside a function is one of :data:`LATE`.
    """
    kept = []
    until: str | None = None
    for line in text.splitlines():
        bare = line.strip()
        if until is not None:
            until = None if bare.endswith(until) else until
        elif bare.startswith("from keras_doctor.") and line[0] == " ":
            late = bare.split()[1].rpartition(".")[2]
            start = line[: len(line) - len(bare)]
            kept.append(f"{start}if {late!r} in LATER: exec(LATER.pop({late!r}), globals())")
        elif bare.startswith("from keras_doctor."):
            until = ")" if bare.endswith("(") else None
        elif bare.startswith('"""'):
            until = None if len(bare) > 5 and bare.endswith('"""') else '"""'
        elif bare and not bare.startswith("#"):
            kept.append(line)
    return "\n".join(kept) + "\n"
