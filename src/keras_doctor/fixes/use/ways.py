"""What stands against a backend without a look at its files, and the ways that nobody else sees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.use import steps
from keras_doctor.fixes.use.places import may_write
from keras_doctor.fixes.use.result import CONFIG, RefusedError
from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.knowledge.selection import backends
from keras_doctor.targets import TargetError, files, kernels
from keras_doctor.targets.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keras_doctor.fixes.trial import Asked
    from keras_doctor.fixes.use.result import How
    from keras_doctor.knowledge.selection import Generation
    from keras_doctor.model.plan import Step
    from keras_doctor.rules.context import Context


def check_backend(context: Context, how: How) -> Generation:
    """The generation of the Keras here, if it can have the backend.

    Raises:
        RefusedError: It does not know the backend, or the setting, or it is not installed.
    """
    backend, generation = how.backend, context.generation
    version = context.keras_version
    if version is None:
        raise RefusedError("Keras is not installed in this Python", fixable=True)
    if generation is None:
        raise RefusedError(f"it is not known how Keras {version} chooses its backend")
    only = generation.only
    if only is not None and backend != only:
        reason = f"Keras {version} runs on {only} only, whatever any setting says"
        raise RefusedError(reason, fixable=True)
    if backend not in generation.names:
        raise RefusedError(
            f"Keras {version} does not know {backend}; it knows {listed(generation.names)}",
            fixable=True,
        )
    if how.where != CONFIG and not generation.variable and not generation.fixed:
        reason = f"Keras {version} does not read {VARIABLE}, only keras.json"
        argv = (steps.PROGRAM, "use", backend)
        raise RefusedError(reason, steps.step("Write it there.", argv=argv))
    if not context.backend_importable(backend):
        raise RefusedError(_missing(context, backend), fixable=True)
    return generation


def _missing(context: Context, backend: str) -> str:
    """Which of its packages are not installed; the numpy backend needs others too."""
    absent = [name for name in backends()[backend].imports if context.is_absent(name)]
    if absent and absent != [backend]:
        verb = "is" if len(absent) == 1 else "are"
        return f"{backend} needs {listed(absent)}, which {verb} not installed in this Python"
    return f"{backend} is not installed in this Python"


def only_here(context: Context, asked: Asked, backend: str) -> tuple[Step, ...]:
    """The ways to have a backend in this environment alone, and the one to have it in all."""
    found = [steps.shell_step(context, backend)]
    if context.snapshot.target.manager == "conda":
        found.append(
            steps.doctor(
                asked, "Or in the variables of this conda environment.", "use", backend, "--conda"
            )
        )
    found += [
        steps.step(
            f"Or in the Jupyter kernel {name}, which starts this Python.",
            argv=(steps.PROGRAM, "use", backend, "--kernel", name),
        )
        for name in _own_kernels(context, asked)
    ]
    found.append(steps.doctor(asked, "Or switch the others too.", "use", backend, "--yes"))
    return tuple(found)


def _own_kernels(context: Context, asked: Asked) -> Iterator[str]:
    """The kernels that start this Python and that the user may write."""
    python = context.snapshot.target.python
    state = State(asked.environ, asked.folder)
    for kernel in kernels.known(asked.environ, asked.folder, (python,) if python else ()):
        if kernel.language.lower() != "python" or not may_write(kernel.path):
            continue
        try:
            started = kernels.start(kernel, state)
        except TargetError:
            continue
        # By folders: the file may be the link of many environments to one.
        if python and files.same_file(os.path.dirname(started.python), os.path.dirname(python)):
            yield kernel.name


def listed(names: Sequence[str]) -> str:
    """Names as a person lists them."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
