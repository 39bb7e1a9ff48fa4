"""A place with a target in it: do steps there, install there, and look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from keras_doctor.fixes import trial
from keras_doctor.fixes.bytecode import begin_compiling, end_compiling, keeps_bytecode
from keras_doctor.fixes.installer import (
    HIDDEN,
    count_changes,
    find_installer,
    install,
    run_owner,
)
from keras_doctor.fixes.judged import context_of
from keras_doctor.fixes.said import last_words
from keras_doctor.fixes.ways import environ_after, roots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.fixes.installer import Installed, Installer
    from keras_doctor.fixes.rehearse.place import Place
    from keras_doctor.fixes.request import Request
    from keras_doctor.fixes.trial import Asked
    from keras_doctor.model import Examination
    from keras_doctor.model.plan import Step


class Bench:
    """Where attempts are made.

    Args:
        place: The world.
        asked: The target and the wish; it may be replaced between two looks.
        first: The examination of the world as it is.
        progress: Told before each slow step; it may be replaced.

    Attributes:
        current: What was last seen of the place.
        install_seconds: How long installers ran in all.
    """

    def __init__(
        self,
        place: Place,
        asked: Asked,
        first: Examination,
        progress: Callable[[str], None],
    ) -> None:
        self.place = place
        self.asked = asked
        self.first = first
        self.progress = progress
        self.current = first
        self.install_seconds = 0.0

    def reset(self) -> None:
        """Make the place as the original is."""
        self.place.reset()
        self.current = self.first

    def perform(self, steps: Sequence[Step]) -> None:
        """Do the steps that change files by themselves, see :func:`trial.perform`."""
        there = self.place.there
        moved = [
            step._replace(
                path=there(step.path) if step.path else None,
                to=there(step.to) if step.to else None,
                paths=tuple(map(there, step.paths)),
            )
            for step in steps
        ]
        roots = [there(root) for root in roots_of(context_of(self.first))]
        self.place.call(trial.perform, moved, roots)

    def install(self, request: Request, after: Sequence[Step]) -> str | None:
        """Run the installer; the reason when it fails.

        Args:
            request: What is to be removed and installed.
            after: The steps whose variables are set by then.
        """
        installer, python, prefix = self._installer()
        if installer is None:
            return "there is neither uv nor a pip that could install into this environment"
        self.progress("Installing " + ", ".join(request.requirements or request.uninstall))
        began = time.monotonic()
        environ = environ_after(self.asked.environ, after)
        result = self.place.call(
            install, installer, request, python, prefix, environ, with_progress=True
        )
        return self._ended(result, began, environ, compiles=installer.name == "uv")

    def cost(self, request: Request, after: Sequence[Step]) -> int | None:
        """How many distributions a request would change in the place; None: it cannot be told."""
        installer, python, prefix = self._installer()
        if installer is None:
            return None
        environ = environ_after(self.asked.environ, after)
        return self.place.call(count_changes, installer, request, python, prefix, environ)

    def _installer(self) -> tuple[Installer | None, str, str | None]:
        """What installs there; the interpreter and the folder of the environment in the place."""
        context = context_of(self.current)
        target = context.snapshot.target
        python = self.place.there(target.python or "")
        has_pip = context.first("pip") is not None
        installer = find_installer(python, self.asked.environ, has_pip=has_pip)
        return installer, python, target.environment and self.place.there(target.environment)

    def run_owner(self, argv: Sequence[str], folder: str, after: Sequence[Step]) -> str | None:
        """Run the command of who owns the environment; the reason when it fails.

        Args:
            argv: The command.
            folder: Where it is started.
            after: The steps whose variables are set by then.
        """
        began = time.monotonic()
        environ = environ_after(self.asked.environ, after)
        result = self.place.call(run_owner, tuple(argv), environ, folder)
        return self._ended(result, began, environ, compiles=True)

    def _ended(
        self, result: Installed, began: float, environ: dict[str, str], *, compiles: bool
    ) -> str | None:
        snapshot = self.current.snapshot
        if result.ok and compiles and keeps_bytecode(snapshot):
            sources = self.place.changed_files(".py")
            python = self.place.there(snapshot.target.python or "")
            self.place.call(begin_compiling, python, sources, environ, HIDDEN)
        self.install_seconds += time.monotonic() - began
        if result.ok:
            self.place.read_ahead()
        return None if result.ok else self.place.back(last_words(result.output))

    def examine(
        self, after: Sequence[Step], *, train: bool = True, command: bool = False
    ) -> Examination:
        """Look and try.

        Args:
            after: The steps whose variables are set by then.
            train: Whether one training step is tried.
            command: Whether the user's command is run.
        """
        there = self.place.there
        environ = environ_after(self.asked.environ, after)
        asked = self.asked._replace(
            python=there(self.asked.python) if self.asked.python else None,
            project=there(self.asked.project) if self.asked.project else None,
            command=tuple(map(there, self.asked.command)),
            environ={name: there(value) for name, value in environ.items()},
            folder=there(self.asked.folder),
        )
        self.progress("Trying the repaired copy")
        self.current = self.place.call(
            trial.examine,
            asked,
            run_command=command,
            keep=False,
            train=train,
            with_progress=True,
        )
        self.place.call(end_compiling)
        return self.current
