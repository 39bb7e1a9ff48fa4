"""Which folders a repair may change, and which a rehearsal must shield."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from keras_doctor.fixes.managers import project_manager
from keras_doctor.fixes.rehearse.place import NoPlaceError, Overlay
from keras_doctor.fixes.ways import roots_of
from keras_doctor.live.home import real_home
from keras_doctor.records import NamedTuple
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from keras_doctor.fixes.rehearse.place import Place
    from keras_doctor.rules.context import Context

_CACHES = (".cache", os.path.join(".local", "share", "uv"), ".pyenv", ".conda")
"""In HOME: what installers fill, which is worth keeping, and Pythons."""


class Ground(NamedTuple):
    """The folders of one repair."""

    roots: tuple[str, ...]
    """The environment's folders: their changes are carried over."""
    scratch: tuple[str, ...]
    """The folders of settings and of the user's program: their changes are thrown away."""
    read: tuple[str, ...]
    """Folders of the user's that this Python reads beside these, by PYTHONPATH or while it starts:
    their changes are thrown away where shielding them costs nothing."""
    kept: tuple[str, ...]
    """Inside of these: what stays the common one."""
    home: str
    """The user's HOME; "" when there is none."""


def ground_of(context: Context, environ: Mapping[str, str]) -> Ground:
    """The folders that a repair of this target has to do with; all exist."""
    roots = tuple(dict.fromkeys(os.path.realpath(r) for r in roots_of(context) if os.path.isdir(r)))
    target = context.snapshot.target
    home = os.path.realpath(real_home(environ))
    places = [target.folder]
    manager = project_manager(context.snapshot)
    if manager is not None:
        places.append(os.path.dirname(manager.lock))
    if target.script:
        places.append(os.path.dirname(target.script))
    places += [
        os.path.dirname(config.path)
        for config in context.snapshot.configs
        if config.kind == "keras.json"
        and not is_shared(_existing(os.path.realpath(os.path.dirname(config.path))))
    ]
    scratch: list[str] = []
    for place in places:
        folder = _existing(os.path.realpath(place))
        if folder not in (os.sep, *roots, *scratch):
            scratch.append(folder)
    kept = [os.path.join(home, name) for name in _CACHES]
    return Ground(
        roots=roots,
        scratch=tuple(scratch),
        read=tuple(_read_beside(context, (*roots, *scratch))),
        kept=tuple(
            path
            for path in kept
            if os.path.isdir(path)
            and any(is_inside(path, folder) for folder in scratch)
            and not any(is_inside(root, path) or is_inside(path, root) for root in roots)
        ),
        home=home if os.path.isdir(home) else "",
    )


def _read_beside(context: Context, known: tuple[str, ...]) -> Iterator[str]:
    """The folders of importable files and of start-up code that are not among the known ones."""
    snapshot = context.snapshot
    places = [local.entry for local in snapshot.local_modules]
    places += [os.path.dirname(one.path) for one in snapshot.startup if one.kind == "customize"]
    for folder in dict.fromkeys(map(os.path.realpath, places)):
        if folder == os.sep or not os.path.isdir(folder) or is_shared(folder):
            continue
        if not any(is_inside(folder, other) for other in known):
            yield folder


def is_shared(folder: str) -> bool:
    """Whether a folder is the one for temporary files, in which all programs come and go.

    A Keras that may not write to HOME has its keras.json in a folder there, which may not exist.
    """
    return os.path.realpath(folder) == os.path.realpath(tempfile.gettempdir())


def _existing(folder: str) -> str:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def make_overlay(ground: Ground, progress: Callable[[str], None] = lambda _: None) -> Overlay:
    """The world in which nothing has to be copied.

    Raises:
        NoPlaceError: The kernel or the file system does not allow it.
    """
    return Overlay(ground.roots, (*ground.scratch, *ground.read), ground.kept, progress)


def make_place(ground: Ground, progress: Callable[[str], None]) -> Place:
    """The best world that can be made here.

    Raises:
        NoPlaceError: None can.
    """
    try:
        return make_overlay(ground, progress)
    except NoPlaceError as error:
        why = str(error)
    from keras_doctor.fixes.rehearse.copies import make_copies

    try:
        return make_copies(ground.roots, ground.scratch, ground.home, progress)
    except NoPlaceError as error:
        raise NoPlaceError(f"{why}; {error}") from error


__all__ = ["Ground", "NoPlaceError", "ground_of", "make_overlay", "make_place"]
