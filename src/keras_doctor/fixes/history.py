"""The repairs that were made: list, take back, forget."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.transaction.errors import TransactionError
from keras_doctor.fixes.transaction.journal import APPLIED, APPLYING, UNDOING, VERIFIED, Store
from keras_doctor.fixes.transaction.lock import EnvironmentLock
from keras_doctor.fixes.transaction.statefolder import state_folder, usual_folder
from keras_doctor.fixes.transaction.undo import drop as drop_journal
from keras_doctor.fixes.transaction.undo import recover
from keras_doctor.fixes.transaction.undo import undo as undo_journal
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keras_doctor.fixes.transaction.journal import Journal


class History(NamedTuple):
    """The repairs of one user."""

    journals: tuple[Journal, ...]
    """Newest first."""
    problems: tuple[str, ...]
    """One sentence for each file that is no journal."""
    folder: str
    """Where the journals lie."""


class Undone(NamedTuple):
    """What became of an undo."""

    journal: Journal | None
    """The repair that was taken back; None when there was only an interrupted one, or none."""
    recovered: tuple[Journal, ...]
    """Interrupted repairs that were taken back on the way."""
    refusal: str | None


def history(environ: Mapping[str, str]) -> History:
    """The repairs that were made, newest first."""
    folder = _folder(environ)
    listing = Store(folder).journals()
    return History(journals=listing.journals, problems=listing.unreadable, folder=folder)


def undo(journal_id: str | None, environ: Mapping[str, str]) -> Undone:
    """Take a repair back.

    Args:
        journal_id: Which; None for the last one that stands or was interrupted.
        environ: The user's variables.
    """
    folder = _folder(environ)
    store = Store(folder)
    recovered: tuple[Journal, ...] = ()
    try:
        chosen = _chosen(store, journal_id)
        with EnvironmentLock(chosen.environment, folder):
            recovered = recover(store, chosen.environment)
            chosen = store.load(chosen.id)
            if chosen.id in {journal.id for journal in recovered}:
                return Undone(journal=None, recovered=recovered, refusal=None)
            done = undo_journal(store, chosen)
    except TransactionError as error:
        return Undone(journal=None, recovered=recovered, refusal=str(error))
    return Undone(journal=done, recovered=recovered, refusal=None)


def drop(journal_id: str, environ: Mapping[str, str], *, force: bool) -> None:
    """Forget a repair, with the old files that are kept for it.

    Raises:
        TransactionError: There is none of that id, or it was interrupted.
    """
    folder = _folder(environ)
    drop_journal(Store(folder), journal_id, force=force)


def _folder(environ: Mapping[str, str]) -> str:
    """The folder of the journals; where there is none yet, looking for it makes none."""
    usual = usual_folder(environ)
    if usual is not None and not os.path.isdir(usual):
        place = os.path.dirname(usual)
        while not os.path.isdir(place):
            place = os.path.dirname(place)
        if os.access(place, os.W_OK):
            return usual
    return state_folder(environ)[0]


def _chosen(store: Store, journal_id: str | None) -> Journal:
    standing = (APPLIED, VERIFIED, APPLYING, UNDOING)
    if journal_id is not None:
        found: Journal | None = store.load(journal_id)
    else:
        journals = store.journals().journals
        found = next((one for one in journals if one.status in standing), None)
    if found is None:
        raise TransactionError("There is no repair to undo.")
    if not os.path.isdir(found.environment):
        raise TransactionError(f"The environment {found.environment} is not there any more.")
    return found
