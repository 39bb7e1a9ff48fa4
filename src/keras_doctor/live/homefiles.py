"""Copies with the same rights, links, and removal: the disk work of a private HOME."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat

MAX_CONFIG = 1 << 20
MAX_COMPILED = 4 << 20
# Small parts of a Theano compile folder that decide whether it can be used: the compiled
# helpers of Theano itself, and a lock that a dead process left.
_THEANO_PARTS = ("lazylinker_ext", "cutils_ext", "lock_dir")


def link(real: str, private: str) -> None:
    """Makes a link to an entry; where the system allows none, the entry is missing."""
    with contextlib.suppress(OSError):
        os.symlink(real, private)


def copy_rights(real: str, private: str) -> None:
    """Gives a copy the mode of the original, less what this process may not do there.

    An original of another user, or on a read-only file system, is not writable whatever its
    mode says; the copy belongs to this process, so its mode must say it.
    """
    try:
        mode = stat.S_IMODE(os.stat(real).st_mode)
        for right, bits in ((os.R_OK, 0o444), (os.W_OK, 0o222), (os.X_OK, 0o111)):
            if not os.access(real, right):
                mode &= ~bits
        owner = os.stat(real).st_uid == os.stat(private).st_uid
        if not owner:
            # The rights that this process has through its group or as anybody, as an owner's.
            for right, bit in ((os.R_OK, 0o400), (os.W_OK, 0o200), (os.X_OK, 0o100)):
                if os.access(real, right):
                    mode |= bit
        os.chmod(private, mode)
    except OSError:
        pass  # gone meanwhile


def copy_keras_folder(real: str, private: str) -> None:
    """Copies a folder with a keras.json: the file for real, everything else as links."""
    if not os.path.isdir(real):
        if os.path.isfile(real):
            _copy_config(real, private)
        return
    os.mkdir(private)
    with contextlib.suppress(OSError):
        for name in os.listdir(real):
            if name != "keras.json":
                link(os.path.join(real, name), os.path.join(private, name))
    config = os.path.join(real, "keras.json")
    if os.path.exists(config):
        _copy_config(config, os.path.join(private, "keras.json"))
    copy_rights(real, private)


def _copy_config(real: str, private: str) -> None:
    """Copies one configuration file with its mode; what cannot be read is as unreadable."""
    if os.path.isdir(real):
        os.mkdir(private)
    elif not os.path.isfile(real) or os.path.getsize(real) > MAX_CONFIG:
        link(real, private)
        return
    else:
        try:
            with open(real, "rb") as stream:
                data = stream.read()
        except OSError:
            data = b""
        with open(private, "xb") as stream:
            stream.write(data)
    copy_rights(real, private)


def copy_theano_folder(real: str, private: str) -> None:
    """Makes a fresh compile folder with the rights, and the small parts, of the real one."""
    if not os.path.isdir(real):
        return
    os.mkdir(private)
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(real) if name.startswith("compiledir")][:50]
    for name in names:
        source, target = os.path.join(real, name), os.path.join(private, name)
        if not os.path.isdir(source):
            continue
        os.mkdir(target)
        for part in _THEANO_PARTS:
            _copy_small_tree(os.path.join(source, part), os.path.join(target, part))
        copy_rights(source, target)
    copy_rights(real, private)


def _copy_small_tree(source: str, target: str) -> None:
    try:
        with os.scandir(source) as entries:
            size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
        if size <= MAX_COMPILED:
            shutil.copytree(source, target, symlinks=True, ignore_dangling_symlinks=True)
    except (OSError, shutil.Error):
        pass  # not there, or not readable: then it is of no use to Theano either


def copy_small_files(real: str, private: str) -> None:
    """Copies the small files of a folder, not its sub-folders."""
    with contextlib.suppress(OSError):
        for name in os.listdir(real)[:100]:
            path = os.path.join(real, name)
            if os.path.isfile(path) and os.path.getsize(path) <= MAX_CONFIG:
                _copy_config(path, os.path.join(private, name))


def link_some(real: str, home: str, name: str, *, without: tuple[str, ...]) -> None:
    """Makes a sub-folder of a HOME whose entries are links, some left out."""
    source, target = os.path.join(real, name), os.path.join(home, name)
    if not os.path.isdir(source):
        return
    os.mkdir(target)
    with contextlib.suppress(OSError):
        for entry in os.listdir(source):
            if entry not in without:
                link(os.path.join(source, entry), os.path.join(target, entry))
    copy_rights(source, target)


def read_text(path: str) -> str | None:
    """Reads a small text file; None when there is none that can be read."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MAX_CONFIG:
            return None
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return None


def replace_file(folder: str, inside: str, text: str | None) -> None:
    """Writes, or takes away, a file below a private folder; links on the way become folders.

    Args:
        folder: a private folder.
        inside: the file's path relative to it.
        text: the new text; None: the file is absent.
    """
    parts = inside.split(os.sep)
    path = folder
    if text is not None:
        os.makedirs(folder, exist_ok=True)
    for part in parts[:-1]:
        path = os.path.join(path, part)
        if os.path.islink(path):
            real = os.path.realpath(path)
            os.unlink(path)
            if os.path.isdir(real):
                os.mkdir(path)
                for name in os.listdir(real):
                    link(os.path.join(real, name), os.path.join(path, name))
        if text is not None:
            os.makedirs(path, exist_ok=True)
    if not os.path.isdir(path):
        return
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | 0o700)
    target = os.path.join(path, parts[-1])
    if os.path.isdir(target) and not os.path.islink(target):
        remove_tree(target)
    elif os.path.lexists(target):
        os.unlink(target)
    if text is not None:
        with open(target, "x", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
    os.chmod(path, mode)


def remove_tree(root: str) -> None:
    """Removes a tree whatever the modes in it are; follows no link."""
    if not root or not os.path.isdir(root):
        return
    for folder, names, _files in os.walk(root, topdown=True, followlinks=False):
        with contextlib.suppress(OSError):
            os.chmod(folder, 0o700)
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, 0o700)
    shutil.rmtree(root, ignore_errors=True)
