"""What a rehearsal has changed, read by comparing a copied world with the original."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from keras_doctor.fixes.rehearse import copying, leading
from keras_doctor.fixes.rehearse.difference import (
    LOCK,
    is_same,
    removed,
    removed_inside,
    without_idle_bytecode,
)
from keras_doctor.fixes.transaction.states import FileChange, state_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from keras_doctor.fixes.rehearse.world import World

_RECORD = "RECORD"


def copied_difference(
    world: World, root: str, without: Collection[str] = ()
) -> tuple[FileChange, ...]:
    """The changes below one folder; files that name the copy are corrected on the way.

    As in :func:`~keras_doctor.fixes.rehearse.difference.overlay_difference`, what has content and
    mode of before is no change, nor is idle bytecode, nor an installer's lock file.

    Args:
        world: The world; nothing runs in it any more.
        root: The folder, as everybody sees it.
        without: Folders inside of it that are left out.

    Returns:
        Changes in order of their paths, without digests; `staged` lies in the world, where it
        may be taken away.
    """
    found = list(_walk(world, root, frozenset(without)))
    _straighten(world, [change.staged for change in found if change.staged])
    finished = [
        done
        for change in found
        if change.path != os.path.join(root, LOCK) and (done := _finished(world, change))
    ]
    return tuple(sorted(without_idle_bytecode(finished)))


def changed_copies(world: World, root: str, suffix: str) -> Iterator[str]:
    """The files with this ending in a copied folder that were written there."""
    for change in _walk(world, root, frozenset()):
        if change.staged and change.after.kind == "file" and change.staged.endswith(suffix):
            yield change.staged


def _walk(world: World, path: str, without: Collection[str]) -> Iterator[FileChange]:
    """Everything that is not as it was put there; content is not compared."""
    names = set()
    for entry in _entries(world.mirror.at(path)):
        names.add(entry.name)
        original = os.path.join(path, entry.name)
        if original not in without:
            yield from _entry(world, original, entry, without)
    for name in sorted(_names(path) - names):
        gone = os.path.join(path, name)
        if gone not in without and not world.is_left_out(gone):
            yield from removed(gone)


def _entry(
    world: World, path: str, entry: os.DirEntry[str], without: Collection[str]
) -> Iterator[FileChange]:
    info = entry.stat(follow_symlinks=False)
    untouched = world.is_untouched(entry.path, info)
    if stat.S_ISDIR(info.st_mode):
        before = state_of(path, hashed=False)
        same = before.kind == "folder" and (untouched or before.mode == stat.S_IMODE(info.st_mode))
        if not same:
            after = state_of(entry.path, hashed=False)
            yield FileChange(path=path, before=before, after=after, staged=None)
        yield from _walk(world, path, without)
        return
    if untouched or _is_one_with(path, info):
        return
    before, after = state_of(path, hashed=False), state_of(entry.path, hashed=False)
    if after.kind not in ("file", "link"):
        return  # a pipe, or a socket
    if before.kind == "folder":
        yield from removed_inside(path)
    yield FileChange(path=path, before=before, after=after, staged=entry.path)


def _is_one_with(path: str, info: os.stat_result) -> bool:
    """Whether a file in the world is the original itself by another name."""
    try:
        original = os.lstat(path)
    except OSError:
        return False
    return (original.st_dev, original.st_ino) == (info.st_dev, info.st_ino)


def _straighten(world: World, staged: list[str]) -> None:
    """Let new files name the original, with the lists that have their hashes."""
    corrected = {
        path
        for path in staged
        if not os.path.islink(path)
        and not _is_as_led(world, path)
        and leading.straightened(path, world.mirror)
    }
    if corrected:
        records = [path for path in staged if os.path.basename(path) == _RECORD]
        leading.correct_records(records, corrected)


def _is_as_led(world: World, path: str) -> bool:
    """Whether a file still has the content that was led to the copy."""
    data = world.led.get(path)
    if data is None:
        return False
    with open(path, "rb") as file:
        return file.read() == data


def _finished(world: World, change: FileChange) -> FileChange | None:
    """A change as it is carried over; None when it is none after all."""
    if change.staged is None:
        return change
    if change.after.kind == "link":
        _straighten_link(world, change.staged)
    after = state_of(change.staged, hashed=False)
    if _is_as_led(world, change.staged) and after.mode == change.before.mode:
        return None
    if is_same(change.path, change.before, change.staged, after):
        return None
    info = os.lstat(change.staged)
    if (info.st_dev, info.st_ino) in world.linked:
        copying.own(change.staged)  # a file that was moved: its old name will be in the backup
    return change._replace(after=after)


def _straighten_link(world: World, path: str) -> None:
    target = os.readlink(path)
    straight = world.mirror.back(target)
    if straight != target:
        os.unlink(path)
        os.symlink(straight, path)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except PermissionError:
        return []


def _names(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()
