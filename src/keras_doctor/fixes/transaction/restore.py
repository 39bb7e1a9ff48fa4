"""The old state, restored from whatever is the case now.

The same steps take back a repair that failed, one that was interrupted, and one that is undone.
Each of them can be done twice, so that an interrupted restoration is simply begun again.
"""

from __future__ import annotations

import errno
import os

from keras_doctor.fixes.transaction.errors import TransactionError, named
from keras_doctor.fixes.transaction.scope import VAULT
from keras_doctor.fixes.transaction.survey import (
    ADJUST,
    CONFLICT,
    KEEP,
    LEAVE,
    MAKE,
    PUT_BACK,
    REMOVE,
    judge,
    strangers,
    survey,
)
from keras_doctor.fixes.transaction.tree import BlockedError, MissingError
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.fixes.transaction.survey import Seen
    from keras_doctor.fixes.transaction.work import Workspace

NEW = ".new"
"""How the name of a copy ends that waits in the folder for backups to get its place."""


class Restored(NamedTuple):
    """How it went."""

    conflicts: tuple[str, ...]
    """Paths that could not get their old state."""
    left: tuple[str, ...]
    """What was there, was not ours, and was left."""


def restore(work: Workspace, seen: Sequence[Seen] | None = None) -> Restored:
    """Bring everything that the journal changes back to its state before.

    What cannot be restored does not keep the rest from it.

    Args:
        work: The journal's workspace.
        seen: What :func:`survey` has just seen.

    Raises:
        TransactionError: A link stands in the way of a path or of the backups.
    """
    return _Restoration(work, survey(work) if seen is None else seen).run()


class _Restoration:
    def __init__(self, work: Workspace, seen: Sequence[Seen]) -> None:
        self._work = work
        self._seen = seen
        self._changes = work.journal.changes
        self._verdicts = [judge(c, s) for c, s in zip(self._changes, seen, strict=True)]
        self._order = sorted(
            range(len(seen)), key=lambda index: self._changes[index].path.split(os.sep)
        )
        self._conflicts = {self._path(i) for i in self._order if self._verdicts[i] == CONFLICT}
        self._left = {self._path(i) for i in self._order if self._verdicts[i] == LEAVE}

    def run(self) -> Restored:
        """All steps; folders are opened up first and closed again at the end."""
        for index in self._order:
            self._try(index, self._open_up)
        foreign = strangers(self._work, self._verdicts, self._seen)
        self._left.update(foreign.others)
        for path in foreign.compiled:
            self._sweep(path)
        for index in reversed(self._order):
            self._try(index, self._clear)
        for wanted, step in ((MAKE, self._make), (PUT_BACK, self._put_back), (ADJUST, self._set)):
            for index in self._order:
                if self._verdicts[index] == wanted:
                    self._try(index, step)
        for vault in self._work.scope.vaults():
            self._remove_vault(vault)
        self._finish_folders()
        return Restored(tuple(sorted(self._conflicts)), tuple(sorted(self._left)))

    def _path(self, index: int) -> str:
        return self._changes[index].path

    def _try(self, index: int, step: Callable[[int], None]) -> None:
        try:
            step(index)
        except OSError:
            self._conflicts.add(self._path(index))

    def _open_up(self, index: int) -> None:
        """Make a folder writable for as long as it takes."""
        mode = self._seen[index].now.mode
        ours = self._verdicts[index] not in (LEAVE, CONFLICT)
        if (
            ours
            and self._seen[index].now.kind == "folder"
            and mode is not None
            and mode & 0o700 != 0o700
        ):
            self._work.set_mode(self._path(index), mode | 0o700, "folder")

    def _sweep(self, path: str) -> None:
        try:
            if self._work.look(path).kind == "folder":
                self._work.rmdir(path)
            else:
                self._work.unlink(path)
        except OSError:
            self._left.add(path)

    def _clear(self, index: int) -> None:
        """Take away what the repair has put at a path, if it cannot be replaced in one go."""
        path, now, verdict = self._path(index), self._seen[index].now, self._verdicts[index]
        if now.kind == "absent" or verdict not in (REMOVE, MAKE, PUT_BACK):
            return
        if now.kind != "folder":
            if verdict != PUT_BACK:
                self._work.unlink(path)
            return
        try:
            self._work.rmdir(path)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or verdict != REMOVE:
                raise
            self._left.add(path)

    def _make(self, index: int) -> None:
        self._work.mkdir(self._path(index))

    def _put_back(self, index: int) -> None:
        self._work.rename(self._work.backup(index), self._path(index))
        if self._seen[index].now.kind == "folder":
            self._work.tree.forget(self._path(index))

    def _set(self, index: int) -> None:
        """Mode and time of a file or link that was changed where it stands."""
        before, now = self._changes[index].before, self._seen[index].now
        if before.kind == "folder":
            return
        if before.mode is not None and before.mode != now.mode:
            self._work.set_mode(self._path(index), before.mode, before.kind)
        if before.mtime_ns is not None:
            self._work.set_time(self._path(index), before.mtime_ns)

    def _remove_vault(self, vault: str) -> None:
        try:
            remove_vault(self._work, vault, len(self._changes), keep_backups=True)
        except OSError:
            self._conflicts.add(vault)

    def _finish_folders(self) -> None:
        """Times and modes of folders, the deepest first: nothing is done in them afterwards."""
        times = {folder.path: folder.mtime_ns for folder in self._work.journal.folders}
        modes = {}
        for index, change in enumerate(self._changes):
            if change.before.kind == "folder" and self._verdicts[index] in (KEEP, MAKE, ADJUST):
                modes[change.path] = change.before.mode
                if change.before.mtime_ns is not None:
                    times[change.path] = change.before.mtime_ns
        for path in sorted({*times, *modes}, key=lambda path: path.split(os.sep), reverse=True):
            try:
                finish_folder(self._work, path, modes.get(path), times.get(path))
            except (MissingError, BlockedError, FileNotFoundError, NotADirectoryError):
                if path in modes:
                    self._conflicts.add(path)
            except OSError:
                self._conflicts.add(path)


def finish_folder(work: Workspace, path: str, mode: int | None, mtime_ns: int | None) -> None:
    """Set time and mode of a folder if they are others; a base is reached by itself."""
    handle = work.tree.open(path)
    now = os.fstat(handle)
    if mtime_ns is not None and now.st_mtime_ns != mtime_ns:
        work.set_folder_time(path, mtime_ns)
    if mode is not None and now.st_mode & 0o7777 != mode:
        work.set_mode(path, mode, "folder")


def remove_vault(work: Workspace, vault: str, count: int, *, keep_backups: bool) -> None:
    """Remove a journal's folder for backups, and the folder of all of them when it is empty.

    What is not of the journal is left, and then so are the folders.

    Args:
        work: The workspace.
        vault: The folder.
        count: How many changes the journal has.
        keep_backups: Whether a backup that is still there is needed.

    Raises:
        OSError: Something could not be removed.
    """
    names = {str(index) + end for index in range(count) for end in ("", NEW)}
    for folder in (vault, os.path.dirname(vault)):
        try:
            inside = work.names(folder)
        except (MissingError, BlockedError):
            continue
        ours = [name for name in inside if folder == vault and name in names]
        for name in ours:
            if name.endswith(NEW) or not keep_backups:
                work.unlink(os.path.join(folder, name))
                inside.remove(name)
        if not inside:
            work.rmdir(folder)


def complain(restored: Restored, work: Workspace) -> None:
    """Raise if something could not be restored."""
    if restored.conflicts:
        raise TransactionError(
            f"These could not be brought back to what they were: {named(restored.conflicts)}. "
            f"Old files that are kept lie in folders named {VAULT}/{work.scope.id}; repair these "
            "paths by hand, or make the environment anew."
        )
