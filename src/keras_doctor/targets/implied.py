"""The interpreter that the user would run, when they name none."""

from __future__ import annotations

import os

from keras_doctor.targets import files, shims
from keras_doctor.targets.environments import python_in
from keras_doctor.targets.found import TargetError
from keras_doctor.targets.search import OWN, Choice, Search


def implied_python(search: Search) -> Choice:
    """What the user would run, when they name nothing."""
    for look in (_active, _beside, _first_on_path):
        choice = look(search)
        if choice is not None:
            return choice
    raise TargetError(
        f"No Python was found (no active environment, no .venv in {search.folder}, no python on "
        "PATH); name one with --python PATH"
    )


def _active(search: Search) -> Choice | None:
    kinds = (
        ("VIRTUAL_ENV", "the active virtual environment"),
        ("CONDA_PREFIX", "the active conda environment"),
    )
    for variable, words in kinds:
        place = search.environ.get(variable)
        if not place:
            search.note(f"{variable} is not set")
            continue
        python = python_in(place)
        if python is None:
            search.note(f"{variable} is set: {place}, but there is no Python in it: passed over")
            continue
        search.note(f"{variable} is set: {place}, taken")
        _compare_with_path(place, python, variable, search)
        return Choice(python=python, why=f"{words} ({variable})")
    return None


def _compare_with_path(place: str, python: str, variable: str, search: Search) -> None:
    typed = _python_on_path(search)
    if typed and not files.same_file(os.path.dirname(typed), os.path.dirname(python)):
        search.note(
            f"but `python` on PATH is {typed}: typing `python` does not start the environment "
            f"of {variable} ({place})"
        )


def _beside(search: Search) -> Choice | None:
    for name in (".venv", "venv"):
        place = os.path.join(search.folder, name)
        python = python_in(place)
        if python is None:
            search.note(f"there is no {name} in {search.folder}")
        elif search.is_own(place):
            search.note(f"{place} is {OWN}: passed over")
        else:
            search.note(f"{place} is there, taken")
            return Choice(python=python, why=f"{name} in the working folder")
    return None


def _python_on_path(search: Search) -> str | None:
    for name in ("python", "python3"):
        for path in files.on_path(name, search.environ, search.folder):
            try:
                return shims.resolve(path, search.environ, search.folder)
            except TargetError as error:
                search.note(f"{path}: {error}")
    return None


def _first_on_path(search: Search) -> Choice | None:
    typed = _python_on_path(search)
    if typed is None:
        search.note("there is no python on PATH")
        return None
    name = "python" if "python3" not in os.path.basename(typed) else os.path.basename(typed)
    search.note(f"{typed} is the first {name} on PATH, taken")
    return Choice(python=typed, why=f"the first {name} on PATH")
