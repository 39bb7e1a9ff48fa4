"""Which copy of the release files is read: the user's own when it is newer and whole.

The shipped copy lies in the package. `keras-doctor knowledge update` writes a user's copy into a
folder of its own and then names that folder in the small file ``current``, which is replaced
whole: whoever reads sees the old copy or the new one.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from functools import cache

from keras_doctor.knowledge.releasefile import SCHEMA, DamagedError, Package, decode
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

INDEX = "index.json"
CURRENT = "current"
LARGEST = 8_000_000
"""Bytes of one file; a larger one is not read."""
_SHIPPED = os.path.join(os.path.dirname(__file__), "compiled", "releases")


class Entry(NamedTuple):
    """What the index of a copy says of one package."""

    name: str
    releases: int
    requires: int
    """Releases whose requirements were read."""
    gaps: int
    size: int
    crc32: int


class Copy(NamedTuple):
    """One set of release files."""

    folder: str
    source: str
    """``shipped`` or ``user``."""
    date: str
    """When the newest of it was read, like ``2026-11-25T02:40:00Z``."""
    packages: Mapping[str, Entry]
    gaps: tuple[tuple[str, str], ...]
    """Packages that are wanted and missing: (name, why)."""


def user_folder(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> str:
    """Where a user's copy lies.

    Source: the XDG base directory specification; Apple's and Microsoft's folders for
    application data.
    """
    environ = os.environ if environ is None else environ
    home = environ.get("HOME") or os.path.expanduser("~")
    if platform == "win32":
        base = environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        base = environ.get("XDG_DATA_HOME", "")
        if not os.path.isabs(base):  # a relative one is to be ignored, says the specification
            base = os.path.join(home, ".local", "share")
    return os.path.join(base, "keras-doctor", "releases")


@cache
def shipped() -> Copy:
    """The copy in the package."""
    return open_copy(_SHIPPED, "shipped")


@cache
def in_use() -> tuple[Copy, str | None]:
    """The copy that is read, and why it is not the user's, when there is one and it is not."""
    try:
        users = users_copy(user_folder())
    except DamagedError as error:
        return shipped(), str(error)
    if users is None or users.date <= shipped().date:
        return shipped(), None
    return users, None


def users_copy(folder: str) -> Copy | None:
    """The copy that `folder` holds, or None when it holds none.

    Raises:
        DamagedError: There is one and it cannot be read.
    """
    try:
        name = _read(os.path.join(folder, CURRENT)).decode("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedError(f"{os.path.join(folder, CURRENT)} cannot be read ({error})") from None
    if not name or os.path.basename(name) != name or name.startswith("."):
        raise DamagedError(f"{os.path.join(folder, CURRENT)} names no folder beside it")
    return open_copy(os.path.join(folder, name), "user")


def open_copy(folder: str, source: str) -> Copy:
    """The copy in a folder, its index read and its packages not.

    Raises:
        DamagedError: It has no index that can be read.
    """
    path = os.path.join(folder, INDEX)
    try:
        data = json.loads(_read(path))
        return _copy(data, folder, source)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path} cannot be read ({type(error).__name__}: {error})") from None


def _copy(data: Any, folder: str, source: str) -> Copy:
    if data["schema"] != SCHEMA:
        raise DamagedError(f"schema {data['schema']!r}")
    packages = {}
    for name, row in data["packages"].items():
        entry = Entry(name, *(row[key] for key in Entry._fields[1:]))
        if not all(type(value) is int and value >= 0 for value in entry[1:]):
            raise DamagedError(f"{name} is described by something else than numbers")
        packages[name] = entry
    date = data["date"]
    if not isinstance(date, str):
        raise DamagedError("the date is no text")
    gaps = tuple((str(name), str(why)) for name, why in data["gaps"])
    return Copy(folder=folder, source=source, date=date, packages=packages, gaps=gaps)


def read_package(copy: Copy, name: str) -> Package | None:
    """The releases of a package in a copy; None when the copy does not know it.

    Raises:
        DamagedError: Its file is not the one that the index describes.
    """
    entry = copy.packages.get(name)
    if entry is None:
        return None
    path = os.path.join(copy.folder, name + ".json")
    try:
        raw = _read(path)
        if copy.source == "user" and zlib.crc32(raw) != entry.crc32:
            raise DamagedError("its checksum differs")
        package = decode(json.loads(raw))
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path} cannot be read ({error})") from None
    if package.name != name:
        raise DamagedError(f"{path} is about {package.name[:100]!r}")
    return package


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        raw = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise DamagedError("it is too large")
    return raw
