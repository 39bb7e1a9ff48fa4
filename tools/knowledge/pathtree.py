"""Many surfaces, one for each release, as one compact tree of names.

A node of the tree is a dictionary of its children, whose entry ``""`` says what the module itself
has; a module without children is that text alone. The text is ``MASK[!OPEN][|[MASK:]NAMES]...``:
numbers of rows of ``masks``, first the releases that have the module, then those in which more
names may be there than are listed, then groups of names that came and went together (``MASK`` is
left out when they are there as long as the module is). ``@N`` in the place of names is row N of
``texts``: modules share many groups.
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
        self.names: defaultdict[str, set[int]] = defaultdict(set)

    def add(self, index: int, module: Module) -> None:
        self.there.add(index)
        if module.is_open:
            self.opened.add(index)
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
    for index, surface in enumerate(surfaces):
        for path, module in surface.items():
            entries[path].add(index, module)
    masks, shared = Masks(), Counter[str]()
    for entry in entries.values():
        masks.count[frozenset(entry.there)] += 1
        masks.count[frozenset(entry.opened)] += bool(entry.opened)
        for mask, names in entry.groups().items():
            masks.count[mask] += 1
            shared[" ".join(names)] += 1
    rows = masks.rows()
    texts = sorted(text for text, count in shared.items() if count > 1 and len(text) > _WORTH)
    numbers = {text: index for index, text in enumerate(texts)}
    lines = {path: _line(entry, masks.number, numbers) for path, entry in entries.items()}
    return {"masks": rows, "texts": texts, "tree": _tree(lines)}


def _line(
    entry: _Entry, masks: Mapping[frozenset[int], int], texts: Mapping[str, int]
) -> str:
    there = frozenset(entry.there)
    line = str(masks[there])
    if entry.opened:
        line += f"!{masks[frozenset(entry.opened)]}"
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
    """Modules without children as their text alone."""
    for name, child in node.items():
        if isinstance(child, dict):
            own = child.get("")
            node[name] = own if len(child) == 1 and isinstance(own, str) else _folded(child)
    return node
