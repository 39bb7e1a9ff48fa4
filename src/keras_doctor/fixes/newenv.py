"""A new environment beside the present one, for what the present one cannot hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar

from keras_doctor.compat import CompatError
from keras_doctor.compat.answer import answer
from keras_doctor.fixes import trial
from keras_doctor.fixes.installer import Installer, find_installer, install, last_words
from keras_doctor.fixes.judged import works
from keras_doctor.fixes.request import Request
from keras_doctor.fixes.search import Found, Search
from keras_doctor.fixes.use.ways import HALF
from keras_doctor.fixes.ways import INSTALLS
from keras_doctor.knowledge.selection import backends, generations
from keras_doctor.live.homefiles import remove_tree
from keras_doctor.live.process import Child
from keras_doctor.model.plan import Command, Step
from keras_doctor.records import NamedTuple
from keras_doctor.rules.context import KERAS_DISTRIBUTIONS
from keras_doctor.rules.remedies import quoted
from keras_doctor.targets import TargetError, find_target
from keras_doctor.versions import compare_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keras_doctor.compat.answer import Together
    from keras_doctor.fixes.search import Options
    from keras_doctor.fixes.transaction.states import FileChange
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination
    from keras_doctor.rules.context import Context

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


class Made(NamedTuple):
    """A new environment, made and tried."""

    draft: Draft
    found: Found
    """How the search in it went; its ways are what is left to do."""


def draft(context: Context, asked: Asked) -> Draft | None:
    """Plan the nearest environment that is known to work, with a Python that is here.

    Args:
        context: The environment that cannot hold what is asked.
        asked: The target and the wish.

    Returns:
        None when no such set, or no such Python, is known.
    """
    backend = asked.wish or context.choice.backend
    if backend is None or backend not in backends():
        return None
    for words in _questions(context, backend):
        try:
            newest = answer(words, python=None, platform=None, every_pair=False).newest
        except CompatError:
            continue
        for python in (newest.python, *newest.also_on) if newest else ():
            base = _interpreter(python, asked)
            if base is not None and newest is not None:
                return _draft(context, backend, newest, python, base)
    return None


def _questions(context: Context, backend: str) -> Iterator[list[str]]:
    """Which set would be nearest: the installed Keras and backend, then that Keras, then any."""
    keras, distribution = context.keras_distribution, context.backend_distribution(backend)
    name = distribution.name if distribution else _small(backend)
    knows = (
        keras is not None
        and context.generation is not None
        and (backend in context.generation.names and context.generation.fixed in (None, backend))
    )
    if keras is not None and knows:
        if distribution is not None:
            yield [f"{keras.name}=={keras.version}", f"{name}=={distribution.version}"]
        yield [f"{keras.name}=={keras.version}", name]
    if distribution is not None:
        yield [_keras_for(backend), f"{name}=={distribution.version}"]
    yield [_keras_for(backend), name]


def _keras_for(backend: str) -> str:
    """The releases of Keras that know a backend, as far as an upper bound says it."""
    known = [
        generation
        for generation in generations()
        if backend in generation.names
        and generation.fixed in (None, backend)
        and (generation.name != HALF or generation.default == backend)
    ]
    limits = [generation.before for generation in known]
    if None in limits or not limits:
        return KERAS_DISTRIBUTIONS[0]
    newest = max((limit for limit in limits if limit), key=compare_key)
    return f"{KERAS_DISTRIBUTIONS[0]}<{newest}"


def _small(backend: str) -> str:
    """The distribution of a backend without what only a GPU needs, where there is one."""
    names = backends()[backend].distributions
    return next((name for name in names if name.endswith("-cpu")), names[0])


def _interpreter(python: str, asked: Asked) -> str | None:
    try:
        found = find_target(
            python=python,
            kernel=None,
            project=None,
            command=(),
            environ=asked.environ,
            folder=asked.folder,
        )
    except TargetError:
        return None
    return found.target.python


def _draft(context: Context, backend: str, newest: Together, python: str, base: str) -> Draft:
    folder = usual_folder(context, backend)
    beside, number = folder, 1
    while os.path.lexists(folder) and not os.path.exists(os.path.join(folder, UNFINISHED)):
        number += 1
        folder = f"{beside}-{number}"
    return Draft(
        folder=folder,
        base=base,
        python=python,
        backend=backend,
        requirements=tuple(f"{one.name}=={one.version}" for one in newest.members),
        constraints=tuple(one.requirement for one in newest.bounds),
    )


def usual_folder(context: Context, backend: str) -> str:
    """Where an environment for a backend is made: beside the present one, or in the project."""
    target = context.snapshot.target
    return f"{target.environment or os.path.join(target.folder, '.venv')}-{backend}"


def ready(
    context: Context, asked: Asked, progress: Callable[[str], None]
) -> tuple[str, Examination] | None:
    """An environment that was made for this before and still trains, with what was seen of it."""
    backend = asked.wish or context.choice.backend
    folder = usual_folder(context, backend) if backend else ""
    if not os.path.exists(os.path.join(folder, "bin", "python")):
        return None
    if os.path.exists(os.path.join(folder, UNFINISHED)):
        return None
    progress(f"Trying {folder}")
    there = asked_there(folder, asked)._replace(wish=backend)
    examined = trial.examine(there, run_command=False, keep=False, progress=progress)
    return (folder, examined) if works(examined) else None


def step_of(plan: Draft, first: Examination) -> Step:
    """The step that makes it."""
    cause = first.diagnosis.causes[0] if first.diagnosis.causes else None
    shown = " ".join(plan.requirements)
    uv = (
        ("uv", "venv", "--python", plan.python, plan.folder),
        ("uv", "pip", "install", "--python", plan.folder, *plan.requirements, *plan.constraints),
    )
    return Step(
        kind="use-env",
        risk="safe",
        summary=f"Make a new environment, {plan.folder}, with Python {plan.python}: {shown}.",
        code=cause.code if cause else "",
        cause=cause.cause if cause else "",
        culprit=cause.culprit if cause else "",
        path=plan.folder,
        requirements=plan.requirements,
        commands=tuple(Command("uv", argv, quoted(argv)) for argv in uv),
    )


def use_of(folder: str, first: Examination) -> Step:
    """The step that is left to the user: to use an environment that was tried."""
    cause = first.diagnosis.causes[0] if first.diagnosis.causes else None
    line = f"source {quoted((os.path.join(folder, 'bin', 'activate'),))}"
    return Step(
        kind="use-env",
        risk="shown",
        summary="Use the new environment: it was tried, and trains.",
        code=cause.code if cause else "",
        cause=cause.cause if cause else "",
        culprit=cause.culprit if cause else "",
        path=folder,
        commands=(Command("shell", None, line),),
    )


def make(
    plan: Draft,
    asked: Asked,
    options: Options,
    progress: Callable[[str], None],
) -> Made | str:
    """Make an environment, complete it until it trains, or leave nothing behind.

    Returns:
        The environment, or why there is none, as a clause.
    """
    place = Fresh(plan, asked)
    try:
        progress(f"Making {plan.folder} with Python {plan.python}")
        place.reset()
        there = asked_there(plan.folder, asked)
        first = trial.examine(there, run_command=False, keep=False, progress=progress)
        found = Search(place, there, first, options, progress, kinds=KINDS).run()
        if found.passed:
            place.finish()
            return Made(draft=plan, found=found)
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

    def __init__(self, plan: Draft, asked: Asked) -> None:
        self.plan = plan
        self.asked = asked
        self.stage = plan.folder

    def there(self, path: str) -> str:
        """The same path."""
        return path

    def back(self, text: str) -> str:
        """The same text."""
        return text

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """Call it here."""
        named.pop("with_progress", None)
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
        self._run(_maker(installer, self.plan))
        request = Request(
            requirements=self.plan.requirements,
            reinstall=(),
            uninstall=(),
            constraints=self.plan.constraints,
            overrides=(),
        )
        result = install(installer, request, python, self.plan.folder, self.asked.environ)
        if not result.ok:
            raise MakeError(last_words(result.output))

    def _run(self, argv: tuple[str, ...]) -> None:
        child = Child(argv, self.asked.environ, os.path.dirname(self.plan.folder), self.stage)
        ended = child.finish(_MAKE_SECONDS, lambda _child: None)
        if ended.code != 0:
            raise MakeError(f"{' '.join(argv)} failed: {ended.output[-300:].strip()}")

    def _claim(self) -> None:
        """Make the folder, which must not be there, and mark it as unfinished."""
        try:
            os.mkdir(self.plan.folder)
        except FileExistsError:
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


def _maker(installer: Installer, plan: Draft) -> tuple[str, ...]:
    if installer.name == "uv":
        clear = ("--no-project", "--allow-existing")  # it holds our mark
        return (*installer.argv, "venv", *clear, "--python", plan.base, plan.folder)
    return (plan.base, "-I", "-m", "venv", plan.folder)
