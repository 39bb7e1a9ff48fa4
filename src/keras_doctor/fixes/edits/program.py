"""What a program does with the names that it imports, by its syntax tree."""

from __future__ import annotations

import ast
import re
import warnings
from functools import cached_property

from keras_doctor.fixes.edits.text import Text
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_NAME = frozenset({"eval", "exec", "globals", "locals"})
"""What can reach any name of a module without naming it, and so can ``vars()``."""
_BY_STRING = frozenset(
    {"getattr", "hasattr", "setattr", "delattr", "attrgetter", "import_module", "__import__"}
)
_WORD = re.compile(r"[^\W\d]\w*")


class Chain(NamedTuple):
    """An expression ``base.part.part``, as long as it goes."""

    base: str
    parts: tuple[str, ...]
    nodes: tuple[ast.expr, ...]
    """The expression up to and with the base, the first part, the second ..."""


class Program:
    """A source file that could be parsed."""

    def __init__(self, text: Text, tree: ast.Module) -> None:
        """Args: the text and the tree of its plain form."""
        self.text = text
        self.tree = tree
        self.nodes = list(ast.walk(tree))

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """All statements, by line."""
        found = [node for node in self.nodes if isinstance(node, ast.stmt)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    @property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """All import statements of installed packages, by line."""
        return [
            node
            for node in self.statements
            if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not node.level)
        ]

    def at(self, line: int) -> list[ast.stmt]:
        """The statements on a line that hold no others."""
        return [
            node
            for node in self.statements
            if node.lineno <= line <= (node.end_lineno or node.lineno)
            and not isinstance(getattr(node, "body", None), list)
            and not isinstance(node, ast.Match)
        ]

    def may_empty_block(self, statement: ast.stmt) -> bool:
        """Whether a block could be empty without a statement: all others are imports too."""
        for node in self.nodes:
            if isinstance(node, ast.Module):
                continue
            for _name, block in ast.iter_fields(node):
                if isinstance(block, list) and any(one is statement for one in block):
                    kinds = (ast.Import, ast.ImportFrom)
                    return all(one is statement or isinstance(one, kinds) for one in block)
        return False

    # -- names

    @cached_property
    def is_dynamic(self) -> bool:
        """Whether names may be used without being named, or come from where nobody can tell."""
        for node in self.nodes:
            match node:
                case ast.Name(id=name) if name in _BY_NAME:
                    return True
                case ast.Call(func=ast.Name(id="vars"), args=[]):
                    return True
                case ast.Attribute(value=ast.Name(id="sys"), attr="modules"):
                    return True
                case ast.ImportFrom(names=[ast.alias(name="*"), *_]):
                    return True
        return False

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """Words in strings that stand for names: of ``__all__``, getattr and annotations."""
        found: set[str] = set()
        for node in self.nodes:
            for part in _naming_parts(node):
                for inner in ast.walk(part):
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                        found.update(_WORD.findall(inner.value))
        return frozenset(found)

    @cached_property
    def _loaded(self) -> dict[str, list[ast.Name]]:
        found: dict[str, list[ast.Name]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name):
                found.setdefault(node.id, []).append(node)
        return found

    @cached_property
    def _rebound(self) -> frozenset[str]:
        """Names that something else than an import gives a value."""
        found: set[str] = set()
        for node in self.nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    found.add(name)
                case ast.arg(arg=name):
                    found.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    found.add(name)
                case ast.ClassDef(name=name):
                    found.add(name)
                case ast.ExceptHandler(name=str(name)):
                    found.add(name)
                case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    found.add(name)
                case ast.MatchMapping(rest=str(name)):
                    found.add(name)
        return frozenset(found)

    def is_unused(self, name: str) -> bool:
        """Whether surely nothing in the file uses what an import binds to a name."""
        taken = name in self._loaded or name in self._rebound or name in self.mentioned
        return not taken and not self.is_dynamic

    def is_rebound(self, name: str) -> bool:
        """Whether a name may be something else than what was imported."""
        return name in self._rebound

    def attributes_of(self, name: str) -> set[str] | None:
        """The attributes that are taken of a name; None when it is used in other ways too."""
        return self.attributes_below(name, ())

    def attributes_below(self, name: str, path: tuple[str, ...]) -> set[str] | None:
        """The same of ``name.path``, among the uses that go that way."""
        if name in self._rebound or name in self.mentioned:
            return None
        found = set()
        for chain in self.chains:
            if chain.base != name or chain.parts[: len(path)] != path:
                continue
            if len(chain.parts) == len(path):
                return None
            found.add(chain.parts[len(path)])
        return found

    @cached_property
    def chains(self) -> list[Chain]:
        """Every use of a name, with the attributes that are taken of it."""
        inner = {
            id(node.value)
            for node in self.nodes
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute)
        }
        found = []
        for node in self.nodes:
            if isinstance(node, ast.Name | ast.Attribute) and id(node) not in inner:
                chain = _chain(node)
                if chain:
                    found.append(chain)
        return found

    def bindings(self) -> Iterator[tuple[str, str, ast.Import | ast.ImportFrom]]:
        """What the imports bind: (name, path that it stands for, statement)."""
        for node in self.imports:
            for alias in node.names:
                if isinstance(node, ast.ImportFrom):
                    yield alias.asname or alias.name, f"{node.module}.{alias.name}", node
                else:
                    top = alias.name.partition(".")[0]
                    yield alias.asname or top, alias.name if alias.asname else top, node


def read(source: str) -> Program | None:
    """Read a program; None when it is not one for the Python that this runs on."""
    text = Text(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return Program(text, ast.parse(text.plain))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _naming_parts(node: ast.AST) -> Iterator[ast.AST]:
    """The parts of a node whose strings are names."""
    match node:
        case ast.arg(annotation=ast.expr() as part) | ast.AnnAssign(annotation=part):
            yield part
        case ast.FunctionDef(returns=ast.expr() as part):
            yield part
        case ast.AsyncFunctionDef(returns=ast.expr() as part):
            yield part
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _BY_STRING:
            yield node
    simple = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)
    if isinstance(node, simple) and _says_all(node):
        yield node


def _says_all(node: ast.stmt) -> bool:
    """Whether it is of the kind ``__all__ = [...]``, ``__all__ += [...]``, ``__all__.append()``."""
    return any(isinstance(inner, ast.Name) and inner.id == "__all__" for inner in ast.walk(node))


def _chain(node: ast.expr) -> Chain | None:
    parts: list[str] = []
    nodes: list[ast.expr] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        nodes.append(node)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return Chain(base=node.id, parts=tuple(parts[::-1]), nodes=(node, *nodes[::-1]))
