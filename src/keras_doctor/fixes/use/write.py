"""One file replaced as a journalled transaction, so that `keras-doctor undo` brings it back."""

from __future__ import annotations

import os
import shutil
import tempfile
from hashlib import sha256
from typing import TYPE_CHECKING

from keras_doctor import __version__
from keras_doctor.fixes.transaction.apply import apply
from keras_doctor.fixes.transaction.errors import TransactionError
from keras_doctor.fixes.transaction.journal import VERIFIED, Store, planned
from keras_doctor.fixes.transaction.lock import EnvironmentLock
from keras_doctor.fixes.transaction.stage import claim
from keras_doctor.fixes.transaction.statefolder import state_folder
from keras_doctor.fixes.transaction.states import ABSENT, FileChange, FileState, state_of
from keras_doctor.fixes.transaction.undo import recover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keras_doctor.fixes.transaction.journal import Journal
    from keras_doctor.fixes.use.places import Place

_FILE_MODE, _FOLDER_MODE = 0o644, 0o755


def write(
    place: Place, root: str, environ: Mapping[str, str], *, summary: str, verified: bool
) -> tuple[str, str | None]:
    """Replace the file of a place.

    Args:
        place: The file as it was seen, and its new text.
        root: The root folder of the target's environment.
        environ: The user's variables.
        summary: What is done, for the history.
        verified: Whether it was seen to work.

    Returns:
        The journal's id, and a sentence for the user when it is kept in an unusual folder.

    Raises:
        TransactionError: It could not be done; everything is as it was.
    """
    folder, told = state_folder(environ)
    store = Store(folder)
    with EnvironmentLock(root, folder, "keras-doctor use"):
        if recover(store, root):
            raise TransactionError(
                "An earlier repair of this environment was interrupted; what it had begun was "
                "taken back just now. Run this again."
            )
        journal = _apply(store, place, root, folder, summary)
        if verified:
            store.save(journal._replace(status=VERIFIED))
    return journal.id, told


def _apply(store: Store, place: Place, root: str, folder: str, summary: str) -> Journal:
    stage = tempfile.mkdtemp(prefix="use-", dir=os.path.realpath(folder))
    try:
        changes = _changes(place, stage)
        path = changes[-1].path
        inside = path.startswith(os.path.join(root, ""))
        journal = planned(
            environment=root,
            roots=(root,) if place.kind == "conda" and inside else (),
            changes=changes,
            tool_version=__version__,
            files=(path,),
            summary=(summary,),
            stage=stage,
        )
        claim(stage, journal.id)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    try:
        return apply(store, journal)
    except BaseException:
        if not os.path.exists(os.path.join(store.folder, f"{journal.id}.json")):
            shutil.rmtree(stage, ignore_errors=True)  # it was refused before it began
        raise


def _changes(place: Place, stage: str) -> list[FileChange]:
    """The change of the file; before it that of its folder, when that is missing.

    A link is followed: settings that are kept elsewhere stay there.
    """
    path = os.path.realpath(place.path)
    before, mode = ABSENT, _FILE_MODE
    if place.old is not None:
        before = state_of(path, hashed=False)._replace(digest=sha256(place.old).hexdigest())
        mode = before.mode or mode
    staged = os.path.join(stage, "new")
    data = place.text.encode("utf-8", "surrogateescape")
    with open(staged, "xb") as file:
        file.write(data)
    after = FileState(
        kind="file",
        mode=mode,
        mtime_ns=None,
        size=len(data),
        digest=sha256(data).hexdigest(),
        target=None,
    )
    changes = [FileChange(path=path, before=before, after=after, staged=staged)]
    folder = os.path.dirname(path)
    if not os.path.lexists(folder):
        made = ABSENT._replace(kind="folder", mode=_FOLDER_MODE)
        changes.insert(0, FileChange(path=folder, before=ABSENT, after=made, staged=None))
    return changes
