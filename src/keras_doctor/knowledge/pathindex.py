"""Which dotted paths can be imported in which releases of Keras and TensorFlow.

The files below ``compiled/paths/`` were read in the released wheels themselves by
``python -m tools.knowledge paths``; ``tools/knowledge/pathtree.py`` says how they are written. A
path that is asked for is looked up in the text of its module: nothing else is unpacked.
"""

from __future__ import annotations

import os
from functools import cache

from keras_doctor.knowledge import folder, load
from keras_doctor.knowledge.pathtree import Tree
from keras_doctor.records import NamedTuple
from keras_doctor.versions import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from keras_doctor.knowledge.pathtree import Line

_TESTS = frozenset({"tests", "integration_test", "testdata"})
"""Not listed: nobody asks for them."""
_PRIVATE_KEPT = frozenset({"__version__", "__internal__", "_tf_keras"})


@cache
def path_index(top: str) -> PathIndex | None:
    """The index of a top-level package; None when there is none."""
    name = os.path.join("paths", top)
    if not top.isidentifier() or not os.path.exists(os.path.join(folder(), name + ".json")):
        return None
    return PathIndex(load(name))


class Mount(NamedTuple):
    """A place in the tree that is another package's from some release on."""

    at: str
    since: tuple[int, ...]
    top: str
    path: str
    of: tuple[int, ...]
    """The oldest release of the other package that this is true of."""


class PathIndex:
    """The paths of one top-level package by release."""

    __slots__ = ("about", "mounts", "releases", "tree")

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.about: dict[str, Any] = data["about"]
        """When and how it was read, how far real imports agree, and what is missing."""
        self.releases: tuple[str, ...] = tuple(data["releases"].split())
        """The releases that were read, oldest first; minors for TensorFlow."""
        self.mounts = tuple(
            Mount(at, release(since), top, path, release(of))
            for at, since, top, path, of in data.get("mounts", ())
        )
        self.tree = Tree(data)

    @property
    def newest(self) -> str:
        """The newest release that was read."""
        return self.releases[-1]

    def exists_in(self, path: str, version: str, keras: str | None = None) -> bool | None:
        """Whether a path can be imported in a release, as a module or as a name of its parent.

        None when that cannot be told: the package or the release is older than the index, or the
        path leads through a class or a module whose names were not listed. A newer release is
        judged as the newest, one that was not read by its neighbours, if they agree.

        `keras` is the installed Keras 3, which ``tensorflow.keras`` is since TensorFlow 2.16;
        without it the answer must be the same for all of them.
        """
        mount = self.mounted(path, version)
        if mount is not None:
            return _in_other(mount, path, keras)
        return _agreed(self._exists(path, index) for index in self.nearest(version))

    def is_module(self, path: str, version: str | None = None) -> bool:
        """Whether ``import path`` works, in one release or in any."""
        line = self.tree.line(path)
        if line is None:
            return False
        if version is None:
            return bool(line.there)
        indices = self.nearest(version)
        return bool(indices) and all(index in line.there for index in indices)

    def ranges(self, path: str) -> tuple[tuple[str, str], ...]:
        """The releases that have a path, first and last inclusive, among those that were read.

        Where a part of it is another package's, one release of that is enough.
        """
        indices = {i for i in range(len(self.releases)) if self._exists(path, i)}
        for mount in self.mounts:
            if path.startswith(mount.at + ".") and _in_any(mount, path):
                indices |= {
                    i for i, text in enumerate(self.releases) if release(text) >= mount.since
                }
        return runs_of(indices, self.releases)

    def top_level(self, version: str) -> list[str]:
        """The modules directly below the package in a release."""
        return [
            path
            for path in self.tree.modules()
            if path.count(".") == 1 and self.is_module(path, version)
        ]

    def close_to(self, path: str, version: str, keras: str | None = None) -> list[str]:
        """Existing paths of a release that may be meant, the likeliest first."""
        from keras_doctor.knowledge.closepaths import close_to

        return close_to(self, path, version, keras)

    def mounted(self, path: str, version: str) -> Mount | None:
        """The other package's place that a path is in, in a release."""
        number = release(version)
        for mount in self.mounts:
            if path.startswith(mount.at + ".") and number >= mount.since:
                return mount
        return None

    def nearest(self, version: str) -> tuple[int, ...]:
        """The releases to judge a version by; () when it is older than the index."""
        keys = _keys(self.releases)
        wanted = release(version)
        if self.about["by"] == "minor":
            wanted = wanted[:2]
        wanted = _without_zeros(wanted)
        if wanted in keys:
            return (keys.index(wanted),)
        after = sum(key < wanted for key in keys)
        if after == len(keys):
            return (after - 1,)
        return (after - 1, after) if after else ()

    def _exists(self, path: str, index: int) -> bool | None:
        """Whether a path is there in one of the releases."""
        line = self.tree.line(path)
        if line is not None and index in line.there:
            return True
        parts = path.split(".")
        for length in range(len(parts) - 1, 0, -1):
            line = self.tree.line(".".join(parts[:length]))
            if line is None or index not in line.there:
                continue
            name = parts[length]
            last = length == len(parts) - 1
            if index in line.with_name(name):
                return True if last else None
            return None if self._is_unclear(line, name, index) else False
        return None

    def _is_unclear(self, line: Line, name: str, index: int) -> bool:
        """Whether a module may have a name that is not listed."""
        if index in line.opened or (name.startswith("_") and name not in _PRIVATE_KEPT):
            return True
        if name in _TESTS or name.endswith("_test"):
            return True
        return index in line.borrows and index in self.tree.borrowed.with_name(name)


def runs_of(indices: Iterable[int], releases: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Neighbouring releases as ranges: first and last of each, inclusive."""
    found: list[list[int]] = []
    for index in sorted(indices):
        if found and found[-1][1] == index - 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return tuple((releases[first], releases[last]) for first, last in found)


@cache
def _keys(releases: tuple[str, ...]) -> list[tuple[int, ...]]:
    return [_without_zeros(release(text)) for text in releases]


def _without_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    while numbers and not numbers[-1]:
        numbers = numbers[:-1]
    return numbers


def _agreed(answers: Iterable[bool | None]) -> bool | None:
    found = set(answers)
    return found.pop() if len(found) == 1 else None


def _in_other(mount: Mount, path: str, version: str | None) -> bool | None:
    """Whether a path exists in what the other package puts there."""
    index = path_index(mount.top)
    if index is None:
        return None
    inside = mount.path + path[len(mount.at) :]
    if version is not None:
        return index.exists_in(inside, version) if release(version) >= mount.of else None
    fitting = [text for text in index.releases if release(text) >= mount.of]
    return _agreed(index.exists_in(inside, text) for text in fitting)


def _in_any(mount: Mount, path: str) -> bool:
    index = path_index(mount.top)
    return index is not None and bool(index.ranges(mount.path + path[len(mount.at) :]))
