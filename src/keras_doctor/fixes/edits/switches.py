"""Lines of a program that set a variable: too late, to the wrong value, or to no good."""

from __future__ import annotations

import ast

from keras_doctor.fixes.edits.text import Span, is_alone, replaced
from keras_doctor.records import NamedTuple
from keras_doctor.rules.context import same_path
from keras_doctor.targets.settings import dotted, settings_in
from keras_doctor.targets.walk import VARIABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.fixes.edits.program import Program
    from keras_doctor.fixes.edits.text import Edit
    from keras_doctor.model import ScriptImport
    from keras_doctor.rules.context import Context

_DEFERRED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BUILT_IN = frozenset({"dict", "str", "int"})


class Setting(NamedTuple):
    """A statement that sets variables of the environment."""

    node: ast.stmt
    names: frozenset[str]
    """The variables that count: see :data:`keras_doctor.targets.walk.VARIABLES`."""


def aliases_of(program: Program) -> dict[str, str]:
    """What the names of a program's imports stand for."""
    return {bound: path for bound, path, _node in program.bindings()}


def setting_at(program: Program, line: int) -> Setting | None:
    """The statement on a line that sets a variable; None when there is not exactly one."""
    aliases = aliases_of(program)
    found = []
    for node in program.at(line):
        rows = settings_in(node, aliases, {})
        names = frozenset(name for name, _value, _only in rows if name in VARIABLES)
        if names:
            found.append(Setting(node=node, names=names))
    return found[0] if len(found) == 1 else None


# -- too late


def earlier(program: Program, context: Context, path: str, line: int) -> tuple[Edit, ...]:
    """The edits that put a setting above the first import that reads it.

    Args:
        program: The file.
        context: What is known of the program's own modules and of what is installed.
        path: The file's path.
        line: Where the setting is.
    """
    setting = setting_at(program, line)
    if setting is None or setting.node not in program.tree.body or not _is_literal(setting.node):
        return ()
    first = _first_reader(program, context, path, setting)
    if first is None or getattr(first, "decorator_list", None):
        return ()
    here, there = program.text.place(setting.node), program.text.place(first)
    if (there.first, there.begin) >= (here.first, here.begin):
        return ()
    spans = _moved(program, setting.node, first)
    names = " and ".join(sorted(setting.names))
    return program.text.edits(path, spans, f"{names} is read once, while Keras is imported")


def _is_literal(node: ast.stmt) -> bool:
    """Whether a statement depends on nothing but the name of ``os.environ``."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=base)]):
            pass
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=base))):
            pass
        case ast.AugAssign(target=base):
            pass
        case _:
            return False
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    owner = base
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    return isinstance(owner, ast.Name) and names <= {owner.id} | _BUILT_IN


def _first_reader(
    program: Program, context: Context, path: str, setting: Setting
) -> ast.stmt | None:
    """The first statement of the file after which a setting comes too late."""
    readers = frozenset[str]().union(*(VARIABLES[name] for name in setting.names))
    lines = _lines_of_readers(context, path, readers)
    for node in program.tree.body:
        for inner in _at_once(node):
            if isinstance(inner, ast.Import | ast.ImportFrom) and (
                _imports(inner, readers, context) or inner.lineno in lines
            ):
                return node
    return None


def _at_once(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and all in it that runs with it."""
    yield node
    if not isinstance(node, _DEFERRED):
        for child in ast.iter_child_nodes(node):
            yield from _at_once(child)


def _imports(node: ast.Import | ast.ImportFrom, readers: frozenset[str], context: Context) -> bool:
    if isinstance(node, ast.ImportFrom):
        modules = [node.module or ""] if not node.level else []
    else:
        modules = [alias.name for alias in node.names]
    tops = {module.partition(".")[0] for module in modules}
    return bool(tops & readers) or any(_requires(top, readers, context) for top in tops)


def _requires(top: str, readers: frozenset[str], context: Context) -> bool:
    """Whether an installed package declares that it uses one of the readers."""
    if any(top in known for known in VARIABLES.values()):
        return False  # it is known what that one reads: TensorFlow loads Keras late
    names = {reader.replace("_", "-") for reader in readers}
    return any(
        needed in names
        for owner in context.owners(top)
        for needed, _specifier, _line in context.requirements(owner)
    )


def _lines_of_readers(context: Context, path: str, readers: frozenset[str]) -> set[int]:
    """Lines of a file that import a module of the user's own which imports one of the readers."""
    script = context.snapshot.script
    found: set[int] = set()
    own: ScriptImport | None = None
    for each in script.imports if script else ():
        if same_path(each.path, path):
            own = each
        elif own is not None and own.local and each.module.partition(".")[0] in readers:
            found.add(own.line)
    return found


def _moved(program: Program, setting: ast.stmt, first: ast.stmt) -> list[Span]:
    text = program.text
    place, target = text.place(setting), text.place(first)
    code = _source(program, setting)
    needed = _import_needed(program, setting, first)
    lines = [*([needed] if needed else []), code]
    alone = is_alone(text, setting)
    head = text.lines[target.first - 1][: target.begin]
    if head.strip() or text.is_continued(target.first):
        if "\n" in code:
            return []
        above = "".join(f"{one}; " for one in lines)
    else:
        if alone:
            lines[-1] += text.lines[place.last - 1][place.end :].rstrip()
        above = "".join(f"{one}\n{head}" for one in lines)
    spans = [Span(target.first, target.begin, target.begin, above)]
    if not alone:
        return [*spans, *replaced(text, setting, ["pass"])]
    numbers = range(place.first, place.last + 1)
    return spans + [Span(number, 0, len(text.lines[number - 1]), "") for number in numbers]


def _source(program: Program, node: ast.stmt) -> str:
    place = program.text.place(node)
    lines = program.text.lines[place.first - 1 : place.last]
    lines[-1] = lines[-1][: place.end]
    lines[0] = lines[0][place.begin :]
    return "\n".join(lines)


def _import_needed(program: Program, setting: ast.stmt, first: ast.stmt) -> str | None:
    """The import of ``os`` that a setting needs and that only comes after its new place."""
    used = {one.id for one in ast.walk(setting) if isinstance(one, ast.Name)}
    statement = None
    for bound, path, node in program.bindings():
        if bound not in used:
            continue
        before = (node.lineno, node.col_offset) < (first.lineno, first.col_offset)
        if before and node in program.tree.body:
            return None
        module, _, name = path.rpartition(".")
        words = f"from {module} import {name}" if module else f"import {path}"
        statement = words if bound in (name, path) else f"{words} as {bound}"
    return statement


# -- the wrong value


def other_value(program: Program, path: str, line: int, value: str) -> tuple[Edit, ...]:
    """The edit that makes the setting of a backend on a line say another one."""
    aliases = aliases_of(program)
    found: list[ast.expr] = []
    for node in program.at(line):
        names = {name for name, _value, _only in settings_in(node, aliases, {})}
        if "KERAS_BACKEND" in names or _calls_set_backend(node, aliases):
            found += _values(node)
    if len(found) != 1 or not isinstance(found[0], ast.Constant | ast.Name):
        return ()
    place = program.text.place(found[0])
    if place.first != place.last:
        return ()
    old = program.text.lines[place.first - 1][place.begin : place.end]
    mark = "'" if old.startswith("'") else '"'
    if not value.isidentifier():
        return ()
    span = Span(place.first, place.begin, place.end, f"{mark}{value}{mark}")
    return program.text.edits(path, [span], f"the backend should be {value}")


def _calls_set_backend(node: ast.stmt, aliases: dict[str, str]) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=function)):
            name = dotted(function, aliases) or ""
            return name.startswith(("keras.", "tf_keras.")) and name.endswith(".set_backend")
    return False


def _values(node: ast.stmt) -> list[ast.expr]:
    """The expressions that a statement gives to KERAS_BACKEND."""
    match node:
        case ast.Assign(value=ast.Constant() | ast.Name() as value, targets=[_]):
            return [value]
        case ast.AugAssign(value=ast.Dict() as value):
            return _of_dict(value)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="set_backend"), args=[value, *_])):
            return [value]
        case ast.Expr(value=ast.Call(args=[ast.Dict() as value])):
            return _of_dict(value)
        case ast.Expr(value=ast.Call(args=[_, value])):
            return [value]
        case ast.Expr(value=ast.Call(args=inner, keywords=keywords)):
            rows = [*keywords, *(k for one in inner for k in getattr(one, "keywords", ()))]
            return [one.value for one in rows if one.arg == "KERAS_BACKEND"]
    return []


def _of_dict(node: ast.Dict) -> list[ast.expr]:
    return [
        value
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "KERAS_BACKEND"
    ]


# -- to no good


def removed(program: Program, path: str, line: int, reason: str) -> tuple[Edit, ...]:
    """The edit that makes a comment of a setting."""
    setting = setting_at(program, line)
    if setting is None or len(setting.names) != 1:
        return ()
    comment = f"# {' '.join(ast.unparse(setting.node).split())}"
    if setting.node not in program.tree.body:
        comment = f"pass  {comment}"
    if not is_alone(program.text, setting.node):
        comment = "pass"
    return program.text.edits(path, replaced(program.text, setting.node, [comment]), reason)
