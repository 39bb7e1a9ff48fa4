"""Import statements written anew, with as little change as can be."""

from __future__ import annotations

import ast
import tokenize

from keras_doctor.fixes.edits.text import Span, is_alone, replaced
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.fixes.edits.program import Program

    Import = ast.Import | ast.ImportFrom


class Binding(NamedTuple):
    """One name that an import statement binds."""

    module: str
    name: str | None
    """The name that is taken from the module; None for ``import module``."""
    bound: str | None
    """What the program calls it; None for ``import a.b``, which binds ``a``."""


def module_as(path: str, bound: str) -> Binding:
    """A module, bound to a name of the program's."""
    parent, _, name = path.rpartition(".")
    if parent:
        return Binding(module=parent, name=name, bound=bound)
    return Binding(module=path, name=None, bound=None if bound == path else bound)


def as_written(node: Import, alias: ast.alias) -> Binding:
    """The binding that a statement makes now."""
    if isinstance(node, ast.ImportFrom):
        bound = alias.asname or alias.name
        return Binding(module=node.module or "", name=alias.name, bound=bound)
    return Binding(module=alias.name, name=None, bound=alias.asname)


def rewrite(
    program: Program, node: Import, wanted: Sequence[Sequence[Binding]], note: str | None = None
) -> list[Span]:
    """The changes that make an import statement bind what is wanted.

    Args:
        program: Whose statement it is.
        node: The statement.
        wanted: For each of its aliases the bindings in its place; none: it is dropped.
        note: Why what is dropped is dropped; for the comment that remains of a whole statement.
    """
    now = [as_written(node, alias) for alias in node.names]
    if [[one] for one in now] == [list(ones) for ones in wanted]:
        return []
    flat = [one for ones in wanted for one in ones]
    if not flat:
        return _dropped(program, node, note)
    if all(len(ones) == 1 for ones in wanted):
        spans = _in_place(program, node, flat)
        if spans is not None:
            return spans
    if isinstance(node, ast.ImportFrom):
        # What stays where it is comes first, as it stands.
        flat.sort(key=lambda one: one.module != node.module)
    return replaced(program.text, node, _statements(flat))


def _dropped(program: Program, node: Import, note: str | None) -> list[Span]:
    comment = f"# {ast.unparse(node)}" + (f"  ({note})" if note else "")
    if program.may_empty_block(node):
        # Where nothing else is in the block, something must be.
        comment = f"pass  {comment}"
    if not is_alone(program.text, node):
        comment = "pass"
    return replaced(program.text, node, [comment])


def _in_place(program: Program, node: Import, flat: list[Binding]) -> list[Span] | None:
    """Changes of the module and of single names; None when the statement must be another."""
    if isinstance(node, ast.Import):
        if any(one.name is not None for one in flat):
            return None
    elif any(one.name is None for one in flat) or len({one.module for one in flat}) > 1:
        return None
    spans = []
    if isinstance(node, ast.ImportFrom) and node.module != flat[0].module:
        span = _module_span(program, node, flat[0].module)
        if span is None:
            return None
        spans.append(span)
    for alias, now, new in zip(
        node.names, [as_written(node, alias) for alias in node.names], flat, strict=True
    ):
        if _alias_text(now) == _alias_text(new):
            continue
        place = program.text.place(alias)
        if place.first != place.last:
            return None
        spans.append(Span(place.first, place.begin, place.end, _alias_text(new)))
    return spans


def _module_span(program: Program, node: ast.ImportFrom, module: str) -> Span | None:
    """The words between ``from`` and ``import``."""
    place = program.text.place(node)
    start = (place.first, place.begin)
    words: list[tokenize.TokenInfo] = []
    for token in program.text.tokens:
        if token.start <= start:
            continue
        if token.type == tokenize.NAME and token.string == "import":
            break
        words.append(token)
    if not words or words[0].start[0] != words[-1].end[0]:
        return None
    return Span(words[0].start[0], words[0].start[1], words[-1].end[1], module)


def _alias_text(binding: Binding) -> str:
    taken = binding.name or binding.module
    if binding.bound is None or binding.bound == taken:
        return taken
    return f"{taken} as {binding.bound}"


def _statements(bindings: list[Binding]) -> list[str]:
    """Import statements, those from one module together, in the order of their first names."""
    found: dict[tuple[str, bool, str], list[str]] = {}
    for one in bindings:
        text = _alias_text(one)
        key = (one.module, one.name is None, text if one.name is None else "")
        names = found.setdefault(key, [])
        if text not in names:
            names.append(text)
    return [
        f"import {names[0]}" if plain else f"from {module} import {', '.join(names)}"
        for (module, plain, _text), names in found.items()
    ]
