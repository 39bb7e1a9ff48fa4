"""What an earlier run has read, so that the next one need not: one small file a location.

Only that a file had the recorded content is remembered, as a digest over its path, size, times,
inode and recorded hash; a digest that is damaged fits no file, so nothing here can call a changed
file unchanged. The change time (ctime) cannot be set by programs, so a file that is replaced by
one of the same size and modification time is read again. (On Windows there is no such time.)

The files lie in the user's cache folder, nowhere else, and everything works without them.
"""

from __future__ import annotations

import contextlib
import os
import stat
from binascii import a2b_base64, b2a_base64
from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

VERSION = 1
"""Of the files' format; another version is as good as none."""
MOST_BYTES = 1 << 25
"""The largest cache file that is read or written."""
MOST_FILES = 64
"""So many locations are remembered; the one that was written first is forgotten first."""
RACY = 2_000_000_000
"""Nanoseconds: a file that changed less than this before the run may change again within the
same tick of its file system (FAT counts in steps of two seconds), so it is not remembered."""
_SIZE = 16
_PREFIX = "verify-"


def cache_folder(environ: Mapping[str, str], platform: str) -> str | None:
    """The folder of this program in the user's cache folder; None when there is none.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/ (a relative
    XDG_CACHE_HOME is to be ignored), and what Apple and Microsoft name for caches.
    """
    if platform == "win32":
        base = environ.get("LOCALAPPDATA", "")
    else:
        home = environ.get("HOME") or os.path.expanduser("~")
        below = ("Library", "Caches") if platform == "darwin" else (".cache",)
        base = os.path.join(home, *below)
        given = environ.get("XDG_CACHE_HOME", "")
        if platform != "darwin" and os.path.isabs(given):
            base = given
    return os.path.join(base, "keras-doctor") if os.path.isabs(base) else None


def key_of(path: str, status: os.stat_result, digest: str) -> bytes:
    """What is remembered of a file that had the recorded content."""
    text = (
        f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino} "
        f"{status.st_dev} {digest} {path}"
    )
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def is_racy(status: os.stat_result, started_ns: int) -> bool:
    """Whether a file changed so shortly before the run that it may do so unseen."""
    limit = started_ns - RACY
    return status.st_ctime_ns > limit or status.st_mtime_ns > limit


class Cache:
    """What is remembered of one location."""

    def __init__(self, folder: str, location: str) -> None:
        """Read what there is.

        Args:
            folder: As :func:`cache_folder` gives it.
            location: The location, as the patient's Python writes it.
        """
        name = blake2b(os.fsencode(location), digest_size=_SIZE).hexdigest()
        self._folder = folder
        self._path = os.path.join(folder, f"{_PREFIX}{name}.json")
        self._sections = _read(self._path)

    def known(self, section: str) -> frozenset[bytes]:
        """The keys of one section, the name of a metadata folder."""
        data = self._sections.get(section, b"")
        return frozenset(data[i : i + _SIZE] for i in range(0, len(data), _SIZE))

    def keep(self, sections: Mapping[str, Iterable[bytes]], existing: Collection[str]) -> None:
        """Remember the keys of some sections, and forget those that no longer exist.

        Nothing is written when nothing is new; what cannot be written is not remembered.

        Args:
            sections: All keys of each section that was looked at.
            existing: The names of all sections that there could be.
        """
        new = {name: data for name, data in self._sections.items() if name in existing}
        for name, keys in sections.items():
            new[name] = b"".join(dict.fromkeys(keys))
        new = {name: data for name, data in new.items() if data}
        if new == self._sections:
            return
        with contextlib.suppress(OSError, ValueError):
            self._write(new)

    def _write(self, sections: Mapping[str, bytes]) -> None:
        import json

        content = {
            name: b2a_base64(data, newline=False).decode() for name, data in sections.items()
        }
        data = json.dumps({"version": VERSION, "sections": content}).encode()
        if len(data) > MOST_BYTES or not _is_ours(self._folder):
            return
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        _replace(self._path, data)
        _forget_oldest(self._folder)


def _read(path: str) -> dict[str, bytes]:
    """The sections of a cache file; none when it is missing, damaged, or not ours."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError:
        return {}
    with open(handle, "rb") as file:
        try:
            status = os.fstat(handle)
            if not _is_private(status) or status.st_size > MOST_BYTES:
                return {}
            return _parse(file.read(MOST_BYTES + 1))
        except OSError:
            return {}


def _is_private(status: os.stat_result) -> bool:
    """Whether it is a regular file that nobody but this user may have written."""
    if not stat.S_ISREG(status.st_mode):
        return False
    return os.name == "nt" or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _parse(data: bytes) -> dict[str, bytes]:
    import json

    try:
        content: Any = json.loads(data)
        if content["version"] != VERSION:
            return {}
        sections = {str(name): a2b_base64(text) for name, text in content["sections"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return {name: keys for name, keys in sections.items() if keys and len(keys) % _SIZE == 0}


def _is_ours(folder: str) -> bool:
    """Whether the nearest folder above that exists is this user's own.

    With sudo, HOME may be another user's: files of root there would only be in their way.
    """
    while not os.path.isdir(folder):
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return os.name == "nt" or os.stat(folder).st_uid == os.geteuid()


def _replace(path: str, data: bytes) -> None:
    """Put a file in place, whole or not at all, for this user only."""
    beside = f"{path}.{os.getpid()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(beside, flags, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _forget_oldest(folder: str) -> None:
    """Delete the files beyond the bound, and what an ended process left half written."""
    with os.scandir(folder) as entries:
        found = [
            (entry.stat(follow_symlinks=False).st_mtime_ns, entry.path)
            for entry in entries
            if entry.name.startswith(_PREFIX) and entry.is_file(follow_symlinks=False)
        ]
    for _, path in sorted(found)[:-MOST_FILES]:
        with contextlib.suppress(OSError):
            os.unlink(path)
