"""Prove causes: mend them in a copy, and see the import pass there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.fixes.ground import NoPlaceError, ground_of, make_place
from keras_doctor.fixes.judged import context_of
from keras_doctor.fixes.search import Options, Search
from keras_doctor.fixes.ways import key_of
from keras_doctor.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.search import Found
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination, Finding
    from keras_doctor.model.plan import Way


def prove(
    examined: Examination, asked: Asked, progress: Callable[[str], None]
) -> tuple[Examination, str | None]:
    """Rehearse the repair of an examination's causes; nothing is changed.

    Args:
        examined: What `check` concluded.
        asked: The target and the wish.
        progress: Told before each slow step.

    Returns:
        The examination with the causes that were removed as ``proven``, and why nothing could be
        proven, as a sentence, or None.
    """
    if not examined.diagnosis.causes:
        return examined, None
    ground = ground_of(context_of(examined), asked.environ)
    try:
        place = make_place(ground, progress)
    except NoPlaceError as error:
        return examined, f"No copy could be made to rehearse in: {error}."
    try:
        found = Search(place, asked, examined, Options(), progress, command=False).run()
    except NoPlaceError as error:
        return examined, f"It could not be rehearsed: {error}."
    finally:
        place.close()
    if not found.passed:
        return examined, f"The rehearsed repair did not pass: {found.failure}."
    return with_proofs(examined, found, place.rung), None


def with_proofs(examined: Examination, found: Found, rung: str) -> Examination:
    """The examination with every cause that the rehearsal met, and what it proved.

    Args:
        examined: The world as it is.
        found: A search that passed, or did not.
        rung: How it was rehearsed.
    """
    ways = {way.key: way for way in found.ways} if found.passed else {}
    known = {key_of(cause) for cause in examined.diagnosis.causes}
    later = [
        cause for cause in found.causes if key_of(cause) not in known and key_of(cause) in ways
    ]
    causes = tuple(
        cause
        if key_of(cause) in found.unproven
        else _with_proof(cause, ways[key_of(cause)], rung, alone=len(ways) == 1)
        for cause in (*examined.diagnosis.causes, *later)
        if key_of(cause) in ways
    )
    if not causes:
        return examined
    # What went away without a repair of its own has followed from the others.
    followed = tuple(c for c in examined.diagnosis.causes if key_of(c) not in ways)
    consequences = (*examined.diagnosis.consequences, *followed)
    return examined._replace(
        diagnosis=examined.diagnosis._replace(causes=causes, consequences=consequences)
    )


def _with_proof(cause: Finding, way: Way, rung: str, *, alone: bool) -> Finding:
    done = " ".join(step.summary.rstrip(".,") for step in way.steps)
    with_what = "with this one change" if alone else "with this and the other changes"
    evidence = Evidence(
        text=f"as it is, it fails; {with_what}, Keras imports and trains one step: {done}",
        where=f"rehearsed, {rung}",
    )
    return cause._replace(confidence="proven", evidence=(*cause.evidence, evidence))
