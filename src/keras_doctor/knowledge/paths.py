"""Import paths of Keras by release, written by hand: those that moved, and what replaces them.

`pathindex` knows of every path whether a release has it; `replacement_of` is what only people know.
"""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.knowledge.pathindex import path_index
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key


class ImportPath(NamedTuple):
    """One dotted path, and the releases of Keras in which it can be imported."""

    path: str
    kind: str
    """``module`` or ``name`` (only ``from parent import name`` works)."""
    ranges: tuple[tuple[str, str], ...]
    """Releases, first and last inclusive."""
    replacement: str | None
    """What takes its place today."""

    def exists_in(self, version: str) -> bool:
        """Whether it can be imported in a Keras release.

        A release newer than the index is judged as the newest one that was read.
        """
        newest = latest()
        version = min(version, newest, key=compare_key)
        key = compare_key(version)
        return any(compare_key(a) <= key <= compare_key(b) for a, b in self.ranges)


@cache
def latest() -> str:
    """The newest Keras release that was read."""
    version: str = load("import_paths")["about"]["latest"]
    return version


@cache
def import_paths() -> dict[str, tuple[ImportPath, ...]]:
    """All paths that came, went or moved, by path; as a module and as a name apart."""
    found: dict[str, tuple[ImportPath, ...]] = {}
    for row in load("import_paths")["path"]:
        entry = ImportPath(
            path=row["path"],
            kind=row["kind"],
            ranges=tuple((first, last) for first, last in row["ranges"]),
            replacement=row.get("replacement"),
        )
        found[entry.path] = (*found.get(entry.path, ()), entry)
    return found


@cache
def known_ranges(path: str) -> tuple[tuple[str, str], ...] | None:
    """The releases that have a path; () when none ever had it, None when that is not known."""
    index = path_index(path.partition(".")[0])
    if index is None:
        return None
    ranges = index.ranges(path)
    if ranges:
        return ranges
    # That the newest lacks it says little: the module around it may be what is gone.
    return () if all(index.exists_in(path, each) is False for each in index.releases) else None


def always_there(path: str) -> bool:
    """Whether every release that was read has a path."""
    index = path_index(path.partition(".")[0])
    return index is not None and index.ranges(path) == ((index.releases[0], index.newest),)


def exists_in(path: str, version: str, keras: str | None = None) -> bool | None:
    """Whether a release has a path; None when that cannot be told.

    Args:
        path: A dotted path, its first part the import package.
        version: The release of the package.
        keras: The installed Keras, which part of TensorFlow's paths lead into.
    """
    index = path_index(path.partition(".")[0])
    return index.exists_in(path, version, keras) if index is not None else None


@cache
def was_in(path: str, version: str, keras: str | None = None) -> bool | None:
    """Whether a release has a path, by the releases that were read to have it.

    Where :func:`exists_in` cannot tell, that others have it and this one does not still says so.
    Arguments and result as there.
    """
    found = exists_in(path, version, keras)
    ranges = known_ranges(path) if found is None else None
    if not ranges:
        return found
    key = compare_key(version)
    return any(compare_key(first) <= key <= compare_key(last) for first, last in ranges)


def close_paths(path: str, version: str) -> list[str]:
    """Paths of a release that may be meant, the likeliest first."""
    index = path_index(path.partition(".")[0])
    return index.close_to(path, version) if index is not None else []


def replacement_of(path: str) -> tuple[str, str] | None:
    """What was replaced and by what, for a path or for the nearest module above it."""
    known = import_paths()
    while "." in path:
        for entry in known.get(path, ()):
            if entry.replacement:
                return path, entry.replacement
        path = path.rpartition(".")[0]
    return None
