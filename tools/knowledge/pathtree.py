"""Many surfaces, one for each release, as one compact tree of names.

A node of the tree is a dictionary of its children, whose entry ``""`` says what the module itself
has; a module without children is that text alone. The text is
``MASK[!OPEN][~BORROWED][|[MASK:]NAMES]...``: numbers of rows of ``masks``, first the releases that
have the module, then those in which more names may be there than are listed, then those in which it
also has some of the words of ``borrowed`` (written as a module too), then groups of names that came
and went together (``MASK`` is left out when they are there as long as the module is). ``@N`` in the
place of names is row N of ``texts``: modules share many groups. The entry ``"*"`` of a node is for
modules of whose names nothing is listed: ``MASK:NAMES`` with bars between, OPEN being as MASK.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tools.knowledge.surface import Module, Surface

Node = dict[str, "Node | str"]
_WORTH = 12
"""Characters of a group that is worth sharing."""


class Masks:
    """Sets of releases, each written once, the frequent ones first."""

    def __init__(self) -> None:
        self.count: Counter[frozenset[int]] = Counter()
        self.number: dict[frozenset[int], int] = {}

    def rows(self) -> list[str]:
        """The texts, after numbering them."""
        ordered = sorted(self.count, key=lambda mask: (-self.count[mask], sorted(mask)))
        self.number = {mask: index for index, mask in enumerate(ordered)}
        return [runs(mask) for mask in ordered]


def runs(mask: frozenset[int]) -> str:
    """``0-5 7`` for {0, 1, 2, 3, 4, 5, 7}."""
    parts: list[list[int]] = []
    for index in sorted(mask):
        if parts and parts[-1][1] == index - 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


class _Entry:
    """One module over all releases."""

    def __init__(self) -> None:
        self.there: set[int] = set()
        self.opened: set[int] = set()
        self.borrows: set[int] = set()
        self.names: defaultdict[str, set[int]] = defaultdict(set)

    def add(self, index: int, module: Module) -> None:
        self.there.add(index)
        if module.is_open:
            self.opened.add(index)
        if module.borrowed:
            self.borrows.add(index)
        for name in module.names:
            self.names[name].add(index)

    def groups(self) -> dict[frozenset[int], list[str]]:
        """Names by the releases that have them."""
        found: defaultdict[frozenset[int], list[str]] = defaultdict(list)
        for name in sorted(self.names):
            found[frozenset(self.names[name])].append(name)
        return dict(found)


def build(surfaces: Sequence[Surface]) -> dict[str, object]:
    """``masks``, ``texts`` and ``tree`` of surfaces in the order of their releases."""
    entries: defaultdict[str, _Entry] = defaultdict(_Entry)
    borrowed = _Entry()
    for index, surface in enumerate(surfaces):
        words = frozenset(name for module in surface.values() for name in module.borrowed)
        borrowed.add(index, Module(words, is_open=False))
        for path, module in surface.items():
            entries[path].add(index, module)
    masks, shared = Masks(), Counter[str]()
    for entry in (*entries.values(), borrowed):
        masks.count[frozenset(entry.there)] += 1
        for more in (entry.opened, entry.borrows):
            masks.count[frozenset(more)] += bool(more)
        for mask, names in entry.groups().items():
            masks.count[mask] += 1
            shared[" ".join(names)] += 1
    rows = masks.rows()
    texts = sorted(text for text, count in shared.items() if count > 1 and len(text) > _WORTH)
    numbers = {text: index for index, text in enumerate(texts)}
    lines = {path: _line(entry, masks.number, numbers) for path, entry in entries.items()}
    return {
        "masks": rows,
        "borrowed": _line(borrowed, masks.number, numbers),
        "texts": texts,
        "tree": _tree(lines),
    }


def _line(entry: _Entry, masks: Mapping[frozenset[int], int], texts: Mapping[str, int]) -> str:
    there = frozenset(entry.there)
    line = str(masks[there])
    if entry.opened:
        line += f"!{masks[frozenset(entry.opened)]}"
    if entry.borrows:
        line += f"~{masks[frozenset(entry.borrows)]}"
    for mask, names in sorted(entry.groups().items(), key=lambda pair: masks[pair[0]]):
        text = " ".join(names)
        text = f"@{texts[text]}" if text in texts else text
        line += "|" + ("" if mask == there else f"{masks[mask]}:") + text
    return line


def _tree(lines: Mapping[str, str]) -> Node:
    root: Node = {}
    for path in sorted(lines):
        node = root
        for part in path.split("."):
            child = node.setdefault(part, {})
            if isinstance(child, str):  # it was a leaf until now
                child = node[part] = {"": child}
            node = child
        node[""] = lines[path]
    return _folded(root)


def _folded(node: Node) -> Node:
    """Modules without children as their text alone, those without names many to a line."""
    bare: defaultdict[str, list[str]] = defaultdict(list)
    for name, child in list(node.items()):
        if not isinstance(child, dict):
            continue
        own = child.get("")
        if len(child) > 1 or not isinstance(own, str):
            node[name] = _folded(child)
            continue
        there, mark, opened = own.partition("!")
        if mark and there == opened:
            bare[there].append(name)
            del node[name]
        else:
            node[name] = own
    if bare:
        rows = sorted(bare.items(), key=lambda pair: int(pair[0]))
        node["*"] = "|".join(f"{mask}:{' '.join(names)}" for mask, names in rows)
    return node
