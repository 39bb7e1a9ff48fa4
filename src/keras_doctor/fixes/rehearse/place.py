"""Where a repair is rehearsed: a world that looks like the user's and can be thrown away."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from keras_doctor.fixes.rehearse.difference import overlay_difference, read_ahead
from keras_doctor.fixes.rehearse.inwards import keep_records_inside
from keras_doctor.fixes.rehearse.worker import Worker
from keras_doctor.fixes.transaction.journal import new_id
from keras_doctor.fixes.transaction.lock import lock
from keras_doctor.fixes.transaction.stage import MARK, claim
from keras_doctor.live.homefiles import remove_tree
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.fixes.transaction.states import FileChange

_T = TypeVar("_T")
_FRESH = 2.0
"""Seconds: a folder that is younger may not be held yet."""
STAGE = ".keras-doctor-stage-"
"""How the names of folders begin in which a rehearsal keeps its changes."""
_AWAY = ".keras-doctor-away-"
"""The same for changes that are thrown away, among the temporary files."""


class NoPlaceError(Exception):
    """No world can be made in this way here; one clause that says why."""


class Place(Protocol):
    """A world in which a repair is tried."""

    rung: str
    """``overlay`` | ``reflink`` | ``hard links`` | ``copy``."""
    runs_commands: bool
    """Whether the user's own command may run in it without a trace."""
    id: str
    """The id of the journal that its changes may get."""
    stage: str
    """The folder with its new files."""

    def there(self, path: str) -> str:
        """The path in this world of what the user knows by `path`."""

    def shields(self, path: str) -> bool:
        """Whether a change at this path, as the user knows it, leaves the user's own file alone."""

    def back(self, text: str) -> str:
        """A text with the paths of this world as the user knows them."""

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """Run a function of this package in the world; see :meth:`Worker.call`.

        What it answers names every path as the user knows it; arguments may name them either way.
        """

    def reset(self) -> None:
        """Make it again as the original is."""

    def changed_files(self, suffix: str) -> tuple[str, ...]:
        """The files with this ending that were written in the carried folders, by now."""

    def read_ahead(self) -> None:
        """Begin to read what the difference will need, while something else is waited for."""

    def difference(self, also: Sequence[str] = ()) -> tuple[FileChange, ...]:
        """End the world and say what it has changed in the folders that are carried over.

        Args:
            also: Paths outside of these folders whose changes are wanted too.
        """

    def close(self) -> None:
        """End the world and remove what it kept."""


class Overlay:
    """Overlays over the folders themselves, seen by a process of ours alone.

    Args:
        carried: Folders whose changes are wanted.
        scratch: Folders whose changes are thrown away.
        kept: Folders inside of these that stay the common ones, like an installer's cache.
        progress: Told what is done there.

    Attributes:
        id: The id of the journal that the changes may get.
        stage: The folder that keeps the changes of the carried folders, on the file system of
            the first of them where that is possible: from there they can be renamed.

    Raises:
        NoPlaceError: The kernel or the file system does not allow it.
    """

    rung = "overlay"
    runs_commands = True

    def __init__(
        self,
        carried: Sequence[str],
        scratch: Sequence[str] = (),
        kept: Sequence[str] = (),
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._carried = tuple(carried)
        self._scratch = tuple(scratch)
        self._kept = tuple(kept)
        self._progress = progress
        self._worker: Worker | None = None
        self._reader: threading.Thread | None = None
        self._led: dict[str, bytes] = {}
        """What lists of files were given so that no installer leaves the environment."""
        self._mounts: list[tuple[str, str, str]] = []
        self.id = new_id()
        self.stage = make_stage(self._carried, self.id)
        self._away = tempfile.mkdtemp(prefix=_AWAY)
        _hold(self._away)
        try:
            self.reset()
        except BaseException:
            self.close()
            raise

    def there(self, path: str) -> str:
        """The same path: that is what an overlay is for."""
        return path

    def shields(self, path: str) -> bool:
        """See :class:`Place`."""
        real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        inner = [m for m in self._mounts if is_inside(real, m[0])]
        return bool(inner) and bool(max(inner, key=lambda mount: len(mount[0]))[1])

    def back(self, text: str) -> str:
        """The same text."""
        return text

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        """See :class:`Place`."""
        from keras_doctor.fixes.installer import install

        if self._worker is None:
            raise RuntimeError("the rehearsal is over")
        if function is install:
            self._led.update(self._worker.call(keep_records_inside, self._carried))
        return self._worker.call(function, *args, **named)

    def interrupt(self) -> None:
        """End a call that another thread waits for; only :meth:`reset` and :meth:`close` follow."""
        if self._worker is not None:
            self._worker.interrupt()

    def reset(self) -> None:
        """See :class:`Place`."""
        self._end()
        self._led = {}
        try:
            self._mounts = [
                *(self._mount(self.stage, folder) for folder in self._carried),
                *(self._mount(self._away, folder) for folder in self._scratch),
                *((folder, "", "") for folder in self._kept),
            ]
            self._worker = Worker(self._mounts, self._progress)
        except OSError as error:
            raise NoPlaceError(str(error)) from error

    def _mount(self, stage: str, folder: str) -> tuple[str, str, str]:
        """Fresh folders for one overlay."""
        place = os.path.join(stage, f"layers-{(*self._carried, *self._scratch).index(folder)}")
        remove_tree(place)
        layers = os.path.join(place, "upper"), os.path.join(place, "work")
        mode = os.stat(folder).st_mode & 0o7777
        for layer in layers:
            os.makedirs(layer)
            os.chmod(layer, mode)  # the upper folder's mode is what is seen
        return (folder, *layers)

    def changed_files(self, suffix: str) -> tuple[str, ...]:
        """See :class:`Place`."""
        found = []
        for folder, upper, _work in self._mounts[: len(self._carried)]:
            for place, _folders, names in os.walk(upper):
                here = os.path.normpath(os.path.join(folder, os.path.relpath(place, upper)))
                found += [os.path.join(here, name) for name in names if name.endswith(suffix)]
        return tuple(found)

    def read_ahead(self) -> None:
        """See :class:`Place`."""
        pairs = [(folder, upper) for folder, upper, _ in self._mounts[: len(self._carried)]]

        def read() -> None:
            with contextlib.suppress(OSError):  # whoever needs it reads it again, and says so
                for folder, upper in pairs:
                    read_ahead(folder, upper)

        if self._reader is not None:
            self._reader.join()
        self._reader = threading.Thread(target=read, daemon=True)
        self._reader.start()

    def difference(self, also: Sequence[str] = ()) -> tuple[FileChange, ...]:
        """See :class:`Place`."""
        self._end()
        found: list[FileChange] = []
        for number, (folder, upper, _work) in enumerate(self._mounts):
            if number < len(self._carried):
                changes = overlay_difference(folder, upper)
                found += [change for change in changes if not self._is_only_led(change)]
            elif upper and also:
                changes = overlay_difference(folder, upper, also)
                found += [self._brought(one) for one in changes if is_wanted(one, also)]
        return tuple({change.path: change for change in found}.values())

    def _is_only_led(self, change: FileChange) -> bool:
        """Whether a list of files was changed by us, and by nobody after that."""
        data = self._led.get(change.path)
        if data is None or change.staged is None or change.before.kind != "file":
            return False
        with open(change.staged, "rb") as file:
            return file.read() == data

    def _brought(self, change: FileChange) -> FileChange:
        """A change with its new file in the stage: what is elsewhere does not outlive this."""
        if change.staged is None:
            return change
        folder = os.path.join(self.stage, "brought")
        os.makedirs(folder, exist_ok=True)
        staged = os.path.join(folder, str(len(os.listdir(folder))))
        shutil.copy2(change.staged, staged, follow_symlinks=False)
        return change._replace(staged=staged)

    def close(self) -> None:
        """See :class:`Place`."""
        self._end()
        for stage in (self.stage, self._away):
            with contextlib.suppress(OSError):
                remove_tree(stage)
        let_go()

    def _end(self) -> None:
        if self._reader is not None:
            self._reader.join()
            self._reader = None
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def is_wanted(change: FileChange, paths: Sequence[str]) -> bool:
    """Whether a change is at or below a wanted path, or makes the folder that it lies in."""
    makes = change.before.kind == "absent" and change.after.kind == "folder"
    return any(
        is_inside(change.path, path) or (makes and is_inside(path, change.path)) for path in paths
    )


def make_stage(folders: Sequence[str], journal_id: str) -> str:
    """A folder for new files, beside the first of some folders, else in the temporary folder."""
    parent = os.path.dirname(folders[0]) if folders else None
    if parent is not None and not (
        os.access(parent, os.W_OK) and os.stat(parent).st_dev == os.stat(folders[0]).st_dev
    ):
        parent = None
    let_go()
    stage = tempfile.mkdtemp(prefix=STAGE, dir=parent)
    _hold(stage)
    claim(stage, journal_id)
    return stage


def remove_stale_stages(environment: str, known: Sequence[str]) -> tuple[str, ...]:
    """Remove what rehearsals left that were ended by force.

    What a running process holds is left alone: environments have neighbours.

    Args:
        environment: The environment's folder; what lies beside it is looked at, and what lies
            among the temporary files.
        known: Stages that belong to a journal; they are left alone.

    Returns:
        The folders that were removed.
    """
    parent = os.path.dirname(environment)
    removed = []
    for folder, prefix, mark in ((parent, STAGE, MARK), (tempfile.gettempdir(), _AWAY, "")):
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            path = os.path.join(folder, name)
            if name.startswith(prefix) and path not in known and _is_stale(path, mark):
                remove_tree(path)
                removed.append(path)
    return tuple(removed)


def _is_stale(path: str, mark: str) -> bool:
    """Whether a folder is ours, and no process holds it any more."""
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
        return False
    if not os.path.exists(os.path.join(path, mark)) or time.time() - info.st_mtime < _FRESH:
        return False
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return lock(handle)
    except OSError:
        return False
    finally:
        os.close(handle)


_held: dict[str, int] = {}
"""Open handles of the folders that this process uses, each locked."""


def _hold(folder: str) -> None:
    """Have others see that a folder is in use, as long as this process lives."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(OSError):
        lock(handle)
    _held[folder] = handle


def let_go() -> None:
    """Close the handles of folders that are gone."""
    for folder in [folder for folder in _held if not os.path.isdir(folder)]:
        os.close(_held.pop(folder))
