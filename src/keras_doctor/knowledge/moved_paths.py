"""Import paths of other packages than Keras' that are gone, and the releases that have them."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Moved(NamedTuple):
    """One path that a program needs and that only some releases have."""

    distribution: str
    path: str
    releases: str
    """As a specifier."""
    needs: tuple[str, ...]
    """Further distributions without which it is not there."""
    source: str
    python: str = ""
    """As a specifier: on which Pythons."""


def moved_paths(module: str, names: Sequence[str] = ()) -> tuple[Moved, ...]:
    """What an import needs that is gone from newer releases.

    Args:
        module: As imported, like ``sklearn.cross_validation``.
        names: Of ``from module import a, b``.
    """
    parts = module.split(".")
    paths = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    paths += [f"{module}.{name}" for name in names]
    known = _by_path()
    return tuple(moved for path in dict.fromkeys(paths) for moved in known.get(path, ()))


@cache
def _by_path() -> dict[str, list[Moved]]:
    found: dict[str, list[Moved]] = {}
    for row in load("moved_paths")["path"]:
        for path in [f"{row['module']}.{name}" for name in row["names"]] or [row["module"]]:
            moved = Moved(
                distribution=row["distribution"],
                path=path,
                releases=row["releases"],
                needs=tuple(row.get("needs", ())),
                source=row["source"],
                python=row.get("python", ""),
            )
            found.setdefault(path, []).append(moved)
    return found
