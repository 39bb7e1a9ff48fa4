"""A rehearsal in a copy, where no overlay can be mounted: containers, macOS, hardened kernels.

Everything here happens in this process, with paths led to the copy and back. Nothing in a copy's
``bin`` is started but its Python: what is written there was written for the original.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from typing import TYPE_CHECKING, Any, TypeVar

from keras_doctor.fixes.bytecode import stop_compiling
from keras_doctor.fixes.rehearse import copying, unfolding
from keras_doctor.fixes.rehearse.compared import changed_copies, copied_difference
from keras_doctor.fixes.rehearse.installing import keep_inside, safe_variables
from keras_doctor.fixes.rehearse.place import NoPlaceError, is_wanted, let_go, make_stage
from keras_doctor.fixes.rehearse.world import World
from keras_doctor.fixes.transaction.journal import new_id
from keras_doctor.live.homefiles import remove_tree
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.fixes.transaction.states import FileChange

_T = TypeVar("_T")


class Copies:
    """A :class:`~keras_doctor.fixes.rehearse.place.Place` made of copies.

    Args:
        rung: How files are copied, one of :data:`copying.RUNGS`.
        carried: Folders whose changes are wanted; links resolved.
        scratch: Folders whose changes are thrown away; links resolved.
        home: The user's HOME, links resolved; "" for none.
        progress: Told what is done there.

    Attributes:
        rung: How files were copied. Hard links become full copies when an installer is used that
            may write into files.
        id: The id of the journal that the changes may get.
        stage: The folder with the copies, on the file system of the first carried folder where
            that is possible: from there new files can be renamed.

    Raises:
        NoPlaceError: The file system, or its free space, does not allow it.
    """

    runs_commands = False
    """The user's program may know the real project by its full path, and write there."""

    def __init__(
        self,
        rung: str,
        carried: Sequence[str],
        scratch: Sequence[str] = (),
        home: str = "",
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        if any(os.path.dirname(folder) == folder for folder in carried):
            raise NoPlaceError("the environment is the whole file system")
        self.rung = self._first_rung = rung
        self._carried = tuple(carried)
        self._scratch = tuple(scratch)
        self._home = home
        self._progress = progress
        self._made = 0
        self._world: World | None = None
        self.id = new_id()
        self.stage = os.path.realpath(make_stage(self._carried, self.id))
        try:
            self.reset()
        except BaseException:
            self.close()
            raise

    def there(self, path: str) -> str:
        """See :class:`Place`; of a list of paths, as in PATH, each is led to its copy."""
        return self._mirror.there(path)

    def shields(self, path: str) -> bool:
        """See :class:`Place`."""
        return self.there(path) != path

    def back(self, text: str) -> str:
        """See :class:`Place`."""
        return self._mirror.back(text)

    def reset(self) -> None:
        """See :class:`Place`."""
        self._drop()
        self.rung = self._first_rung
        self._check_room()
        # A name of its own for each: what was read of an earlier one says nothing about it.
        self._made += 1
        world = World(
            os.path.join(self.stage, f"w{self._made}"),
            self.rung,
            self._carried,
            self._scratch,
            self._home,
            hidden=self.stage,
        )
        self._world, self._mirror = world, world.mirror
        if self._made > 1:
            self._progress("Copying the environment anew")
        try:
            world.build()
        except OSError as error:
            self._drop()
            raise NoPlaceError(f"{self.rung}: {error.strerror or error}") from error

    def _check_room(self) -> None:
        if self.rung == "copy":
            problem = copying.shortage(self._carried, self.stage)
            if problem:
                raise NoPlaceError(problem)
        elif self.rung == "hard links" and any(map(copying.is_on_overlay, self._carried)):
            raise NoPlaceError("hard links: the environment lies on an overlay")

    # ------------------------------------------------------------------------------- calls

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """See :class:`Place`.

        Paths in arguments that the functions of a repair take are led to the copy, and what is
        about to be changed is unfolded or unlinked first, so that no caller can reach the
        original by what it forgot.

        Raises:
            Exception: What the function raised, its paths as the user knows them.
            NoPlaceError: What was examined is not the copy.
        """
        from keras_doctor.fixes import trial
        from keras_doctor.fixes.installer import Installed, install

        world = self._current()
        led = tuple(map(world.mirror.led, args))
        told = {name: world.mirror.led(value) for name, value in named.items()}
        if told.pop("with_progress", False):
            told["progress"] = lambda message: self._progress(self.back(message))
        try:
            if function is trial.perform:
                unfolding.prepare(world, led[0])
            elif function is install:
                bound = inspect.signature(install).bind(*led, **told)
                problem = self._make_safe(bound.arguments)
                if problem:
                    return Installed(ok=False, output=problem, seconds=0.0)  # type: ignore[return-value]
                led, told = bound.args, bound.kwargs
            result = function(*led, **told)
        except Exception as error:
            world.mirror.corrected(error)
            raise
        self._check_examined(result)
        return world.mirror.said(result)

    def _make_safe(self, arguments: dict[str, Any]) -> str | None:
        """See to it that an installer changes no file of the original; why that cannot be done."""
        world = self._current()
        keep_inside(world)
        if world.rung != "hard links" or not world.linked:
            return None
        variables = safe_variables(world, arguments["installer"], arguments["environ"])
        if variables is not None:
            arguments["environ"] = variables
            return None
        problem = copying.shortage(self._carried, self.stage)
        if problem is None:
            self._progress("Copying the environment for an installer that writes into files")
            unfolding.own_all(world)
            self.rung = "copy"
        return problem

    def _check_examined(self, result: object) -> None:
        """Refuse what was seen of the original: it would be taken for the repaired copy."""
        from keras_doctor.model import Examination

        if not isinstance(result, Examination) or result.snapshot.interpreter is None:
            return
        prefix = os.path.realpath(result.snapshot.interpreter.prefix)
        if not self._current().mirror.holds(prefix) and any(
            is_inside(prefix, root) for root in self._carried
        ):
            raise NoPlaceError("the program leads to the environment itself, not to its copy")

    # --------------------------------------------------------------------------- afterwards

    def changed_files(self, suffix: str) -> tuple[str, ...]:
        """See :class:`Place`; named by their paths in the copy."""
        world = self._current()
        return tuple(path for root in self._carried for path in changed_copies(world, root, suffix))

    def read_ahead(self) -> None:
        """See :class:`Place`; the difference is told by inodes and times mostly."""

    def difference(self, also: Sequence[str] = ()) -> tuple[FileChange, ...]:
        """See :class:`Place`."""
        world = self._current()
        self._world = None
        roots = (*self._carried, *self._scratch)
        found: list[FileChange] = []
        for root in self._carried:
            changes = copied_difference(world, root)
            inner = [one for one in self._scratch if is_inside(one, root)]
            found += [
                change
                for change in changes
                if is_wanted(change, also) or not any(is_inside(change.path, one) for one in inner)
            ]
        for root in self._scratch:
            if not any(is_inside(root, one) for one in self._carried):
                without = [one for one in roots if one != root and is_inside(one, root)]
                changes = copied_difference(world, root, without)
                found += [change for change in changes if is_wanted(change, also)]
        return tuple({change.path: change for change in found}.values())

    def close(self) -> None:
        """See :class:`Place`."""
        stop_compiling()
        self._world = None
        with contextlib.suppress(OSError):
            remove_tree(self.stage)
        let_go()

    def _current(self) -> World:
        if self._world is None:
            raise RuntimeError("the rehearsal is over")
        return self._world

    def _drop(self) -> None:
        stop_compiling()
        if self._world is not None:
            remove_tree(self._world.mirror.world)
            self._world = None


def make_copies(
    carried: Sequence[str],
    scratch: Sequence[str],
    home: str,
    progress: Callable[[str], None],
) -> Copies:
    """The cheapest copy that can be made here.

    Args:
        carried: As for :class:`Copies`.
        scratch: As for :class:`Copies`.
        home: As for :class:`Copies`.
        progress: Told what is done.

    Raises:
        NoPlaceError: None can be made; a clause for each way.
    """
    progress("Copying the environment")
    problems = []
    for rung in copying.RUNGS:
        try:
            return Copies(rung, carried, scratch, home, progress)
        except NoPlaceError as error:
            problems.append(str(error))
    raise NoPlaceError("; ".join(dict.fromkeys(problems)))
