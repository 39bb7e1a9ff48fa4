"""From a name to an interpreter: ``3.11``, ``python3.11``, ``pypy3.10``, an environment's name."""

from __future__ import annotations

import os
import re

from keras_doctor.targets import conda, files, runners, shims
from keras_doctor.targets.environments import (
    PYTHON_NAME,
    environment_of,
    pyenv_root,
    python_in,
    uv_pythons,
)
from keras_doctor.targets.found import TargetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

VERSION = re.compile(r"[23](?:\.\d+){0,2}t?\Z")
_MINOR = re.compile(r"python([23]\.\d+)(?:\.exe)?\Z")
_VERSIONED = re.compile(
    r"(?:python|pypy|graalpy)(?P<version>[23](?:\.\d+)*)?t?(?:\.exe)?\Z", re.IGNORECASE
)


def find(name: str, environ: Mapping[str, str], folder: str) -> tuple[str, str] | None:
    """The interpreter that `name` means, and where it was found.

    Args:
        name: ``3.11``, ``3.11.7``, ``python3.11``, or the name of an environment.
        environ: The user's environment.
        folder: The working folder.

    Returns:
        (interpreter, place in words), or None.
    """
    if VERSION.match(name):
        python = by_version(name, environ, folder)
        return (python, "by its version") if python else None
    if _VERSIONED.match(name):
        python = _first_on_path(name, environ, folder)
        if python:
            return python, "on PATH"
        match = _VERSIONED.match(name)
        version = match["version"] if match else None
        python = by_version(version, environ, folder) if version else None
        return (python, "by its version") if python else None
    for place in _environments(name, environ):
        python = python_in(place)
        if python:
            return python, f"the environment {place}"
    return None


def by_version(version: str, environ: Mapping[str, str], folder: str) -> str | None:
    """The first interpreter of that version: on PATH, of pyenv, uv, then conda."""
    exact = version.count(".") > 1
    names = [f"python{version}"] if not exact else [f"python{version.rpartition('.')[0]}", "python"]
    for name in names:
        python = _first_on_path(name, environ, folder)
        if python and (not exact or environment_of(python, environ).version == version):
            return python
    for group in (_standalone(environ), _of_conda(environ)):
        fitting = [(_key(found), python) for python, found in group if _fits(version, found)]
        if fitting:
            return max(fitting)[1]
    return None


def interpreters(environ: Mapping[str, str], folder: str) -> dict[str, str]:
    """One interpreter of each version like ``3.11``: the newest of pyenv and uv, else on PATH.

    conda's come last: most of them are environments of the user's, which may go.
    """
    result = _newest(_standalone(environ))
    for entry in environ.get("PATH", "").split(os.pathsep):
        for name in files.listing(os.path.join(folder, entry)) if entry else ():
            match = _MINOR.match(name)
            if match and match[1] not in result:
                python_there = _first_on_path(name, environ, folder)
                if python_there:
                    result[match[1]] = python_there
    return {**_newest(_of_conda(environ)), **result}


def _newest(installed: Iterator[tuple[str, str]]) -> dict[str, str]:
    """The newest interpreter of each version like ``3.11``."""
    found: dict[str, tuple[tuple[int, ...], str]] = {}
    for python, version in installed:
        minor = ".".join(version.split(".")[:2])
        candidate = (_key(version), python)
        found[minor] = max(found.get(minor, candidate), candidate)
    return {minor: python for minor, (_version, python) in found.items()}


def installations(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Interpreters that pyenv, uv and conda have installed, with their versions."""
    yield from _standalone(environ)
    yield from _of_conda(environ)


def _standalone(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    places = [os.path.join(pyenv_root(environ), "versions"), *uv_pythons(environ)]
    folders = [os.path.join(place, name) for place in places for name in files.listing(place)]
    yield from _in(folders, environ)


def _of_conda(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from _in(conda.environments(environ), environ)


def _in(folders: Iterable[str], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        python = python_in(folder)
        version = environment_of(python, environ).version if python else None
        if python and version:
            yield python, version


def listing(environ: Mapping[str, str], folder: str) -> str:
    """The versions that can be asked for, in words, for an error message."""
    versions = {version for _python, version in installations(environ)}
    for entry in environ.get("PATH", "").split(os.pathsep):
        for name in files.listing(os.path.join(folder, entry)) if entry else ():
            match = _VERSIONED.match(name)
            path = os.path.join(folder, entry, name)
            if match and match["version"] and "." in match["version"] and not shims.is_shim(path):
                versions.add(match["version"])
    known = sorted(versions, key=_key)
    return f"there are {', '.join(known)}" if known else "no other Python was found either"


def _first_on_path(name: str, environ: Mapping[str, str], folder: str) -> str | None:
    for path in files.on_path(name, environ, folder):
        try:
            return shims.resolve(path, environ, folder)
        except TargetError:
            continue
    return None


def _environments(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    if not name or os.sep in name or "/" in name or PYTHON_NAME.match(name):
        return
    found = conda.find(name, environ)
    if found:
        yield found
    for place in (os.path.join(pyenv_root(environ), "versions"),
                  *runners.virtualenv_homes(dict(environ))):  # fmt: skip
        yield os.path.join(place, name)


def _fits(wanted: str, version: str) -> bool:
    return version == wanted or version.startswith(wanted + ".")


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
