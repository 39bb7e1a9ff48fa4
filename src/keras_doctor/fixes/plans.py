"""The plan that a search has found, as the user is shown it. Pure, but for reading programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.fixes import managers, trial
from keras_doctor.fixes.byhand import with_commands
from keras_doctor.fixes.installed import changed_distributions
from keras_doctor.fixes.judged import context_of
from keras_doctor.fixes.projectfiles import clashing
from keras_doctor.fixes.prove import with_proofs
from keras_doctor.fixes.search import TRIABLE
from keras_doctor.fixes.ways import ways_of, what_it_does
from keras_doctor.model.plan import Alternative, Rehearsal, Repair
from keras_doctor.names import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keras_doctor.fixes.projectfiles import Wanted
    from keras_doctor.fixes.search import Found
    from keras_doctor.model import Examination
    from keras_doctor.model.plan import Way


def nothing_yet(first: Examination, remarks: Sequence[str] = ()) -> Repair:
    """A repair of which only the world as it is is known."""
    return Repair(
        examination=first,
        steps=(),
        manual=(),
        alternatives=(),
        rehearsal=None,
        applied=False,
        verified=None,
        journal=None,
        environment=None,
        remarks=tuple(remarks),
        refusal=None,
    )


def plan_of(
    blank: Repair,
    found: Found,
    rehearsal: Rehearsal,
    wanted: Iterable[Wanted],
) -> Repair:
    """What a search came to: what is done by itself, what is left, and what else there was.

    Args:
        blank: The repair as far as it is known.
        found: The search.
        rehearsal: How it went.
        wanted: What the project's files ask for.
    """
    snapshot = blank.examination.snapshot
    steps = list({what_it_does(s): s for way in found.ways for s in way.steps}.values())
    stuck = [step for way in found.stuck for step in way.steps]
    manual = [step for step in steps if step.risk != "safe"]
    done = [step for step in steps if step.risk == "safe"]
    left = [*manual, *(() if found.passed else stuck)]
    distributions = rehearsal.distributions
    return blank._replace(
        examination=with_proofs(blank.examination, found, rehearsal.rung),
        steps=with_commands(done, snapshot, distributions, conda=_is_condas(blank.examination)),
        manual=with_commands(left, snapshot),
        alternatives=tuple(_alternatives(blank.examination, found)),
        rehearsal=rehearsal,
        remarks=(*blank.remarks, *found.remarks, *clashing(wanted, distributions)),
    )


def _is_condas(first: Examination) -> bool:
    """Whether Keras came by conda: then so should what belongs to it."""
    keras = context_of(first).keras_distribution
    return keras is not None and bool(
        managers.owned_by_conda(first.snapshot, [normalize(keras.name)])
    )


def rehearsal_of(
    first: Examination,
    found: Found,
    rung: str,
    paths: Sequence[str],
    *,
    files: int,
    untouched: bool,
    seconds: float,
) -> Rehearsal:
    """How the plan did where it changes nothing.

    Args:
        first: The world as it was.
        found: The search.
        rung: In what kind of copy.
        paths: Every path that changes.
        files: How many of them are files or links.
        untouched: Whether the original is as it was.
        seconds: How long it took.
    """
    return Rehearsal(
        rung=rung,
        attempts=found.attempts,
        passed=found.passed,
        distributions=changed_distributions(first.snapshot, found.examination.snapshot, paths),
        files=files,
        newly_broken=found.newly_broken,
        untouched=untouched,
        failure=found.failure,
        seconds=round(seconds, 3),
        install_seconds=round(found.install_seconds, 3),
    )


def _alternatives(first: Examination, found: Found) -> list[Alternative]:
    tried = {way.steps: why for way, why in found.dismissed}
    chosen = {way.steps for way in found.ways}
    context = context_of(first)
    offered = [
        way
        for cause in first.diagnosis.causes
        for way in ways_of(cause, context, trial.read_source)
        if way.steps not in chosen
    ]
    return [
        Alternative(steps=way.steps, why_not=tried.get(way.steps) or _why_not(way, found))
        for way in dict.fromkeys(offered)
    ]


def _why_not(way: Way, found: Found) -> str:
    if not all(step.kind in TRIABLE for step in way.steps) or way in found.stuck:
        return "it cannot be tried in a copy"
    return "another way did" if found.passed else "it was not tried"
