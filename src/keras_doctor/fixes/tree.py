"""A tree as it is: to see that a rehearsal has left the original alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Seen = dict[str, tuple[int, int, int, int]]
"""By path: inode, mode, size, and time of the last change in nanoseconds."""


def listing(roots: Sequence[str]) -> Seen:
    """Everything below some folders: names, inodes, modes, sizes and times; no content is read.

    What cannot be listed is left out, before as after.
    """
    return {path: row for root in roots for path, row in _walk(root)}


def _walk(folder: str) -> Iterator[tuple[str, tuple[int, int, int, int]]]:
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError:
        return
    for entry in found:
        try:
            info = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        size = 0 if entry.is_dir(follow_symlinks=False) else info.st_size
        yield entry.path, (info.st_ino, info.st_mode, size, info.st_mtime_ns)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path)
