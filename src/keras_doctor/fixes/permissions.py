"""Permissions alone: a file that may not be read cannot be copied, and so not be rehearsed.

Changing its mode is undone by changing it back, so it is done under a journal and verified at
once; where an overlay can be used, it is rehearsed like everything else.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from keras_doctor.fixes.judged import context_of
from keras_doctor.fixes.transaction.states import FileChange, state_of
from keras_doctor.fixes.trial import read_source, readable_mode
from keras_doctor.fixes.ways import ways_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keras_doctor.model import Examination
    from keras_doctor.model.plan import Step


def permission_steps(first: Examination) -> tuple[Step, ...]:
    """The steps of those causes whose first way out changes nothing but permissions."""
    context = context_of(first)
    found: list[Step] = []
    for cause in first.diagnosis.causes:
        ways = ways_of(cause, context, read_source)
        if ways and all(step.kind == "chmod" and step.risk == "safe" for step in ways[0].steps):
            found += ways[0].steps
    return tuple(dict.fromkeys(found))


def permission_changes(steps: Sequence[Step]) -> tuple[FileChange, ...]:
    """The changes of such steps: only what its owner may not read, and is not a link."""
    found = {
        change.path: change
        for step in steps
        for path in step.paths
        for change in _changes(os.path.realpath(path), step.value or "")
    }
    return tuple(found.values())


def _changes(path: str, mode: str) -> Iterator[FileChange]:
    if mode.isdigit():
        yield from _change(path, int(mode, 8))
        return
    yield from _change(path, readable_mode(os.lstat(path).st_mode))
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            inside = os.path.join(folder, name)
            yield from _change(inside, readable_mode(os.lstat(inside).st_mode))


def _change(path: str, mode: int) -> Iterator[FileChange]:
    before = state_of(path, hashed=False)
    if before.kind in ("file", "folder") and before.mode != stat.S_IMODE(mode):
        after = before._replace(mode=stat.S_IMODE(mode))
        yield FileChange(path=path, before=before, after=after, staged=None)
