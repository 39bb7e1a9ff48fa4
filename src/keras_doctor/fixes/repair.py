"""One repair from beginning to end: look, plan, rehearse, apply, verify, or roll back."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from keras_doctor import __version__
from keras_doctor.fixes import newenv, owner, trial
from keras_doctor.fixes.byhand import with_commands
from keras_doctor.fixes.ground import NoPlaceError, ground_of, make_place
from keras_doctor.fixes.installed import changed_distributions
from keras_doctor.fixes.projectfiles import clashing, wanted_by
from keras_doctor.fixes.prove import with_proofs
from keras_doctor.fixes.rehearse.place import remove_stale_stages
from keras_doctor.fixes.search import (
    TRIABLE,
    Options,
    Search,
    context_of,
    environ_after,
    what_it_does,
    works,
)
from keras_doctor.fixes.transaction.apply import apply
from keras_doctor.fixes.transaction.errors import TransactionError
from keras_doctor.fixes.transaction.journal import VERIFIED, Store, planned
from keras_doctor.fixes.transaction.lock import EnvironmentLock
from keras_doctor.fixes.transaction.statefolder import state_folder, usual_folder
from keras_doctor.fixes.transaction.undo import recover, undo
from keras_doctor.fixes.tree import listing
from keras_doctor.fixes.ways import INSTALLS, ways_of
from keras_doctor.model.plan import Alternative, Rehearsal, Repair
from keras_doctor.records import NamedTuple
from keras_doctor.targets.programs import keras_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keras_doctor.fixes.ground import Ground
    from keras_doctor.fixes.rehearse.place import Place
    from keras_doctor.fixes.search import Found
    from keras_doctor.fixes.transaction.states import FileChange
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination
    from keras_doctor.model.plan import Step, Way

_FILE_STEPS = ("rename-file", "edit-code")
_IN_ENVIRONMENT = (*INSTALLS, "delete", "chmod")


class Consent(NamedTuple):
    """What the user has said yes to."""

    apply: bool
    """The plan as a whole; False: it is only rehearsed and shown."""
    moves: tuple[str, ...] = ()
    """Their own files that may get another name."""


def repair(
    asked: Asked,
    options: Options,
    agree: Callable[[Repair], Consent],
    progress: Callable[[str], None],
) -> Repair:
    """Repair an environment, as far as the user agrees.

    Args:
        asked: The target and what must work afterwards.
        options: What the user says about the plan.
        agree: Shown the rehearsed plan, says what may be done.
        progress: Told before each slow step.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    folder, told = _state_of(asked.environ)
    store = Store(folder)
    progress("Looking at the environment")
    first = trial.examine(asked, run_command=True, keep=True, progress=progress)
    ground = ground_of(context_of(first), asked.environ)
    remarks = [told] if told else []
    if not ground.roots:
        return _blank(first)._replace(refusal="there is no folder that belongs to this Python")
    repairing = _Repairing(asked, options, store, ground, first, remarks, progress)
    try:
        with EnvironmentLock(ground.roots[0], folder):
            return repairing.run(agree)
    except TransactionError as error:
        refused = _blank(repairing.first)
        return refused._replace(remarks=tuple(repairing.remarks), refusal=str(error).rstrip("."))


def _state_of(environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Where the journals are or will be; made only where the usual place cannot be used."""
    usual = usual_folder(environ)
    if usual is not None:
        above = usual
        while not os.path.isdir(above):
            above = os.path.dirname(above)
        if above != usual and os.access(above, os.W_OK | os.X_OK):
            return usual, None
    return state_folder(environ)


class _Repairing:
    """The state of one repair."""

    def __init__(
        self,
        asked: Asked,
        options: Options,
        store: Store,
        ground: Ground,
        first: Examination,
        remarks: Sequence[str],
        progress: Callable[[str], None],
    ) -> None:
        self.asked = asked
        markers = context_of(first).marker_environment
        folder = first.snapshot.target.folder
        self.programs = () if asked.command else keras_programs(folder)
        self.wanted = wanted_by(folder, markers)
        # What the user has asked for here must hold; what the project's files say may be the clash.
        self.options = options._replace(
            keep=(*options.keep, *options.constraints),
            constraints=tuple(one.line for one in self.wanted),
        )
        self.store = store
        self.ground = ground
        self.first = first
        self.remarks = list(remarks)
        self.progress = progress

    def run(self, agree: Callable[[Repair], Consent]) -> Repair:
        """Everything that happens while the environment is held."""
        self._clear_up()
        if works(self.first) and not self.programs:
            return _blank(self.first)._replace(verified=True, remarks=tuple(self.remarks))
        blank = _blank(self.first)._replace(remarks=tuple(self.remarks))
        try:
            place = make_place(self.ground, self.progress)
        except NoPlaceError as error:
            return blank._replace(refusal=f"no copy could be made to rehearse in ({error})")
        try:
            return self._in(place, blank, agree)
        finally:
            place.close()

    def _clear_up(self) -> None:
        """Take back what was interrupted, and remove what rehearsals left that were killed."""
        root = self.ground.roots[0]
        if recover(self.store, root):
            self.remarks.append(
                "An earlier repair was interrupted; what it had begun was taken back."
            )
            self.first = trial.examine(
                self.asked, run_command=False, keep=True, progress=self.progress
            )
        stages = [journal.stage for journal in self.store.journals().journals if journal.stage]
        remove_stale_stages(root, stages)

    def _in(self, place: Place, blank: Repair, agree: Callable[[Repair], Consent]) -> Repair:
        before = listing(self.ground.roots)
        began = time.monotonic()
        search = Search(place, self.asked, self.first, self.options, self.progress)
        found = search.run(self.programs)
        changes = place.difference(also=_paths(found.ways))
        planned_repair = self._planned(blank, found, changes, place.rung, time.monotonic() - began)
        planned_repair = planned_repair._replace(
            rehearsal=planned_repair.rehearsal
            and planned_repair.rehearsal._replace(untouched=listing(self.ground.roots) == before)
        )
        refusal = owner.refusal(self.first.snapshot) if planned_repair.steps else None
        if found.passed and not found.ways:
            remarks = planned_repair.remarks
            return _blank(self.first)._replace(verified=True, remarks=remarks)
        if refusal is not None or not found.passed or self.options.prefer == "new-env":
            return self._beside(planned_repair._replace(refusal=refusal), agree)
        planned_repair = self._left_to_owner(planned_repair)
        consent = agree(planned_repair)
        if not consent.apply:
            return planned_repair
        return self._apply(planned_repair, place, changes, consent)

    # ---------------------------------------------------------------- the plan

    def _planned(
        self,
        blank: Repair,
        found: Found,
        changes: Sequence[FileChange],
        rung: str,
        seconds: float,
    ) -> Repair:
        steps = list({what_it_does(s): s for way in found.ways for s in way.steps}.values())
        stuck = [step for way in found.stuck for step in way.steps]
        manual = [step for step in steps if step.risk != "safe"]
        rehearsal = Rehearsal(
            rung=rung,
            attempts=found.attempts,
            passed=found.passed,
            distributions=changed_distributions(
                self.first.snapshot, found.examination.snapshot, [c.path for c in changes]
            ),
            files=sum(change.before.kind != "folder" for change in changes),
            newly_broken=found.newly_broken,
            untouched=True,
            failure=found.failure,
            seconds=round(seconds, 3),
        )
        snapshot = self.first.snapshot
        distributions = rehearsal.distributions
        conda = snapshot.conda is not None
        done = [step for step in steps if step.risk == "safe"]
        left = [*manual, *(() if found.passed else stuck)]
        return blank._replace(
            examination=with_proofs(self.first, found, rung),
            steps=with_commands(done, snapshot, distributions, conda=conda),
            manual=with_commands(left, snapshot),
            alternatives=tuple(self._alternatives(found)),
            rehearsal=rehearsal,
            remarks=(*blank.remarks, *found.remarks, *clashing(self.wanted, distributions)),
        )

    def _alternatives(self, found: Found) -> list[Alternative]:
        tried = {way.steps: why for way, why in found.dismissed}
        chosen = {way.steps for way in found.ways}
        context = context_of(self.first)
        offered = [
            way
            for cause in self.first.diagnosis.causes
            for way in ways_of(cause, context, trial.read_source)
            if way.steps not in chosen
        ]
        return [
            Alternative(steps=way.steps, why_not=tried.get(way.steps) or _why_not(way, found))
            for way in dict.fromkeys(offered)
        ]

    def _left_to_owner(self, plan: Repair) -> Repair:
        """The plan, with what belongs to conda or to a project manager left to them.

        A distribution whose files are only restored is as its owner has it: that is done here.
        """
        changes = plan.rehearsal.distributions if plan.rehearsal else ()
        moved = [change for change in changes if not change.again]
        steps = owner.steps_of_owner(self.first.snapshot, plan.steps, moved, changes)
        if steps is None:
            return plan
        return plan._replace(steps=(), manual=(*steps, *plan.manual))

    # ------------------------------------------------------- another environment

    def _beside(self, failed: Repair, agree: Callable[[Repair], Consent]) -> Repair:
        """Make an environment beside, where the present one cannot or may not be changed."""
        draft = newenv.draft(context_of(self.first), self.asked)
        if draft is None:
            return failed
        step = newenv.step_of(draft, self.first)
        others = tuple(
            other
            for other in failed.alternatives
            if all(each.kind != "use-env" for each in other.steps)
        )
        plan = failed._replace(
            steps=(step,), manual=(), alternatives=others, environment=draft.folder
        )
        if not agree(plan).apply:
            return plan
        made = newenv.make(draft, self.asked, self.options, self.progress)
        if isinstance(made, str):
            return failed._replace(
                refusal=f"a new environment with Python {draft.python} did not work either: {made}"
            )
        left = [step for way in made.found.ways for step in way.steps if step.risk != "safe"]
        return plan._replace(
            manual=(newenv.activation(draft, step), *left),
            applied=True,
            verified=None,
            refusal=None,
        )

    # ------------------------------------------------------------------- doing

    def _apply(
        self, plan: Repair, place: Place, changes: Sequence[FileChange], consent: Consent
    ) -> Repair:
        moved = [step for step in plan.manual if step.path in consent.moves]
        manual = tuple(step for step in plan.manual if step not in moved)
        done = [*plan.steps, *moved]
        wanted = [c for c in changes if self._is_carried(c, done)]
        files = [c.path for c in wanted if not self._in_roots(c.path)]
        journal_id = None
        if wanted:
            journal = planned(
                environment=self.ground.roots[0],
                roots=self.ground.roots,
                changes=wanted,
                tool_version=__version__,
                files=files,
                summary=[step.summary for step in done],
                stage=place.stage,
            )._replace(id=place.id)
            self.progress("Applying what was rehearsed")
            state_folder(self.asked.environ)
            journal = apply(self.store, journal)
            journal_id = journal.id
            verified = self._verify(manual)
            if verified is False:
                undo(self.store, journal)
                return plan._replace(
                    verified=False,
                    refusal="it did not work in the real environment and was taken back",
                )
            self.store.save(journal._replace(status=VERIFIED))
        else:
            verified = None
        return plan._replace(
            manual=manual,
            applied=bool(wanted),
            verified=verified if not manual else None,
            journal=journal_id,
            remarks=(*plan.remarks, *owner.users_of(self.ground.roots[0])),
        )

    def _in_roots(self, path: str) -> bool:
        return any(path.startswith(os.path.join(root, "")) for root in self.ground.roots)

    def _is_carried(self, change: FileChange, steps: Sequence[Step]) -> bool:
        """Whether a change belongs to a step that is done by itself."""
        if self._in_roots(change.path):
            return any(step.kind in _IN_ENVIRONMENT for step in steps)
        paths = [p for step in steps for p in (step.path, step.to, *step.paths) if p]
        makes = change.before.kind == "absent" and change.after.kind == "folder"
        return any(
            change.path == path
            or change.path.startswith(os.path.join(path, ""))
            or (makes and path.startswith(os.path.join(change.path, "")))
            for path in paths
        )

    def _verify(self, manual: Sequence[Step]) -> bool | None:
        """Try the real environment, with the variables that the user still has to set.

        What else is left to the user is done in a world that is thrown away; where none can be
        made, it cannot be tried.
        """
        asked = self.asked._replace(environ=environ_after(self.asked.environ, manual))
        self.progress("Verifying in the real environment")
        left = [step for step in manual if step.kind in _FILE_STEPS]
        if not left:
            return works(
                trial.examine(asked, run_command=False, keep=False, progress=self.progress)
            )
        try:
            place = make_place(self.ground, self.progress)
        except NoPlaceError:
            return None
        try:
            place.call(trial.perform, left)
            examined = place.call(
                trial.examine, asked, run_command=False, keep=False, with_progress=True
            )
        finally:
            place.close()
        return works(examined)


def _why_not(way: Way, found: Found) -> str:
    if not all(step.kind in TRIABLE for step in way.steps):
        return "it cannot be tried in a copy"
    return "another way did" if found.passed else "it was not tried"


def _paths(ways: Sequence[Way]) -> list[str]:
    """The files outside of the environment that a plan names."""
    steps = [step for way in ways for step in way.steps]
    return [path for s in steps for path in (s.path, s.to, *s.paths) if path]


def _blank(first: Examination) -> Repair:
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
        remarks=(),
        refusal=None,
    )
