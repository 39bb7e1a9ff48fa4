"""Where a journal may change something, decided from its text alone.

A journal is read from a file that somebody may have edited, so nothing of it is believed: what
does not lie in its roots, or is no sensible root, is refused before anything is touched.
"""

from __future__ import annotations

import os
import re

from keras_doctor.fixes.transaction.errors import TransactionError, shown
from keras_doctor.fixes.transaction.journal import is_id
from keras_doctor.fixes.transaction.states import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.fixes.transaction.journal import Journal
    from keras_doctor.fixes.transaction.states import FileChange, FileState

VAULT = ".keras-doctor"
"""The folder for backups, directly in a root or beside a single file."""
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_HOMES = ("/home", "/Users", "/export/home")
"""Folders that hold home folders."""
_MARKS = ("pyvenv.cfg", "conda-meta")


class Scope:
    """The places that one journal may change.

    Attributes:
        bases: The folders that changes are reached from: the roots, and the folders of single
            files.
        changed: The path of each change, with its index.
    """

    def __init__(self, journal: Journal) -> None:
        """Check the journal.

        Raises:
            TransactionError: It names something that no journal may.
        """
        if not is_id(journal.id):
            raise TransactionError(f"{shown(journal.id)} is not the id of a journal.")
        self.id = journal.id
        self._roots = sorted(journal.roots, key=len, reverse=True)
        self._files = frozenset(journal.files)
        for path in (journal.environment, *journal.roots, *journal.files):
            _check_path(path)
        for root in journal.roots:
            _check_root(root)
        self.changed = {change.path: index for index, change in enumerate(journal.changes)}
        if len(self.changed) != len(journal.changes):
            raise TransactionError("The plan changes one path twice; nothing was changed.")
        # A single file may lie in a folder that the plan makes, like ~/.keras.
        self._made = frozenset(
            change.path
            for change in journal.changes
            if change.before.kind == "absent"
            and change.after.kind == "folder"
            and any(os.path.dirname(file) == change.path for file in self._files)
        )
        self.bases = tuple(dict.fromkeys((*journal.roots, *self._file_bases())))
        for change in journal.changes:
            self._check_change(change)
        for folder in journal.folders:
            _check_path(folder.path)
            self._check_folder(folder.path)
            _check_number(folder.mtime_ns, folder.path)
        if journal.stage is not None:
            self._check_stage(journal.stage)

    def base(self, path: str) -> str:
        """The folder from which a changed path is reached.

        Raises:
            TransactionError: The path may not be changed.
        """
        for root in self._roots:
            if is_below(path, root):
                return root
        folder = os.path.dirname(path)
        if path in self._files:
            return os.path.dirname(folder) if folder in self._made else folder
        if path in self._made:
            return folder
        raise self._refusal(path)

    def vault(self, path: str) -> str:
        """The folder for the backup of a changed path."""
        return os.path.join(self.base(path), VAULT, self.id)

    def vaults(self) -> tuple[str, ...]:
        """All folders for backups that this journal may have."""
        return tuple(os.path.join(base, VAULT, self.id) for base in self.bases)

    def _file_bases(self) -> Iterator[str]:
        for path in sorted(self._files):
            if not any(is_below(path, root) for root in self._roots):
                yield self.base(path)

    def _check_change(self, change: FileChange) -> None:
        _check_path(change.path)
        base = self.base(change.path)
        if VAULT in change.path[len(base) :].split(os.sep):
            raise self._refusal(change.path)
        if any(change.path == other or is_below(other, change.path) for other in self.bases):
            raise self._refusal(change.path)
        _check_state(change.before, change.path)
        _check_state(change.after, change.path)
        if change.before.kind == change.after.kind == "absent":
            raise TransactionError(f"The plan does nothing with {shown(change.path)}.")

    def _check_folder(self, path: str) -> None:
        """A folder whose time is restored is a base, its folder for backups, or in a root."""
        folder = os.path.dirname(path) if os.path.basename(path) == VAULT else path
        if folder not in self.bases and not any(is_below(path, root) for root in self._roots):
            raise self._refusal(path)

    def _check_stage(self, stage: str) -> None:
        """The folder with the new files is removed: it must hold nothing else."""
        _check_path(stage)
        if any(stage == base or is_below(base, stage) for base in (*self.bases, *self._files)):
            raise TransactionError(
                f"{shown(stage)} cannot be the folder with the new files: it holds what is to "
                "be changed."
            )

    def _refusal(self, path: str) -> TransactionError:
        return TransactionError(
            f"{shown(path)} lies outside of what this repair may change; nothing was changed."
        )


def is_below(path: str, folder: str) -> bool:
    """Whether a path lies in a folder, by their texts."""
    return path.startswith(folder.rstrip(os.sep) + os.sep) and len(path) > len(folder) + 1


def _check_path(path: str) -> None:
    plain = path and "\0" not in path and os.path.isabs(path) and os.path.normpath(path) == path
    if not plain or path.startswith("//"):
        raise TransactionError(f"{shown(path)} is not a plain absolute path; nothing was changed.")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise TransactionError(f"{shown(path)} cannot be the name of a file.") from None


def _check_root(root: str) -> None:
    """No root may be, or hold, a home folder."""
    homes = {os.path.expanduser("~"), os.environ.get("HOME", ""), "/root"}
    homes |= {os.path.realpath(home) for home in homes if home}
    try:
        import pwd

        homes.add(pwd.getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):
        pass
    homes.discard("/")
    held = root == os.sep or any(home == root or is_below(home, root) for home in homes if home)
    # Of other users: what lies there is a home folder unless it says that it is an environment.
    marks = (os.path.join(root, mark) for mark in _MARKS)
    other = os.path.dirname(root) in _HOMES and not any(map(os.path.exists, marks))
    if held or other or root in _HOMES:
        raise TransactionError(
            f"{shown(root)} is too much for one repair: it is not an environment but holds the "
            "files of a user."
        )


def _check_state(state: FileState, path: str) -> None:
    good = (
        state.kind in KINDS
        and (state.mode is None or 0 <= state.mode <= 0o7777)
        and (state.size is None or state.size >= 0)
        and (state.digest is None or _DIGEST.match(state.digest) is not None)
        and (state.target is None or "\0" not in state.target)
    )
    if not good:
        raise TransactionError(f"What the plan says of {shown(path)} makes no sense.")
    _check_number(state.mtime_ns, path)


def _check_number(mtime_ns: int | None, path: str) -> None:
    if mtime_ns is not None and not -(1 << 62) < mtime_ns < 1 << 62:
        raise TransactionError(f"What the plan says of {shown(path)} makes no sense.")
