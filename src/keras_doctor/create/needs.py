"""What programs need, read from their text; nothing of them is run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.knowledge.selection import backends
from keras_doctor.records import NamedTuple
from keras_doctor.scan.judge import DISTRIBUTIONS
from keras_doctor.targets.script import Unreadable, read_script, sources_of
from keras_doctor.targets.tree import programs
from keras_doctor.targets.uses import uses_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keras_doctor.model import Script, ScriptImport
    from keras_doctor.model.uses import Use

VARIABLE = "KERAS_BACKEND"
_PYTHON_2 = re.compile(r"Python 2 syntax")
_GIT_SECONDS = 2.0


class Needs(NamedTuple):
    """What was read in some programs."""

    imports: tuple[ScriptImport, ...]
    """Of what is not the user's own, in the order in which they run."""
    uses: tuple[Use, ...]
    """Paths of Keras and TensorFlow: imports, and attributes of what is imported."""
    local_modules: tuple[str, ...]
    """Imports that are the user's own files."""
    problems: tuple[str, ...]
    """What could not be read."""
    python2: str | None
    """Why it is no Python 3, as a clause."""
    backend: str | None
    backend_why: str | None
    backend_is_set: bool
    """Whether the program or a keras.json says so, and not only an import of it."""
    date: str | None
    """The day of the last commit of it, when it is in a repository."""


def needs_of(path: str) -> Needs:
    """Read a script, a notebook, or all programs of a folder.

    Args:
        path: What the user names.

    Raises:
        CreateError: There is nothing to read.
    """
    if not os.path.exists(path):
        raise CreateError(f"There is no {path}.", hint="--for takes a script or a folder.")
    files = list(programs([path]))
    if not files:
        raise CreateError(f"{path} holds no script and no notebook.")
    scripts = [read_script(file, folder=os.path.dirname(os.path.abspath(file))) for file in files]
    problems = [
        f"{os.path.basename(script.path)}: {script.problem}" for script in scripts if script.problem
    ]
    uses = [use for file in files for use in _uses(file)]
    imports = _once(one for script in scripts for one in script.imports)
    backend, why, is_set = _backend(scripts, path)
    return Needs(
        imports=tuple(one for one in imports if not one.local),
        uses=tuple(uses),
        local_modules=tuple(dict.fromkeys(one.module for one in imports if one.local)),
        problems=tuple(problems),
        python2=next((problem for problem in problems if _PYTHON_2.search(problem)), None),
        backend=backend,
        backend_why=why,
        backend_is_set=is_set,
        date=_date(path),
    )


def is_standard(module: str) -> bool:
    """Whether a module is one of the standard library of the Python that runs this, or of none."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top == "__future__"


def _uses(file: str) -> list[Use]:
    try:
        return [use for source in sources_of(file) for use in uses_of(source, DISTRIBUTIONS)[0]]
    except Unreadable:
        return []


def _once(imports: Iterable[ScriptImport]) -> list[ScriptImport]:
    """Each statement once; one that certainly runs before one that may not."""
    found: dict[tuple[str, str], ScriptImport] = {}
    for one in imports:
        key = (one.path, one.text)
        if key not in found or (found[key].guarded and not one.guarded):
            found[key] = one
    return list(found.values())


def _backend(scripts: list[Script], path: str) -> tuple[str | None, str | None, bool]:
    """The backend of a program, why, and whether it or a keras.json beside it chooses that."""
    for script in scripts:
        for setting in script.settings:
            if setting.variable == VARIABLE and setting.value in backends():
                why = f"{os.path.basename(setting.path)}:{setting.line} sets it"
                return setting.value, why, True
    folder = path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
    for name in ("keras.json", os.path.join(".keras", "keras.json")):
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                value = json.load(file).get("backend")
        except (OSError, ValueError, AttributeError):
            continue
        if value in backends():
            return value, f"{name} says so", True
    for script in scripts:
        for one in script.imports:
            if one.module.partition(".")[0] == "theano" and not one.guarded:
                why = f"{os.path.basename(one.path)}:{one.line} imports it"
                return "theano", why, False
    return None, None, False


def _date(path: str) -> str | None:
    """The day of the last commit that touched it; None outside of a repository."""
    folder = path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
    above = os.path.abspath(folder)
    while not os.path.exists(os.path.join(above, ".git")):
        if above == os.path.dirname(above):
            return None
        above = os.path.dirname(above)
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%cs", "--", os.path.abspath(path)],
            cwd=above,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
