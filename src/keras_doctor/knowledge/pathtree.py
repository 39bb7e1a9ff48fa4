"""The trees of names in ``compiled/paths/``, looked up without unpacking them.

``tools/knowledge/pathtree.py`` writes them and says how.
"""

from __future__ import annotations

from functools import cache

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


class Line(NamedTuple):
    """What the tree says of one module, by the numbers of releases."""

    there: frozenset[int]
    opened: frozenset[int]
    """Names that are not listed may be there too."""
    borrows: frozenset[int]
    """Some of the borrowed words are names of it too."""
    groups: tuple[tuple[frozenset[int], str], ...]
    """Names with spaces between, and the releases that have them."""

    def with_name(self, name: str) -> frozenset[int]:
        """The releases in which the module has a name."""
        found: frozenset[int] = frozenset()
        for mask, names in self.groups:
            if name in names and f" {name} " in f" {names} ":
                found |= mask
        return found

    def names_in(self, index: int) -> list[str]:
        """The names that are listed in a release."""
        return [name for mask, names in self.groups if index in mask for name in names.split()]


class Tree:
    """All modules of a package."""

    __slots__ = ("_lines", "_masks", "_texts", "_tree", "borrowed")

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._masks: list[str] = data["masks"]
        self._texts: list[str] = data["texts"]
        self._tree: dict[str, Any] = data["tree"]
        self._lines: dict[str, Line | None] = {}
        self.borrowed = self._parse(data["borrowed"])
        """Names that modules use and do not offer: other modules, and what others made."""

    def line(self, path: str) -> Line | None:
        """What is known of a module; None when there never was one."""
        if path not in self._lines:
            self._lines[path] = self._find(path)
        return self._lines[path]

    def modules(self) -> Iterator[str]:
        """All modules that were ever there."""
        yield from _walk("", self._tree)

    def _find(self, path: str) -> Line | None:
        *parents, last = path.split(".")
        node: Any = self._tree
        for part in parents:
            node = node.get(part)
            if not isinstance(node, dict):
                return None
        own = node.get(last)
        if own is None or last in ("", "*"):
            return self._bare(node, last)
        text = own.get("") if isinstance(own, dict) else own
        return None if text is None else self._parse(text)

    def _bare(self, node: Mapping[str, Any], name: str) -> Line | None:
        """A module of whose names nothing is listed."""
        for row in node.get("*", "").split("|"):
            mask, _, names = row.partition(":")
            if name and f" {name} " in f" {names} ":
                there = self._releases(mask)
                return Line(there=there, opened=there, borrows=frozenset(), groups=())
        return None

    def _parse(self, text: str) -> Line:
        head, *rows = text.split("|")
        head, _, borrows = head.partition("~")
        first, _, opened = head.partition("!")
        there = self._releases(first)
        groups = []
        for row in rows:
            number, mark, names = row.rpartition(":")
            names = self._texts[int(names[1:])] if names.startswith("@") else names
            groups.append((self._releases(number) if mark else there, names))
        return Line(
            there=there,
            opened=self._releases(opened),
            borrows=self._releases(borrows),
            groups=tuple(groups),
        )

    def _releases(self, number: str) -> frozenset[int]:
        return _mask(self._masks[int(number)]) if number else frozenset()


def _walk(prefix: str, node: Mapping[str, Any]) -> Iterator[str]:
    for name, child in node.items():
        if name == "*":
            for row in child.split("|"):
                yield from (prefix + part for part in row.partition(":")[2].split())
        elif name:
            if not isinstance(child, dict) or "" in child:
                yield prefix + name
            if isinstance(child, dict):
                yield from _walk(f"{prefix}{name}.", child)


@cache
def _mask(text: str) -> frozenset[int]:
    """The releases of ``0-5 7``."""
    found: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
