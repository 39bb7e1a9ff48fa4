"""What a rehearsal has changed, read from the folder in which an overlay keeps its changes.

Sources: the kernel's Documentation/filesystems/overlayfs.rst: a removed name is a character device
0/0 ("whiteout"); a folder that hides the one below it carries the attribute ``overlay.opaque``.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

from keras_doctor.fixes.transaction.states import ABSENT, FileChange, FileState, state_of
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")
_ATTRIBUTES = ("trusted.overlay.", "user.overlay.")
_BYTECODE = re.compile(r"(?P<folder>.*)__pycache__/(?P<module>[^/]+?)\.[\w-]+(?:\.opt-\w+)?\.pyc\Z")
LOCK = ".lock"
"""What uv leaves in the root of an environment."""


def overlay_difference(
    folder: str, upper: str, only: Sequence[str] | None = None
) -> tuple[FileChange, ...]:
    """The changes of one folder.

    Files whose content and mode are those of before are none, nor is compiled bytecode whose
    source did not change, nor an installer's lock file.

    Args:
        folder: The folder below the overlay, as everybody sees it.
        upper: Where the overlay has kept the changes; nothing may be mounted any more.
        only: Paths of interest; what is neither below one nor above is not looked at: others may
            be at work there, as in the temporary folder. None: everything is of interest.

    Returns:
        Changes in order of their paths, without digests; `staged` lies in `upper`.
    """
    found = [
        change
        for change in _walk(folder, upper, only, hidden=False)
        if change.path != os.path.join(folder, LOCK)
    ]
    return tuple(sorted(without_idle_bytecode(found)))


def read_ahead(folder: str, upper: str) -> None:
    """Work out the digests that a difference and its journal will need.

    Args:
        folder: The folder below the overlay.
        upper: Where the overlay keeps the changes; files in it are complete by now.
    """
    for place, _folders, names in os.walk(upper):
        for name in names:
            staged = os.path.join(place, name)
            if not stat.S_ISREG(os.lstat(staged).st_mode):
                continue
            state_of(staged, hashed=True)
            original = os.path.join(folder, os.path.relpath(staged, upper))
            if os.path.isfile(original) and not os.path.islink(original):
                state_of(original, hashed=True)


def _walk(
    lower: str, upper: str, only: Sequence[str] | None, *, hidden: bool
) -> Iterator[FileChange]:
    """The changes below one folder; `hidden`: nothing of the lower folder shows through."""
    names = set()
    with os.scandir(upper) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        names.add(entry.name)
        path = os.path.join(lower, entry.name)
        if only is None or any(is_inside(path, one) or is_inside(one, path) for one in only):
            yield from _entry(path, entry, only, hidden=hidden)
    if hidden and os.path.isdir(lower) and not os.path.islink(lower):
        for name in sorted(os.listdir(lower)):
            if name not in names:
                yield from removed(os.path.join(lower, name))


def _entry(
    path: str, entry: os.DirEntry[str], only: Sequence[str] | None, *, hidden: bool
) -> Iterator[FileChange]:
    info = entry.stat(follow_symlinks=False)
    before = state_of(path, hashed=False)
    if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
        if before.kind != "absent":
            yield from removed(path)
        return
    if stat.S_ISDIR(info.st_mode):
        yield from _folder(path, entry.path, before, only, hidden=hidden)
        return
    strip_attributes(entry.path)
    after = state_of(entry.path, hashed=False)
    if before.kind == "folder":
        yield from removed_inside(path)
    if not is_same(path, before, entry.path, after):
        yield FileChange(path=path, before=before, after=after, staged=entry.path)


def _folder(
    path: str, upper: str, before: FileState, only: Sequence[str] | None, *, hidden: bool
) -> Iterator[FileChange]:
    after = state_of(upper, hashed=False)
    # Inside an opaque folder nothing below shows through, at any depth.
    hidden = hidden or _is_opaque(upper)
    if before.kind != "folder" or before.mode != after.mode:
        yield FileChange(path=path, before=before, after=after, staged=None)
    yield from _walk(path, upper, only, hidden=hidden)


def removed(path: str) -> Iterator[FileChange]:
    """The changes that take a file, or a folder with all that is in it, away."""
    before = state_of(path, hashed=False)
    if before.kind == "folder":
        yield from removed_inside(path)
    yield FileChange(path=path, before=before, after=ABSENT, staged=None)


def removed_inside(folder: str) -> Iterator[FileChange]:
    """The changes that empty a folder."""
    for name in sorted(os.listdir(folder)):
        yield from removed(os.path.join(folder, name))


def is_same(path: str, before: FileState, staged: str, after: FileState) -> bool:
    """Whether a new file or link has the kind, the mode and the content of the old one."""
    if (before.kind, before.mode) != (after.kind, after.mode):
        return False
    if before.kind == "link":
        return before.target == after.target
    # By digests: a journal needs them anyway, and they may be known already.
    return before.size == after.size and (
        state_of(path, hashed=True).digest == state_of(staged, hashed=True).digest
    )


def _is_opaque(folder: str) -> bool:
    for name in _OPAQUE:
        try:
            if os.getxattr(folder, name, follow_symlinks=False) == b"y":
                return True
        except OSError:
            continue
    return False


def strip_attributes(path: str) -> None:
    """Take away what the overlay has written to a file for its own use."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return
    for name in names:
        if name.startswith(_ATTRIBUTES):
            os.removexattr(path, name, follow_symlinks=False)


def without_idle_bytecode(changes: list[FileChange]) -> Iterator[FileChange]:
    """The changes without bytecode that was compiled for a source which did not change.

    Bytecode that was removed stays among them: Python itself removes none.
    """
    changed = {change.path for change in changes}
    left = [change for change in changes if not _is_idle(change, changed)]
    inside = {os.path.dirname(change.path) for change in left}
    for change in left:
        is_new_folder = change.before.kind == "absent" and change.after.kind == "folder"
        is_cache = os.path.basename(change.path) == "__pycache__"
        if not (is_new_folder and is_cache and change.path not in inside):
            yield change


def _is_idle(change: FileChange, changed: set[str]) -> bool:
    match = _BYTECODE.match(change.path.replace(os.sep, "/"))
    if match is None or change.after.kind == "absent":
        return False
    return match["folder"] + match["module"] + ".py" not in changed
