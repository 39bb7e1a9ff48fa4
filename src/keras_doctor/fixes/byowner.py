"""Try a plan as the owner of the environment would carry it out: conda, or a project manager.

What the search has found was installed from an index. The owner has its own sources, its own
solver and its own records: so its own commands are run in the same kind of world, and what they
change there is what is carried over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.fixes import managers
from keras_doctor.fixes.judged import context_of, works
from keras_doctor.fixes.request import Request, newly_broken
from keras_doctor.fixes.ways import INSTALLS
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keras_doctor.fixes.managers import OwnersWork
    from keras_doctor.fixes.search import Found, Search
    from keras_doctor.model import Examination
    from keras_doctor.model.plan import DistributionChange, Repair, Step


class ByOwner(NamedTuple):
    """What came of it."""

    plan: Repair
    """With the owner's commands among its steps when they worked, else among what is left."""
    examination: Examination | None
    """Of the world after its commands; None when they did not run, or did not help."""


def left_to_owner(plan: Repair, why: str | None = None) -> Repair:
    """The plan, with what belongs to conda or to a project manager left to them.

    A distribution whose files are only restored is as a project manager has it: that is done
    here. conda's files are its own.

    Args:
        plan: Rehearsed.
        why: Why the owner's commands are not run here.
    """
    work = _work(plan)
    if work is None:
        return plan
    rest = (step._replace(risk="shown") for step in work.rest)
    remarks = (why,) if why else ()
    return plan._replace(
        steps=(), manual=(*work.steps, *rest, *plan.manual), remarks=(*plan.remarks, *remarks)
    )


def done_by_owner(plan: Repair, found: Found, search: Search) -> ByOwner | None:
    """Have the owner carry the plan out in the place of a search.

    Args:
        plan: Rehearsed from an index; its difference is known.
        found: What it comes from.
        search: Its place is made again; after success it holds what the owner did.

    Returns:
        None when the environment has no such owner, or its program is not here or may not run
        in this kind of place: then its commands are for the user, see :func:`left_to_owner`.
    """
    snapshot = plan.examination.snapshot
    works_to_try = [_work(plan), _work(plan, wide=True)]
    if works_to_try[0] is None or not search.bench.place.runs_commands:
        return None
    program = managers.find_program(works_to_try[0].program, snapshot, search.bench.asked.environ)
    if program is None:
        return None
    problem = ""
    for work in dict.fromkeys(each for each in works_to_try if each):
        attempt = _Attempt(plan, found, search, work, program)
        examined, problem = attempt.run()
        if examined is not None:
            mine = tuple(step._replace(risk="safe") for step in work.steps)
            return ByOwner(plan._replace(steps=(*mine, *work.rest)), examined)
    why = f"{work.program} was tried in the copy and did not do it: {problem}"
    return ByOwner(left_to_owner(plan, why), None)


def _work(plan: Repair, *, wide: bool = False) -> OwnersWork | None:
    changes = plan.rehearsal.distributions if plan.rehearsal else ()
    moved = [change for change in changes if not change.again]
    snapshot = plan.examination.snapshot
    return managers.work_of_owner(snapshot, plan.steps, moved, changes, wide=wide)


class _Attempt:
    """One attempt with the commands of the owner."""

    def __init__(
        self, plan: Repair, found: Found, search: Search, work: OwnersWork, program: str
    ) -> None:
        self.changes = plan.rehearsal.distributions if plan.rehearsal else ()
        self.first = plan.examination
        self.found = found
        self.bench = search.bench
        self.typed = bool(search.typed)
        self.work = work
        self.program = program
        self.steps = [step for way in found.ways for step in way.steps]

    def run(self) -> tuple[Examination | None, str]:
        """What was seen afterwards, or None and the reason."""
        self.bench.reset()
        self.bench.perform([step for step in self.steps if step.kind not in INSTALLS])
        problem = self._commands() or self._others()
        if problem is not None:
            return None, problem
        examined = self.bench.examine(self.steps, command=self.typed)
        broken = newly_broken(context_of(self.first), context_of(examined))
        if broken:
            return None, f"afterwards {broken[0]}, which is met now"
        if not works(examined):
            causes = examined.diagnosis.causes
            return None, causes[0].title if causes else "the import still fails"
        return examined, ""

    def _commands(self) -> str | None:
        for argv in _run_as(self.work.steps, self.program):
            self.bench.progress(f"Trying {self.work.program} in the copy")
            problem = self.bench.run_owner(argv, self.work.folder, self.steps)
            if problem is not None:
                return problem
        return None

    def _others(self) -> str | None:
        """Install what is not the owner's as it was found."""
        mine = [one for one in self.changes if normalize(one.name) not in self.work.names]
        if not mine or not self.work.rest:
            return None
        return self.bench.install(_exactly(mine), self.steps)


def _run_as(steps: Sequence[Step], program: str) -> Iterator[tuple[str, ...]]:
    """The commands of an owner as they run where nobody is asked."""
    for step in steps:
        for command in step.commands:
            argv = command.argv or ()
            yes = ("--yes", "--quiet") if argv[:1] == (managers.CONDA,) else ()
            yield (program, *argv[1:2], *yes, *argv[2:])


def _exactly(changes: Sequence[DistributionChange]) -> Request:
    """A request for these releases and nothing else."""
    stay = [one for one in changes if one.after is not None]
    return Request(
        requirements=tuple(f"{one.name}=={one.after}" for one in stay),
        reinstall=tuple(normalize(one.name) for one in stay if one.again),
        uninstall=tuple(normalize(one.name) for one in changes if one.after is None),
        constraints=(),
        overrides=(),
        complete=True,
    )
