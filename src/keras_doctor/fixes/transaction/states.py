"""What stands at a path: before a repair, after it, and now."""

import os
import stat
from hashlib import sha256

from keras_doctor.fixes.transaction.errors import TransactionError, shown
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from typing import TypeVar

    _K = TypeVar("_K", bound=Hashable)

KINDS = ("absent", "file", "link", "folder")
_PIECE = 1 << 20
_THREADS = 2
_UNITS = (100, 1_000, 1_000_000, 1_000_000_000, 2_000_000_000)
"""Nanoseconds: what file systems round times down to (NTFS, most others, old ones, FAT)."""
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# A link, or a FIFO in the place of a file, must neither be followed nor waited for.
READ_FILE = _READ | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class FileState(NamedTuple):
    """What stands at one path."""

    kind: str
    """``absent`` | ``file`` | ``link`` | ``folder``; ``other`` for what is none of these."""
    mode: int | None
    """The permission bits of a file or folder."""
    mtime_ns: int | None
    size: int | None
    """Of files only."""
    digest: str | None
    """SHA-256 of a file's content, in hexadecimal."""
    target: str | None
    """Where a link points to, as it is written."""


class FileChange(NamedTuple):
    """One path that a repair changes."""

    path: str
    """Absolute."""
    before: FileState
    after: FileState
    staged: str | None
    """Where the new file or link lies; None for removals, for folders, and when only mode or
    time change."""


ABSENT = FileState(kind="absent", mode=None, mtime_ns=None, size=None, digest=None, target=None)


def state_of(path: str, *, hashed: bool) -> FileState:
    """What stands at a path now.

    Args:
        path: The path; a link at its end is not followed.
        hashed: Whether a file is read to its end for its digest.

    Returns:
        The state; `digest` is None unless `hashed`.

    Raises:
        OSError: It cannot be looked at or read.
    """
    state = state_at(None, path)
    if hashed and state.kind == "file":
        handle = os.open(path, READ_FILE)
        try:
            state = state._replace(digest=digest_of(handle))
        finally:
            os.close(handle)
    return state


def state_at(folder: int | None, name: str) -> FileState:
    """The state, without a digest, of a name in an open folder."""
    try:
        found = os.lstat(name, dir_fd=folder)
        mode = stat.S_IMODE(found.st_mode)
        if stat.S_ISREG(found.st_mode):
            return FileState("file", mode, found.st_mtime_ns, found.st_size, None, None)
        if stat.S_ISDIR(found.st_mode):
            return FileState("folder", mode, found.st_mtime_ns, None, None, None)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(name, dir_fd=folder)
            return FileState("link", None, found.st_mtime_ns, None, None, target)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    return ABSENT._replace(kind="other")


_known: dict[tuple[int, ...], str] = {}
"""Digests of files that were read by this process already."""


def digest_of(handle: int) -> str:
    """The digest of an open file; one that was not touched since it was read is not read again.

    The time of the last change of the inode (which nobody can set) tells, with device, inode,
    size and time of modification.
    """
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode):
        raise OSError("not a regular file")
    key = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    if key not in _known:
        state = sha256()
        while piece := os.read(handle, _PIECE):
            state.update(piece)
        _known[key] = state.hexdigest()
    return _known[key]


def digests(openers: "Mapping[_K, Callable[[], int]]") -> "dict[_K, str | OSError]":
    """The digests of many files, read by a few threads.

    Args:
        openers: For each file a function that opens it; the handle is closed here.

    Returns:
        For each the digest, or why it could not be read.
    """
    from concurrent.futures import ThreadPoolExecutor

    def read(opener: "Callable[[], int]") -> "str | OSError":
        try:
            handle = opener()
            try:
                return digest_of(handle)
            finally:
                os.close(handle)
        except OSError as error:
            return error

    if len(openers) < 3:  # not worth a thread
        return {key: read(opener) for key, opener in openers.items()}
    pool = ThreadPoolExecutor(_THREADS)
    try:
        return dict(zip(openers, pool.map(read, openers.values()), strict=True))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def same_time(one: int | None, other: int | None) -> bool:
    """Whether two times are equal as far as file systems keep them; None fits everything."""
    if one is None or other is None or one == other:
        return True
    low, high = sorted((one, other))
    return any(low == high - high % unit for unit in _UNITS)


def is_like(now: FileState, wanted: FileState) -> bool:
    """Whether a state is the wanted one; what is None in the wanted one may be anything.

    The time of a folder does not count: it changes with whatever is done in it.
    """
    return (
        now.kind == wanted.kind
        and wanted.mode in (None, now.mode)
        and wanted.size in (None, now.size)
        and wanted.target in (None, now.target)
        and wanted.digest in (None, now.digest)
        and (now.kind == "folder" or same_time(now.mtime_ns, wanted.mtime_ns))
    )


def has_content_of(now: FileState, wanted: FileState) -> bool:
    """Whether kind and content are the wanted ones, whatever mode and time are.

    Content that is not known is not the wanted one.
    """
    if now.kind != wanted.kind:
        return False
    if now.kind == "file":
        return now.digest is not None and now.digest == wanted.digest
    if now.kind == "link":
        return now.target is not None and now.target == wanted.target
    return now.kind in ("folder", "absent")


def is_in_place(change: FileChange) -> bool:
    """Whether only mode or time change, so that nothing is moved."""
    return change.staged is None and change.before.kind == change.after.kind


def is_moved(change: FileChange) -> bool:
    """Whether there is an old file or link that goes into the backup."""
    return change.before.kind in ("file", "link") and not is_in_place(change)


def staged_state(path: str) -> FileState:
    """The state of a staged file or link.

    Raises:
        TransactionError: There is none.
    """
    state = state_at(None, path)
    if state.kind not in ("file", "link"):
        raise TransactionError(f"The new file {shown(path)} is missing: repeat the repair.")
    return state
