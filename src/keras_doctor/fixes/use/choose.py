"""The order of things in `use`: can it be, whom does it switch, does it work, then write."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.shared import (
    environments_of_user,
    is_shared,
    readers_of,
    switched_by,
)
from keras_doctor.fixes.transaction.errors import TransactionError
from keras_doctor.fixes.use import places, steps, trying
from keras_doctor.fixes.use.result import (
    CONDA,
    CONFIG,
    KERNEL,
    SHELL,
    RefusedError,
    Used,
    Where,
)
from keras_doctor.fixes.use.shells import line_for, shell_of
from keras_doctor.fixes.use.ways import check_backend, only_here
from keras_doctor.fixes.use.write import write
from keras_doctor.fixes.ways import roots_of
from keras_doctor.gather import facts_of
from keras_doctor.knowledge.selection import backends
from keras_doctor.rules.context import Context
from keras_doctor.targets import find_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.trial import Asked
    from keras_doctor.fixes.use.places import Place
    from keras_doctor.fixes.use.result import How
    from keras_doctor.knowledge.selection import Generation
    from keras_doctor.model import Snapshot
    from keras_doctor.model.plan import Step


def use(asked: Asked, how: How, progress: Callable[[str], None]) -> Used:
    """Make a backend the selected one, or say why not.

    Args:
        asked: The target, and how it is started.
        how: The backend, and where it is written down.
        progress: Told before each slow step.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    progress("Looking at the environment")
    return _Using(asked, how, progress).run()


class _Using:
    """The state of one `use`."""

    def __init__(self, asked: Asked, how: How, progress: Callable[[str], None]) -> None:
        self.asked = asked
        self.how = how
        self.progress = progress
        self.found = find_target(
            python=asked.python,
            kernel=asked.kernel,
            project=asked.project,
            command=asked.command,
            environ=asked.environ,
            folder=asked.folder,
        )
        snapshot = self._look(thorough=False)
        # A program that nobody named may be any that lies in the folder.
        if not asked.command:
            snapshot = snapshot._replace(script=None)
        self.context = Context(snapshot, wish=how.backend)
        self.used = Used(
            snapshot=snapshot,
            backend=how.backend,
            keras=self.context.keras_version,
            where=None,
            before=self.context.choice.backend,
            after=self.context.choice.backend,
            writes=False,
            changed=False,
            works=None,
            outcome=None,
            overrides=(),
            others=(),
            readers=(),
            manual=(),
            remarks=(),
            journal=None,
            dry_run=how.dry_run,
            refusal=None,
        )

    def run(self) -> Used:
        """All of it; a refusal keeps what was found out until then."""
        try:
            self._run()
        except RefusedError as refused:
            ways = (*refused.ways, *(self._fix() if refused.fixable else ()))
            self.used = self.used._replace(
                refusal=refused.reason, manual=ways, after=self.used.before
            )
        except TransactionError as error:
            self.used = self.used._replace(
                refusal=str(error).rstrip("."), manual=(), after=self.used.before
            )
        return self.used

    def _run(self) -> None:
        backend = self.how.backend
        generation = check_backend(self.context, self.how)
        place = None if generation.fixed else self._place(generation)
        if self.how.where == SHELL:
            return self._for_shell()
        if place is not None:
            self.used = self.used._replace(
                where=Where(kind=place.kind, path=place.path, text=place.text),
                writes=place.changes,
                remarks=(place.remark,) if place.remark and place.changes else (),
            )
            self._check_others(place)
        self._try(place)
        self._settle(place)
        if place is None or not place.changes or self.how.dry_run:
            return None
        self.progress("Writing it down")
        journal, told = write(
            place,
            self._root(),
            self.asked.environ,
            summary=f"Use {backend}: {place.path}",
            verified=bool(self.used.works),
        )
        remarks = (*self.used.remarks, told) if told else self.used.remarks
        self.used = self.used._replace(changed=True, journal=journal, remarks=remarks)
        return None

    # ------------------------------------------------------------- the setting

    def _place(self, generation: Generation) -> Place | None:
        how, context = self.how, self.context
        if how.where == CONFIG:
            return places.config_place(context, generation, how.backend)
        if how.where == KERNEL:
            asked = self.asked
            folder = asked.project or asked.folder
            return places.kernel_place(
                asked.kernel or "", context, how.backend, asked.environ, folder
            )
        if how.where == CONDA:
            return places.conda_place(context, how.backend)
        return None

    def _for_shell(self) -> None:
        """Nothing is written and nothing is run: the line is wanted at once."""
        how = self.how
        shell = shell_of(self.asked.environ) if how.shell in (None, "auto") else how.shell or ""
        line = line_for(shell, how.backend)
        run = steps.shell_step(self.context, how.backend)._replace(summary="Run this line.")
        self.used = self.used._replace(
            where=Where(kind=SHELL, path=None, text=line), after=how.backend, manual=(run,)
        )

    def _check_others(self, place: Place) -> None:
        """Refuse to switch other environments without the user's word."""
        if place.kind != CONFIG or not place.changes:
            return
        if not is_shared(place.path, self.asked.environ):
            return
        self.progress("Looking for other environments that read the file")
        everybody = environments_of_user(self.asked.environ, self.asked.folder)
        here = self.found.target.python
        old = None if place.old is None else place.old.decode("utf-8", "surrogateescape")
        switched = switched_by(place.path, old, place.text, everybody, here)
        self.used = self.used._replace(
            others=switched, readers=readers_of(place.path, everybody, here)
        )
        if switched and not self.how.yes:
            count = len(switched)
            who = "another environment reads" if count == 1 else f"{count} other environments read"
            raise RefusedError(
                f"{who} {self.context.shown(place.path)} too, and would get another backend",
                *only_here(self.context, self.asked, self.how.backend),
            )

    # ------------------------------------------------------------ does it work

    def _try(self, place: Place | None) -> None:
        if not self.how.live:
            return
        backend = self.how.backend
        trains = ", and one training step" if backends()[backend].trains else ""
        self.progress(f"Importing Keras with {backend}{trains}")
        outcome = trying.try_out(self.found, place, backend, self.asked.timeout)
        works = trying.passed(outcome, backend)
        self.used = self.used._replace(works=works, outcome=outcome)
        if not works:
            self.progress("Looking for the cause")
            cause = trying.why_not(lambda: self._look(thorough=True), place, backend, outcome)
            raise RefusedError(f"{backend} does not work here: {cause}", fixable=True)

    def _settle(self, place: Place | None) -> None:
        """What decides once the setting is written, and what is left to the user."""
        backend = self.how.backend
        context = self.context
        if place is not None:
            world = trying.with_setting(context.snapshot, place, backend)
            context = Context(world, wish=backend)
        manual: tuple[Step, ...] = ()
        remarks = self.used.remarks
        winner = context.choice.source
        if winner is not None and context.choice.backend != backend:
            manual += (steps.withdraw(context, winner, backend),)
        if place is not None and place.kind == CONDA:
            folder = context.snapshot.target.environment or ""
            active = os.path.realpath(self.asked.environ.get("CONDA_PREFIX", ""))
            is_active = active == os.path.realpath(folder)
            manual += (steps.activate(folder, is_active=is_active),)
        if place is not None and place.kind == KERNEL and place.changes:
            remarks += ("A kernel that is running keeps its backend until it is restarted",)
        self.used = self.used._replace(
            after=context.choice.backend,
            overrides=trying.overrides_of(context, place, backend),
            manual=manual,
            remarks=remarks,
        )

    # ----------------------------------------------------------------- helpers

    def _look(self, *, thorough: bool) -> Snapshot:
        return facts_of(self.found, self.how.backend, thorough=thorough)

    def _root(self) -> str:
        for root in roots_of(self.context):
            if os.path.isdir(root):
                return os.path.realpath(root)
        raise RefusedError("there is no folder that belongs to this Python")

    def _fix(self) -> tuple[Step]:
        """The command that makes it possible."""
        backend = self.how.backend
        summary = f"Make {backend} work here."
        return (steps.doctor(self.asked, summary, "fix", "--backend", backend),)
