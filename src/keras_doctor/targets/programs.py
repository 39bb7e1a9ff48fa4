"""Programs in the working folder that choose the backend themselves.

Without a command, `import keras` stands for the user's program. That is wrong where a program
there sets KERAS_BACKEND in its own first lines: then its import statements are what counts.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Script

MAX_PROGRAMS = 200
"""So many files of a folder are looked into, in the order of their names."""
MAX_BYTES = 1 << 20
_MARKS = (b"KERAS_BACKEND", b"set_backend")


def choosing_program(folder: str, wish: str) -> Script | None:
    """The program of `folder` that chooses the wished backend, or that tries to.

    Args:
        folder: The working folder; folders below it are not searched.
        wish: The backend that the user wants.

    Returns:
        The first program, by name, with a line that asks for `wish` before Keras is imported;
        else the first one with such a line anywhere; None when no program asks for it.
    """
    from keras_doctor.targets.script import read_script

    late = None
    for path in _candidates(folder):
        script = read_script(path, folder=folder)
        asking = [s for s in script.settings if s.variable == "KERAS_BACKEND" and s.value == wish]
        if any(s.before_import for s in asking):
            return script
        if asking and late is None:
            late = script
    return late


def _candidates(folder: str) -> Iterator[str]:
    try:
        names = sorted(n for n in os.listdir(folder) if n.endswith((".py", ".ipynb")))
    except OSError:
        return
    for name in names[:MAX_PROGRAMS]:
        path = os.path.join(folder, name)
        try:
            with open(path, "rb") as file:
                text = file.read(MAX_BYTES)
        except OSError:
            continue
        if any(mark in text for mark in _MARKS):
            yield path


MAX_STARTED = 3
"""So many programs of a folder stand for what its user runs; with more, none is meant."""
_WORLD = frozenset({"keras", "tf_keras", "tensorflow"})


def keras_programs(folder: str) -> tuple[str, ...]:
    """The scripts of a folder that import Keras when they start; () when there are many.

    Args:
        folder: The working folder; folders below it are not searched.
    """
    from keras_doctor.targets.script import read_script

    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    except OSError:
        return ()
    found: list[str] = []
    for name in names[:MAX_PROGRAMS]:
        path = os.path.join(folder, name)
        if os.path.islink(path) or not os.path.isfile(path) or os.path.getsize(path) > MAX_BYTES:
            continue
        script = read_script(path, folder=folder)
        modules = {each.module.partition(".")[0] for each in script.imports if not each.guarded}
        if modules & _WORLD:
            found.append(path)
    return tuple(found) if len(found) <= MAX_STARTED else ()
