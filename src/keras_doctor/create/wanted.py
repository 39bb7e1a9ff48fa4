"""What a user wants of a new environment, and what was chosen for it."""

from __future__ import annotations

from keras_doctor.records import NamedTuple

RANK = {"measured": 2, "declared": 1, "none": 0}
"""Kinds of evidence: the better known, the higher."""


class CreateError(Exception):
    """What was asked for cannot be made: a sentence, and what to do instead, or None."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class UnresolvedError(CreateError):
    """The installer says that the set does not go together: a requirement that was not known."""


class Wanted(NamedTuple):
    """What is asked for."""

    backend: str | None
    """The name of a backend; None: the one that the chosen Keras takes by itself."""
    keras: str = ""
    """Which releases of Keras will do, like ``==2.2.5`` or ``<3``."""
    python: str | None = None
    """A version like ``3.8``, or a specifier like ``<3.12``; None: any that is here."""
    others: tuple[str, ...] = ()
    """Requirements of further packages."""
    constraints: tuple[str, ...] = ()
    accelerator: str = "cpu"
    """``cpu``, ``cuda12`` or ``cuda13``."""
    before: str | None = None
    """A date: what was uploaded later is not taken."""
    below: str | None = None
    """Only releases of the backend that are older than this one."""
    large: bool = False
    """Whether a CUDA build may be taken where the processor is wanted and there is no other."""
    small_torch: tuple[tuple[str, str], ...] = ()
    """Builds of torch for the processor alone: version and Python, newest first."""


class Chosen(NamedTuple):
    """A set that should train."""

    python: str
    """Like ``3.8``."""
    interpreter: str
    backend: str
    keras: str
    """The distribution and its release, like ``keras==2.2.5``."""
    requirements: tuple[str, ...]
    """Keras, the backend and what else was asked for."""
    constraints: tuple[str, ...]
    """Bounds of what they need, from what was measured."""
    evidence: str
    """``measured`` | ``declared`` | ``none``, see :class:`keras_doctor.compat.answer.Together`."""
    reasons: tuple[str, ...]
    """Why it is this one, a sentence each."""
    pins: tuple[str, ...] = ()
    """All that will be installed, complete; () when the installer has to find that out."""
