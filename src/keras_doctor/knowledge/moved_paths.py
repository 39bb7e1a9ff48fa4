"""Import paths of other packages than Keras' that are gone, and the releases that have them."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Moved(NamedTuple):
    """One path that a program needs and that only some releases have."""

    distribution: str
    path: str
    releases: str
    """As a specifier."""
    needs: tuple[str, ...]
    """Further distributions without which it is not there."""
    source: str


def moved_paths(module: str, names: Sequence[str] = ()) -> tuple[Moved, ...]:
    """What an import needs that is gone from newer releases.

    Args:
        module: As imported, like ``sklearn.cross_validation``.
        names: Of ``from module import a, b``.
    """
    found = []
    for row in _rows():
        paths = [f"{row['module']}.{name}" for name in row["names"]] or [row["module"]]
        for path in paths:
            name = path.rpartition(".")[2]
            wanted = f"{module}.".startswith(path + ".")
            if wanted or (module == row["module"] and name in names):
                found.append(
                    Moved(
                        distribution=row["distribution"],
                        path=path,
                        releases=row["releases"],
                        needs=tuple(row.get("needs", ())),
                        source=row["source"],
                    )
                )
    return tuple(found)


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = load("moved_paths")["path"]
    return rows
