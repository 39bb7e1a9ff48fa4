"""Small reads of the file system for the user's environment, not for this process's."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WINDOWS = os.name == "nt"
BIN = "Scripts" if WINDOWS else "bin"


def home(environ: Mapping[str, str]) -> str:
    """The user's home folder: HOME (USERPROFILE on Windows), else what the system says."""
    return environ.get("USERPROFILE" if WINDOWS else "HOME") or os.path.expanduser("~")


def absolute(path: str, environ: Mapping[str, str], folder: str) -> str:
    """`path` with ``~`` and relative parts resolved against the user's home and folder."""
    if path == "~" or path.startswith(("~/", "~\\")):
        path = home(environ) + path[1:]
    return os.path.normpath(os.path.join(folder, path))


def read_head(path: str, size: int = 4096) -> bytes:
    """The first bytes of a regular file; b"" when it is none or cannot be read."""
    try:
        if not os.path.isfile(path):
            return b""
        with open(path, "rb") as file:
            return file.read(size)
    except (OSError, ValueError):
        return b""


def read_text(path: str, size: int = 65536) -> str:
    """The first `size` bytes of a regular file as text; "" when it cannot be read."""
    return read_head(path, size).decode("utf-8", "replace")


def read_json(path: str, size: int = 1 << 20) -> dict[str, object]:
    """The JSON object of a file; {} when there is none, it is huge, or something else."""
    head = read_head(path, size + 1)
    if not head or len(head) > size:
        return {}
    import json

    try:
        value = json.loads(head.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def is_program(path: str) -> bool:
    """Whether a shell would start this file."""
    try:
        if not (os.path.isfile(path) and os.access(path, os.X_OK)):
            return False
        # An empty python.exe is the stand-in of the Microsoft Store, which opens a shop window.
        return not WINDOWS or os.path.getsize(path) > 0
    except (OSError, ValueError):
        return False


def on_path(name: str, environ: Mapping[str, str], folder: str) -> Iterator[str]:
    """Every program called `name` in the folders of PATH, in their order, each folder once."""
    endings = [""]
    if WINDOWS:
        known = environ.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").lower().split(";")
        endings = ["", *known] if os.path.splitext(name)[1].lower() in known else known
    seen = set()
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        place = os.path.join(folder, entry.strip('"') if WINDOWS else entry)
        if place in seen:
            continue
        seen.add(place)
        for ending in endings:
            path = os.path.join(place, name + ending)
            if is_program(path):
                yield os.path.normpath(path)
                break


def which(name: str, environ: Mapping[str, str], folder: str) -> str | None:
    """What a shell would start for `name`: a path as it stands, else the first on PATH."""
    if os.sep in name or "/" in name:
        path = absolute(name, environ, folder)
        return path if is_program(path) else None
    return next(on_path(name, environ, folder), None)


def listing(folder: str) -> list[str]:
    """The names in a folder, sorted; [] when it is none or cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError):
        return []


def same_file(one: str, other: str) -> bool:
    """Whether two paths are the same file or folder on disk."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
