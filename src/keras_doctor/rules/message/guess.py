"""The causes that a missing module or name can have, by who asked for it."""

from __future__ import annotations

import re
import sys

from keras_doctor.knowledge.imports import twins_of
from keras_doctor.rules.message.absent import absent, asked_as_backend
from keras_doctor.rules.message.guesses import Guess, rename_it
from keras_doctor.rules.message.others import (
    argument,
    clash,
    misspelt,
    nobodys_line,
    older_than_known,
    own_line,
)
from keras_doctor.rules.message.parts import emptied, of_itself
from keras_doctor.rules.message.world import mains
from keras_doctor.rules.remedies import edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.message.asked import Asked

ESSENTIAL = ("__version__", "__file__", "__path__")
"""What every package of the Keras world has, in all releases."""


def guesses(context: Context, asked: Asked) -> Iterator[Guess]:
    """The causes of one missing thing, the most probable first.

    Args:
        context: What is known beside it.
        asked: What was asked for, of whom, and by whom.
    """
    yield from _nightly(context, asked)
    yield from misspelt(context, asked)
    yield from asked_as_backend(context, asked)
    if asked.kind == "argument":
        yield from argument(asked)
    else:
        yield from _by_who_asked(context, asked)


def _by_who_asked(context: Context, asked: Asked) -> Iterator[Guess]:
    message, by = asked.raised.message, asked.by
    if re.search(r"'\w+' is not a package", message):
        yield _shadowed(asked, "certain")
    elif "unknown location" in message and "." not in asked.module:
        yield from emptied(asked)
    elif asked.halfway and by.top != asked.top and not asked.loaded_from:
        yield _shadowed(asked, "likely")
        yield _circular(asked)
    elif asked.top in sys.stdlib_module_names and (asked.name or "." in asked.module):
        yield _lost_in_python(asked)
    elif "is not a package" in message or (by.kind == "package" and by.top == asked.top):
        if asked.halfway:
            yield _circular(asked)
        yield from of_itself(asked)
    elif asked.kind == "module" and "." not in asked.module:
        yield from absent(context, asked)
    elif _is_essential(context, asked):
        yield from emptied(asked)
    elif by.kind == "package":
        yield from clash(asked)
    elif by.kind == "unknown":
        yield from nobodys_line(context, asked)
    else:
        yield from own_line(context, asked)


def _shadowed(asked: Asked, confidence: str) -> Guess:
    place = asked.loaded_from or f"{asked.top}.py"
    return Guess(
        cause="shadowed-module",
        confidence=confidence,
        culprit=place,
        title=f"A file called {asked.top}.py is found before the package {asked.top}",
        why=f"`import {asked.top}` runs that file, which has nothing of the package.",
        fixes=(rename_it(place),),
    )


def _nightly(context: Context, asked: Asked) -> Iterator[Guess]:
    """A development release of what was asked: its faults are its own."""
    for distribution in context.snapshot.distributions:
        names = (asked.top, asked.by.top)
        if "dev" in distribution.version and any(n in _packages(distribution) for n in names):
            yield Guess(
                cause="upstream-bug",
                confidence="likely",
                culprit=distribution.name,
                title=f"{distribution.name} {distribution.version} is a development release",
                why="What it lacks may be back in the next one.",
                fixes=(edit("install", distribution.name, "Use a release, or a newer nightly."),),
            )


def _packages(distribution: Distribution) -> tuple[str, ...]:
    twins = twins_of(distribution.name)
    return (*distribution.import_packages, *((twins[0],) if twins else ()))


def _lost_in_python(asked: Asked) -> Guess:
    user = asked.by.top or "The code that asks for it"
    return Guess(
        cause="python-unsupported",
        confidence="likely",
        culprit=asked.by.top or "Python",
        title=f"{user} does not go with this Python, which has no {asked.path}",
        why="Python's own library gains and loses names from release to release.",
        fixes=(edit("use-env", user, "Use an older Python, or a newer release of it."),),
    )


def _circular(asked: Asked) -> Guess:
    return Guess(
        cause="circular-import",
        confidence="likely",
        culprit=asked.top,
        title=f"{asked.top} is asked for a name while it is still being loaded",
        why="Something that it imports asks for a name that is not yet there.",
    )


def _is_essential(context: Context, asked: Asked) -> bool:
    """Whether every release has what was not found: then it is not the package that answered."""
    from keras_doctor.knowledge.paths import always_there

    if asked.top not in mains():
        return False
    if asked.name in ESSENTIAL and asked.module == asked.top:
        return True
    if always_there(asked.path):
        return not older_than_known(context, asked)
    # A part of a Keras that is surely there, asked for in one piece: `keras.models`.
    return bool(
        asked.kind == "module"
        and re.fullmatch(r"keras\.\w+", asked.module)
        and context.keras_version is None
        and always_there(asked.module)
    )
