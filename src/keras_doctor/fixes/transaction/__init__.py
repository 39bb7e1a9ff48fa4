"""Changes of an environment as a transaction: all or none, undone to the byte, safe from kills.

A repair was rehearsed elsewhere. Its result, a list of :class:`FileChange`, is applied by moving
files: the old ones into a folder for backups, the new ones to their places. The journal that was
written before says how to take that back.

    folder, warning = state_folder(os.environ)
    store = Store(folder)
    with EnvironmentLock(environment, folder, "keras-doctor fix"):
        recover(store, environment)
        journal = apply(store, planned(environment=..., roots=..., changes=..., ...))
        ...
        undo(store, journal)
"""

from keras_doctor.fixes.transaction.apply import apply
from keras_doctor.fixes.transaction.errors import HeldError, TransactionError
from keras_doctor.fixes.transaction.journal import (
    FolderTime,
    Journal,
    Listing,
    Store,
    new_id,
    planned,
)
from keras_doctor.fixes.transaction.lock import EnvironmentLock
from keras_doctor.fixes.transaction.stage import claim
from keras_doctor.fixes.transaction.statefolder import state_folder, usual_folder
from keras_doctor.fixes.transaction.states import ABSENT, FileChange, FileState, state_of
from keras_doctor.fixes.transaction.undo import drop, recover, undo

__all__ = [
    "ABSENT",
    "EnvironmentLock",
    "FileChange",
    "FileState",
    "FolderTime",
    "HeldError",
    "Journal",
    "Listing",
    "Store",
    "TransactionError",
    "apply",
    "claim",
    "drop",
    "new_id",
    "planned",
    "recover",
    "state_folder",
    "state_of",
    "undo",
    "usual_folder",
]
