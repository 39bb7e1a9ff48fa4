"""The changes of a rehearsed repair, made in the real environment: all of them, or none."""

from __future__ import annotations

import errno
import os

from keras_doctor.fixes.transaction.errors import TransactionError, reason
from keras_doctor.fixes.transaction.examine import examine
from keras_doctor.fixes.transaction.journal import (
    APPLIED,
    APPLYING,
    PLANNED,
    ROLLED_BACK,
    nothing,
)
from keras_doctor.fixes.transaction.restore import NEW, Restored, complain, finish_folder, restore
from keras_doctor.fixes.transaction.stage import claim, remove_stage
from keras_doctor.fixes.transaction.states import is_in_place, is_like, is_moved
from keras_doctor.fixes.transaction.work import Workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.transaction.journal import Journal, Step, Store
    from keras_doctor.fixes.transaction.states import FileChange


def apply(store: Store, journal: Journal, *, step: Step = nothing) -> Journal:
    """Make the changes of a planned journal.

    Whoever calls this holds the :class:`EnvironmentLock`.

    Args:
        store: Where the journal is kept.
        journal: What is to be done; its status is ``planned``.
        step: Told before and after each thing that is done.

    Returns:
        The journal as it is now: applied, with all digests.

    Raises:
        TransactionError: It was refused, or failed and was rolled back: either way everything is
            as it was, unless the sentence says otherwise.
    """
    if journal.status != PLANNED:
        raise TransactionError(f"This repair cannot be applied: it is {journal.status} already.")
    with Workspace(journal, step) as work:
        work.journal = examine(work)
        if journal.stage is not None:
            claim(journal.stage, journal.id)
        work.journal = work.journal._replace(status=APPLYING)
        try:
            store.save(work.journal, step=step)
            _carry_out(work)
            done = work.journal._replace(status=APPLIED)
            store.save(done, step=step)
        except BaseException as error:
            _roll_back(store, work, error)
            raise
    gone = remove_stage(done, step)
    return done._replace(stage=None) if gone else done


def _roll_back(store: Store, work: Workspace, error: BaseException) -> None:
    """Restore the old state, and say why in a sentence unless the user interrupted."""
    why = f"The repair failed: {reason(error).rstrip('.')}."
    try:
        restored = restore(work)
        complain(restored, work)
    except (OSError, TransactionError) as more:
        # The journal still says that it is being applied, so recovery will try again.
        if isinstance(error, Exception):
            raise TransactionError(f"{why} {reason(more)}") from error
        return
    _finish(store, work, restored)
    if isinstance(error, Exception):
        raise TransactionError(f"{why} Everything is as it was before.") from error


def _finish(store: Store, work: Workspace, restored: Restored) -> None:
    """Note that it was rolled back. When that fails, the next run finds that all is restored."""
    journal = work.journal._replace(status=ROLLED_BACK, left=restored.left)
    try:
        work.sync()
        store.save(journal)
    except OSError:
        return
    remove_stage(journal, nothing)


def _carry_out(work: Workspace) -> None:
    changes = work.journal.changes
    order = sorted(range(len(changes)), key=lambda index: changes[index].path.split(os.sep))
    for folder in sorted({os.path.dirname(c.staged) for c in changes if c.staged is not None}):
        work.open_staged(folder)
    carried = _carry(work)
    # Everything new is on the disk before it replaces anything.
    work.sync()
    for index in order:
        _open_up(work, changes[index])
    for index in reversed(order):
        _clear(work, index)
    for index in order:
        if changes[index].after.kind == "folder" and changes[index].before.kind != "folder":
            work.mkdir(changes[index].path)
    for index in order:
        if changes[index].staged is not None:
            _place(work, index, copied=index in carried)
        elif is_in_place(changes[index]):
            _adjust(work, changes[index])
    for index in reversed(order):
        after = changes[index].after
        if after.kind == "folder":
            finish_folder(work, changes[index].path, after.mode, after.mtime_ns)
    work.sync()


def _carry(work: Workspace) -> set[int]:
    """Copy what is staged on another file system, so that the rest is a matter of names."""
    carried = set()
    for index, change in enumerate(work.journal.changes):
        if change.staged is None:
            continue
        there = os.fstat(work.tree.open(work.scope.base(change.path))).st_dev
        if os.stat(os.path.dirname(change.staged)).st_dev != there:
            work.make_vault(index)
            work.copy_in(change.staged, work.backup(index) + NEW, change.after, synced=False)
            carried.add(index)
    return carried


def _open_up(work: Workspace, change: FileChange) -> None:
    """Make a folder writable for as long as it takes."""
    mode = change.before.mode
    if change.before.kind == "folder" and mode is not None and mode & 0o700 != 0o700:
        work.set_mode(change.path, mode | 0o700, "folder")


def _clear(work: Workspace, index: int) -> None:
    """Take away what goes for good, and what changes between folder and no folder."""
    change = work.journal.changes[index]
    before, after = change.before.kind, change.after.kind
    if before == "folder" and after != "folder":
        work.rmdir(change.path)
    elif is_moved(change) and after in ("absent", "folder"):
        _put_away(work, index)


def _put_away(work: Workspace, index: int) -> None:
    change = work.journal.changes[index]
    if not is_like(work.look(change.path), change.before._replace(digest=None)):
        raise OSError(errno.EBUSY, "somebody else has just changed it", change.path)
    work.make_vault(index)
    work.rename(change.path, work.backup(index))


def _place(work: Workspace, index: int, *, copied: bool) -> None:
    """Give a new file or link its place, complete with mode and time."""
    change = work.journal.changes[index]
    source = change.staged
    if source is None:
        return
    if not copied:
        work.finish_staged(source, change.after)
    if is_moved(change) and change.after.kind in ("file", "link"):
        _put_away(work, index)
    if work.look(change.path).kind != "absent":
        raise OSError(errno.EEXIST, "somebody else has just made it", change.path)
    waiting = work.backup(index) + NEW
    if not copied:
        try:
            work.bring(source, change.path)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            work.make_vault(index)
            work.copy_in(source, waiting, change.after, synced=True)
        else:
            return
    work.rename(waiting, change.path)


def _adjust(work: Workspace, change: FileChange) -> None:
    """Set mode and time of a file or link where it stands; folders come at the end."""
    after = change.after
    if after.kind == "folder":
        return
    if not is_like(work.look(change.path), change.before._replace(digest=None)):
        raise OSError(errno.EBUSY, "somebody else has just changed it", change.path)
    if after.mode is not None and after.mode != change.before.mode:
        work.set_mode(change.path, after.mode, after.kind)
    if after.mtime_ns is not None:
        work.set_time(change.path, after.mtime_ns)
