"""A new environment beside the present one, for what the present one cannot hold."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.compat import CompatError
from keras_doctor.compat.answer import answer
from keras_doctor.fixes import trial
from keras_doctor.fixes.fresh import UNFINISHED, Draft, asked_there
from keras_doctor.fixes.judged import works
from keras_doctor.knowledge.selection import backends, generations
from keras_doctor.model.plan import Command, Step
from keras_doctor.rules.context import KERAS_DISTRIBUTIONS
from keras_doctor.rules.remedies import quoted
from keras_doctor.targets import TargetError, find_target
from keras_doctor.versions import compare_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keras_doctor.compat.answer import Together
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination
    from keras_doctor.rules.context import Context


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
        keras is not None and context.generation is not None and context.generation.runs_on(backend)
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
    known = [generation for generation in generations() if generation.runs_on(backend)]
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
