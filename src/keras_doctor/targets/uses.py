"""What a program uses of the Keras world: imports, and attributes of what it imported.

Read from the syntax tree; nothing is run. In a text that is not Python 3, the import lines that
stand by themselves are read all the same.
"""

from __future__ import annotations

import ast
import warnings

from keras_doctor.model.uses import Use
from keras_doctor.targets.script import syntax_problem
from keras_doctor.targets.walk import lines_that_parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from keras_doctor.targets.script import Source

MAX_USES = 20_000
_ASKING = ("hasattr", "version", ".backend()", "find_spec", "image_data_format", "dim_ordering")
"""What a condition mentions that asks which world it runs in."""


def uses_of(source: Source, tops: Collection[str]) -> tuple[list[Use], str | None]:
    """The uses in one piece of a program.

    Args:
        source: Its text.
        tops: The import packages that count.

    Returns:
        The uses by line, and why part of it could not be read, or None.
    """
    problem = None
    body: Iterable[ast.stmt]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(source.code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        problem = syntax_problem(source, error)
        body = list(lines_that_parse(source.code))
    reader = _Reader(source, tops)
    for node in body:
        try:
            reader.visit(node)
        except RecursionError:
            problem = problem or f"{source.path} is too deeply nested"
    return sorted(set(reader.found), key=lambda use: (use.line, use.path)), problem


class _Reader(ast.NodeVisitor):
    def __init__(self, source: Source, tops: Collection[str]) -> None:
        self.source = source
        self.tops = tops
        self.names: dict[str, str] = {}
        """What a name of the program stands for: ``K`` for ``keras.backend``."""
        self.found: list[Use] = []
        self.tries = 0

    def visit_Try(self, node: ast.Try) -> None:
        """Statements in ``try`` are guarded; its handlers are the way round."""
        self.tries += 1
        for each in node.body:
            self.visit(each)
        self.tries -= 1
        for part in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(part)

    def visit_If(self, node: ast.If) -> None:
        """What depends on a version, or on whether a name is there, is guarded too."""
        self._branches(node.test, [*node.body, *node.orelse])

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """``a if tf.__version__ < "2" else b``."""
        self._branches(node.test, [node.body, node.orelse])

    def _branches(self, test: ast.expr, branches: Iterable[ast.AST]) -> None:
        self.visit(test)
        asks = any(mark in ast.unparse(test).lower() for mark in _ASKING)
        self.tries += asks
        for each in branches:
            self.visit(each)
        self.tries -= asks

    def visit_Import(self, node: ast.Import) -> None:
        """``import a.b``, ``import a.b as c``."""
        for alias in node.names:
            top = alias.name.partition(".")[0]
            if top not in self.tops:
                continue
            self._add(alias.name, node)
            self.names[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """``from a.b import c``."""
        module = node.module or ""
        if node.level or module.partition(".")[0] not in self.tops:
            return
        for alias in node.names:
            if alias.name == "*":
                self._add(module, node)
                continue
            self._add(f"{module}.{alias.name}", node)
            self.names[alias.asname or alias.name] = f"{module}.{alias.name}"

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """``tf.keras.layers.Dense``: the longest chain of attributes from an imported name."""
        parts: list[str] = []
        inner: ast.expr = node
        while isinstance(inner, ast.Attribute):
            parts.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id in self.names:
            self._add(".".join([self.names[inner.id], *reversed(parts)]), node)
        else:
            self.generic_visit(node)

    def _add(self, path: str, node: ast.stmt | ast.expr) -> None:
        if len(self.found) >= MAX_USES:
            return
        text = ast.unparse(node).split("\n")[0][:200]
        self.found.append(
            Use(
                path=path,
                file=self.source.path,
                line=node.lineno,
                text=text,
                guarded=self.tries > 0,
            )
        )
