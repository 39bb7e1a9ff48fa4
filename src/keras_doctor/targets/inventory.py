"""Every Python on this machine that holds a Keras or a backend.

The answer to 'pip installed it, python does not see it'. Nothing is started: environments are
found in the places where their makers put them, and versions are read from the names of
metadata folders.
"""

from __future__ import annotations

import os
import time

from keras_doctor.records import NamedTuple
from keras_doctor.targets import conda, files, kernels, runners, shebang, shims
from keras_doctor.targets.environments import (
    PYTHON_NAME,
    environment_of,
    pyenv_root,
    python_in,
    uv_data,
    uv_pythons,
)
from keras_doctor.targets.found import TargetError
from keras_doctor.targets.packages import PackageFound, in_folder, site_folders
from keras_doctor.targets.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_DEPTH = 4
"""Folders below the working folder are searched so deep for virtual environments."""
MAX_FOLDERS = 5000
SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "dist-packages", ".git", ".hg", ".svn",
     ".tox", ".nox", ".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache", "conda-meta"}
)  # fmt: skip
_PIPS = ("pip", "pip3")


class EnvironmentFound(NamedTuple):
    """One interpreter with its Keras and backends."""

    python: str
    folder: str | None
    """The environment's folder, when it is a virtual or conda environment."""
    manager: str
    """As :attr:`keras_doctor.model.Target.manager`."""
    version: str | None
    found: tuple[str, ...]
    """Where it was met: ``PATH``, ``pyenv``, ``conda``, ``kernel NAME`` ..."""
    packages: tuple[PackageFound, ...]
    active: bool
    """Whether it is the one that `check` would examine without arguments."""
    pip: tuple[str, ...]
    """The commands (``pip``, ``pip3``) on PATH that install into it."""
    problem: str | None
    """What is wrong with it at first sight: its interpreter is gone."""


def list_environments(
    environ: Mapping[str, str], folder: str, *, timeout: float = 10.0
) -> tuple[EnvironmentFound, ...]:
    """Every interpreter that holds a Keras or a backend, is active, or is what pip installs into.

    Args:
        environ: The user's environment.
        folder: The working folder, below which virtual environments are looked for.
        timeout: Seconds for the search below the folder.

    Returns:
        One entry each: the active one first, then in the order of their paths.
    """
    environ = dict(environ)
    places: dict[str, list[str]] = {}
    shown: dict[str, str] = {}
    for python, how in _all(environ, folder, timeout):
        key = _key(python, environ)
        shown.setdefault(key, python)
        if how not in places.setdefault(key, []):
            places[key].append(how)
    active = _active(environ, folder)
    if active:
        shown.setdefault(_key(active, environ), active)
        places.setdefault(_key(active, environ), [])
    pips = pip_targets(environ, folder)
    for python in pips.values():
        shown.setdefault(_key(python, environ), python)
        places.setdefault(_key(python, environ), ["PATH"])
    entries = [
        _entry(
            python,
            tuple(places[key]),
            environ,
            active=bool(active) and key == _key(active or "", environ),
            pip=tuple(name for name, one in pips.items() if _key(one, environ) == key),
        )
        for key, python in shown.items()
    ]
    kept = [one for one in entries if one.active or one.pip or _counts(one) or _is_lost(one)]
    return tuple(sorted(kept, key=lambda one: (not one.active, one.python)))


def pip_targets(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """The interpreters into which ``pip`` and ``pip3`` on PATH install, by command."""
    targets = {}
    for name in _PIPS:
        path = next(files.on_path(name, environ, folder), None)
        if path is None:
            continue
        try:
            path = shims.resolve(path, environ, folder)
        except TargetError:
            continue
        line = shebang.read(path)
        if line is None:
            continue
        python = files.which(line.interpreter, environ, folder)
        if python and PYTHON_NAME.match(os.path.basename(python)):
            targets[name] = python
    return targets


def _counts(entry: EnvironmentFound) -> bool:
    return any(package.name != "numpy" for package in entry.packages)


def _is_lost(entry: EnvironmentFound) -> bool:
    """Whether a kernel starts an interpreter that is not there."""
    return entry.problem is not None and any(how.startswith("kernel ") for how in entry.found)


def _key(python: str, environ: Mapping[str, str]) -> str:
    """One key for all names of an interpreter: its environment, else the resolved file."""
    environment = environment_of(python, environ)
    return os.path.realpath(environment.folder) if environment.folder else os.path.realpath(python)


def _entry(
    python: str,
    found: tuple[str, ...],
    environ: Mapping[str, str],
    *,
    active: bool,
    pip: tuple[str, ...],
) -> EnvironmentFound:
    environment = environment_of(python, environ)
    folders = site_folders(environment, environ)
    return EnvironmentFound(
        python=python,
        folder=environment.folder,
        manager=environment.manager,
        version=environment.version,
        found=found,
        packages=tuple(package for place in folders for package in in_folder(place)),
        active=active,
        pip=pip,
        problem=None if files.is_program(python) else _problem(python),
    )


def _problem(python: str) -> str:
    if os.path.islink(python) and not os.path.exists(python):
        return f"its interpreter is gone: {python} leads to {os.path.realpath(python)}"
    if not os.path.exists(python):
        return f"its interpreter is gone: there is no {python}"
    return f"{python} is not a program that may be started"


def _active(environ: Mapping[str, str], folder: str) -> str | None:
    from keras_doctor.targets.find import find_target

    try:
        found = find_target(
            python=None, kernel=None, project=None, command=(), environ=environ, folder=folder
        )
    except TargetError:
        return None
    return found.target.python


def _all(environ: Mapping[str, str], folder: str, timeout: float) -> Iterator[tuple[str, str]]:
    """(interpreter, where it was met), with repetitions."""
    yield from _on_path(environ, folder)
    for place, how in _environment_folders(environ):
        python = python_in(place)
        if python:
            yield python, how
    state = State(environ, folder)
    for kernel in kernels.known(environ, folder):
        try:
            yield kernels.start(kernel, state).python, f"kernel {kernel.name}"
        except TargetError:
            # Another language is nothing to list; an interpreter that is gone is.
            if kernel.language.lower() == "python" and os.path.isabs(kernel.argv[0]):
                yield kernel.argv[0], f"kernel {kernel.name}"
    for place in below(folder, timeout):
        python = python_in(place)
        if python:
            yield python, "below the folder"


def _on_path(environ: Mapping[str, str], folder: str) -> Iterator[tuple[str, str]]:
    for entry in dict.fromkeys(environ.get("PATH", "").split(os.pathsep)):
        place = os.path.join(folder, entry)
        if not entry or os.path.basename(place) == "shims":
            continue
        for name in files.listing(place):
            path = os.path.join(place, name)
            if PYTHON_NAME.match(name) and files.is_program(path):
                yield path, "PATH"


def _environment_folders(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(variable):
            yield environ[variable], variable
    versions = os.path.join(pyenv_root(environ), "versions")
    for name in files.listing(versions):
        place = os.path.join(versions, name)
        yield place, "pyenv"
        inner = os.path.join(place, "envs")
        for one in files.listing(inner):
            yield os.path.join(inner, one), "pyenv virtualenv"
    for place in conda.environments(environ):
        yield place, "conda"
    poetry = os.path.join(
        environ.get("POETRY_CACHE_DIR") or runners.poetry_cache(dict(environ)), "virtualenvs"
    )
    parents = [(place, "uv python") for place in uv_pythons(environ)]
    tools = environ.get("UV_TOOL_DIR") or os.path.join(uv_data(environ), "tools")
    parents.append((tools, "uv tool"))
    parents += [(place, "virtualenvs") for place in runners.virtualenv_homes(dict(environ))]
    parents.append((poetry, "poetry"))
    for parent, how in parents:
        for name in files.listing(parent):
            yield os.path.join(parent, name), how


def below(folder: str, timeout: float = 10.0) -> Iterator[str]:
    """Virtual environments at and below a folder, not into them, breadth first and bounded."""
    end = time.monotonic() + timeout
    level = [folder]
    looked = 0
    for depth in range(MAX_DEPTH + 1):
        following: list[str] = []
        for place in level:
            looked += 1
            if looked > MAX_FOLDERS or time.monotonic() > end:
                return
            is_environment, folders = _look(place)
            if is_environment and depth:
                yield place
            elif depth < MAX_DEPTH:
                following += folders
        level = following


def _look(place: str) -> tuple[bool, list[str]]:
    """Whether a folder is an environment, and the folders in it that may hold one."""
    try:
        with os.scandir(place) as entries:
            names = {entry.name: entry for entry in entries}
    except OSError:
        return False, []
    is_environment = "pyvenv.cfg" in names or "conda-meta" in names
    folders = [
        entry.path
        for name, entry in sorted(names.items())
        if name not in SKIPPED and entry.is_dir(follow_symlinks=False)
    ]
    return is_environment, folders
