"""What somebody may have meant who asked for a path that is not there."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.pathindex import PathIndex

_MOST = 5
_INTERNAL = frozenset({"src", "api", "_impl", "tensorflow_backend", "python"})
"""Where things are made: nobody should import them from there."""
_SECOND = frozenset({"contrib", "compat", "legacy", "experimental"})
"""Better than nothing."""
_ALIKE = 0.75
"""How alike two spellings must be."""


def close_to(index: PathIndex, path: str, version: str, keras: str | None) -> list[str]:
    """Existing paths of a release that may be meant, the likeliest first.

    First the same last name at another place, then what is spelt nearly so at the same place.
    """
    indices = index.nearest(version)
    if not indices:
        return []
    mount = index.mounted(path, version)
    if mount is not None:
        return _in_mount(index, path, version, keras)
    found = _other_capitals(index, path, indices[-1]) + _same_name(index, path, indices[-1])
    return (found or _spelt_nearly(index, path, version, indices[-1]))[:_MOST]


def _in_mount(index: PathIndex, path: str, version: str, keras: str | None) -> list[str]:
    """The same in the other package, under the names that it has here."""
    from keras_doctor.knowledge.pathindex import path_index

    mount = index.mounted(path, version)
    other = path_index(mount.top) if mount else None
    if mount is None or other is None:
        return []
    inside = mount.path + path[len(mount.at) :]
    at = other.nearest(keras or other.newest)
    if not at:
        return []
    rows = _other_capitals(other, inside, at[-1])
    rows += _same_name(other, inside, at[-1], below=mount.path)
    rows = rows or _spelt_nearly(other, inside, keras or other.newest, at[-1])
    prefix = mount.path + "."
    return [mount.at + row[len(mount.path) :] for row in rows if row.startswith(prefix)][:_MOST]


def _other_capitals(index: PathIndex, path: str, at: int) -> list[str]:
    """The same name in the same module, but for its capitals: ``ReLU`` for ``Relu``."""
    parent, _, name = path.rpartition(".")
    rows = sorted(set(_children(index, parent, at)))
    return [f"{parent}.{row}" for row in rows if row.lower() == name.lower() and row != name]


def _same_name(index: PathIndex, path: str, at: int, below: str = "") -> list[str]:
    """Where else the last name is, the shortest public path first."""
    name = path.rpartition(".")[2]
    found = set()
    for module in index.tree.modules():
        parts = module[len(below) :].split(".")
        if not module.startswith(below) or _is_internal(parts):
            continue
        line = index.tree.line(module)
        if line is None or at not in line.there:
            continue
        if parts[-1] == name:
            found.add(module)
        if at in line.with_name(name):
            found.add(f"{module}.{name}")
    found.discard(path)
    return sorted(found, key=lambda row: _rank(row, path))


def _is_internal(parts: list[str]) -> bool:
    return any(part in _INTERNAL or part.startswith("_") for part in parts)


def _rank(row: str, path: str) -> tuple[bool, int, int, int, str]:
    parts = row.split(".")
    # Of two equally short ones the one that shares more with what was asked for.
    shared = len(set(parts[:-1]) & set(path.split(".")[:-1]))
    return bool(_SECOND.intersection(parts)), len(parts), -shared, len(row), row


def _spelt_nearly(index: PathIndex, path: str, version: str, at: int) -> list[str]:
    """Names like the first one that is missing, in the module that is there."""
    from difflib import get_close_matches

    parts = path.split(".")
    for length in range(len(parts) - 1, 0, -1):
        parent = ".".join(parts[:length])
        if not index.is_module(parent, version):
            continue
        rows = set(_children(index, parent, at))
        close = get_close_matches(parts[length], sorted(rows), n=_MOST, cutoff=_ALIKE)
        rest = parts[length + 1 :]
        found = []
        for name in close:
            whole = ".".join([parent, name, *rest])
            found.append(whole if index.exists_in(whole, version) else f"{parent}.{name}")
        return list(dict.fromkeys(found))
    return []


def _children(index: PathIndex, parent: str, at: int) -> Iterator[str]:
    """The names and modules directly in a module."""
    line = index.tree.line(parent)
    if line is not None:
        yield from line.names_in(at)
    prefix = parent + "."
    for module in index.tree.modules():
        if module.startswith(prefix) and "." not in module[len(prefix) :]:
            own = index.tree.line(module)
            if own is not None and at in own.there:
                yield module[len(prefix) :]
