"""What an examination amounts to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.rules.context import Context
from keras_doctor.signs import matches

if TYPE_CHECKING:
    from keras_doctor.model import Examination, Finding


def context_of(examined: Examination) -> Context:
    """What an examination concluded from."""
    return Context(examined.snapshot, wish=examined.wish, outcomes=examined.outcomes)


def works(examined: Examination) -> bool:
    """Whether the import passed with the wished backend, and one step was trained."""
    passed = ("passed", "stopped")
    outcomes = examined.outcomes
    if not examined.diagnosis.healthy or not outcomes:
        return False
    if any(outcome.status not in passed for outcome in outcomes):
        return False
    return examined.wish is None or outcomes[-1].backend == examined.wish


def risks_of(examined: Examination) -> tuple[Finding, ...]:
    """What is no cause, as all works, and still worth a repair that changes no package.

    A program that was read and not run will stop at it; or the run has warned of it.
    """
    ran = any(outcome.kind == "command" for outcome in examined.outcomes)
    return tuple(
        note
        for note in examined.diagnosis.notes
        if ("program" in note.blocks and not ran)
        or any(
            sign.printed and matches(sign, one) for sign in note.signs for one in examined.outcomes
        )
    )


def what_is_left(examined: Examination) -> str:
    """What stands in the way first, as a clause."""
    causes = examined.diagnosis.causes
    return causes[0].title if causes else "the import still fails"


def imports_work(examined: Examination) -> bool:
    """Whether Keras imports and trains, whatever becomes of the user's command."""
    tried = [outcome for outcome in examined.outcomes if outcome.kind != "command"]
    if not tried or any(outcome.status not in ("passed", "stopped") for outcome in tried):
        return False
    return examined.wish is None or tried[-1].backend == examined.wish
