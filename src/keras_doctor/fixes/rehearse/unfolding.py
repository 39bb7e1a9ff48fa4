"""Before something is changed in a copied world: see to it that nothing but the copy is reached."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from typing import TYPE_CHECKING

from keras_doctor.fixes.rehearse import copying
from keras_doctor.fixes.rehearse.world import above

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keras_doctor.fixes.rehearse.world import World
    from keras_doctor.model.plan import Step

_UNREADABLE = "it cannot be read, so no copy of it can be made"


def prepare(world: World, steps: Sequence[Step]) -> None:
    """Let the paths of steps be of a world alone.

    Args:
        world: The world.
        steps: What will be done, with the paths of this world.

    Raises:
        OSError: A step would reach the user's own files.
    """
    for step in steps:
        for path in filter(None, (step.path, step.to, *step.paths)):
            _unfold(world, os.path.normpath(path), moved=step.kind in ("rename-file", "chmod"))
        if step.kind == "chmod":
            for path in step.paths:
                _own_changed(world, path)


def own_all(world: World) -> None:
    """Make files of their own of all that are one with the original.

    Raises:
        OSError: A file cannot be read, or the disk is full.
    """
    for root in world.carried:
        for path in _files_at(world.mirror.at(root)):
            info = os.lstat(path)
            if (info.st_dev, info.st_ino) in world.linked:
                copying.own(path)
                world.note(path)
    world.linked.clear()


def _unfold(world: World, path: str, *, moved: bool) -> None:
    if not world.mirror.holds(path):
        raise PermissionError(errno.EPERM, "it is outside of what was copied", path)
    for folder in reversed(list(above(path))):
        if _leads_out(world, folder):
            os.unlink(folder)
            world.link_folder(world.mirror.real(folder))
    if _leads_out(world, path):
        _copy_linked(path, moved=moved)
    if not world.mirror.holds(os.path.realpath(os.path.dirname(path))):
        raise PermissionError(errno.EPERM, "it leads outside of what was copied", path)


def _leads_out(world: World, path: str) -> bool:
    is_link = world.mirror.holds(path) and os.path.islink(path)
    return is_link and not world.mirror.holds(os.path.realpath(path))


def _copy_linked(path: str, *, moved: bool) -> None:
    """Put a real copy in the place of a link; a folder that is only deleted may stay a link."""
    real = os.path.realpath(path)
    if os.path.isfile(real):
        if not os.access(real, os.R_OK):
            raise PermissionError(errno.EACCES, _UNREADABLE, path)
        os.unlink(path)
        shutil.copy2(real, path)
    elif os.path.isdir(real) and moved:
        os.unlink(path)
        shutil.copytree(real, path, symlinks=True)


def _own_changed(world: World, path: str) -> None:
    """Make files of their own of those whose mode will change: a mode belongs to all names."""
    for one in _files_at(path):
        info = os.lstat(one)
        if (info.st_dev, info.st_ino) in world.linked:
            if one == path or _lacks_rights(info):
                copying.own(one)
        elif info.st_size == 0 and _is_stand_in(world.mirror.real(one)):
            raise PermissionError(errno.EACCES, _UNREADABLE, one)


def _is_stand_in(real: str) -> bool:
    """Whether an empty file stands for one that could not be read."""
    return os.path.isfile(real) and os.path.getsize(real) > 0


def _lacks_rights(info: os.stat_result) -> bool:
    lacks_x = bool(info.st_mode & 0o111) and not info.st_mode & stat.S_IXUSR
    return not info.st_mode & stat.S_IRUSR or lacks_x


def _files_at(path: str) -> Iterator[str]:
    """A file, or the regular files below a folder; links are not followed."""
    if os.path.islink(path):
        return
    if os.path.isfile(path):
        yield path
    for folder, _folders, names in os.walk(path):
        for name in names:
            one = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(one).st_mode):
                yield one
