"""Make a new environment, try it, write down what it is; on failure nothing is left behind."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

from keras_doctor.create.activation import write_backend
from keras_doctor.create.lockfiles import pins_of, write_locks
from keras_doctor.create.note import NAME, note
from keras_doctor.create.wanted import CreateError
from keras_doctor.fixes import fresh
from keras_doctor.fixes.fresh import UNFINISHED, Draft
from keras_doctor.fixes.search import Options
from keras_doctor.fixes.trial import Asked
from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.knowledge.selection import backends
from keras_doctor.model.creation import Creation
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keras_doctor.create.wanted import Chosen
    from keras_doctor.fixes.fresh import Made


class How(NamedTuple):
    """How it is made."""

    folder: str
    manager: str | None = None
    """``uv`` | ``venv`` | ``virtualenv`` | ``conda``."""
    before: str | None = None
    """A date: what was uploaded later is not taken."""
    timeout: float = 120.0
    """Seconds for each run in it."""


def check_folder(folder: str) -> None:
    """Whether an environment may be made there.

    Raises:
        CreateError: It is taken, or may not be written.
    """
    if os.path.lexists(folder) and not os.path.exists(os.path.join(folder, UNFINISHED)):
        if not os.path.isdir(folder):
            raise CreateError(f"{folder} is a file.", hint="Name a folder that is not there yet.")
        if os.listdir(folder):
            hint = "Name a folder that is not there yet, or an empty one."
            raise CreateError(f"{folder} exists and is not empty.", hint=hint)
    parent = os.path.dirname(folder)
    while not os.path.isdir(parent):
        parent = os.path.dirname(parent)
    if not os.access(parent, os.W_OK | os.X_OK):
        raise CreateError(f"You may not write to {parent}.", hint="Name a folder elsewhere.")


def planned(chosen: Chosen, folder: str) -> Creation:
    """What would be made."""
    return Creation(
        folder=folder,
        python=chosen.python,
        interpreter=chosen.interpreter,
        backend=chosen.backend,
        keras=chosen.keras,
        packages=chosen.pins or chosen.requirements,
        complete=bool(chosen.pins),
        constraints=chosen.constraints,
        evidence=chosen.evidence,
        reasons=chosen.reasons,
        local_modules=(),
        unknown=(),
        made=False,
        verified=None,
        trained=False,
        imported=None,
        files=(),
        remarks=(),
    )


def make(
    plan: Creation, how: How, environ: Mapping[str, str], progress: Callable[[str], None]
) -> Creation:
    """Make what was planned, and try it.

    Args:
        plan: From :func:`planned`.
        how: Where and with what.
        environ: The user's variables.
        progress: Told before each slow step.

    Raises:
        CreateError: It could not be made, or did not train; nothing is left.
    """
    check_folder(how.folder)
    asked = Asked(
        python=how.folder,
        kernel=None,
        project=None,
        command=(),
        wish=plan.backend,
        timeout=how.timeout,
        environ=dict(environ),
        folder=os.path.dirname(how.folder),
    )
    draft = Draft(
        folder=how.folder,
        base=plan.interpreter,
        python=plan.python,
        backend=plan.backend,
        requirements=plan.packages,
        constraints=plan.constraints,
        complete=plan.complete,
        before=how.before,
        manager=how.manager,
        variables=((VARIABLE, plan.backend),),
        saves=True,
    )
    finished: list[Creation] = []

    def complete(made: Made) -> None:
        finished.append(_finish(plan, made, environ, progress))

    made = fresh.make(draft, asked, Options(), progress, complete)
    if isinstance(made, str):
        raise CreateError(f"No environment was made: {made}")
    return finished[0]


def _finish(
    plan: Creation, made: Made, environ: Mapping[str, str], progress: Callable[[str], None]
) -> Creation:
    """Write what belongs to an environment that was seen to train."""
    progress("Writing down what it is")
    folder = plan.folder
    snapshot = made.found.examination.snapshot
    outcome = made.found.examination.outcomes[-1]
    trains = backends()[plan.backend].trains
    python = os.path.join(folder, "bin", "python")
    pins = pins_of(snapshot.distributions)
    purelib = next(entry.path for entry in snapshot.path if entry.origin == "site-packages")
    write_backend(folder, purelib, plan.backend)
    remarks: list[str] = []
    written: list[str] = []
    about = {"python": plan.python, "backend": plan.backend}
    try:
        written += write_locks(folder, pins, python, environ, about)
    except CreateError as error:
        remarks.append(str(error))
    text = note(
        folder,
        keras=plan.keras,
        backend=plan.backend,
        python=plan.python,
        outcome=outcome,
        trains=trains,
        reasons=plan.reasons,
        date=dt.datetime.now(tz=dt.UTC).date().isoformat(),
        files=[os.path.basename(path) for path in written],
    )
    path = os.path.join(folder, NAME)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return plan._replace(
        packages=pins,
        complete=True,
        made=True,
        verified=outcome,
        trained=trains,
        files=(*written, path),
        remarks=(*plan.remarks, *remarks),
    )
