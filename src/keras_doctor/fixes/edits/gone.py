"""Imports of what the installed release does not have: moved, misspelt, or not used at all."""

from __future__ import annotations

import ast

from keras_doctor.fixes.edits.places import joined
from keras_doctor.fixes.edits.text import NoWay, Span
from keras_doctor.fixes.edits.writing import Binding, as_written, module_as, rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.fixes.edits.places import Places
    from keras_doctor.fixes.edits.program import Program
    from keras_doctor.fixes.edits.text import Edit
    from keras_doctor.fixes.edits.writing import Import


def gone_edits(
    program: Program, places: Places, path: str, line: int, subject: str, *, misspelt: bool
) -> tuple[Edit, ...]:
    """The edits of the import statements on a line.

    Args:
        program: The file.
        places: What is installed.
        path: The file's path.
        line: Where the statement is.
        subject: The path that the finding says is not there.
        misspelt: Whether there never was such a path.
    """
    gone = _Gone(program, places, subject, misspelt=misspelt)
    spans: list[Span] = []
    try:
        for node in program.at(line):
            if isinstance(node, ast.Import | ast.ImportFrom) and not getattr(node, "level", 0):
                spans += gone.spans(node)
    except NoWay:
        return ()
    return program.text.edits(path, spans, gone.reason())


class _Gone:
    def __init__(self, program: Program, places: Places, subject: str, *, misspelt: bool) -> None:
        self.program = program
        self.places = places
        self.subject = subject
        self.misspelt = misspelt
        self.unused: list[str] = []
        self.moved: dict[str, list[str]] = {}
        """By the new module, what is taken from it."""

    def reason(self) -> str:
        parts = [f"{' and '.join(names)} is in {where}" for where, names in self.moved.items()]
        if self.unused:
            parts.append(f"nothing here uses {', '.join(self.unused)}")
        return f"{self._lack(self.subject)}; {', '.join(parts)}"

    def _lack(self, path: str) -> str:
        release = self.places.release(path)
        return f"{' '.join(release) if release else 'the installed release'} has no {path}"

    def spans(self, node: Import) -> list[Span]:
        """The changes of one statement.

        Raises:
            NoWay: Something that the program uses is nowhere.
        """
        wanted: list[Sequence[Binding] | None] = []
        choices: dict[int, list[Binding]] = {}
        extra: list[Span] = []
        for number, alias in enumerate(node.names):
            now = as_written(node, alias)
            if not self._is_missing(now):
                wanted.append([now])
                continue
            found, more = self._elsewhere(now)
            extra += more
            wanted.append(None if found else [])
            if found:
                choices[number] = found
        for number, binding in _fewest_modules(choices).items():
            wanted[number] = [binding]
            self.moved.setdefault(binding.module, []).append(binding.name or binding.module)
        rows = [row if row is not None else [] for row in wanted]
        return rewrite(self.program, node, rows, self._note()) + extra

    def _note(self) -> str:
        return f"not used; {self._lack(self.subject)}"

    def _is_missing(self, binding: Binding) -> bool:
        if binding.name == "*":
            if self._is_gone(binding.module):
                raise NoWay
            return False
        return self._is_gone(joined(binding.module, binding.name or ""))

    def _is_gone(self, path: str) -> bool:
        known = self.places.has(path)
        # Where the index does not know, the finding does: it was seen to fail.
        return known is False or (known is None and f"{path}.".startswith(self.subject + "."))

    def _elsewhere(self, now: Binding) -> tuple[list[Binding], list[Span]]:
        """Where a missing thing may be taken from, the best first; nowhere: it is not used."""
        path = joined(now.module, now.name or "")
        if now.name is None and now.bound is None:
            return self._plain_module(now.module)
        bound = now.bound or now.name or ""
        used = self.program.attributes_of(bound)
        if used and self.places.was_module(path):
            found = self._module(now, path, used)
            if found:
                return found, []
        if now.name is not None and not (used == set() and self.places.was_module(path)):
            names = self.places.names(path, misspelt=self.misspelt)
            if names:
                return [_named(one, bound) for one in names], []
        if self.program.is_unused(bound):
            self.unused.append(bound)
            return [], []
        return self._last_resort(now, path, bound, used), []

    def _last_resort(
        self, now: Binding, path: str, bound: str, used: set[str] | None
    ) -> list[Binding]:
        other = self.places.other_door(path) if now.name is not None else None
        if other is not None:
            return [_named(other, bound)]
        found = self._module(now, path, used) if used == set() else []
        if not found:
            raise NoWay
        return found

    def _module(self, now: Binding, path: str, used: set[str]) -> list[Binding]:
        """Modules in place of a module, that have what is used of it."""
        modules = self.places.modules(path, used)
        if now.name is None:
            return [Binding(module=one, name=None, bound=now.bound) for one in modules]
        return [module_as(one, now.bound or now.name) for one in modules]

    def _plain_module(self, module: str) -> tuple[list[Binding], list[Span]]:
        """``import a.b.c``, which the program uses by its whole path."""
        top, *below = module.split(".")
        used = self.program.attributes_below(top, tuple(below))
        if used is None or self.program.is_dynamic:
            raise NoWay
        if not used:
            if self.program.is_unused(top):
                self.unused.append(module)
                return [], []
            return [Binding(module=top, name=None, bound=None)], []
        modules = self.places.modules(module, used)
        if not modules:
            raise NoWay
        spans = prefix_spans(self.program, top, tuple(below), modules[0])
        return [Binding(module=modules[0], name=None, bound=None)], spans


def prefix_spans(program: Program, base: str, below: tuple[str, ...], new: str) -> list[Span]:
    """Every ``base.below`` in the program becomes another path.

    Raises:
        NoWay: One of them cannot be found in the text: in an f-string of an older Python, or
            over several lines.
    """
    spans = []
    for chain in program.chains:
        if chain.base != base or chain.parts[: len(below)] != below:
            continue
        place = program.text.place(chain.nodes[len(below)])
        line = program.text.lines[place.first - 1]
        if place.first != place.last or line[place.begin : place.end] != joined(base, *below):
            raise NoWay
        spans.append(Span(place.first, place.begin, place.end, new))
    return spans


def _named(path: str, bound: str) -> Binding:
    module, _, name = path.rpartition(".")
    return Binding(module=module, name=name, bound=bound)


def _fewest_modules(choices: dict[int, list[Binding]]) -> dict[int, Binding]:
    """One choice for each, so that they are taken from few modules, the earlier choices first."""
    found: dict[int, Binding] = {}
    left = dict(choices)
    while left:
        modules: dict[str, tuple[int, int]] = {}
        for bindings in left.values():
            for rank, module in enumerate(dict.fromkeys(one.module for one in bindings)):
                count, ranks = modules.get(module, (0, 0))
                modules[module] = (count + 1, ranks + rank)
        best = min(modules, key=lambda module: (-modules[module][0], modules[module][1]))
        for number, bindings in list(left.items()):
            fitting = [one for one in bindings if one.module == best]
            if fitting:
                found[number] = fitting[0]
                del left[number]
    return dict(sorted(found.items()))
