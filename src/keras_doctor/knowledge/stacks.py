"""Whole environments that go together, resolved beforehand: for one Python and one backend.

Each stack pins one version of each of some hundred distributions, transitive ones included, and
says which of them needs which. What a program needs, closed under these edges, is a complete
environment that any installer can make without resolving anything.

Made by ``python -m tools.stacks build`` with ``uv pip compile`` on the real interpreter; the
index's ``about`` has the date and how. :func:`stacks` reads the index alone, :func:`load_stack`
the pins of one.
"""

from __future__ import annotations

import os
from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_SAME = "="
"""Stands for the needs that the base stack says."""


class StackError(KeyError):
    """Something is not in a stack, or there is no such stack; the names tell what."""

    def __init__(self, message: str, names: tuple[str, ...]) -> None:
        super().__init__(message)
        self.names = names

    def __str__(self) -> str:
        """The message as it is; KeyError would quote it."""
        return str(self.args[0])


class Pin(NamedTuple):
    """One distribution of a stack."""

    name: str
    """Normalised."""
    version: str
    needs: tuple[str, ...]
    """Normalised names of what it requires on this Python, all within the stack."""


class Summary(NamedTuple):
    """A stack, without its pins."""

    id: str
    python: str
    """Like ``3.7``."""
    backend: str
    """``tensorflow``, ``theano``, ``jax``, ``torch`` or ``openvino``: its distribution's name."""
    release: str
    """Of that distribution."""
    date: str
    """Of the extras, none is younger, but for the exceptions in tools/stacks/stacks.toml."""
    packages: int


class Stack(NamedTuple):
    """A stack with its pins."""

    id: str
    python: str
    backend: str
    release: str
    date: str
    pins: dict[str, Pin]
    """By normalised name."""


def about() -> dict[str, Any]:
    """When, how and with what the stacks were resolved."""
    found: dict[str, Any] = _index()["about"]
    return found


@cache
def stacks() -> tuple[Summary, ...]:
    """All of them, kin beside each other; no pins are read."""
    return tuple(Summary(*row) for row in _index()["stacks"])


@cache
def load_stack(name: str) -> Stack:
    """The stack with an id.

    Raises:
        StackError: There is none.
    """
    for row in stacks():
        if row.id == name:
            return Stack(
                id=row.id,
                python=row.python,
                backend=row.backend,
                release=row.release,
                date=row.date,
                pins=decode(_file(row.python), name),
            )
    raise StackError(f"there is no stack {name}", (name,))


def closure(stack: Stack, names: Iterable[str]) -> tuple[Pin, ...]:
    """Everything that some distributions need, themselves included, in the order of the names.

    Args:
        stack: Where they are looked for.
        names: Of distributions, in any spelling.

    Raises:
        StackError: Some are not in the stack.
    """
    waiting = [normalize(name) for name in names]
    missing = tuple(sorted({name for name in waiting if name not in stack.pins}))
    if missing:
        raise StackError(f"{stack.id} is without {', '.join(missing)}", missing)
    found: dict[str, Pin] = {}
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = stack.pins[name]
            waiting.extend(found[name].needs)
    return tuple(found[name] for name in sorted(found))


def decode(stacks_of_python: dict[str, Any], name: str) -> dict[str, Pin]:
    """The pins of a stack in a file: its own lines over those of its base.

    A line is ``name version need need``; ``name version =`` keeps the needs of the base, and
    ``name`` alone takes the distribution out.
    """
    row = stacks_of_python[name]
    pins = dict(decode(stacks_of_python, row["base"])) if row["base"] else {}
    for line in row["lines"].splitlines():
        words = line.split()
        if len(words) == 1:
            del pins[words[0]]
            continue
        needs = pins[words[0]].needs if words[2:] == [_SAME] else tuple(words[2:])
        pins[words[0]] = Pin(words[0], words[1], needs)
    return pins


@cache
def _index() -> dict[str, Any]:
    return load(os.path.join("stacks", "index"))


@cache
def _file(python: str) -> dict[str, Any]:
    found: dict[str, Any] = load(os.path.join("stacks", "py" + python))["stacks"]
    return found
