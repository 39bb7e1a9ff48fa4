"""From a version manager's stand-in to the program that it would start.

Source of pyenv's order: its ``pyenv-version-name`` and ``pyenv-which``: PYENV_VERSION, else
``.python-version`` in the folder or above it, else the global ``version`` file; each name is a
folder in ``versions``, a prefix of one, or ``system``; the system comes last in any case.
"""

from __future__ import annotations

import os
import re

from keras_doctor.targets import files
from keras_doctor.targets.environments import pyenv_root
from keras_doctor.targets.found import TargetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 5.0
"""Seconds for asking a version manager."""


def resolve(path: str, environ: Mapping[str, str], folder: str) -> str:
    """The program behind `path`: itself when it is no stand-in.

    Raises:
        TargetError: It stands for nothing, or its manager cannot say for what. The sentence
            has no advice at its end: what to do depends on where the name came from.
    """
    manager = _manager(path)
    if manager is None:
        return path
    name = os.path.basename(path)
    if manager == "pyenv":
        found = _pyenv_from_files(path, environ, folder)
        if found:
            return found
    return _ask(manager, name, environ, folder)


def is_shim(path: str) -> bool:
    """Whether `path` is a version manager's stand-in for a program."""
    return _manager(path) is not None


def _manager(path: str) -> str | None:
    if os.path.basename(os.path.dirname(path)) != "shims":
        return None
    if os.path.basename(os.path.realpath(path)) in ("mise", "rye"):
        return os.path.basename(os.path.realpath(path))
    head = files.read_head(path, 1024)
    if head[:2] == b"#!" or path.endswith(".bat"):
        return next((name for name in ("pyenv", "asdf", "mise") if name.encode() in head), None)
    return None


def pyenv_versions(environ: Mapping[str, str], folder: str) -> tuple[tuple[str, ...], str]:
    """The version names that pyenv would use, in order, and what sets them."""
    given = environ.get("PYENV_VERSION")
    if given:
        return tuple(given.split(":")), "PYENV_VERSION"
    place = environ.get("PYENV_DIR") or folder
    while True:
        path = os.path.join(place, ".python-version")
        if os.path.exists(path):
            # Even an empty one ends the search, and means the system's Python.
            return _version_file(path) or ("system",), path
        above = os.path.dirname(place)
        if above == place:
            break
        place = above
    path = os.path.join(pyenv_root(environ), "version")
    return _version_file(path) or ("system",), path


def _version_file(path: str) -> tuple[str, ...]:
    names = []
    for line in files.read_text(path).splitlines():
        words = line.split()
        if words and not words[0].startswith("#") and "/" not in words[0] and words[0] != "..":
            names.append(words[0])
    return tuple(names)


def _pyenv_from_files(shim: str, environ: Mapping[str, str], folder: str) -> str | None:
    """The program, or None when only pyenv itself can tell: a version name is not known."""
    root = _root_of(shim, environ)
    names, origin = pyenv_versions({**environ, "PYENV_ROOT": root}, folder)
    unknown = False
    for name in (*names, "system"):
        if name == "system":
            found = _first_real(os.path.basename(shim), environ, folder)
        else:
            version = installed(root, name)
            if version is None:
                unknown = True
                continue
            found = os.path.join(root, "versions", version, "bin", os.path.basename(shim))
        if found and files.is_program(found):
            return found
    if unknown:
        return None
    raise TargetError(
        f"`{os.path.basename(shim)}` is on PATH as pyenv's, but is in none of the versions that "
        f"pyenv is told to use ({', '.join(names)}, by {origin})"
    )


def _root_of(shim: str, environ: Mapping[str, str]) -> str:
    match = re.search(rb'PYENV_ROOT="([^"$`]+)"', files.read_head(shim, 1024))
    return os.fsdecode(match[1]) if match else pyenv_root(environ)


def _first_real(name: str, environ: Mapping[str, str], folder: str) -> str | None:
    return next((path for path in files.on_path(name, environ, folder) if not is_shim(path)), None)


def installed(root: str, name: str) -> str | None:
    """The installed version that a name or the prefix of a version means to pyenv."""
    names = files.listing(os.path.join(root, "versions"))
    plain = name.removeprefix("python-")
    for exact in (name, plain):
        if exact in names:
            return exact
    matches = [one for one in names if re.fullmatch(re.escape(plain) + r"[.-][\d.]+", one)]
    return max(matches, key=_numbers, default=None)


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))


def _ask(manager: str, name: str, environ: Mapping[str, str], folder: str) -> str:
    """What the version manager itself says."""
    import subprocess

    problem = "it gave no answer"
    try:
        done = subprocess.run(
            [files.which(manager, environ, folder) or manager, "which", name],
            env=dict(environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        problem = f"it gave no answer within {LIMIT:g} seconds"
    except OSError as error:
        problem = error.strerror or str(error)
    else:
        lines = done.stdout.decode("utf-8", "replace").split("\n")
        if done.returncode == 0 and files.is_program(lines[0].strip()):
            return lines[0].strip()
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        problem = said.removeprefix(f"{manager}: ") or problem
    raise TargetError(
        f"`{name}` on PATH is {manager}'s, and {manager} cannot say which program it stands for "
        f"({problem})"
    )
