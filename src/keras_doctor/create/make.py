"""Make a new environment, try it, write down what it is; on failure nothing is left behind."""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING

from keras_doctor.create.kernel import write_kernel
from keras_doctor.create.lockfiles import LocksAhead, pins_of, write_locks
from keras_doctor.create.note import NAME, note
from keras_doctor.create.wanted import CreateError, UnresolvedError
from keras_doctor.fixes import fresh, trial
from keras_doctor.fixes.activation import entrances, is_conda, write_backend
from keras_doctor.fixes.fresh import UNFINISHED, Draft
from keras_doctor.fixes.search import Options
from keras_doctor.fixes.trial import Asked
from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.knowledge.selection import backends
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keras_doctor.fixes.fresh import Made
    from keras_doctor.model import Outcome
    from keras_doctor.model.creation import Creation


_UNRESOLVED = re.compile(
    r"No solution found|ResolutionImpossible|are unsatisfiable|it works, but afterwards"
)
"""What uv, pip and the search say of requirements that contradict each other."""


class How(NamedTuple):
    """How it is made."""

    folder: str
    manager: str | None = None
    """``uv`` | ``venv`` | ``virtualenv`` | ``conda``."""
    before: str | None = None
    """A date: what was uploaded later is not taken."""
    timeout: float = 120.0
    """Seconds for each run in it."""
    program: str | None = None
    """A script whose import statements are run in it."""
    lock: str | None = None
    """A lock file that it is made from."""
    kernel: str | None = None
    """The file that describes it as a kernel."""


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


def make(
    plan: Creation, how: How, environ: Mapping[str, str], progress: Callable[[str], None]
) -> Creation:
    """Make what was planned, and try it.

    Args:
        plan: What it shall be.
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
        lock=how.lock,
    )
    finished: list[Creation] = []
    ahead: list[LocksAhead] = []

    def complete(made: Made) -> None:
        done = plan._replace(imported=imports_of(how, asked, progress))
        done = _finish(done, made, ahead[0], progress)
        if how.kernel is not None:
            title = f"{plan.keras.replace('==', ' ')} on {plan.backend} (Python {plan.python})"
            write_kernel(how.kernel, plan.folder, plan.backend, title)
            done = done._replace(files=(*done.files, how.kernel))
        finished.append(done)

    def installed() -> None:
        ahead.append(LocksAhead(os.path.join(how.folder, "bin", "python"), environ))

    made = fresh.make(draft, asked, Options(), progress, complete, installed)
    if isinstance(made, str):
        of_backend = any(name in made for name in backends()[plan.backend].distributions)
        kind = UnresolvedError if of_backend and _UNRESOLVED.search(made) else CreateError
        raise kind(f"No environment was made: {made}")
    return finished[0]


def imports_of(how: How, asked: Asked, progress: Callable[[str], None]) -> Outcome | None:
    """Run the import statements of the program in the new environment; None without one."""
    if how.program is None or os.path.isdir(how.program):
        return None
    progress("Running the program's import statements")
    there = fresh.asked_there(how.folder, asked)._replace(command=("python", how.program))
    examined = trial.examine(there, run_command=False, keep=False, train=False)
    return examined.outcomes[-1]


def _finish(
    plan: Creation, made: Made, locks: LocksAhead, progress: Callable[[str], None]
) -> Creation:
    """Write what belongs to an environment that was seen to train."""
    progress("Writing down what it is")
    folder = plan.folder
    snapshot = made.found.examination.snapshot
    outcome = made.found.examination.outcomes[-1]
    trains = backends()[plan.backend].trains
    pins = pins_of(snapshot.distributions)
    purelib = next(entry.path for entry in snapshot.path if entry.origin == "site-packages")
    write_backend(folder, purelib, plan.backend)
    ways_in = entrances(folder)
    remarks: list[str] = []
    written: list[str] = []
    about = {"python": plan.python, "backend": plan.backend}
    try:
        written += write_locks(folder, locks.texts(pins), about)
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
        entrances=ways_in,
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
        activate=ways_in[0][1],
        interpreter=os.path.join(folder, "bin", "python") if is_conda(folder) else plan.interpreter,
    )
