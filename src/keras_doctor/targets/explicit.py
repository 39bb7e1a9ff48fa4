"""The interpreter that ``--python`` names: a file, a folder, a version, an environment's name."""

from __future__ import annotations

import os

from keras_doctor.targets import files, shims
from keras_doctor.targets.environments import environment_of, is_interpreter, python_in
from keras_doctor.targets.found import TargetError
from keras_doctor.targets.search import Choice, Search


def check_rights(place: str) -> None:
    """Refuse a folder that this user may not look into."""
    try:
        os.scandir(place).close()
    except OSError as error:
        raise TargetError(
            f"{place} cannot be read ({error.strerror or error}); "
            "run keras-doctor as a user who may read it"
        ) from error


def named_python(name: str, search: Search) -> Choice:
    """What ``--python`` names."""
    path = files.absolute(name, search.given, search.folder)
    is_path = "/" in name or os.sep in name or name.startswith("~")
    if os.path.isdir(path) and not _is_version(name):
        return _from_folder(path, name, search)
    if os.path.lexists(path) and (is_path or not _is_version(name)):
        return _from_file(path, name, search)
    if is_path:
        _check_reachable(path, name)
        raise TargetError(
            f"--python {name}: {path} does not exist; give an interpreter, "
            "an environment folder, or a version like 3.11"
        )
    from keras_doctor.targets import named

    found = named.find(name, search.environ, search.folder)
    if found is None:
        known = named.listing(search.environ, search.folder)
        raise TargetError(
            f"--python {name}: no such Python is on PATH or among those of pyenv, uv and conda "
            f"({known}); give the interpreter's path"
        )
    search.note(f"--python {name}: {found[0]} ({found[1]}), taken")
    return Choice(python=found[0], why=f"--python {name}")


def _is_version(name: str) -> bool:
    from keras_doctor.targets.named import VERSION

    return bool(VERSION.match(name))


def _check_reachable(path: str, name: str) -> None:
    """Tell 'may not be looked into' from 'does not exist'."""
    try:
        os.lstat(path)
    except PermissionError as error:
        raise TargetError(
            f"--python {name}: {path} cannot be reached ({error.strerror}); "
            "run keras-doctor as a user who may read it"
        ) from error
    except (OSError, ValueError):  # the latter: no path holds a null byte
        pass


def _from_folder(path: str, name: str, search: Search) -> Choice:
    check_rights(path)
    found = python_in(path)
    if found is None:
        for inner in (".venv", "venv"):
            found = python_in(os.path.join(path, inner))
            if found:
                search.note(f"--python {name}: a project, its {inner} is taken")
                return Choice(python=found, why=f"--python {name}")
        if os.path.basename(path) in ("bin", "Scripts"):
            return _from_folder(os.path.dirname(path), name, search)
        raise TargetError(
            f"--python {name}: the folder {path} holds no Python (no {files.BIN}/python in it); "
            "give an environment's folder or an interpreter"
        )
    search.note(f"--python {name}: {found}, taken")
    return Choice(python=found, why=f"--python {name}")


def _from_file(path: str, name: str, search: Search) -> Choice:
    if os.path.islink(path) and not os.path.exists(path):
        if environment_of(path, search.environ).folder is None:
            raise TargetError(
                f"--python {name}: {path} is a link to {os.readlink(path)}, which does not exist; "
                "give an interpreter that is there"
            )
        search.note(f"--python {name}: {path}, a link that leads nowhere, taken")
        return Choice(python=path, why=f"--python {name}")
    if os.path.isfile(path) and path.endswith(".py"):
        raise TargetError(
            f"--python {name}: {path} is a program, not an interpreter; "
            f"give it as a command: -- python {name}"
        )
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise TargetError(
            f"--python {name}: {path} is not a program that may be started; give an interpreter"
        )
    try:
        resolved = shims.resolve(path, search.environ, search.folder)
    except TargetError as error:
        raise TargetError(f"--python {name}: {error}; give the interpreter itself") from error
    if not is_interpreter(resolved, search.environ):
        raise TargetError(
            f"--python {name}: {path} is not a Python interpreter; "
            "give one, or an environment folder"
        )
    search.note(f"--python {name}: {resolved}, taken")
    return Choice(python=resolved, why=f"--python {name}")
