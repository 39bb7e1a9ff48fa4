"""Which distributions provide an import name: from file lists of released wheels, and by hand.

The names of most distributions say nothing certain about what they import as (``cv2`` comes from
``opencv-python``), so each row has its evidence: the wheel or source archive whose file list holds
the name (``python -m tools.stacks names``), or the source that ``sources/import_names.toml`` gives.
"""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple


class Provider(NamedTuple):
    """A distribution that provides an import name."""

    distribution: str
    """Normalised."""
    evidence: str
    """A released file that holds the name, or what people wrote down about it."""


def distributions_of(module: str) -> tuple[Provider, ...]:
    """The distributions that provide a module, the most used first; empty when none is known.

    Args:
        module: A dotted path; the longest part of it that is known decides, so ``google.protobuf``
            comes before ``google``.
    """
    names = _names()
    path = module
    while path:
        if path in names:
            return tuple(Provider(*row) for row in names[path])
        path = path.rpartition(".")[0]
    return ()


@cache
def _names() -> dict[str, list[tuple[str, str]]]:
    """Import names with (distribution, evidence): what people wrote down comes first."""
    names = {
        name: [(d, file) for d, file in rows]
        for name, rows in load("import_files")["names"].items()
    }
    for row in load("import_names")["row"]:
        said = [(distribution, row["why"]) for distribution in row["distributions"]]
        files = dict(names.get(row["module"], ()))
        first = [(name, files.pop(name, why)) for name, why in said]
        names[row["module"]] = first + list(files.items())
    return names
