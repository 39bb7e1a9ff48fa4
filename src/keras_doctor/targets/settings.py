"""Which environment variables a statement sets, by its syntax alone."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def dotted(node: ast.expr, aliases: dict[str, str]) -> str | None:
    """The dotted name of an expression, its first part as it was imported; None for others."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    parts.append(aliases.get(node.id, node.id))
    return ".".join(reversed(parts))


def literal(node: ast.expr, constants: dict[str, str]) -> str | None:
    """The text that an expression is, as a literal or a name for one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id) if isinstance(node, ast.Name) else None


_Setting = tuple[str, str | None, bool]


def settings_in(
    node: ast.stmt, aliases: dict[str, str], constants: dict[str, str]
) -> Iterator[_Setting]:
    """The environment variables that a statement sets: (name, value, default_only).

    A variable that is taken away has the value "".
    """
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                name = _environ_key(target, aliases, constants)
                if name:
                    yield name, literal(value, constants), False
        case ast.AugAssign(target=target, op=ast.BitOr(), value=ast.Dict() as value):
            if dotted(target, aliases) == "os.environ":
                yield from _pairs(value, constants)
        case ast.Delete(targets=targets):
            for target in targets:
                name = _environ_key(target, aliases, constants)
                if name:
                    yield name, "", False
        case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
            yield from _setting_call(call, aliases, constants)


def _environ_key(node: ast.expr, aliases: dict[str, str], constants: dict[str, str]) -> str | None:
    if isinstance(node, ast.Subscript) and dotted(node.value, aliases) == "os.environ":
        return literal(node.slice, constants)
    return None


def _setting_call(
    call: ast.Call, aliases: dict[str, str], constants: dict[str, str]
) -> Iterator[_Setting]:
    name = dotted(call.func, aliases)
    arguments = [literal(one, constants) for one in call.args]
    if name in ("os.environ.setdefault", "os.putenv") and len(arguments) > 1 and arguments[0]:
        yield arguments[0], arguments[1], name == "os.environ.setdefault"
    elif name in ("os.environ.pop", "os.unsetenv") and arguments and arguments[0]:
        yield arguments[0], "", False
    elif name == "os.environ.update":
        for one in call.args:
            if isinstance(one, ast.Dict):
                yield from _pairs(one, constants)
            elif isinstance(one, ast.Call) and dotted(one.func, aliases) == "dict":
                yield from _keywords(one, constants)
        yield from _keywords(call, constants)


def _pairs(node: ast.Dict, constants: dict[str, str]) -> Iterator[_Setting]:
    for key, value in zip(node.keys, node.values, strict=True):
        name = literal(key, constants) if key else None
        if name:
            yield name, literal(value, constants), False


def _keywords(call: ast.Call, constants: dict[str, str]) -> Iterator[_Setting]:
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg, literal(keyword.value, constants), False
