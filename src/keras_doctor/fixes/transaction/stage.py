"""The folder with the new files: marked as ours, so that it may be removed at the end."""

from __future__ import annotations

import os

from keras_doctor.fixes.transaction.errors import TransactionError, reason, shown
from keras_doctor.fixes.transaction.scope import Scope
from keras_doctor.fixes.transaction.work import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.transaction.journal import Journal, Step

MARK = ".keras-doctor-stage"
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_MARK = os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
_LARGEST = 200


def claim(stage: str, journal_id: str) -> None:
    """Mark a folder as the stage of a journal: only a marked one is ever removed.

    Whoever makes a stage does this at once; :func:`apply` does it if nobody has.

    Raises:
        TransactionError: It is no folder, or belongs to another journal.
    """
    try:
        folder = os.open(stage, _FOLDER)
        try:
            owner = _owner(folder)
            if owner is None:
                handle = os.open(MARK, os.O_WRONLY | os.O_EXCL | _MARK, 0o600, dir_fd=folder)
                with open(handle, "w", encoding="utf-8") as file:
                    file.write(journal_id)
            elif owner != journal_id:
                raise TransactionError(f"{shown(stage)} belongs to another repair.")
        finally:
            os.close(folder)
    except OSError as error:
        raise TransactionError(
            f"The new files in {shown(stage)} cannot be used: {reason(error)}."
        ) from error


def remove_stage(journal: Journal, step: Step) -> bool:
    """Remove the stage of a journal, if it is there and marked as this journal's.

    It first gets a name that says what it is: then a removal that was interrupted can go on,
    whatever is left of it.

    Returns:
        Whether nothing of it is left.
    """
    if journal.stage is None:
        return True
    Scope(journal)
    place, name = os.path.split(journal.stage)
    going = f"{MARK}-{journal.id}"
    try:
        parent = os.open(place, _FOLDER)
    except OSError:
        return True
    try:
        if _is_ours(parent, name, journal.id):
            step("before rename")
            os.rename(name, going, src_dir_fd=parent, dst_dir_fd=parent)
            step("after rename")
        if going in os.listdir(parent):
            remove_tree(parent, going, step)
    except OSError:
        return False
    finally:
        os.close(parent)
    return True


def _is_ours(parent: int, name: str, journal_id: str) -> bool:
    try:
        folder = os.open(name, _FOLDER, dir_fd=parent)
    except OSError:
        return False
    try:
        return _owner(folder) == journal_id
    except OSError:
        return False
    finally:
        os.close(folder)


def _owner(folder: int) -> str | None:
    """The journal that a stage belongs to; None when it is not marked."""
    try:
        handle = os.open(MARK, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0), dir_fd=folder)
    except FileNotFoundError:
        return None
    with open(handle, "rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace")
