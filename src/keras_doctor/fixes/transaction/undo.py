"""An applied repair taken back, and an interrupted one cleared up."""

from __future__ import annotations

import contextlib
import os

from keras_doctor.fixes.transaction.errors import TransactionError, named, reason, shown
from keras_doctor.fixes.transaction.journal import (
    APPLIED,
    APPLYING,
    PLANNED,
    ROLLED_BACK,
    UNDOING,
    UNDONE,
    VERIFIED,
    nothing,
)
from keras_doctor.fixes.transaction.restore import complain, remove_vault, restore
from keras_doctor.fixes.transaction.stage import remove_stage
from keras_doctor.fixes.transaction.survey import is_untouched, judge, strangers, survey
from keras_doctor.fixes.transaction.work import Workspace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.transaction.journal import Journal, Step, Store
    from keras_doctor.fixes.transaction.survey import Seen


def undo(store: Store, journal: Journal, *, step: Step = nothing) -> Journal:
    """Bring back everything that an applied repair changed, to the byte.

    Whoever calls this holds the :class:`EnvironmentLock`.

    Args:
        store: Where the journal is kept.
        journal: The journal; its status is ``applied`` or ``verified``.
        step: Told before and after each thing that is done.

    Returns:
        The journal as it is now: undone.

    Raises:
        TransactionError: Something else has changed a path since, or a backup is damaged: then
            nothing is done. Or the restoration stopped: then :func:`recover` goes on with it.
    """
    if journal.status not in (APPLIED, VERIFIED):
        raise TransactionError(f"There is nothing to undo: this repair is {journal.status}.")
    with Workspace(journal, step) as work:
        try:
            seen = survey(work)
            _check_untouched(work, seen)
            work.journal = journal._replace(status=UNDOING)
            store.save(work.journal, step=step)
        except OSError as error:
            raise TransactionError(f"Nothing was undone: {reason(error)}.") from error
        done = _restored(store, work, UNDONE, step, seen)
    _remove_empty(done)
    return done


def recover(store: Store, environment: str, *, step: Step = nothing) -> tuple[Journal, ...]:
    """Clear up what interrupted repairs of an environment have left.

    It can be interrupted itself, and done again. Whoever calls this holds the
    :class:`EnvironmentLock`: nobody is at work there.

    Args:
        store: Where the journals are kept.
        environment: The environment's root folder.
        step: Told before and after each thing that is done.

    Returns:
        The journals that were brought back to the old state, newest first.

    Raises:
        TransactionError: One of them could not be; the others were.
    """
    done = []
    trouble: TransactionError | None = None
    for journal in store.journals().journals:
        if journal.environment != environment:
            continue
        try:
            if journal.status in (APPLYING, UNDOING):
                status = ROLLED_BACK if journal.status == APPLYING else UNDONE
                with Workspace(journal, step) as work:
                    done.append(_restored(store, work, status, step, None))
                _remove_empty(done[-1])
            elif journal.stage is not None:
                done += _without_stage(store, journal, step)
        except TransactionError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return tuple(done)


def drop(store: Store, journal_id: str, *, force: bool = False, step: Step = nothing) -> None:
    """Forget a repair: remove its backups and its journal, so that it cannot be undone.

    Args:
        store: Where the journal is kept.
        journal_id: Which.
        force: Also when it was interrupted, and the backups are the only copies of old files, or
            when the journal cannot be read.
        step: Told before and after each thing that is done.

    Raises:
        TransactionError: It was interrupted, or there is no such journal.
    """
    try:
        journal = store.load(journal_id)
        _drop_backups(journal, step, force=force)
    except TransactionError:
        if not force:
            raise
    try:
        store.remove(journal_id, step=step)
    except OSError as error:
        raise TransactionError(
            f"The journal {shown(journal_id)} cannot be removed: {reason(error)}."
        ) from error


def _drop_backups(journal: Journal, step: Step, *, force: bool) -> None:
    if journal.status in (APPLYING, UNDOING) and not force:
        raise TransactionError(
            f"The repair {shown(journal.id)} was interrupted: bring back the old state first."
        )
    if not os.path.isdir(journal.environment):
        return  # it has gone, and the backups with it
    with Workspace(journal, step) as work:
        for vault in work.scope.vaults():
            try:
                remove_vault(work, vault, len(journal.changes), keep_backups=False)
            except OSError as error:
                raise TransactionError(
                    f"The backups in {shown(vault)} cannot be removed: {reason(error)}."
                ) from error
    remove_stage(journal, step)


def _remove_empty(journal: Journal) -> None:
    """Remove the folder of an environment that was made, once it holds nothing any more."""
    if journal.made:
        with contextlib.suppress(OSError):
            os.rmdir(journal.environment)


def _check_untouched(work: Workspace, seen: list[Seen]) -> None:
    changes = work.journal.changes
    problems = [
        change.path
        for change, one in zip(changes, seen, strict=True)
        if not is_untouched(change, one)
    ]
    verdicts = [judge(change, one) for change, one in zip(changes, seen, strict=True)]
    problems += strangers(work, verdicts, seen).others
    if problems:
        raise TransactionError(
            f"Nothing was undone: these have changed since, or their old content is damaged: "
            f"{named(problems)}."
        )


def _restored(
    store: Store, work: Workspace, status: str, step: Step, seen: list[Seen] | None
) -> Journal:
    """Restore, and note it down."""
    try:
        restored = restore(work, seen)
        complain(restored, work)
        work.sync()
        journal = work.journal._replace(status=status, left=restored.left)
        store.save(journal, step=step)
    except OSError as error:
        raise TransactionError(
            f"The old state of {shown(work.journal.environment)} is not complete yet: "
            f"{reason(error)}. Run this again."
        ) from error
    gone = remove_stage(journal, step)
    return journal._replace(stage=None) if gone else journal


def _without_stage(store: Store, journal: Journal, step: Step) -> list[Journal]:
    """Remove the new files of a repair that was not begun, or had ended."""
    if not remove_stage(journal, step):
        return []
    begun = journal.status != PLANNED
    journal = journal._replace(stage=None, status=journal.status if begun else ROLLED_BACK)
    try:
        store.save(journal, step=step)
    except OSError as error:
        raise TransactionError(
            f"The journal {shown(journal.id)} cannot be written: {reason(error)}."
        ) from error
    return [] if begun else [journal]
