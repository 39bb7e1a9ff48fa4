"""Where the things of Keras are in the installed releases."""

from __future__ import annotations

import re
from functools import cached_property

from keras_doctor.knowledge.pathindex import path_index
from keras_doctor.knowledge.paths import exists_in, replacement_of
from keras_doctor.records import NamedTuple
from keras_doctor.rules.code.mixed import OWN_COPY, package_behind
from keras_doctor.scan.judge import DISTRIBUTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from keras_doctor.rules.context import Context

DOOR = "tensorflow.keras"
"""The public way to Keras through TensorFlow."""
_ROOTS = {
    "tensorflow.contrib.keras": DOOR,
    OWN_COPY: DOOR,
    DOOR: DOOR,
    "tf_keras": "tf_keras",
    "keras": "keras",
}
"""Where Keras is, or was, and the public place of the same."""
_PLAIN = re.compile(r"keras(?:\.\w+)*\Z")
"""A replacement that is a path and nothing else: others need a person's judgement."""
_PRIVATE = frozenset({"src", "api", "python", "_impl", "legacy", "experimental", "compat"})
_ALIKE = 0.85
"""How alike two spellings must be to be one word."""


class Root(NamedTuple):
    """A path that leads into a Keras."""

    written: str
    """The part of it that is that Keras."""
    public: str
    below: str
    """The rest; empty for the package itself."""


def root_of(path: str) -> Root | None:
    """Which Keras a path leads into; None for what is no Keras."""
    for written, public in _ROOTS.items():
        if f"{path}.".startswith(written + "."):
            return Root(written=written, public=public, below=path[len(written) + 1 :])
    return None


def joined(*parts: str) -> str:
    """A dotted path of its parts, the empty ones left out."""
    return ".".join(part for part in parts if part)


class Places:
    """The import paths of what is installed."""

    def __init__(self, context: Context) -> None:
        """Args: the facts, for the installed releases."""
        self._context = context

    def release(self, path: str) -> tuple[str, str] | None:
        """The distribution that a path belongs to, with its version."""
        top = path.partition(".")[0]
        name = DISTRIBUTIONS.get(top)
        if top == "keras":
            found = self._context.keras_distribution
        elif top == "tensorflow":
            found = self._context.backend_distribution("tensorflow")
        else:
            owners = self._context.owners(top)
            found = self._context.first(name) if name else next(iter(owners), None)
        return (found.name, found.version) if found else None

    def has(self, path: str) -> bool | None:
        """Whether the installed release has a path; None when that cannot be told."""
        path = self._behind(path)
        known = self.release(path)
        if known is None:
            return False if path.partition(".")[0] in DISTRIBUTIONS else None
        return exists_in(path, known[1], self._context.keras_version)

    def is_module(self, path: str) -> bool:
        """Whether a path is a module of the installed release."""
        path = self._behind(path)
        known, index = self.release(path), path_index(path.partition(".")[0])
        if known is None or index is None:
            return False
        mount = index.mounted(path, known[1])
        if mount is None:
            return index.is_module(path, known[1])
        other, version = path_index(mount.top), self.release(mount.top)
        inside = mount.path + path[len(mount.at) :]
        return bool(other and version and other.is_module(inside, version[1]))

    def was_module(self, path: str) -> bool:
        """Whether a path was ever a module, in any release."""
        root = root_of(path)
        plain = joined("keras", root.below) if root else path
        indices = ((one, path_index(one.partition(".")[0])) for one in (path, plain))
        return any(index is not None and index.is_module(one) for one, index in indices)

    def names(self, path: str, *, public: str | None = None, misspelt: bool = False) -> list[str]:
        """Where a class or a function is now that is not at its path any more.

        Args:
            path: As it was imported.
            public: The Keras that it must be in; default: the same one.
            misspelt: Whether there never was such a path, so that one spelt nearly so is meant.
        """
        root = root_of(path)
        if root is None or not root.below:
            return []
        public = public or root.public
        here = joined(public, root.below)
        close = self._close(here)
        name = here.rpartition(".")[2]
        found = [
            *_listed(root.below, public),
            here,
            *(one for one in close if _parent(one) == _parent(here) and _same_word(one, here)),
            *(joined(module, name) for module in _upwards(_parent(here))),
        ]
        if name[:1].isupper():
            # Classes of one name are one class; functions of one name are not: keras.layers.add
            # and keras.ops.add.
            found += [one for one in close if one.rpartition(".")[2] == name]
        if misspelt:
            found += [one for one in close if _is_spelt_nearly(one, here)]
        return self._there(found)

    def modules(self, path: str, attributes: Iterable[str], public: str | None = None) -> list[str]:
        """Modules that have all that is used of a module that is gone."""
        root = root_of(path)
        if root is None:
            return []
        public = public or root.public
        wanted = sorted(attributes)
        found = [*_listed(root.below, public), *_upwards(joined(public, root.below))]
        for name in wanted[:1]:
            found += [_parent(one) for one in self.names(joined(path, name), public=public)]
        return [
            one
            for one in dict.fromkeys(found)
            if (one == public or self.is_module(one))
            and _is_public(one)
            and all(self.has(joined(one, name)) for name in wanted)
        ]

    def other_door(self, path: str) -> str | None:
        """The same class or function of the same Keras by way of TensorFlow, which has more."""
        root = root_of(path)
        if root is None or root.written != "keras" or not root.below:
            return None
        other = joined(DOOR, root.below)
        if package_behind(self._context, other) != "keras" or self.is_module(other):
            return None
        return other if self.has(other) else None

    def _close(self, path: str) -> list[str]:
        known, index = self.release(path), path_index(path.partition(".")[0])
        if known is None or index is None:
            return []
        return index.close_to(path, known[1], self._context.keras_version)

    @cached_property
    def _legacy(self) -> bool:
        return package_behind(self._context, f"{DOOR}.layers") == "tf_keras"

    def _behind(self, path: str) -> str:
        """The path as it is when the switch makes tf.keras mean another package."""
        if path.startswith(DOOR + ".") and self._legacy:
            return "tf_keras" + path[len(DOOR) :]
        return path

    def _there(self, paths: Iterable[str]) -> list[str]:
        return [
            one
            for one in dict.fromkeys(paths)
            if _is_public(one) and self.has(one) and not self.is_module(one)
        ]


def _listed(below: str, public: str) -> list[str]:
    """What people have written down as the replacement, of the path or of a module above it."""
    path = joined("keras", below)
    found = replacement_of(path)
    if found is None or not _PLAIN.match(found[1]):
        return []
    return [public + found[1][len("keras") :] + path[len(found[0]) :]]


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _upwards(path: str) -> list[str]:
    """A path and the packages above it, the nearest first, down to the public root."""
    root = root_of(path)
    parts = path.split(".")
    least = len(root.public.split(".")) if root else 1
    return [".".join(parts[:length]) for length in range(len(parts), least - 1, -1)]


def _is_public(path: str) -> bool:
    parts = path.split(".")
    return not any(part in _PRIVATE or part.startswith("_") for part in parts)


def _same_word(left: str, right: str) -> bool:
    return left.lower() == right.lower()


def _is_spelt_nearly(found: str, meant: str) -> bool:
    """Whether one name is a slip of the other: the same module, and the same numbers."""
    from difflib import SequenceMatcher

    if _parent(found) != _parent(meant):
        return False
    left, right = (one.rpartition(".")[2].lower() for one in (found, meant))
    if re.findall(r"\d+", left) != re.findall(r"\d+", right):
        return False
    return SequenceMatcher(None, left, right).ratio() >= _ALIKE
