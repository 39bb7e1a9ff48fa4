"""The things that are done to a file system, each announced before and after.

Everything goes through the descriptors of :class:`Tree`, and nothing follows a link.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import Self

from keras_doctor.fixes.transaction.errors import TransactionError, shown
from keras_doctor.fixes.transaction.scope import Scope
from keras_doctor.fixes.transaction.states import ABSENT, READ_FILE, is_moved, state_at
from keras_doctor.fixes.transaction.tree import BlockedError, MissingError, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from keras_doctor.fixes.transaction.journal import Journal, Step
    from keras_doctor.fixes.transaction.states import FileState

_PIECE = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Workspace:
    """What one journal may change, as a context manager that closes what it opened.

    Attributes:
        journal: The journal; replaced when more of it is known.
        scope: Where it may change something.
    """

    def __init__(self, journal: Journal, step: Step) -> None:
        """Check the journal, and open the folders that it works in.

        Raises:
            TransactionError: The journal is refused.
        """
        self.journal = journal
        self.step = step
        self.scope = Scope(journal)
        self.tree = Tree(self.scope.bases)
        self._guard = threading.Lock()
        self._vaults: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.tree.close()

    def spot(self, path: str) -> tuple[int, str]:
        """The open folder of a path, and its name in it."""
        folder, name = os.path.split(path)
        return self.tree.open(folder), name

    def look(self, path: str) -> FileState:
        """What stands at a path, without a digest.

        Raises:
            TransactionError: A link is in the way that is none of the changed paths.
        """
        try:
            folder, name = self.spot(path)
        except MissingError:
            return ABSENT
        except BlockedError as error:
            if error.path in self.scope.changed:
                return ABSENT  # its folder has been, or will be, replaced
            raise TransactionError(
                f"{shown(error.path)} is a link or a file where a folder is expected; nothing was "
                "changed through it."
            ) from None
        return state_at(folder, name)

    def backup(self, index: int) -> str:
        """Where the old file or link of a change is kept."""
        return os.path.join(self.scope.vault(self.journal.changes[index].path), str(index))

    def make_vault(self, index: int) -> None:
        """Make the folder for the backup of a change, if it is not there."""
        vault = self.scope.vault(self.journal.changes[index].path)
        if vault in self._vaults:
            return
        for folder in (os.path.dirname(vault), vault):
            if self.look(folder).kind == "absent":
                self.mkdir(folder)
        self._vaults.add(vault)

    def look_backup(self, index: int) -> FileState:
        """What stands there; absent when the change has none."""
        if not is_moved(self.journal.changes[index]):
            return ABSENT
        return self.look(self.backup(index))

    def names(self, folder: str) -> list[str]:
        """What a folder holds, sorted."""
        return sorted(os.listdir(self.tree.open(folder)))

    def read(self, path: str) -> int:
        """A file opened for reading."""
        folder, name = self.spot(path)
        return os.open(name, READ_FILE, dir_fd=folder)

    def read_guarded(self, path: str) -> int:
        """The same, for several threads: the descriptors of folders serve one at a time."""
        with self._guard:
            return self.read(path)

    def rename(self, source: str, target: str) -> None:
        """Give a file or link of the scope another name in it."""
        from_folder, from_name = self.spot(source)
        to_folder, to_name = self.spot(target)
        self._do(
            "rename",
            lambda: os.rename(from_name, to_name, src_dir_fd=from_folder, dst_dir_fd=to_folder),
        )

    def bring(self, source: str, target: str) -> None:
        """Give a staged file or link, which lies outside, its place."""
        folder, name = self.spot(target)
        self._do("bring", lambda: os.rename(source, name, dst_dir_fd=folder))

    def mkdir(self, path: str, mode: int = 0o700) -> None:
        """Make a folder."""
        folder, name = self.spot(path)
        self._do("mkdir", lambda: os.mkdir(name, mode, dir_fd=folder))

    def rmdir(self, path: str) -> None:
        """Remove an empty folder."""
        folder, name = self.spot(path)
        self.tree.forget(path)
        self._do("rmdir", lambda: os.rmdir(name, dir_fd=folder))

    def unlink(self, path: str) -> None:
        """Remove a file or link."""
        folder, name = self.spot(path)
        self._do("unlink", lambda: os.unlink(name, dir_fd=folder))

    def set_mode(self, path: str, mode: int, kind: str) -> None:
        """Set the mode of a file or folder, through a descriptor that cannot be a link."""
        if kind == "folder":
            self._set_mode(os.dup(self.tree.open(path)), mode)
            return
        try:
            handle = self.read(path)
        except PermissionError:
            self._set_unreadable_mode(path, mode)
        else:
            self._set_mode(handle, mode)

    def _set_unreadable_mode(self, path: str, mode: int) -> None:
        """Set the mode of a file that may not be opened, which must not be a link either."""
        folder, name = self.spot(path)
        if not hasattr(os, "O_PATH"):
            self._do("chmod", lambda: os.chmod(name, mode, dir_fd=folder, follow_symlinks=False))
            return
        # Linux does not take that flag, but a descriptor that only names the file.
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise PermissionError(errno.EPERM, "not a regular file", path)
            self._do("chmod", lambda: os.chmod(f"/proc/self/fd/{handle}", mode))
        finally:
            os.close(handle)

    def set_folder_time(self, path: str, mtime_ns: int) -> None:
        """Set when a folder was changed, which may be one that the others are reached from."""
        handle = self.tree.open(path)
        times = (os.fstat(handle).st_atime_ns, mtime_ns)
        self._do("utime", lambda: os.utime(handle, ns=times))

    def set_time(self, path: str, mtime_ns: int) -> None:
        """Set when a file, link or folder was changed."""
        folder, name = self.spot(path)
        self._set_time(folder, name, mtime_ns)

    def open_staged(self, folder: str) -> None:
        """Make a folder with new files writable: they are taken out of it."""
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode & 0o700 == 0o700:
            os.close(handle)
        else:
            self._set_mode(handle, mode | 0o700)

    def finish_staged(self, path: str, wanted: FileState, folder: int | None = None) -> None:
        """Give a new file or link its mode and time before it gets its place."""
        now = state_at(folder, path)
        if now.kind != wanted.kind:
            raise OSError(errno.ENOENT, "the new file has gone", path)
        if wanted.kind == "file" and wanted.mode is not None and wanted.mode != now.mode:
            self._set_mode(os.open(path, READ_FILE, dir_fd=folder), wanted.mode)
        if wanted.mtime_ns is not None and wanted.mtime_ns != now.mtime_ns:
            self._set_time(folder, path, wanted.mtime_ns)

    def copy_in(self, source: str, target: str, wanted: FileState, *, synced: bool) -> None:
        """Copy a staged file or link that lies on another file system, complete with its mode."""
        folder, name = self.spot(target)
        if wanted.kind == "link":
            link = wanted.target or ""
            self._do("symlink", lambda: os.symlink(link, name, dir_fd=folder))
        else:
            self._do("copy", lambda: self._copy(source, folder, name, synced=synced))
        self.finish_staged(name, wanted, folder)

    def sync(self) -> None:
        """Have everything on the disk that was done on the file systems of the bases."""
        self._do("sync", lambda: _sync(self.tree.handles()))

    def _copy(self, source: str, folder: int, name: str, *, synced: bool) -> None:
        origin = os.open(source, READ_FILE)
        try:
            handle = os.open(name, _NEW | _NOFOLLOW, 0o600, dir_fd=folder)
            try:
                self.step("between copy")
                while piece := os.read(origin, _PIECE):
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[os.write(handle, rest) :]
                if synced:
                    os.fsync(handle)
            finally:
                os.close(handle)
        finally:
            os.close(origin)

    def _set_mode(self, handle: int, mode: int) -> None:
        try:
            self._do("chmod", lambda: os.fchmod(handle, mode))
        finally:
            os.close(handle)

    def _set_time(self, folder: int | None, name: str, mtime_ns: int) -> None:
        found = os.lstat(name, dir_fd=folder)
        if found.st_mtime_ns == mtime_ns:
            return
        times = (found.st_atime_ns, mtime_ns)
        self._do("utime", lambda: os.utime(name, ns=times, dir_fd=folder, follow_symlinks=False))

    def _do(self, name: str, call: Callable[[], object]) -> None:
        self.step(f"before {name}")
        call()
        self.step(f"after {name}")


def remove_tree(folder: int, name: str, step: Step) -> None:
    """Remove a folder and all in it, following no link.

    Args:
        folder: The open folder in which it lies.
        name: Its name there.
        step: Told before and after each removal.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW
    try:
        handle = os.open(name, flags, dir_fd=folder)
    except PermissionError:
        # The kernel leaves such folders where an overlay was mounted; only an empty one can go.
        handle = None
    if handle is not None:
        try:
            if stat.S_IMODE(os.fstat(handle).st_mode) & 0o700 != 0o700:
                os.fchmod(handle, 0o700)
            for entry in sorted(os.listdir(handle)):
                if stat.S_ISDIR(os.lstat(entry, dir_fd=handle).st_mode):
                    remove_tree(handle, entry, step)
                else:
                    step("before unlink")
                    os.unlink(entry, dir_fd=handle)
                    step("after unlink")
        finally:
            os.close(handle)
    step("before rmdir")
    os.rmdir(name, dir_fd=folder)
    step("after rmdir")


def _sync(handles: tuple[int, ...]) -> None:
    """Sync the file systems of some folders, or all when that is not possible."""
    syncfs = _syncfs()
    for device in {os.fstat(handle).st_dev: handle for handle in handles}.values():
        if syncfs is None or syncfs(device) != 0:
            os.sync()
            return


def _syncfs() -> Callable[[int], int] | None:
    try:
        import ctypes

        function: Callable[[int], int] = ctypes.CDLL(None, use_errno=True).syncfs
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    return function
