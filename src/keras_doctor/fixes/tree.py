"""A tree as it is: to see that a rehearsal has left the original alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Seen = dict[str, tuple[int, int, int, int]]
"""By path: inode, mode, size, and time of the last change in nanoseconds (0 of a folder)."""


def listing(roots: Sequence[str]) -> Seen:
    """Everything below some folders: names, inodes, modes, sizes and times; no content is read.

    What cannot be listed is left out, before as after; so is compiled bytecode, which any Python
    that runs there writes, and with it the times of folders.
    """
    return {path: row for root in roots for path, row in _walk(root)}


def _walk(folder: str) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        if entry.name == "__pycache__":
            continue
        try:
            info = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield entry.path, (info.st_ino, info.st_mode, 0, 0)
            yield from _walk(entry.path)
        else:
            yield entry.path, (info.st_ino, info.st_mode, info.st_size, info.st_mtime_ns)
