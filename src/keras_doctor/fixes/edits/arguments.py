"""Keyword arguments that get another name."""

from __future__ import annotations

import ast

from keras_doctor.fixes.edits.text import NoWay, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.edits.program import Program
    from keras_doctor.fixes.edits.text import Edit


def renamed(program: Program, path: str, line: int, given: str, wanted: str) -> tuple[Edit, ...]:
    """The edits that give an argument its other name, in all calls of what a line calls with it.

    Args:
        program: The file.
        path: Its path.
        line: A line of a call that has the argument.
        given: The name as it is written.
        wanted: The other name.

    Raises:
        NoWay: No call on that line has the argument.
    """
    calls = [node for node in program.nodes if isinstance(node, ast.Call)]
    named = {
        name
        for node in calls
        if node.lineno <= line <= (node.end_lineno or node.lineno)
        and any(one.arg == given for one in node.keywords)
        and (name := _name(node))
    }
    if not named:
        raise NoWay
    spans = []
    for node in calls:
        if _name(node) not in named or any(one.arg == wanted for one in node.keywords):
            continue
        for one in node.keywords:
            if one.arg == given:
                begin = program.text.column(one.lineno, one.col_offset)
                spans.append(Span(one.lineno, begin, begin + len(given), wanted))
    return program.text.edits(path, spans, f"in this release {given} is called {wanted}")


def _name(call: ast.Call) -> str | None:
    """The last name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None
