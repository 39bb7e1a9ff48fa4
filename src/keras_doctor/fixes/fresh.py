"""Make an environment from nothing, complete it until it trains, or leave nothing behind."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, TypeVar

from keras_doctor.fixes import trial
from keras_doctor.fixes.installer import OFFLINE, Installer, find_installer, install
from keras_doctor.fixes.request import Request
from keras_doctor.fixes.said import is_unreachable, last_words
from keras_doctor.fixes.search import Found, Search
from keras_doctor.fixes.ways import INSTALLS
from keras_doctor.live.homefiles import remove_tree
from keras_doctor.live.process import Child
from keras_doctor.records import NamedTuple
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keras_doctor.fixes.search import Options
    from keras_doctor.fixes.transaction.states import FileChange
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.live.process import Ended

_T = TypeVar("_T")
KINDS = {*INSTALLS, "set-env"}
"""Steps that may complete a new environment: it is tried in itself, among the user's files."""
UNFINISHED = ".keras-doctor-unfinished"
"""Marks an environment that is being made: whoever finds it in the name's way removes it."""
_MAKE_SECONDS = 300.0


class Draft(NamedTuple):
    """A new environment, planned."""

    folder: str
    base: str
    """The interpreter that it is made with."""
    python: str
    """Its version, like ``3.8``."""
    backend: str
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    complete: bool = False
    """Whether the requirements are all that is needed."""
    before: str | None = None
    """A date: what was uploaded later is not taken."""
    manager: str | None = None
    """``uv`` | ``venv`` | ``virtualenv`` | ``conda``; None: uv where there is one, else venv."""
    variables: tuple[tuple[str, str], ...] = ()
    """What its activation sets."""
    saves: bool = False
    """Whether saving a model and loading it is tried as well."""
    lock: str | None = None
    """A lock file that it is made from."""


class Made(NamedTuple):
    """A new environment, made and tried."""

    draft: Draft
    found: Found
    """How the search in it went; its ways are what is left to do."""


def make(
    plan: Draft,
    asked: Asked,
    options: Options,
    progress: Callable[[str], None],
    complete: Callable[[Made], None] = lambda _: None,
    installed: Callable[[], None] = lambda: None,
) -> Made | str:
    """Make an environment, complete it until it trains, or leave nothing behind.

    Args:
        plan: What it shall be.
        asked: What must work in it.
        options: What the user says about the search.
        progress: Told before each slow step.
        complete: Called when it works, before it counts as finished.
        installed: Called when its packages are there, before it is tried.

    Returns:
        The environment, or why there is none, as a clause.
    """
    place = Fresh(plan, asked, progress)
    try:
        progress(f"Making {plan.folder} with Python {plan.python}")
        place.reset()
        installed()
        there = asked_there(plan.folder, asked)
        there = there._replace(environ={**there.environ, **dict(plan.variables)}, saves=plan.saves)
        first = trial.examine(there, run_command=False, keep=False, progress=progress)
        found = Search(place, there, first, options, progress, kinds=KINDS).run()
        if found.passed:
            made = Made(draft=plan, found=found)
            complete(made)
            place.finish()
            return made
        place.remove()
        return found.failure or "it did not train"  # noqa: TRY300 (the other way out is a success)
    except (OSError, MakeError) as error:
        place.remove()
        return str(error)
    except BaseException:
        place.remove()
        raise


def asked_there(folder: str, asked: Asked) -> Asked:
    """The same, in another environment as it is once activated."""
    environ = dict(asked.environ)
    environ["VIRTUAL_ENV"] = folder
    environ["PATH"] = os.pathsep.join(
        filter(None, [os.path.join(folder, "bin"), environ.get("PATH")])
    )
    return asked._replace(python=folder, kernel=None, environ=environ)


class MakeError(Exception):
    """The environment could not be made; one clause that says why."""


class Fresh:
    """A new environment as the place of a search: it is ours, so it is tried in itself."""

    rung = "new environment"
    runs_commands = False
    id = ""

    def __init__(self, plan: Draft, asked: Asked, progress: Callable[[str], None]) -> None:
        self.plan = plan
        self.progress = progress
        self.asked = asked
        self.stage = plan.folder

    def there(self, path: str) -> str:
        """The same path."""
        return path

    def shields(self, path: str) -> bool:
        """Nothing of the user's lies in it, and all else is the user's own."""
        return is_inside(path, self.plan.folder)

    def back(self, text: str) -> str:
        """The same text."""
        return text

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """Call it here."""
        if named.pop("with_progress", False):
            named["progress"] = self.progress
        return function(*args, **named)

    def reset(self) -> None:
        """Make the environment from nothing.

        Raises:
            MakeError: It cannot be made.
        """
        self.remove()
        self._claim()
        python = os.path.join(self.plan.folder, "bin", "python")
        installer = find_installer(python, self.asked.environ, has_pip=True)
        if installer is None:
            raise MakeError("there is neither uv nor pip")
        self._run(_maker(installer, self.plan, self.asked.environ))
        request = Request(
            requirements=self.plan.requirements,
            reinstall=(),
            uninstall=(),
            constraints=self.plan.constraints,
            overrides=(),
            complete=self.plan.complete,
            before=self.plan.before,
            lock=self.plan.lock,
        )
        result = install(
            *(installer, request, python, self.plan.folder, self.asked.environ),
            progress=self.progress,
        )
        if not result.ok:
            raise MakeError(last_words(result.output))

    def _run(self, argv: tuple[str, ...]) -> None:
        ended = self._ended(argv)
        if ended.code != 0 and is_unreachable(ended.output):
            # uv may have what it needs in its cache; from here on it need not ask in vain.
            self.asked = self.asked._replace(environ={**self.asked.environ, OFFLINE: "1"})
            again = self._ended(argv)
            ended = again if again.code == 0 else ended
        if ended.code != 0:
            what = os.path.basename(argv[0])
            raise MakeError(f"{last_words(ended.output)} (said by {what})")

    def _ended(self, argv: tuple[str, ...]) -> Ended:
        child = Child(argv, self.asked.environ, os.path.dirname(self.plan.folder), self.stage)
        return child.finish(_MAKE_SECONDS, lambda _child: None)

    def _claim(self) -> None:
        """Make the folder, which must not be there, and mark it as unfinished."""
        try:
            os.makedirs(os.path.dirname(self.plan.folder), exist_ok=True)
            os.mkdir(self.plan.folder)
        except FileExistsError:
            if not os.path.isdir(self.plan.folder) or os.listdir(self.plan.folder):
                raise MakeError(f"{self.plan.folder} is there by now") from None
        with open(os.path.join(self.plan.folder, UNFINISHED), "w", encoding="ascii") as file:
            file.write("keras-doctor is making this environment; it may be removed.\n")

    def finish(self) -> None:
        """It is complete: take the mark away."""
        os.unlink(os.path.join(self.plan.folder, UNFINISHED))

    def remove(self) -> None:
        """Leave nothing behind; what is not marked is not ours."""
        folder = self.plan.folder
        if not os.path.islink(folder) and os.path.exists(os.path.join(folder, UNFINISHED)):
            remove_tree(folder)

    def changed_files(self, suffix: str) -> tuple[str, ...]:
        """All that is in it."""
        return tuple(
            os.path.join(folder, name)
            for folder, _folders, names in os.walk(self.plan.folder)
            for name in names
            if name.endswith(suffix)
        )

    def read_ahead(self) -> None:
        """Nothing is carried over."""

    def difference(self, also: Any = ()) -> tuple[FileChange, ...]:  # noqa: ARG002
        """None: it is where it stays."""
        return ()

    def close(self) -> None:
        """Nothing is mounted or copied."""


def _maker(installer: Installer, plan: Draft, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The command that makes an empty environment in a folder that holds our mark.

    Raises:
        MakeError: The manager that was asked for is not here.
    """
    manager = plan.manager or ("uv" if installer.name == "uv" else "venv")
    if manager == "venv":
        return (plan.base, "-I", "-m", "venv", plan.folder)
    found = installer.argv[0] if manager == installer.name else None
    found = found or shutil.which(manager, path=environ.get("PATH"))
    if found is None:
        raise MakeError(f"there is no {manager} on PATH")
    if manager == "uv":
        # Old packages import pkg_resources of setuptools, and people expect a pip.
        clear = ("--no-project", "--allow-existing", "--seed")
        return (found, "venv", *clear, "--python", plan.base, plan.folder)
    if manager == "virtualenv":
        return (found, "--quiet", "--python", plan.base, plan.folder)
    return (found, "create", "--yes", "--quiet", "--prefix", plan.folder, f"python={plan.python}")
