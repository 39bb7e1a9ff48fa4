"""Copy one file: by reflink, by a hard link, or byte for byte; and what speaks against each.

Sources: ``ioctl_ficlone(2)``, ``link(2)``, the kernel's Documentation/admin-guide/sysctl/fs.rst
for ``protected_hardlinks``, and ``clonefile(2)`` of macOS.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import sys

RUNGS = ("reflink", "hard links", "copy")
"""From the cheapest to the one that works everywhere."""
_FICLONE = 0x40049409
_CLONE_NOFOLLOW = 1
_SPARE = 256 << 20
"""Bytes that a full copy leaves free."""
_SCRIPT_FOLDERS = ("bin", "Scripts")
_METADATA = (".dist-info", ".egg-info", "EGG-INFO", "conda-meta")
_IN_PLACE = (".pth", ".egg-link")


def copy_file(source: str, target: str, rung: str) -> bool:
    """Make a file that looks like another one.

    Args:
        source: A regular file.
        target: A path where nothing is.
        rung: One of `RUNGS`.

    Returns:
        Whether both are one file now.

    Raises:
        PermissionError: The file cannot be read (``EACCES``), or not be linked (``EPERM``).
        OSError: The file system cannot do that.
    """
    if rung == "hard links" and not is_written_in_place(source):
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
        else:
            return True
    if rung == "reflink":
        _clone(source, target)
    else:
        shutil.copyfile(source, target, follow_symlinks=False)
    like(source, target)
    return False


def like(source: str, target: str) -> None:
    """Give a file the mode and the times of another one."""
    info = os.lstat(source)
    os.chmod(target, stat.S_IMODE(info.st_mode))
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns))


def own(path: str) -> None:
    """Make a file one of its own: its other names keep the old one.

    Raises:
        OSError: It cannot be read.
    """
    beside = f"{path}.keras-doctor"
    try:
        try:
            shutil.copyfile(path, beside, follow_symlinks=False)
        except PermissionError as error:
            raise PermissionError(
                error.errno, "it cannot be read, so no copy of it can be made", path
            ) from None
        like(path, beside)
        os.replace(beside, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)


def is_written_in_place(path: str) -> bool:
    """Whether a file is one of those that installers open and write anew, not replace.

    pip does so with ``easy-install.pth``, launchers are written over the old ones, conda appends
    to its history; metadata is small, and a real copy of it is cheap.
    """
    folder, name = os.path.split(path)
    return (
        name.endswith(_IN_PLACE)
        or name.startswith("__editable__")
        or name in ("pyvenv.cfg", ".lock")
        or os.path.basename(folder) in _SCRIPT_FOLDERS
        or any(part.endswith(_METADATA) for part in folder.split(os.sep)[-3:])
    )


def _clone(source: str, target: str) -> None:
    if sys.platform == "darwin":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.clonefile(os.fsencode(source), os.fsencode(target), _CLONE_NOFOLLOW) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), source)
        return
    if sys.platform != "linux":
        raise OSError(errno.ENOTSUP, "this system has no reflinks")
    import fcntl

    with open(source, "rb") as old, open(target, "xb") as new:
        fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())


def shortage(folders: tuple[str, ...], stage: str) -> str | None:
    """Why a full copy of some folders cannot be made; None when there is room for it."""
    needed = sum(map(_bytes_in, folders))
    found = os.statvfs(stage) if hasattr(os, "statvfs") else None
    free = found.f_bavail * found.f_frsize if found else shutil.disk_usage(stage).free
    if needed + _SPARE <= free:
        return None
    return f"a full copy takes {needed / 1e9:.1f} GB and only {free / 1e9:.1f} GB are free"


def _bytes_in(folder: str) -> int:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += _bytes_in(entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:
        return total  # what cannot be listed is not copied either
    return total


def is_on_overlay(path: str) -> bool:
    """Whether a path lies on an overlay, as in a container.

    A hard link makes the kernel copy the file to the upper layer first, for good: that costs
    what a full copy costs, and stays after the rehearsal.
    """
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
            lines = [line.split() for line in file]
    except OSError:
        return False
    found = ("", "")
    real = os.path.realpath(path)
    for words in lines:
        point = words[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(found[0]):
            found = point, words[words.index("-") + 1]
    return found[1] == "overlay"
