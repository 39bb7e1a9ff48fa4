"""Carry a rehearsed change over to the real environment, verify it, or take it back."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from keras_doctor import __version__
from keras_doctor.fixes import trial
from keras_doctor.fixes.ground import NoPlaceError, make_place
from keras_doctor.fixes.judged import works
from keras_doctor.fixes.rehearse.place import is_wanted
from keras_doctor.fixes.transaction.apply import apply
from keras_doctor.fixes.transaction.journal import VERIFIED, new_id, planned
from keras_doctor.fixes.transaction.scope import is_below
from keras_doctor.fixes.transaction.statefolder import state_folder
from keras_doctor.fixes.transaction.undo import undo
from keras_doctor.fixes.ways import INSTALLS, environ_after
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.fixes.ground import Ground
    from keras_doctor.fixes.transaction.journal import Store
    from keras_doctor.fixes.transaction.states import FileChange
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model.plan import Repair, Step

_FILE_STEPS = ("rename-file", "edit-code")
_INSTALLED = frozenset(
    {"bin", "lib", "lib64", "include", "share", "etc", "man", "Scripts", "Lib", "Include"}
)
"""The folders of an environment that its schemes of installation name, see ``sysconfig``."""
_IN_ENVIRONMENT = (*INSTALLS, "delete", "chmod", "drop-line", "run-command")


class Rehearsed(NamedTuple):
    """What was rehearsed, ready to be carried over."""

    files: tuple[FileChange, ...]
    stage: str | None
    """The folder with the new files."""
    id: str
    """Of the journal."""


class Carrier:
    """Changes one environment.

    Args:
        asked: The target and what must work afterwards.
        ground: The folders that may change.
        store: Where the journals are.
        progress: Told before each slow step.
    """

    def __init__(
        self, asked: Asked, ground: Ground, store: Store, progress: Callable[[str], None]
    ) -> None:
        self.asked = asked
        self.ground = ground
        self.store = store
        self.progress = progress

    def carry_out(self, plan: Repair, change: Rehearsed, moves: Sequence[str] = ()) -> Repair:
        """Apply what belongs to the plan's own steps, and verify.

        Args:
            plan: The rehearsed plan, which the user has agreed to.
            change: What the rehearsal changed.
            moves: The user's own files that may get another name.

        Raises:
            TransactionError: It was refused, or failed and was rolled back.
        """
        moved = [step for step in plan.manual if step.path in moves]
        manual = tuple(step for step in plan.manual if step not in moved)
        done = [*plan.steps, *moved]
        wanted = [one for one in change.files if self._is_carried(one, done, manual)]
        plan = plan._replace(manual=manual)
        if not wanted:
            refusal = "what was rehearsed changed nothing that could be carried over"
            return plan._replace(refusal=refusal) if done else plan
        journal = planned(
            environment=self.ground.roots[0],
            roots=self.ground.roots,
            changes=wanted,
            tool_version=__version__,
            files=[one.path for one in wanted if not self._in_roots(one.path)],
            summary=[step.summary for step in done],
            stage=change.stage,
        )._replace(id=change.id, provisional=True)
        self.progress("Applying what was rehearsed")
        state_folder(self.asked.environ)
        journal = apply(self.store, journal)
        try:
            verified = self._verify(manual)
        except BaseException:
            # Interrupted, or not to be seen any more: what is not verified does not stay.
            undo(self.store, journal)
            raise
        if verified is False:
            undo(self.store, journal)
            return plan._replace(
                verified=False,
                refusal="it did not work in the real environment and was taken back",
            )
        with contextlib.suppress(OSError):  # the next repair sees that it works, and says so
            self.store.save(journal._replace(status=VERIFIED))
        return plan._replace(
            applied=True,
            verified=None if manual else verified,
            journal=journal.id,
        )

    def _in_roots(self, path: str) -> bool:
        return any(is_below(path, root) for root in self.ground.roots)

    def _is_carried(self, change: FileChange, done: Sequence[Step], left: Sequence[Step]) -> bool:
        """Whether a change belongs to a step that is done by itself.

        A project may lie in its environment: what an installer has no business with stays.
        """
        if is_wanted(change, named_paths(done)):
            return True
        if is_wanted(change, named_paths(left)) or not self._in_roots(change.path):
            return False
        installed = any(_is_installed(change.path, root) for root in self.ground.roots)
        return installed and any(step.kind in _IN_ENVIRONMENT for step in done)

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


def named_paths(steps: Sequence[Step]) -> list[str]:
    """The paths that steps name, with the folders as they are behind links."""
    named = [path for step in steps for path in (step.path, step.to, *step.paths) if path]
    return [
        os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        for path in named
    ]


def _is_installed(path: str, root: str) -> bool:
    """Whether a path in an environment is one where installers put files."""
    if not is_below(path, root):
        return False
    if os.path.basename(root) in ("site-packages", "dist-packages"):
        return True
    return os.path.relpath(path, root).split(os.sep)[0] in _INSTALLED


def fresh_change(files: Sequence[FileChange]) -> Rehearsed:
    """A change that needs no new files."""
    return Rehearsed(files=tuple(files), stage=None, id=new_id())
