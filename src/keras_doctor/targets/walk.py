"""Follow a program's statements in running order, for its imports and settings."""

from __future__ import annotations

import ast
import os
import re
import sys
import warnings

from keras_doctor.model import ScriptImport, ScriptSetting
from keras_doctor.records import NamedTuple
from keras_doctor.targets.script import Source, Unreadable, read_source, syntax_problem
from keras_doctor.targets.settings import dotted, literal, settings_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_DEPTH = 5
MAX_FILES = 50
MAX_RESULTS = 2000
MAX_CONTEXT = 200
"""Longer source lines are cut in settings."""

_KERAS = frozenset({"keras", "tf_keras", "tensorflow"})
_DEVICES = _KERAS | {"theano", "jax", "jaxlib", "torch"}
VARIABLES: dict[str, frozenset[str]] = {
    "KERAS_BACKEND": _KERAS,
    "KERAS_HOME": _KERAS,
    "TF_USE_LEGACY_KERAS": _KERAS,
    "THEANO_FLAGS": frozenset({"keras", "theano"}),
    "CUDA_VISIBLE_DEVICES": _DEVICES,
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": _KERAS | {"google"},
}
"""The variables of interest, each with the imports after which setting it comes too late."""
_WORLD = _DEVICES | {"cntk", "openvino", "numpy", "scipy", "h5py", "google"}
"""Names that are never the user's own modules: a local file of that name shadows a package."""
_NEVER_LOCAL = _WORLD | sys.stdlib_module_names
_SET_BACKEND = re.compile(r"(?:tf_)?keras(?:\.\w+)*\.set_backend\Z")
_IMPORT_CALLS = frozenset({"importlib.import_module", "import_module", "__import__"})
_FIRST_LINE = re.compile(rb"(?:import|from)\s|.*\benviron\b|.*set_backend")


class _Scope(NamedTuple):
    """One module of the program while it is followed."""

    source: Source
    package: str | None
    """The folder that relative imports start from."""
    is_main: bool
    depth: int
    aliases: dict[str, str]
    """What names stand for: ``{"e": "os.environ"}``."""
    constants: dict[str, str]
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
    called: set[str]


_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Program:
    """Collects imports and settings of a program that is followed statement by statement."""

    def __init__(self, root: str) -> None:
        self.root = root
        """The first folder of sys.path, in which the user's own modules lie."""
        self.imports: list[ScriptImport] = []
        self.settings: list[ScriptSetting] = []
        self.problem: str | None = None
        self._seen: set[str] = set()
        self._files: set[str] = set()
        self._later: list[tuple[_Scope, _Function]] = []

    def run(self, sources: Sequence[Source], *, package: str | None) -> None:
        """Follow the main program: one file, or the cells of a notebook in order."""
        scope: _Scope | None = None
        for source in sources:
            if source.file:
                self._files.add(os.path.realpath(source.file))
            if scope is None:
                scope = _scope(source, package, is_main=True, depth=0)
            scope = scope._replace(source=source)
            self._module(scope)
        while self._later:
            owner, function = self._later.pop(0)
            if function.name not in owner.called:
                self._guarded_body(owner, function.body)

    def _guarded_body(self, scope: _Scope, body: list[ast.stmt]) -> None:
        try:
            self._body(scope, body, guarded=True)
        except RecursionError:
            self.problem = self.problem or f"{scope.source.path} is too deeply nested"

    def _module(self, scope: _Scope) -> None:
        try:
            body = _parse(scope.source.code)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.problem = self.problem or syntax_problem(scope.source, error)
            body = list(lines_that_parse(scope.source.code))
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                scope.functions[node.name] = node
        try:
            self._body(scope, body, guarded=False)
        except RecursionError:
            self.problem = self.problem or f"{scope.source.path} is too deeply nested"

    def _body(self, scope: _Scope, body: list[ast.stmt], *, guarded: bool) -> None:
        for node in body:
            if len(self.imports) + len(self.settings) > MAX_RESULTS:
                return
            self._statement(scope, node, guarded=guarded)

    def _statement(self, scope: _Scope, node: ast.stmt, *, guarded: bool) -> None:
        match node:
            case ast.Import():
                self._import(scope, node, guarded=guarded)
            case ast.ImportFrom():
                self._import_from(scope, node, guarded=guarded)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._later.append((scope, node))
            case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Delete() | ast.AnnAssign():
                self._simple(scope, node, guarded=guarded)
            case _:
                self._compound(scope, node, guarded=guarded)

    def _compound(self, scope: _Scope, node: ast.stmt, *, guarded: bool) -> None:
        match node:
            case ast.If():
                self._if(scope, node, guarded=guarded)
            case ast.Try() | ast.TryStar():
                caught = bool(node.handlers)
                self._body(scope, node.body, guarded=guarded or caught)
                for handler in node.handlers:
                    self._body(scope, handler.body, guarded=True)
                self._body(scope, node.orelse, guarded=guarded or caught)
                self._body(scope, node.finalbody, guarded=guarded)
            case ast.With() | ast.AsyncWith() | ast.ClassDef():
                self._body(scope, node.body, guarded=guarded)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._body(scope, node.body, guarded=True)
                self._body(scope, node.orelse, guarded=True)
            case ast.Match():
                for one in node.cases:
                    self._body(scope, one.body, guarded=True)

    def _if(self, scope: _Scope, node: ast.If, *, guarded: bool) -> None:
        condition = _condition(node.test)
        if condition == "main":
            if scope.is_main:
                self._body(scope, node.body, guarded=guarded)
            else:
                self._body(scope, node.orelse, guarded=guarded)
            return
        if condition != "types":
            self._body(scope, node.body, guarded=True)
        self._body(scope, node.orelse, guarded=True)

    def _simple(self, scope: _Scope, node: ast.stmt, *, guarded: bool) -> None:
        for name, value, default_only in settings_in(node, scope.aliases, scope.constants):
            self._setting(scope, node, name, value, default_only=default_only)
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, text = node.targets[0], literal(node.value, scope.constants)
            if isinstance(target, ast.Name) and text is not None:
                scope.constants[target.id] = text
        value_node = getattr(node, "value", None)
        if isinstance(value_node, ast.Call):
            self._call(scope, node, value_node, guarded=guarded)

    def _call(self, scope: _Scope, node: ast.stmt, call: ast.Call, *, guarded: bool) -> None:
        name = dotted(call.func, scope.aliases)
        if name in _IMPORT_CALLS and call.args:
            module = literal(call.args[0], scope.constants)
            if module and all(part.isidentifier() for part in module.split(".")):
                self._add(scope, node, f"import {module}", module, (), guarded=guarded)
        elif name and _SET_BACKEND.match(name):
            value = literal(call.args[0], scope.constants) if call.args else None
            self._setting(scope, node, "KERAS_BACKEND", value, default_only=False)
        elif isinstance(call.func, ast.Name) and call.func.id not in scope.called:
            function = scope.functions.get(call.func.id)
            if function is not None:
                scope.called.add(call.func.id)
                self._body(scope, function.body, guarded=guarded)

    def _setting(
        self, scope: _Scope, node: ast.stmt, name: str, value: str | None, *, default_only: bool
    ) -> None:
        if name not in VARIABLES:
            return
        lines = scope.source.lines
        line = node.lineno
        single = node.end_lineno == line and 0 < line <= len(lines)
        text = lines[line - 1].strip() if single else " ".join(ast.unparse(node).split())
        self.settings.append(
            ScriptSetting(
                path=scope.source.path,
                line=line,
                text=text[:MAX_CONTEXT],
                variable=name,
                value=value,
                before_import=not (self._seen & VARIABLES[name]),
                default_only=default_only,
            )
        )

    def _import(self, scope: _Scope, node: ast.Import, *, guarded: bool) -> None:
        for alias in node.names:
            suffix = f" as {alias.asname}" if alias.asname else ""
            top = alias.name.split(".")[0]
            scope.aliases[alias.asname or top] = alias.name if alias.asname else top
            files = self._local_files(self.root, alias.name.split("."))
            self._add(
                scope, node, f"import {alias.name}{suffix}", alias.name, (),
                guarded=guarded, local=bool(files),
            )  # fmt: skip
            self.follow(files, scope.depth)

    def _import_from(self, scope: _Scope, node: ast.ImportFrom, *, guarded: bool) -> None:
        module = "." * node.level + (node.module or "")
        if module == "__future__":
            return
        names = tuple(alias.name for alias in node.names)
        for alias in node.names:
            scope.aliases[alias.asname or alias.name] = f"{module}.{alias.name}"
        written = ", ".join(
            alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in node.names
        )
        files = self._from_files(scope, node, names)
        self._add(
            scope, node, f"from {module} import {written}", module, names,
            guarded=guarded, local=bool(files) or node.level > 0,
        )  # fmt: skip
        self.follow(files, scope.depth)

    def _from_files(self, scope: _Scope, node: ast.ImportFrom, names: tuple[str, ...]) -> list[str]:
        parts = node.module.split(".") if node.module else []
        root: str | None = self.root
        if node.level:
            root = scope.package
            for _above in range(node.level - 1):
                root = os.path.dirname(root) if root else None
        if root is None:
            return []
        found = self._local_files(root, parts, relative=bool(node.level))
        if found or not parts:
            for name in names:
                found += self._local_files(root, [*parts, name], relative=bool(node.level))[-1:]
        return list(dict.fromkeys(found))

    def _local_files(self, root: str, parts: list[str], *, relative: bool = False) -> list[str]:
        """The files that importing a dotted name of the user's own runs, outermost first."""
        if not parts or (not relative and parts[0] in _NEVER_LOCAL):
            return []
        found = []
        place = root
        for index, part in enumerate(parts):
            package = os.path.join(place, part, "__init__.py")
            module = os.path.join(place, part + ".py")
            if os.path.isfile(package):
                found.append(package)
            elif os.path.isfile(module):
                found.append(module)
                break
            elif not os.path.isdir(os.path.join(place, part)):
                # Not there: a name inside the package, or nothing of the user's own.
                return found if index else []
            place = os.path.join(place, part)
        return found

    def follow(self, paths: Sequence[str], depth: int = 0) -> None:
        """Follow modules that run before anything else: the packages around ``-m``."""
        if depth >= MAX_DEPTH:
            return
        for path in paths:
            real = os.path.realpath(path)
            if real in self._files or len(self._files) >= MAX_FILES:
                continue
            self._files.add(real)
            try:
                code = read_source(path)
            except Unreadable as reason:
                self.problem = self.problem or str(reason)
                continue
            lines = tuple(code.decode("utf-8", "replace").split("\n"))
            source = Source(path=path, file=path, code=code, lines=lines)
            package = os.path.dirname(path)
            self._module(_scope(source, package, is_main=False, depth=depth + 1))

    def _add(
        self,
        scope: _Scope,
        node: ast.stmt,
        text: str,
        module: str,
        names: tuple[str, ...],
        *,
        guarded: bool,
        local: bool = False,
    ) -> None:
        self.imports.append(
            ScriptImport(
                path=scope.source.path,
                line=node.lineno,
                text=text,
                module=module,
                names=names,
                guarded=guarded,
                local=local,
            )
        )
        if not guarded:
            self._seen.add(module.split(".", maxsplit=1)[0])


def _scope(source: Source, package: str | None, *, is_main: bool, depth: int) -> _Scope:
    return _Scope(
        source=source,
        package=package,
        is_main=is_main,
        depth=depth,
        aliases={},
        constants={},
        functions={},
        called=set(),
    )


def _parse(code: bytes) -> list[ast.stmt]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code).body


def lines_that_parse(code: bytes) -> Iterator[ast.stmt]:
    """From a text that is not Python 3: the lines at the margin that are by themselves."""
    for number, line in enumerate(code.splitlines()[:20000], 1):
        if line[:1].isspace() or not _FIRST_LINE.match(line):
            continue
        try:
            body = _parse(line.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in body:
            ast.increment_lineno(node, number - 1)
            yield node


def _condition(test: ast.expr) -> str | None:
    """``main`` for ``__name__ == "__main__"``, ``types`` for TYPE_CHECKING, else None."""
    match test:
        case ast.Compare(
            left=ast.Name(id="__name__"),
            ops=[ast.Eq()],
            comparators=[ast.Constant(value="__main__")],
        ):
            return "main"
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return "types"
    return None
