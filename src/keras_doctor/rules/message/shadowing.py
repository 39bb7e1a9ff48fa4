"""Files of the user's that ran in the place of a package, as the frames of a failure show."""

from __future__ import annotations

import re

from keras_doctor.knowledge.imports import needed_stdlib
from keras_doctor.rules.message.asked import place_of
from keras_doctor.rules.message.world import is_of_the_world

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Outcome

_LOADED = re.compile(
    r"from (?:partially initialized module )?'([\w.]+)'(?: \(most likely[^()]*\))?"
    r" \(([^()\n]+)\)|\(consider renaming '([^'\n]+)'"
)


def shadowing_files(outcome: Outcome) -> list[tuple[str, str]]:
    """(file, name of the module that it hides) for each, in the order of the frames.

    A module of a package is a file of that package's folder, so a file of the user's counts only
    by its own name, or as the ``__init__.py`` of a folder of that name.
    """
    found: dict[str, str] = {}
    files = [frame.file for raised in outcome.chain for frame in raised.frames]
    for file in (*files, *_named_in_messages(outcome)):
        name = _module_of(file)
        if name and place_of(file).kind == "user" and _matters(name, file):
            found.setdefault(file, name)
    return list(found.items())


def _named_in_messages(outcome: Outcome) -> list[str]:
    """The files that messages say a module was loaded from."""
    found = []
    for raised in outcome.chain:
        for match in _LOADED.finditer(raised.message):
            module, path = match[1] or "", match[2] or match[3]
            top = module.partition(".")[0]
            folders = path.replace("\\", "/").split("/")
            if "." in module and top in folders[:-1]:
                # A part of a package: it is the package's folder that has the name.
                path = "/".join([*folders[: folders.index(top) + 1], "__init__.py"])
            found.append(path)
    return found


def _module_of(file: str) -> str | None:
    parts = file.replace("\\", "/").split("/")
    if parts[-1] == "__init__.py":
        return parts[-2] if len(parts) > 1 else None
    stem, dot, suffix = parts[-1].rpartition(".")
    return stem if dot and suffix in ("py", "pyc") else None


def _matters(name: str, file: str) -> bool:
    if is_of_the_world(name):
        # The source of Keras or TensorFlow has such folders too: below one of the same name it
        # is a checkout that somebody works in, and hides the installed one all the same.
        return True
    return name in needed_stdlib() and not file.endswith("__init__.py")
