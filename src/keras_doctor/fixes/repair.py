"""One repair from beginning to end: look, plan, rehearse, apply, verify, or roll back."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from keras_doctor.fixes import owner, trial
from keras_doctor.fixes.ahead import Ahead
from keras_doctor.fixes.beside import Beside
from keras_doctor.fixes.byhand import with_commands
from keras_doctor.fixes.byowner import done_by_owner, left_to_owner
from keras_doctor.fixes.carry import Carrier, Rehearsed, fresh_change, named_paths
from keras_doctor.fixes.ground import NoPlaceError, ground_of, make_place
from keras_doctor.fixes.judged import context_of, risks_of, works
from keras_doctor.fixes.permissions import permission_changes, permission_steps
from keras_doctor.fixes.plans import nothing_yet, plan_of, rehearsal_of
from keras_doctor.fixes.projectfiles import wanted_by
from keras_doctor.fixes.rehearse.place import remove_stale_stages
from keras_doctor.fixes.search import Search
from keras_doctor.fixes.transaction.errors import TransactionError
from keras_doctor.fixes.transaction.journal import APPLIED, APPLYING, UNDOING, VERIFIED, Store
from keras_doctor.fixes.transaction.lock import EnvironmentLock
from keras_doctor.fixes.transaction.statefolder import state_folder, usual_folder
from keras_doctor.fixes.transaction.undo import recover, undo
from keras_doctor.fixes.tree import listing
from keras_doctor.rules.context import is_inside
from keras_doctor.targets import TargetError, find_target
from keras_doctor.targets.programs import keras_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keras_doctor.fixes.ground import Ground
    from keras_doctor.fixes.rehearse.place import Place
    from keras_doctor.fixes.search import Found, Options
    from keras_doctor.fixes.transaction.journal import Journal
    from keras_doctor.fixes.transaction.states import FileChange
    from keras_doctor.fixes.tree import Seen
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination
    from keras_doctor.model.plan import Consent, Rehearsal, Repair, Step


_TOUCHED = (
    "files of the environment changed while the repair was rehearsed: something else is at work "
    "there, or this is a mistake of keras-doctor"
)


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
    _recover_first(asked, store, folder)
    progress("Looking at the environment")
    look = trial.Look(asked, progress)
    ground = ground_of(context_of(look.read), asked.environ)
    remarks = [told] if told else []
    if not ground.roots:
        first = look.run(command=True, keep=True)
        return nothing_yet(first)._replace(refusal="there is no folder that belongs to this Python")
    repairing = _Repairing(asked, options, store, ground, look, remarks, progress)
    try:
        with EnvironmentLock(ground.roots[0], folder):
            return repairing.run(agree)
    except TransactionError as error:
        refused = nothing_yet(repairing.first, repairing.remarks)
        return refused._replace(refusal=str(error).rstrip("."))


def _recover_first(asked: Asked, store: Store, folder: str) -> None:
    """Bring back what an interrupted repair has left half done: it could not be looked at."""
    begun = [j for j in store.journals().journals if j.status in (APPLYING, UNDOING)]
    for environment in dict.fromkeys(journal.environment for journal in begun):
        if os.path.isdir(environment) and _is_meant(asked, environment):
            with EnvironmentLock(environment, folder):
                recover(store, environment)


def _is_meant(asked: Asked, environment: str) -> bool:
    try:
        target = find_target(
            python=asked.python,
            kernel=asked.kernel,
            project=asked.project,
            command=asked.command,
            environ=asked.environ,
            folder=asked.folder,
        ).target
    except TargetError:
        return False
    return is_inside(os.path.realpath(os.path.dirname(target.python or "")), environment)


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
        look: trial.Look,
        remarks: Sequence[str],
        progress: Callable[[str], None],
    ) -> None:
        self.asked = asked
        markers = context_of(look.read).marker_environment
        folder = look.read.snapshot.target.folder
        self.programs = () if asked.command else keras_programs(folder)
        self.wanted = wanted_by(folder, markers)
        # What the user has asked for here must hold; what the project's files say may be the clash.
        self.options = options._replace(
            keep=(*options.keep, *options.constraints),
            constraints=tuple(one.line for one in self.wanted),
        )
        self.store = store
        self.ground = ground
        self.look = look
        self.first = look.read
        """What is known of the world as it is."""
        self.remarks = list(remarks)
        self.carrier = Carrier(asked, ground, store, progress)
        self.progress = progress

    def run(self, agree: Callable[[Repair], Consent]) -> Repair:
        """Everything that happens while the environment is held."""
        root = self.ground.roots[0]
        unverified = self._clear_up(root)
        ahead = None if unverified else self._begin_ahead()
        try:
            self.first = self.look.run(command=True, keep=True)
            if self._settle(unverified):
                self._look_anew()
                self.first = self.look.run(command=False, keep=True)
            blank = nothing_yet(self.first, self.remarks)
            if works(self.first) and not self.programs and not risks_of(self.first):
                return blank._replace(verified=True)
            return self._with_place(ahead, blank, agree)
        finally:
            if ahead is not None:
                ahead.close()

    def _clear_up(self, root: str) -> list[Journal]:
        """Take back what was interrupted, and remove what rehearsals left that were killed.

        Returns:
            The journals of repairs that were applied and not verified.
        """
        if recover(self.store, root):
            self._look_anew()
        journals = self.store.journals().journals
        remove_stale_stages(root, [journal.stage for journal in journals if journal.stage])
        return [
            journal
            for journal in journals
            if journal.environment == root and journal.status == APPLIED and journal.provisional
        ]

    def _settle(self, unverified: Sequence[Journal]) -> list[Journal]:
        """Repairs that were applied and not verified: they stay if all works, else they go."""
        taken_back = []
        for journal in unverified:
            if works(self.first):
                self.store.save(journal._replace(status=VERIFIED))
                continue
            try:
                taken_back.append(undo(self.store, journal))
            except TransactionError as error:  # somebody went on from there: it stays as it is
                self.remarks.append(str(error))
        return taken_back

    def _look_anew(self) -> None:
        self.remarks.append("An earlier repair was interrupted; what it had begun was taken back.")
        self.look = trial.Look(self.asked, self.progress)

    def _begin_ahead(self) -> Ahead | None:
        """Begin the first attempt beside the first look, where the files alone may tell it."""
        if self.asked.command:
            return None  # what a command of the user's changes would be below the overlay
        if self.options.prefer == "new-env" or owner.refusal(self.look.read.snapshot) is not None:
            return None
        return Ahead(self.look, self.ground, self._search_in)

    def _search_in(
        self, place: Place, first: Examination, progress: Callable[[str], None] = lambda _: None
    ) -> Search:
        return Search(place, self.asked, first, self.options, progress, programs=self.programs)

    def _with_place(
        self, ahead: Ahead | None, blank: Repair, agree: Callable[[Repair], Consent]
    ) -> Repair:
        place: Place | None = None
        try:
            if ahead and ahead.join(self.first, self.progress) and ahead.place and ahead.search:
                place, search, before = ahead.place, ahead.search, ahead.before
            else:
                place = make_place(self.ground, self.progress)
                search = self._search_in(place, self.first, self.progress)
                before = listing(self.ground.roots)
            return self._in(place, search, before, blank, agree)
        except NoPlaceError as error:
            what = "it could not be rehearsed" if place else "no copy could be made to rehearse in"
            return blank._replace(refusal=f"{what}: {error}")
        finally:
            if place is not None:
                place.close()

    def _in(
        self,
        place: Place,
        search: Search,
        before: Seen,
        blank: Repair,
        agree: Callable[[Repair], Consent],
    ) -> Repair:
        if not place.runs_commands:
            mended = self._by_permissions(blank, agree)
            if mended is not None:
                return mended
        found = search.run()
        steps = [step for way in found.ways for step in way.steps]
        changes, rehearsal = self._ended(search, found, before, steps)
        plan = plan_of(blank, found, rehearsal, self.wanted)
        if not rehearsal.untouched:
            return plan._replace(refusal=_TOUCHED)
        if found.passed and not found.ways:
            return nothing_yet(self.first, plan.remarks)._replace(verified=True)
        refusal = owner.refusal(self.first.snapshot) if plan.steps else None
        if refusal is not None or not found.passed or self.options.prefer == "new-env":
            beside = Beside(self.first, self.asked, self.options, self.store, self.progress)
            return beside.mend(plan._replace(refusal=refusal), found, agree)
        theirs = done_by_owner(plan, found, search) if plan.steps else None
        if theirs is None:
            plan = left_to_owner(plan)
        elif theirs.examination is None:
            plan, changes = theirs.plan, ()
        else:
            found = found._replace(examination=theirs.examination)
            done = theirs.plan.steps
            changes, rehearsal = self._ended(search, found, before, [*steps, *done])
            manifests = tuple(path for step in done for path in step.paths)
            others = [one for one in self.wanted if not one.where.startswith(manifests)]
            plan = plan_of(blank, found, rehearsal, others)._replace(steps=done)
            if not rehearsal.untouched:
                return plan._replace(refusal=_TOUCHED)
        if plan.steps:
            users = owner.users_of(self.ground.roots[0])
            plan = plan._replace(remarks=(*plan.remarks, *users))
        consent = agree(plan)
        if not consent.apply:
            return plan
        change = Rehearsed(files=changes, stage=place.stage, id=place.id)
        return self.carrier.carry_out(plan, change, consent.moves)

    def _ended(
        self, search: Search, found: Found, before: Seen, steps: Sequence[Step]
    ) -> tuple[tuple[FileChange, ...], Rehearsal]:
        """End the world of a search, and say what it changed."""
        place = search.bench.place
        changes = place.difference(also=named_paths(steps))
        return changes, rehearsal_of(
            self.first,
            found._replace(install_seconds=search.bench.install_seconds),
            place.rung,
            [change.path for change in changes],
            files=sum(change.before.kind != "folder" for change in changes),
            untouched=listing(self.ground.roots) == before,
            seconds=time.monotonic() - search.began,
        )

    def _by_permissions(self, blank: Repair, agree: Callable[[Repair], Consent]) -> Repair | None:
        """Change modes under the journal, where no copy can be made; None: that is not all."""
        steps = permission_steps(self.first)
        changes = permission_changes(steps)
        if not changes or owner.refusal(self.first.snapshot) is not None:
            return None
        remark = "A file that may not be read cannot be copied: this is verified, not rehearsed."
        plan = blank._replace(
            steps=with_commands(steps, self.first.snapshot), remarks=(*blank.remarks, remark)
        )
        if not agree(plan).apply:
            return plan
        done = self.carrier.carry_out(plan, fresh_change(changes))
        return done if done.verified else None
