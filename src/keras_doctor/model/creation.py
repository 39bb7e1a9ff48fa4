"""What became of the wish for a new environment."""

from keras_doctor.model.outcome import Outcome
from keras_doctor.records import NamedTuple


class UnknownImport(NamedTuple):
    """An import of a program whose distribution is not known: nothing is installed for it."""

    module: str
    where: str
    """File and line."""


class Creation(NamedTuple):
    """One new environment: planned, or made and tried."""

    folder: str
    python: str
    """Like ``3.8``."""
    interpreter: str
    """The interpreter that it is made with."""
    backend: str
    keras: str
    """The distribution and its release, like ``keras==2.2.5``."""
    packages: tuple[str, ...]
    """Exact requirements, complete when `complete` is true."""
    complete: bool
    constraints: tuple[str, ...]
    evidence: str
    """``measured`` | ``declared`` | ``none``: what is known of Keras and the backend together."""
    reasons: tuple[str, ...]
    local_modules: tuple[str, ...]
    """Imports of the program that are the user's own files."""
    unknown: tuple[UnknownImport, ...]
    made: bool
    """False: it was only planned."""
    verified: Outcome | None
    """The import, the backend, one training step, a saved and loaded model; what it ran on."""
    trained: bool
    """Whether it trained; a backend for inference built and predicted instead."""
    imported: Outcome | None
    """The program's import statements, run in the new environment."""
    files: tuple[str, ...]
    """What was written beside the packages: locks, a note, a kernel."""
    remarks: tuple[str, ...]
    activate: str | None = None
    """What is typed in bash to activate it, once it is made."""
