"""Whether a plan still fits what is there, and what the plan leaves open filled in.

Nothing is changed here.
"""

from __future__ import annotations

import os
from functools import partial

from keras_doctor.fixes.transaction.errors import TransactionError, named, reason, shown
from keras_doctor.fixes.transaction.journal import FolderTime
from keras_doctor.fixes.transaction.scope import VAULT
from keras_doctor.fixes.transaction.states import (
    READ_FILE,
    digests,
    is_in_place,
    is_like,
    staged_state,
)
from keras_doctor.fixes.transaction.tree import BlockedError, MissingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.transaction.journal import Journal
    from keras_doctor.fixes.transaction.states import FileChange, FileState
    from keras_doctor.fixes.transaction.work import Workspace


def examine(work: Workspace) -> Journal:
    """Compare a planned journal with the disk.

    Returns:
        The journal with the full state before and after of each change, and with the times of
        the folders in which something changes.

    Raises:
        TransactionError: Something has changed since the rehearsal, or the plan makes no sense.
    """
    try:
        for change in work.journal.changes:
            _check_sense(change)
            _check_parent(work, change)
        changes = _filled(work)
        _check_emptied(work)
        return work.journal._replace(changes=changes, folders=_folders(work))
    except OSError as error:
        raise TransactionError(
            f"The environment cannot be read as far as needed: {reason(error)}. Nothing was "
            "changed."
        ) from error


def _check_sense(change: FileChange) -> None:
    """Whether the parts of a change fit each other."""
    after = change.after
    moved_in = after.kind in ("file", "link") and not is_in_place(change)
    good = moved_in == (change.staged is not None)
    if is_in_place(change):
        good = all(
            None in pair or pair[0] == pair[1]
            for pair in (
                (change.before.size, after.size),
                (change.before.digest, after.digest),
                (change.before.target, after.target),
            )
        )
    # What its owner cannot read could be neither checked nor undone later.
    needed = {"file": 0o400, "folder": 0o500}.get(after.kind, 0)
    if after.mode is not None and after.mode & needed != needed:
        good = False
    if not good:
        raise TransactionError(
            f"What the plan says of {shown(change.path)} makes no sense; nothing was changed."
        )


def _check_parent(work: Workspace, change: FileChange) -> None:
    """Whether there is or will be a folder for it, on the disk of the backups."""
    folder = os.path.dirname(change.path)
    _check_disk(work, change, folder)
    if change.after.kind == "absent":
        return
    index = work.scope.changed.get(folder)
    if index is not None:
        if work.journal.changes[index].after.kind == "folder":
            return
    else:
        try:
            work.tree.open(folder)
        except (MissingError, BlockedError):
            pass
        else:
            return
    raise TransactionError(
        f"There is no folder {shown(folder)} for what is to be put there; nothing was changed."
    )


def _check_disk(work: Workspace, change: FileChange, folder: str) -> None:
    """What is moved must stay on its disk; only there it is one step, whatever happens."""
    try:
        here = os.fstat(work.tree.open(folder)).st_dev
    except (MissingError, BlockedError):
        return
    base = work.scope.base(change.path)
    if here != os.fstat(work.tree.open(base)).st_dev and not is_in_place(change):
        raise TransactionError(
            f"{shown(folder)} is on another disk than {shown(base)}: a change there could not be "
            "undone safely. Nothing was changed; make a new environment instead."
        )


def _filled(work: Workspace) -> tuple[FileChange, ...]:
    """The changes with everything known, after a comparison with what is there."""
    changes = work.journal.changes
    befores = [work.look(change.path) for change in changes]
    afters = [_after(change) for change in changes]
    strangers = [
        change.path
        for change, now in zip(changes, befores, strict=True)
        if not is_like(now, change.before._replace(digest=None))
    ]
    _refuse(strangers)
    found = _digests(work, befores)
    damaged = []
    filled = []
    for index, change in enumerate(changes):
        before_digest = found.get((index, "before"))
        if is_in_place(change) and isinstance(before_digest, PermissionError):
            before_digest = None  # its mode is what changes; size and time have to do
        before = _with_digest(befores[index], before_digest, change.path)
        after = _with_digest(afters[index], found.get((index, "after")), change.staged or "")
        if is_in_place(change) and after.kind != "folder":
            after = after._replace(digest=before.digest, size=before.size, target=before.target)
        if change.before.digest not in (None, before.digest):
            strangers.append(change.path)
        if not is_like(after, change.after):
            damaged.append(change.path)
        filled.append(change._replace(before=before, after=after))
    _refuse(strangers)
    if damaged:
        raise TransactionError(
            f"The new files are not those of the rehearsal: {named(damaged)}. Nothing was "
            "changed; run the repair again."
        )
    return tuple(filled)


def _refuse(strangers: list[str]) -> None:
    if strangers:
        raise TransactionError(
            f"Something else has changed these since the repair was rehearsed: "
            f"{named(strangers)}. Nothing was changed; run the repair again."
        )


def _after(change: FileChange) -> FileState:
    """The state after, as far as it is known without reading; wishes go before what is staged."""
    after = change.after
    if change.staged is None:
        return after
    staged = staged_state(change.staged)
    mode, mtime_ns = after.mode, after.mtime_ns
    return staged._replace(
        mode=staged.mode if mode is None or staged.kind == "link" else mode,
        mtime_ns=staged.mtime_ns if mtime_ns is None else mtime_ns,
    )


def _digests(work: Workspace, befores: list[FileState]) -> dict[tuple[int, str], str | OSError]:
    openers: dict[tuple[int, str], Callable[[], int]] = {}
    for index, change in enumerate(work.journal.changes):
        if befores[index].kind == "file":
            openers[index, "before"] = partial(work.read_guarded, change.path)
        if change.staged is not None and change.after.kind == "file":
            openers[index, "after"] = partial(os.open, change.staged, READ_FILE)
    return digests(openers)


def _with_digest(state: FileState, digest: str | OSError | None, path: str) -> FileState:
    if isinstance(digest, OSError):
        raise TransactionError(
            f"{shown(path)} cannot be read: {reason(digest)}. Nothing was changed."
        )
    return state if digest is None else state._replace(digest=digest)


def _check_emptied(work: Workspace) -> None:
    """Whether folders that go hold nothing but what goes with them."""
    changes = work.journal.changes
    strangers = []
    for change in changes:
        if change.before.kind != "folder" or change.after.kind == "folder":
            continue
        for name in work.names(change.path):
            path = os.path.join(change.path, name)
            index = work.scope.changed.get(path)
            if index is None or changes[index].after.kind != "absent":
                strangers.append(path)
    _refuse(strangers)


def _folders(work: Workspace) -> tuple[FolderTime, ...]:
    """The times of the folders in which names come or go, as far as they are there."""
    touched = set()
    for change in work.journal.changes:
        if not is_in_place(change):
            base = work.scope.base(change.path)
            touched |= {os.path.dirname(change.path), base, os.path.join(base, VAULT)}
    times = []
    for folder in sorted(touched):
        try:
            handle = work.tree.open(folder)
        except (MissingError, BlockedError):
            continue
        times.append(FolderTime(path=folder, mtime_ns=os.fstat(handle).st_mtime_ns))
    return tuple(times)
