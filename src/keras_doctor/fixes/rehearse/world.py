"""Build a copied world: the environment for real, everything else as links.

The environment's folders are copied as trees. The folder of the user's program, those of
keras.json, HOME, and all folders on the way to them become folders of links to the real entries,
so that what lies beside the program is found, whatever its size: copying a project would cost
more than the whole rehearsal. Where a step of ours reaches into a linked folder, that folder is
unfolded first (:mod:`keras_doctor.fixes.rehearse.unfolding`). Programs in these folders are real
copies: Python takes ``sys.path[0]`` from where a program lies when links are resolved.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from typing import TYPE_CHECKING

from keras_doctor.fixes.rehearse import copying, leading
from keras_doctor.fixes.rehearse.mirror import Mirror
from keras_doctor.live import homefiles
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MAX_LINKS = 5000
"""Of a folder with more entries that is only on the way, just the way is made."""
_MAX_PROGRAM = 1 << 20
_KERNELS = (
    os.path.join(".local", "share", "jupyter", "kernels"),
    os.path.join("Library", "Jupyter", "kernels"),
)
"""In HOME: Jupyter's kernels name interpreters by their full paths."""
_CONDA_STORES = ("pkgs", "envs")
"""In the folder of conda itself: its package cache and the other environments."""


class World:
    """One world.

    Args:
        folder: Its folder, which is not there yet; links resolved.
        rung: How files are copied, one of :data:`copying.RUNGS`.
        carried: The environment's folders.
        scratch: The other folders whose changes must not reach the user's.
        home: The user's HOME, "" for none.
        hidden: A folder that is not shown in it: the one that the world lies in.

    Attributes:
        mirror: Its names.
        linked: Device and inode of the files that are one with the original.
        led: By path, the content of files whose paths were led to the copy.
    """

    def __init__(
        self,
        folder: str,
        rung: str,
        carried: Sequence[str],
        scratch: Sequence[str],
        home: str,
        hidden: str,
    ) -> None:
        self.rung = rung
        self.carried = tuple(carried)
        self.mirror = Mirror(folder, (*carried, *scratch), home)
        self.linked: set[tuple[int, int]] = set()
        self.led: dict[str, bytes] = {}
        self._links: list[str] = []
        self._hidden = hidden
        self._left_out: set[str] = set()
        self._kernels = [os.path.join(home, name) for name in _KERNELS] if home else []
        also = [path for path in (home, *self._kernels) if path and os.path.isdir(path)]
        self._special = {*carried, *scratch, *also}
        self._way = {folder for path in self._special for folder in above(path)}
        self._made: dict[str, tuple[object, ...]] = {}

    def build(self) -> None:
        """Make everything.

        Raises:
            OSError: Files cannot be copied in this way here.
        """
        os.mkdir(self.mirror.world, 0o700)
        tops = {path for path in self._way if os.path.dirname(path) == path}
        for top in tops:
            os.makedirs(self.mirror.at(top), exist_ok=True)
            self._fill_with_links(top)

    def is_untouched(self, path: str, info: os.stat_result) -> bool:
        """Whether what stands at a path in the world is what was put there."""
        made = self._made.get(path)
        return made is not None and made == _row(path, info)

    def note(self, path: str) -> None:
        """Take what stands at a path in the world for what belongs there."""
        self._made[path] = _row(path, os.lstat(path))

    def ways_out(self) -> list[str]:
        """The links in the environment's folders that lead to folders of the user's."""
        return [
            link
            for link in self._links
            if os.path.isdir(link) and not self.mirror.holds(os.path.realpath(link))
        ]

    def is_left_out(self, path: str) -> bool:
        """Whether a path of the user's has no copy although nobody removed it."""
        return path == self._hidden or path in self._left_out

    # ------------------------------------------------------------------ folders of links

    def link_folder(self, path: str) -> None:
        """Make the folder of links for a folder of the user's."""
        copy = self.mirror.at(path)
        os.mkdir(copy)
        self._fill_with_links(path)
        homefiles.copy_rights(path, copy)
        self.note(copy)

    def _fill_with_links(self, path: str) -> None:
        special = {p for p in self._special | self._way if os.path.dirname(p) == path and p != path}
        for child in special:
            if child in self.carried:
                self._copy_tree(child)
            else:
                self.link_folder(child)
        try:
            names = os.listdir(path)
        except OSError:
            return
        if path not in self._special and len(names) > _MAX_LINKS:
            return
        for name in names:
            child = os.path.join(path, name)
            if child not in special and child != self._hidden:
                self._link(child)

    def _link(self, path: str) -> None:
        copy = self.mirror.at(path)
        if _is_program(path):
            try:
                shutil.copy2(path, copy)
            except OSError:
                homefiles.link(path, copy)
        elif os.path.islink(path):
            # It may lead into the environment.
            real = os.path.realpath(path)
            led = self.mirror.there(real)
            homefiles.link(path if led == real else led, copy)
        elif os.path.dirname(path) in self._kernels and os.path.isdir(path):
            self.link_folder(path)
            return
        elif os.path.basename(path) == "kernel.json" and self._lead(path, copy):
            return
        else:
            homefiles.link(path, copy)
        if os.path.lexists(copy):
            self.note(copy)
        else:
            self._left_out.add(path)  # this system allows no links

    # ------------------------------------------------------------------------- real copies

    def _copy_tree(self, path: str) -> None:
        copy = self.mirror.at(path)
        os.mkdir(copy)
        is_conda = os.path.isdir(os.path.join(path, "conda-meta"))
        try:
            entries = list(os.scandir(path))
        except PermissionError:
            entries = []
        for entry in entries:
            if entry.path == self._hidden:
                continue
            if is_conda and path in self.carried and entry.name in _CONDA_STORES:
                homefiles.link(entry.path, self.mirror.at(entry.path))
                self.note(self.mirror.at(entry.path))
            else:
                self._copy_entry(entry)
        homefiles.copy_rights(path, copy)
        self.note(copy)

    def _copy_entry(self, entry: os.DirEntry[str]) -> None:
        path, copy = entry.path, self.mirror.at(entry.path)
        if entry.is_symlink():
            os.symlink(self._led_target(path), copy)
            self._links.append(copy)
        elif entry.is_dir():
            self._copy_tree(path)
            return
        elif not entry.is_file():
            self._left_out.add(path)  # a socket or a pipe
            return
        elif leading.leads_back(path) and self._lead(path, copy):
            return
        else:
            self._copy_file(path, copy)
        self.note(copy)

    def _copy_file(self, path: str, copy: str) -> None:
        try:
            if copying.copy_file(path, copy, self.rung):
                info = os.lstat(copy)
                self.linked.add((info.st_dev, info.st_ino))
        except PermissionError as error:
            if error.errno != errno.EACCES:
                raise
            # It is as unreadable in the copy.
            with open(copy, "xb"):
                pass
            homefiles.copy_rights(path, copy)

    def _lead(self, path: str, copy: str) -> bool:
        """Make the copy of a file that leads into the original; False if it does not."""
        data = leading.led_text(path, self.mirror)
        if data is None:
            return False
        with open(copy, "xb") as file:
            file.write(data)
        copying.like(path, copy)
        self.led[copy] = data
        self.note(copy)
        return True

    def _led_target(self, path: str) -> str:
        """Where the copy of a link leads: into the copy if the link leads into the original."""
        target = os.readlink(path)
        if os.path.isabs(target):
            return self.mirror.there(target)
        meant = os.path.normpath(os.path.join(os.path.dirname(path), target))
        root = next(root for root in self.carried if is_inside(path, root))
        return target if is_inside(meant, root) else self.mirror.there(meant)


def above(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first."""
    while (parent := os.path.dirname(path)) != path:
        yield parent
        path = parent


def _row(path: str, info: os.stat_result) -> tuple[object, ...]:
    """What tells that nobody has touched a path; a time of change cannot be set by anybody.

    Of a file with several names it changes with every name that comes or goes.
    """
    if stat.S_ISLNK(info.st_mode):
        return ("link", os.readlink(path))
    if stat.S_ISDIR(info.st_mode):
        return ("folder", info.st_mode)
    return ("file", info.st_ino, info.st_size, info.st_mode, info.st_mtime_ns, info.st_ctime_ns)


def _is_program(path: str) -> bool:
    """Whether a file may be what Python is started with, or is a keras.json."""
    name = os.path.basename(path)
    try:
        info = os.lstat(path)
    except OSError:
        return False
    if not stat.S_ISREG(info.st_mode) or info.st_size > _MAX_PROGRAM:
        return False
    is_script = "." not in name and bool(info.st_mode & 0o111)
    return is_script or name.endswith((".py", ".pyw")) or name == "keras.json"
