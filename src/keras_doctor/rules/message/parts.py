"""A package that does not find a part of itself, or of which only the folder is left."""

from __future__ import annotations

from keras_doctor.rules.base import seen
from keras_doctor.rules.message.guesses import Guess, again, rename_it
from keras_doctor.rules.message.world import distribution_for, mains
from keras_doctor.rules.remedies import edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.message.asked import Asked


def emptied(asked: Asked) -> Iterator[Guess]:
    """A package without its contents: only its folder answers to the name."""
    from keras_doctor.rules.message.asked import place_of

    top = asked.top
    if asked.loaded_from and place_of(asked.loaded_from).kind == "package":
        yield from _not_whole(asked)  # it is there, with a file of its own
        return
    yield Guess(
        cause="namespace-remnant",
        confidence="likely",
        culprit=top,
        title=f"Only an empty folder answers to `import {top}`",
        why=f"A folder without {top}'s files imports as an empty namespace, which has nothing.",
        fixes=(edit("delete", top, f"Look where it lies (print({top}.__path__)) and remove it."),),
    )
    yield Guess(
        cause="shadowed-module",
        confidence="likely",
        culprit=f"{top}.py",
        title=f"A file or folder of yours called {top} may be found before the package",
        why=f"Python takes the first thing on its path that answers to `import {top}`.",
        fixes=(rename_it(f"{top}.py"),),
    )
    yield _damaged(asked, "possible")


def _damaged(asked: Asked, confidence: str) -> Guess:
    name = distribution_for(asked.module)
    return Guess(
        cause="missing-files",
        confidence=confidence,
        culprit=name,
        title=f"Files of {name} are missing",
        why=f"{asked.path} is a part of {name} itself, and {name} does not find it.",
        fixes=(again(name),),
    )


def of_itself(asked: Asked) -> Iterator[Guess]:
    """A package whose own line asks for a part of the package that is not there."""
    name = distribution_for(asked.module)
    if asked.kind == "module":
        if asked.module.rpartition(".")[2].startswith("_"):
            yield _compiled(asked, name)
            yield _damaged(asked, "likely")
            yield _unlinked(asked, name)
        if "is not a package" in asked.raised.message:
            yield _mixed(asked)
        yield _damaged(asked, "likely")
        yield Guess(
            cause="interrupted-install",
            confidence="possible",
            culprit=name,
            title=f"The installation of {name} was not completed",
            why="An installer that is stopped leaves a package without some of its files.",
            fixes=(again(name),),
        )
    else:
        if asked.top == "keras" and "backend" in asked.path:
            yield _of_the_backend(asked)
        yield _mixed(asked)
        if asked.top in mains():
            yield _twice(asked)
        yield _damaged(asked, "possible")
    path = (asked.by.path or "").replace("\\", "/")
    if "AppData/Roaming/Python" in path or "/.local/lib/python" in path:
        yield Guess(
            cause="multiple-installations",
            confidence="possible",
            culprit=name,
            title=f"A second copy of {name} in your own user folder is found first",
            why="Packages in the user folder come before those of the environment.",
            fixes=(edit("delete", path, f"Remove that copy of {name}, or start python -s."),),
            evidence=(seen("it was loaded from the user folder", asked.by.path),),
        )


def _not_whole(asked: Asked) -> Iterator[Guess]:
    yield _damaged(asked, "likely")
    yield _mixed(asked)


def _twice(asked: Asked) -> Guess:
    name = distribution_for(asked.module)
    return Guess(
        cause="same-import-name",
        confidence="possible",
        culprit=name,
        title=f"Two distributions bring the package {asked.top}",
        why="A nightly, GPU or CPU variant beside the plain one: their files overwrite each other.",
        fixes=(again(name),),
    )


def _mixed(asked: Asked) -> Guess:
    name = distribution_for(asked.module)
    return Guess(
        cause="mixed-version-files",
        confidence="likely",
        culprit=name,
        title=f"Files of two releases of {name} are mixed",
        why=f"{name} is asked for {asked.path}, which its own files do not have.",
        fixes=(again(name),),
    )


def _compiled(asked: Asked, name: str) -> Guess:
    return Guess(
        cause="abi-mismatch",
        confidence="likely",
        culprit=name,
        title=f"The compiled part of {name} is not for this Python",
        why=f"{asked.path} is an extension module, built for another Python or gone.",
        fixes=(again(name),),
    )


def _unlinked(asked: Asked, name: str) -> Guess:
    return Guess(
        cause="missing-shared-library",
        confidence="possible",
        culprit=name,
        title=f"A library that the compiled part of {name} needs may be missing or too old",
        why=f"Older releases say only that {asked.module} is not there, whatever stopped it.",
    )


def _of_the_backend(asked: Asked) -> Guess:
    return Guess(
        cause="keras-backend-mismatch",
        confidence="likely",
        culprit="keras",
        title="The backend lacks something that this Keras asks of it",
        why=f"{asked.path} comes from the backend's module, which is of another time.",
    )
