"""What is the case now, and what has to be done with each path to have the old state again.

Nothing notes down how far an interrupted repair came. The disk says it: where the old file lies,
and whether what stands in its place is the old, the new, or somebody else's.
"""

from __future__ import annotations

import os
from functools import partial

from keras_doctor.fixes.transaction.scope import VAULT
from keras_doctor.fixes.transaction.states import (
    digests,
    has_content_of,
    is_in_place,
    is_like,
    is_moved,
    same_time,
)
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.fixes.transaction.states import FileChange, FileState
    from keras_doctor.fixes.transaction.work import Workspace

KEEP = "keep"
REMOVE = "remove"
PUT_BACK = "put back"
MAKE = "make"
ADJUST = "adjust"
LEAVE = "leave"
"""Not ours, and nothing of ours is hidden by it."""
CONFLICT = "conflict"
_CACHE = "__pycache__"
_COMPILED = ".pyc"


class Seen(NamedTuple):
    """What stands at a changed path, and in its backup."""

    now: FileState
    backup: FileState


def survey(work: Workspace) -> list[Seen]:
    """Look at every path of a journal and at its backup, with digests where they decide."""
    found: list[list[FileState]] = []
    openers = {}
    for index, change in enumerate(work.journal.changes):
        found.append([work.look(change.path), work.look_backup(index)])
        sizes = (change.before.size, change.after.size)
        for place, path in enumerate((change.path, work.backup(index))):
            state = found[index][place]
            if state.kind == "file" and state.size in sizes:
                openers[index, place] = partial(work.read_guarded, path)
    for (index, place), digest in digests(openers).items():
        if isinstance(digest, str):
            state = found[index][place]
            found[index][place] = state._replace(digest=digest)
    return [Seen(now, backup) for now, backup in found]


def _is_untold(now: FileState, before: FileState) -> bool:
    """Whether a file that could not be read before its mode changed seems to be the same."""
    told = before.kind == "file" and before.digest is None
    same = (now.kind, now.size) == (before.kind, before.size)
    return told and same and same_time(now.mtime_ns, before.mtime_ns)


def judge(change: FileChange, seen: Seen) -> str:
    """What has to be done with one path, whatever has happened to it so far."""
    now, backup = seen
    remade = is_compiled(change.path) and now.kind in ("absent", "file")
    ours = remade or has_content_of(now, change.after)
    if is_in_place(change):
        same = has_content_of(now, change.before) or _is_untold(now, change.before)
        return ADJUST if same else CONFLICT
    if change.before.kind == "absent":
        if now.kind == "absent":
            return KEEP
        return REMOVE if ours else LEAVE
    if change.before.kind == "folder":
        if now.kind == "folder":
            return KEEP
        return MAKE if ours or now.kind == "absent" else CONFLICT
    if backup.kind == "absent":
        return KEEP if remade or has_content_of(now, change.before) else CONFLICT
    if not has_content_of(backup, change.before):
        return CONFLICT
    return PUT_BACK if ours or now.kind == "absent" else CONFLICT


def is_untouched(change: FileChange, seen: Seen) -> bool:
    """Whether a path is as the repair left it, and its backup whole.

    Compiled files do not count: Python makes them anew when they are missing.
    """
    now, backup = seen
    if is_moved(change) and not has_content_of(backup, change.before):
        return False
    if is_compiled(change.path) and now.kind in ("absent", "file") and not is_in_place(change):
        return True
    if os.path.basename(change.path) == _CACHE and now.kind in ("absent", "folder"):
        return not is_in_place(change) or now.kind == "folder"
    return is_like(now, change.after)


def is_compiled(path: str) -> bool:
    """Whether Python makes this file anew from its source."""
    return path.endswith(_COMPILED) and os.path.basename(os.path.dirname(path)) == _CACHE


class Strangers(NamedTuple):
    """What lies in our folders and is not of the journal."""

    compiled: tuple[str, ...]
    """Files, then their folders, that Python made and can make again: removed in this order."""
    others: tuple[str, ...]


def strangers(work: Workspace, verdicts: Sequence[str], seen: Sequence[Seen]) -> Strangers:
    """What somebody else has put into folders that have to go, or had to.

    Folders that were removed had no content but that of the journal.
    """
    compiled: list[str] = []
    others: list[str] = []
    if work.journal.made:  # the environment's own folder has to go as well
        root = work.journal.environment
        others += [
            path
            for name in work.names(root)
            if name != VAULT and (path := os.path.join(root, name)) not in work.scope.changed
        ]
    for index, change in enumerate(work.journal.changes):
        both = change.before.kind == change.after.kind == "folder"
        if seen[index].now.kind != "folder" or both or verdicts[index] in (LEAVE, CONFLICT):
            continue
        for name in work.names(change.path):
            path = os.path.join(change.path, name)
            if path in work.scope.changed:
                continue
            made = _compiled_at(work, path)
            compiled += made
            if not made:
                others.append(path)
    return Strangers(compiled=tuple(compiled), others=tuple(others))


def _compiled_at(work: Workspace, path: str) -> list[str]:
    """What Python made at a path: a compiled file, or a whole folder of such; else nothing."""
    kind = work.look(path).kind
    if kind == "file" and is_compiled(path):
        return [path]
    if kind != "folder" or os.path.basename(path) != _CACHE:
        return []
    inside = [os.path.join(path, name) for name in work.names(path)]
    if all(is_compiled(each) and work.look(each).kind == "file" for each in inside):
        return [*inside, path]
    return []
