"""One Keras throughout a file: what is imported from another is imported from that one."""

from __future__ import annotations

from keras_doctor.fixes.edits.places import DOOR, joined, root_of
from keras_doctor.fixes.edits.text import NoWay, Span
from keras_doctor.fixes.edits.writing import Binding, as_written, module_as, rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.edits.places import Places
    from keras_doctor.fixes.edits.program import Chain, Program
    from keras_doctor.fixes.edits.text import Edit
    from keras_doctor.fixes.edits.writing import Import


def door_edits(
    program: Program, places: Places, path: str, door: str, is_foreign: Callable[[str], bool]
) -> tuple[Edit, ...]:
    """The edits after which a file uses one Keras only.

    Args:
        program: The file.
        places: What is installed.
        path: The file's path.
        door: How that one is imported: ``keras``, ``tf_keras`` or ``tensorflow.keras``.
        is_foreign: Whether an import path leads into another Keras.

    Returns:
        Edits of all lines, or none: half of them would mix as much as before.
    """
    work = _Door(program, places, door, is_foreign)
    try:
        spans = work.uses()
        for node in program.imports:
            spans += work.statement(node)
    except NoWay:
        return ()
    return program.text.edits(path, spans, f"the whole program should use {door}")


class _Door:
    def __init__(
        self, program: Program, places: Places, door: str, is_foreign: Callable[[str], bool]
    ) -> None:
        self.program = program
        self.places = places
        self.door = door
        self.is_foreign = is_foreign
        self.needs_door: dict[int, Binding] = {}
        """Import statements (by id) beside which the door must be imported too."""

    # -- import statements

    def statement(self, node: Import) -> list[Span]:
        """The changes of one import statement."""
        rows = []
        for number, alias in enumerate(node.names):
            row = self._alias(as_written(node, alias))
            extra = self.needs_door.get(id(node))
            if extra and number == len(node.names) - 1:
                row.append(extra)
            rows.append(row)
        return rewrite(self.program, node, rows, f"not used; {self.door} has no such thing")

    def _alias(self, now: Binding) -> list[Binding]:
        if now.name == "*":
            return self._star(now)
        path = joined(now.module, now.name or "")
        if not self.is_foreign(path):
            return [now]
        root = root_of(path)
        if root is None:
            raise NoWay
        if now.name is None and now.bound is None:
            return self._plain(now.module, root.below)
        bound = now.bound or now.name or ""
        if not root.below:
            self._check(bound, self.door)
            return [module_as(self.door, bound)]
        found = self._found(path, joined(self.door, root.below), bound)
        if found is None:
            return []
        if now.name is None:
            return [Binding(module=found, name=None, bound=bound)]
        return [module_as(found, bound)]

    def _star(self, now: Binding) -> list[Binding]:
        root = root_of(now.module) if self.is_foreign(now.module) else None
        if root is None:
            return [now]
        module = joined(self.door, root.below)
        if root.below and not self.places.is_module(module):
            raise NoWay
        return [now._replace(module=module)]

    def _plain(self, module: str, below: str) -> list[Binding]:
        """``import tf_keras.layers``: it binds the first part alone."""
        top = module.partition(".")[0]
        if top == "tensorflow":
            # What the program uses through it is changed where it is used.
            return [Binding(module=top, name=None, bound=None)]
        self._check(top, self.door)
        found = [module_as(self.door, top)]
        if below:
            inner = joined(self.door, below)
            if not self.places.is_module(inner):
                raise NoWay
            found.insert(0, Binding(module=inner, name=None, bound=None))
        return found

    def _found(self, path: str, new: str, bound: str) -> str | None:
        """Where a thing of another Keras is in this one; None when nothing uses it.

        Raises:
            NoWay: It is used, and it is not there.
        """
        used = self.program.attributes_of(bound)
        if self.places.is_module(new):
            self._check(bound, new)
            return new
        if self.places.has(new):
            return new
        found = self.places.modules(path, used, self.door) if used else []
        found += self.places.names(path, public=self.door)
        if found:
            return found[0]
        if self.program.is_unused(bound):
            return None
        raise NoWay

    def _check(self, bound: str, module: str) -> None:
        """See to it that what the program takes from a module is in the one that replaces it."""
        for chain in self.program.chains:
            if chain.base == bound:
                self._check_parts(module, chain.parts)

    def _check_parts(self, module: str, parts: tuple[str, ...]) -> None:
        for part in parts:
            module = joined(module, part)
            if self.places.has(module) is False:
                raise NoWay
            if not self.places.is_module(module):
                return

    # -- uses by way of another package: tf.keras.layers.Dense

    def uses(self) -> list[Span]:
        """The changes of expressions that lead into another Keras."""
        spans = []
        for bound, path, node in list(self.program.bindings()):
            if self.is_foreign(path):
                continue  # the statement itself will bind another thing to the name
            for chain in self.program.chains:
                depth = self._depth(path, chain) if chain.base == bound else None
                if depth is not None:
                    spans.append(self._use(chain, depth, node))
        return spans

    def _depth(self, path: str, chain: Chain) -> int | None:
        """After how many attributes a chain has reached another Keras."""
        for depth in range(1, len(chain.parts) + 1):
            reached = joined(path, *chain.parts[:depth])
            root = root_of(reached)
            if root is not None and root.written == reached and self.is_foreign(reached):
                return depth
        return None

    def _use(self, chain: Chain, depth: int, node: Import) -> Span:
        text = self.program.text
        place = text.place(chain.nodes[depth])
        written = joined(chain.base, *chain.parts[:depth])
        line = text.lines[place.first - 1]
        if place.first != place.last or line[place.begin : place.end] != written:
            raise NoWay  # over several lines, or in an f-string of an older Python
        self._check_parts(self.door, chain.parts[depth:])
        return Span(place.first, place.begin, place.end, self._name_of_door(chain, node))

    def _name_of_door(self, chain: Chain, node: Import) -> str:
        if self.program.is_rebound(chain.base):
            raise NoWay
        if self.door == DOOR:
            return f"{chain.base}.keras"
        for bound, path, _node in self.program.bindings():
            root = root_of(path)
            leads_there = root is not None and not root.below and self.is_foreign(path)
            if (path == self.door or leads_there) and not self.program.is_rebound(bound):
                return bound
        taken = any(bound == self.door for bound, _path, _node in self.program.bindings())
        if taken or self.program.is_rebound(self.door):
            raise NoWay
        self.needs_door[id(node)] = Binding(module=self.door, name=None, bound=None)
        return self.door
