"""The steps of a plan as a person would do them by hand, with pip, uv or conda. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keras_doctor.fixes.ways import INSTALLS
from keras_doctor.model.plan import Command
from keras_doctor.names import normalize
from keras_doctor.rules.remedies import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keras_doctor.model import Snapshot
    from keras_doctor.model.plan import DistributionChange, Step

_NAME = re.compile(r"([A-Za-z0-9._-]+)(\s*\[[^\]]*\])?")
"""The name of a requirement, and its extras."""


def with_commands(
    steps: Sequence[Step],
    snapshot: Snapshot,
    changes: Iterable[DistributionChange] = (),
    *,
    conda: bool = False,
) -> tuple[Step, ...]:
    """The steps with their commands.

    Args:
        steps: Of a plan.
        snapshot: The facts of the environment.
        changes: What the rehearsal changed: it tells the releases that a bare name came to.
        conda: Whether the environment is conda's; then its command comes first.
    """
    releases = {normalize(change.name): change.after for change in changes if change.after}
    python = snapshot.target.python or "python"
    prefix = snapshot.target.environment or ""
    windows = bool(snapshot.interpreter and snapshot.interpreter.platform == "win32")
    return tuple(
        step
        if step.commands
        else step._replace(
            commands=tuple(
                _commands(step, python, prefix if conda else None, releases, windows=windows)
            )
        )
        for step in steps
    )


def _commands(
    step: Step, python: str, prefix: str | None, releases: Mapping[str, str], *, windows: bool
) -> Iterator[Command]:
    def command(manager: str, *argv: str) -> Command:
        return Command(manager=manager, argv=argv, text=quoted(argv, windows=windows))

    if step.kind in INSTALLS:
        exact = [_exact(one, releases) for one in step.requirements]
        if step.kind == "uninstall":
            exact = [_name(one) for one in step.requirements]
        if prefix:
            yield command("conda", *_conda(step.kind, prefix, exact))
        yield command("pip", python, "-m", "pip", *_pip(step.kind, exact))
        yield command("uv", "uv", "pip", *_uv(step.kind, python, exact))
    elif windows:
        return
    elif step.kind == "delete":
        yield command("shell", "rm", "-r", *step.paths)
    elif step.kind == "chmod" and step.value:
        recursive = () if step.value.isdigit() else ("-R",)
        yield command("shell", "chmod", *recursive, step.value, *step.paths)
    elif step.kind == "rename-file" and step.path and step.to:
        yield command("shell", "mv", step.path, step.to)


def _exact(requirement: str, releases: Mapping[str, str]) -> str:
    """The requirement with the release that it came to; one that names a release stays."""
    match = _NAME.match(requirement)
    if match is None or "==" in requirement:
        return requirement
    release = releases.get(normalize(match[1]))
    return f"{match[0]}=={release}" if release else requirement


def _name(requirement: str) -> str:
    match = _NAME.match(requirement)
    return match[1] if match else requirement


def _pip(kind: str, exact: Sequence[str]) -> tuple[str, ...]:
    if kind == "uninstall":
        return ("uninstall", "-y", *exact)
    if kind == "reinstall":
        return ("install", "--force-reinstall", "--no-deps", *exact)
    return ("install", *exact)


def _uv(kind: str, python: str, exact: Sequence[str]) -> tuple[str, ...]:
    if kind == "uninstall":
        return ("uninstall", "--python", python, *exact)
    again: list[str] = []
    if kind == "reinstall":
        again = ["--no-deps"]
        for one in exact:
            again += ["--reinstall-package", _name(one)]
    return ("install", "--python", python, *again, *exact)


def _conda(kind: str, prefix: str, exact: Sequence[str]) -> tuple[str, ...]:
    specs = [one.replace("==", "=") for one in exact]
    if kind == "uninstall":
        return ("conda", "remove", "--prefix", prefix, *specs)
    again = ("--force-reinstall",) if kind == "reinstall" else ()
    return ("conda", "install", "--prefix", prefix, *again, *specs)
