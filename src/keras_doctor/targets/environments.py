"""What a folder or an interpreter is, read from files: nothing is started.

Sources: PEP 405 and the ``site`` module's documentation for pyvenv.cfg; conda environments are
known by their ``conda-meta`` folder; virtualenv before 20 wrote ``orig-prefix.txt``.
"""

import os
import re
from collections.abc import Mapping

from keras_doctor.records import NamedTuple
from keras_doctor.targets import files

PYTHON_NAME = re.compile(
    r"(?:pythonw?|pypy|graalpy)(?:[23][0-9.]*)?[dmtu]*(?:\.exe)?\Z", re.IGNORECASE
)
"""File names of interpreters."""
_LIB = re.compile(r"(?:python|pypy)([23]\.\d+)t?\Z")
_MAINS = (b"Py_BytesMain", b"Py_Main", b"Py_UnixMain")
_VERSION = re.compile(r"[23]\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?")


class Environment(NamedTuple):
    """Whose environment an interpreter is."""

    folder: str | None
    """The environment's folder, when it is a virtual or conda environment."""
    manager: str
    """``venv`` | ``virtualenv`` | ``uv`` | ``conda`` | ``pyenv`` | ``system``."""
    prefix: str
    """What ``sys.prefix`` will be, as far as files tell."""
    version: str | None
    """As far as files tell: ``3.11.7`` or ``3.11``."""


def python_in(folder: str) -> str | None:
    """The interpreter of an environment folder, in POSIX, Windows and conda layout.

    A link that leads nowhere counts: the environment whose base Python was removed is still
    the one that is meant.
    """
    names = ("Scripts/python.exe", "python.exe") if files.WINDOWS else ("bin/python", "bin/python3")
    candidates = [os.path.join(folder, *name.split("/")) for name in names]
    bin_folder = os.path.join(folder, files.BIN)
    candidates += [
        os.path.join(bin_folder, name)
        for name in reversed(files.listing(bin_folder))
        if PYTHON_NAME.match(name)
    ]
    for path in candidates:
        if files.is_program(path):
            return path
    return next((path for path in candidates if os.path.islink(path)), None)


def environment_of(python: str, environ: Mapping[str, str]) -> Environment:
    """Whose environment `python` is, from pyvenv.cfg, conda-meta and the path alone."""
    root = _root(python)
    for place in (root, os.path.dirname(python)):
        settings = read_pyvenv(place)
        if settings is not None:
            return Environment(
                folder=place,
                manager=_venv_manager(settings),
                prefix=place,
                version=settings.get("version_info")
                or settings.get("version")
                or lib_version(root),
            )
    if _is_old_virtualenv(root):
        return Environment(
            folder=root, manager="virtualenv", prefix=root, version=lib_version(root)
        )
    real = os.path.realpath(python)
    root = _root(real)
    if os.path.isdir(os.path.join(root, "conda-meta")):
        return Environment(folder=root, manager="conda", prefix=root, version=conda_python(root))
    manager = "system"
    if _below(real, os.path.join(pyenv_root(environ), "versions")) or "/.pyenv/versions/" in real:
        manager = "pyenv"
    elif any(_below(real, place) for place in uv_pythons(environ)) or "/uv/python/" in real:
        manager = "uv"
    return Environment(folder=None, manager=manager, prefix=root, version=_base_version(real, root))


def read_pyvenv(folder: str) -> dict[str, str] | None:
    """The settings of ``pyvenv.cfg`` in `folder`, keys in lower case; None when there is none."""
    path = os.path.join(folder, "pyvenv.cfg")
    if not os.path.isfile(path):
        return None
    settings = {}
    for line in files.read_text(path).splitlines():
        key, equals, value = line.partition("=")
        if equals:
            settings[key.strip().lower()] = value.strip()
    return settings


def pyenv_root(environ: Mapping[str, str]) -> str:
    """Where pyenv keeps its files: PYENV_ROOT, else ``~/.pyenv``."""
    return environ.get("PYENV_ROOT") or os.path.join(files.home(environ), ".pyenv")


def uv_pythons(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The folders in which uv installs Pythons: UV_PYTHON_INSTALL_DIR, else in its data folder.

    Source: https://docs.astral.sh/uv/reference/storage/.
    """
    given = environ.get("UV_PYTHON_INSTALL_DIR")
    return (given,) if given else (os.path.join(uv_data(environ), "python"),)


def uv_data(environ: Mapping[str, str]) -> str:
    """The data folder of uv."""
    if files.WINDOWS:
        base = environ.get("APPDATA") or os.path.join(files.home(environ), "AppData", "Roaming")
        return os.path.join(base, "uv", "data")
    base = environ.get("XDG_DATA_HOME") or os.path.join(files.home(environ), ".local", "share")
    return os.path.join(base, "uv")


def conda_python(prefix: str) -> str | None:
    """The version of the python package of a conda environment, from its conda-meta."""
    for name in files.listing(os.path.join(prefix, "conda-meta")):
        if name.startswith("python-") and name.endswith(".json"):
            version = name[len("python-") :].split("-")[0]
            if _VERSION.match(version):
                return version
    return None


def lib_version(prefix: str) -> str | None:
    """Like ``3.11``, from the name of the folder that holds site-packages."""
    for name in files.listing(os.path.join(prefix, "lib")):
        match = _LIB.match(name)
        if match and os.path.isdir(os.path.join(prefix, "lib", name, "site-packages")):
            return match[1]
    return None


def python_version(python: str, environ: Mapping[str, str]) -> tuple[int, int] | None:
    """The (major, minor) of an interpreter as far as files and names tell."""
    version = environment_of(python, environ).version
    parts = (version or "").split(".")
    if len(parts) > 1 and parts[0].isdecimal() and parts[1].isdecimal():
        return int(parts[0]), int(parts[1])
    return None


def is_interpreter(path: str, environ: Mapping[str, str]) -> bool:
    """Whether a file is a Python, as far as files tell: by its name and its content.

    Every interpreter of C calls or exports one of a few names of its main function; PyPy and
    GraalPy are known by their names, wrappers by their first line.
    """
    if PYTHON_NAME.match(os.path.basename(path)) and environment_of(path, environ).folder:
        return True
    head = files.read_head(path, 4)
    if head[:2] == b"#!":
        return bool(PYTHON_NAME.match(os.path.basename(path)))
    if re.match(r"pypy|graalpy", os.path.basename(os.path.realpath(path)), re.IGNORECASE):
        return True
    return _calls_python(path)


def _calls_python(path: str) -> bool:
    import mmap

    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as all_:
            return any(all_.find(name) >= 0 for name in _MAINS)
    except (OSError, ValueError):
        return False


def _root(python: str) -> str:
    place = os.path.dirname(python)
    return os.path.dirname(place) if os.path.basename(place) in ("bin", "Scripts") else place


def _venv_manager(settings: Mapping[str, str]) -> str:
    if "uv" in settings:
        return "uv"
    return "virtualenv" if "virtualenv" in settings else "venv"


def _is_old_virtualenv(root: str) -> bool:
    if not os.path.isfile(os.path.join(root, files.BIN, "activate")):
        return False
    lib = os.path.join(root, "lib")
    return any(
        os.path.isfile(os.path.join(lib, name, "orig-prefix.txt")) for name in files.listing(lib)
    )


def _below(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(os.path.realpath(folder), ""))


def _base_version(real: str, root: str) -> str | None:
    """From the folder's name (``versions/3.11.7``, ``cpython-3.11.7-linux…``), else the file's."""
    named = re.search(r"(?:\A|[-_])(" + _VERSION.pattern + r")(?:\Z|[-_+])", os.path.basename(root))
    if named and named[1].count(".") > 1:
        return named[1]
    named = re.search(r"([23]\.\d+)", os.path.basename(real))
    return named[1] if named else lib_version(root)
