"""Another environment beside the present one, where that cannot or may not be changed."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from keras_doctor import __version__
from keras_doctor.fixes import fresh, newenv
from keras_doctor.fixes.activation import write_backend
from keras_doctor.fixes.judged import context_of, imports_work
from keras_doctor.fixes.transaction.errors import TransactionError
from keras_doctor.fixes.transaction.journal import VERIFIED, planned
from keras_doctor.fixes.transaction.statefolder import state_folder
from keras_doctor.fixes.transaction.states import ABSENT, FileChange, state_of
from keras_doctor.fixes.use.shells import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keras_doctor.fixes.search import Found, Options
    from keras_doctor.fixes.transaction.journal import Journal, Store
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination
    from keras_doctor.model.plan import Consent, Repair


class Beside:
    """The way out that leaves the present environment alone.

    Args:
        first: The examination of the present environment.
        asked: The target and what must work.
        options: What the user says about the plan.
        store: Where the journals are.
        progress: Told before each slow step.
    """

    def __init__(
        self,
        first: Examination,
        asked: Asked,
        options: Options,
        store: Store,
        progress: Callable[[str], None],
    ) -> None:
        self.first = first
        self.asked = asked
        self.options = options
        self.store = store
        self.progress = progress

    def mend(self, failed: Repair, found: Found, agree: Callable[[Repair], Consent]) -> Repair:
        """Make an environment, or name one that was made before.

        Not so where another one would fail in the same way: the program fails by itself, or the
        system lacks something.

        Args:
            failed: The repair in place, as far as it came.
            found: Its search.
            agree: Shown the plan, says what may be done.
        """
        wanted = found.passed  # then it may not be changed, or a new one is preferred
        lacking = any(step.kind == "system-package" for step in failed.manual)
        by_itself = imports_work(found.examination) and not found.newly_broken
        if not wanted and (by_itself or lacking):
            return failed
        context = context_of(self.first)
        ready = newenv.ready(context, self.asked, self.progress)
        if ready is not None:
            return failed._replace(
                steps=(), manual=(newenv.use_of(ready[0], self.first),), environment=ready[0]
            )
        draft = newenv.draft(context, self.asked)
        return failed if draft is None else self._make(draft, failed, agree)

    def _make(
        self, draft: fresh.Draft, failed: Repair, agree: Callable[[Repair], Consent]
    ) -> Repair:
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
        if VARIABLE not in self.asked.environ:  # a value of the user's counts, and is to be mended
            draft = draft._replace(variables=((VARIABLE, draft.backend),))
        made = fresh.make(draft, self.asked, self.options, self.progress, _set_backend)
        if isinstance(made, str):
            also = f"a new environment with Python {draft.python} did not work either: {made}"
            refusal = f"{failed.refusal}; {also}" if failed.refusal else also
            return failed._replace(refusal=refusal)
        left = [step for way in made.found.ways for step in way.steps if step.risk != "safe"]
        return plan._replace(
            manual=(newenv.use_of(draft.folder, self.first), *left),
            applied=True,
            verified=None,
            refusal=None,
            journal=self._write_down(draft.folder, step.summary),
        )

    def _write_down(self, folder: str, summary: str) -> str | None:
        """The id of the journal by which the environment can be removed again."""
        with contextlib.suppress(OSError, TransactionError):  # it works all the same
            state_folder(self.asked.environ)
            journal = journal_of_new(folder, summary)
            self.store.save(journal)
            return journal.id
        return None


def _set_backend(made: fresh.Made) -> None:
    """Write the backend into the environment, where that was tried."""
    if made.draft.variables:
        path = made.found.examination.snapshot.path
        site = next(entry.path for entry in path if entry.origin == "site-packages")
        write_backend(made.draft.folder, site, made.draft.backend)


def journal_of_new(folder: str, summary: str) -> Journal:
    """The journal of an environment that was made from nothing.

    Args:
        folder: The environment; every file in it is read for its digest.
        summary: What was done, for a person to read.

    Raises:
        OSError: A file cannot be read.
    """
    folder = os.path.realpath(folder)
    return planned(
        environment=folder,
        roots=(folder,),
        changes=_all_in(folder),
        tool_version=__version__,
        summary=[summary],
    )._replace(status=VERIFIED, made=True)


def _all_in(folder: str) -> Iterator[FileChange]:
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(place, name)
            yield FileChange(path, ABSENT, state_of(path, hashed=True), None)
