"""The names that a module binds when it is imported, read from its text.

Only the top level counts, with the bodies of ``if``, ``try``, ``with`` and loops: which branch
runs depends on the machine, so a name counts when one of them binds it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_DOCUMENTED = re.compile(r"@@(\w+)")
_ROUGH = re.compile(
    r"^(?:def|class)\s+(\w+)|^(\w+)\s*=[^=]|^(?:from\s+[\w.]+\s+)?import\s+([\w ,.]+)$",
    re.MULTILINE,
)


@dataclass
class Facts:
    """What one module binds."""

    names: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    """Modules of which everything public is taken, by full name."""
    exports: list[str] | None = None
    """``__all__``, when it is written out."""
    is_open: bool = False
    """More names may be bound than can be read."""
    documented: frozenset[str] = frozenset()
    """Names that the docstring marks with ``@@``, as TensorFlow 1 did."""
    kept: set[str] | None = None
    """What ``remove_undocumented`` leaves besides the documented names."""
    kept_for: list[str] = field(default_factory=list)
    """Modules whose docstrings are asked too, by full name."""
    exports_known: bool = True
    aliases: dict[str, str] = field(default_factory=dict)
    """What each name that only an import binds stands for."""


def read_module(text: bytes | None, module: str, *, is_package: bool) -> Facts:
    """The bindings of a module; of a compiled one nothing but that it has some."""
    if text is None:
        return Facts(is_open=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _roughly(text)
    package = module if is_package else module.rpartition(".")[0]
    facts = Facts(documented=frozenset(_DOCUMENTED.findall(ast.get_docstring(tree) or "")))
    _Walk(facts, module, package, is_package=is_package).block(tree.body)
    # The names of these come from a description that is read when they are imported.
    facts.is_open |= module.endswith("_pb2")
    if not facts.exports_known:
        facts.exports = None
    return facts


def _roughly(text: bytes) -> Facts:
    """Names of a file in another Python's syntax: those that stand at the left margin."""
    facts = Facts(is_open=True)
    for match in _ROUGH.finditer(text.decode("utf-8", "replace")):
        if match[3]:
            words = (part.split() for part in match[3].split(","))
            facts.names.update(part[-1].partition(".")[0] for part in words if part)
        else:
            facts.names.add(match[1] or match[2])
    return facts


class _Walk:
    """Goes through the statements in their order."""

    def __init__(self, facts: Facts, module: str, package: str, *, is_package: bool) -> None:
        self.facts = facts
        self.module = module
        self.package = package
        self.is_package = is_package
        self.lists: dict[str, list[str]] = {}
        """Lists of texts that were assigned to names."""

    def block(self, body: Iterable[ast.stmt]) -> None:
        """Read statements."""
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """Read one statement."""
        names = self.facts.names
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            self.facts.aliases.pop(node.name, None)
            self.facts.is_open |= node.name == "__getattr__"
        elif isinstance(node, ast.Import):
            self._import(node)
        elif isinstance(node, ast.ImportFrom):
            self._import_from(node)
        elif isinstance(node, ast.Delete):
            names.difference_update(t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.Expr):
            self._call(node.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self._assign(node)
        else:
            self._compound(node)

    def _compound(self, node: ast.stmt) -> None:
        if isinstance(node, ast.For):
            self.facts.names.update(_targets(node.target))
        if isinstance(node, ast.With):
            for item in node.items:
                self.facts.names.update(_targets(item.optional_vars))
        for part in ("body", "orelse", "finalbody"):
            self.block(getattr(node, part, ()))
        for handler in getattr(node, "handlers", ()):
            self.block(handler.body)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            top, _, rest = alias.name.partition(".")
            self.facts.names.add(alias.asname or top)
            self.facts.aliases[alias.asname or top] = alias.name if alias.asname else top
            inside = alias.name.removeprefix(self.package + ".")
            if rest and self.is_package and inside != alias.name:
                self.facts.names.add(inside.partition(".")[0])

    def _import_from(self, node: ast.ImportFrom) -> None:
        source = self._absolute(node)
        if node.module == "__future__":
            return
        for alias in node.names:
            if alias.name == "*":
                self.facts.stars.append(source)
            else:
                self.facts.names.add(alias.asname or alias.name)
                self.facts.aliases[alias.asname or alias.name] = f"{source}.{alias.name}"
        # Importing from its own submodule makes that an attribute of the package.
        if self.is_package and source.startswith(self.package + "."):
            self.facts.names.add(source[len(self.package) + 1 :].partition(".")[0])

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        base = parts[: len(parts) - node.level + 1]
        return ".".join([*base, node.module] if node.module else base)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for name in _targets(target):
                self.facts.names.add(name)
                self.facts.aliases.pop(name, None)
            if isinstance(target, ast.Name):
                before = self.lists.get(target.id, []) if isinstance(node, ast.AugAssign) else []
                self.lists[target.id] = [*before, *(_strings(node.value) or ())]
            if isinstance(target, ast.Name) and target.id == "__all__":
                self._all(node.value, add=isinstance(node, ast.AugAssign))
            elif isinstance(target, ast.Subscript):
                self._replaced(target, node.value)

    def _replaced(self, target: ast.Subscript, value: ast.expr | None) -> None:
        """``sys.modules[__name__] = other`` and ``globals()[name] = value``."""
        where = ast.unparse(target)
        if where.endswith(".modules[__name__]"):
            # A wrapper round the module itself has the module's names.
            self.facts.is_open |= value is None or where not in ast.unparse(value)
        elif where.startswith(("globals()[", "vars()[", "locals()[")):
            key = target.slice
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                self.facts.names.add(key.value)
            else:
                self.facts.is_open = True

    def _all(self, value: ast.expr | None, *, add: bool) -> None:
        listed = _strings(value)
        if listed is None:
            self.facts.exports_known = False
        elif add:
            self.facts.exports = [*(self.facts.exports or []), *listed]
        else:
            self.facts.exports, self.facts.exports_known = listed, True

    def _call(self, node: ast.expr) -> None:
        if not isinstance(node, ast.Call):
            return
        called = ast.unparse(node.func)
        last = called.rpartition(".")[2]
        if called == "setattr" and len(node.args) == 3:
            name = node.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                self.facts.names.add(name.value)
        elif last == "extend" and called.partition(".")[0] in self.lists:
            more = _strings(node.args[0]) if node.args else None
            self.lists[called.partition(".")[0]].extend(more or ())
        if called in ("__all__.extend", "__all__.append"):
            listed = _strings(node.args[0]) if node.args else None
            self.facts.exports_known &= listed is not None
            self.facts.exports = [*(self.facts.exports or []), *(listed or ())]
        elif called in ("globals().update", "vars().update", "exec"):
            self.facts.is_open = True
        elif last == "remove_undocumented":
            self._kept(node)

    def _kept(self, node: ast.Call) -> None:
        if node.args and ast.unparse(node.args[0]) != "__name__":
            return
        kept: set[str] = set()
        for argument in [*node.args[1:], *(keyword.value for keyword in node.keywords)]:
            if isinstance(argument, ast.Name):
                kept.update(self.lists.get(argument.id, ()))
            kept.update(_strings(argument) or ())
            for part in getattr(argument, "elts", ()):
                if isinstance(part, ast.Name):
                    self.facts.kept_for.append(self.facts.aliases.get(part.id, part.id))
        self.facts.kept = kept


def _targets(node: ast.expr | None) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            yield from _targets(part)
    elif isinstance(node, ast.Starred):
        yield from _targets(node.value)


def _strings(node: ast.expr | None) -> list[str] | None:
    """The texts of a written-out list; None for anything else."""
    parts: Sequence[ast.expr] | None = None
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = node.elts
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if parts is None:
        return None
    found = [part.value for part in parts if isinstance(part, ast.Constant)]
    texts = [value for value in found if isinstance(value, str)]
    return texts if len(texts) == len(parts) else None
