"""What is left to the user, as typed steps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.model.plan import Command, Step
from keras_doctor.rules.remedies import choose_backend, quoted, set_variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Fix
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.selection.explain import Source

PROGRAM = "keras-doctor"


def step(
    summary: str, *, kind: str = "other", culprit: str = VARIABLE, argv: Sequence[str] = ()
) -> Step:
    """A step of the user's, with the command that does it."""
    commands: tuple[Command, ...] = ()
    if argv:
        text = quoted(tuple(argv), windows=os.name == "nt")
        commands = (Command(manager="shell", argv=tuple(argv), text=text),)
    return Step(
        kind=kind,
        risk="shown",
        summary=summary,
        code="",
        cause="",
        culprit=culprit,
        commands=commands,
    )


def doctor(asked: Asked, summary: str, verb: str, *words: str) -> Step:
    """A step that is a command of ours about the same target."""
    return step(summary, argv=(PROGRAM, verb, *words, *same_target(asked)))


def same_target(asked: Asked) -> tuple[str, ...]:
    """The options, and the command, that name the same Python again."""
    words: list[str] = []
    for name in ("python", "kernel", "project"):
        value = getattr(asked, name)
        if value is not None:
            words += [f"--{name}", value]
    return (*words, "--", *asked.command) if asked.command else tuple(words)


def shell_step(context: Context, backend: str) -> Step:
    """Set the variable in one's shell, which this environment alone sees."""
    return _of_fix(set_variable(context, VARIABLE, backend, f"Set {VARIABLE} in your shell alone."))


def own_kernel(context: Context, name: str, backend: str) -> tuple[Step, ...]:
    """Make a kernel of one's own, then have it use the backend."""
    python = context.snapshot.target.python or "python"
    install = (python, "-m", "ipykernel", "install", "--user", "--name", name)
    return (
        step("Make a kernel of your own that starts this Python.", culprit=name, argv=install),
        step(
            f"Then have it use {backend}.",
            culprit=name,
            argv=(PROGRAM, "use", backend, "--kernel", name),
        ),
    )


def activate(folder: str, *, is_active: bool) -> Step:
    """Activate a conda environment, which sets its variables."""
    name = os.path.basename(folder) if os.path.basename(os.path.dirname(folder)) == "envs" else ""
    command = quoted(("conda", "activate", name or folder), windows=os.name == "nt")
    if is_active:
        command = f"conda deactivate && {command}"
    again = " anew: the variables are set then" if is_active else ": that sets its variables"
    return step(f"Activate the environment{again}.", culprit=folder)._replace(
        commands=(Command(manager="conda", argv=None, text=command),)
    )


def withdraw(context: Context, source: Source, backend: str) -> Step:
    """Take away what comes before the setting, or have it say the same.

    Args:
        context: The world with the setting.
        source: What decides in it.
        backend: The backend that is wanted.
    """
    setter = source.where.partition("set by ")[2]
    if source.kind == "environment" and os.path.basename(setter) == "state":
        prefix = os.path.dirname(os.path.dirname(setter))
        argv = ("conda", "env", "config", "vars", "unset", VARIABLE, "-p", prefix)
        summary = f"Take {VARIABLE} out of the variables of the conda environment."
        return step(summary, argv=argv)
    if source.kind == "environment" and setter:
        return step(f"Take {VARIABLE} out of {setter}.")._replace(path=setter)
    if source.kind == "environment":
        fix = set_variable(context, VARIABLE, None, f"Unset {VARIABLE}: then {backend} is taken.")
        return _of_fix(fix)
    fix = choose_backend(context, backend, source)[0]
    found = _of_fix(fix)
    if source.setting is not None:
        found = found._replace(path=source.setting.path, line=source.setting.line)
    return found


def _of_fix(fix: Fix) -> Step:
    kind = "set-env" if fix.kind in ("set-env", "unset-env") else "other"
    found = step(fix.summary, kind=kind, culprit=fix.name or VARIABLE)
    if kind == "set-env":
        found = found._replace(name=fix.name, value=fix.value)
    if fix.command:
        found = found._replace(commands=(Command(manager="shell", argv=None, text=fix.command),))
    return found


__all__ = [
    "PROGRAM",
    "activate",
    "doctor",
    "own_kernel",
    "same_target",
    "shell_step",
    "step",
    "withdraw",
]
