"""Folders opened one name after another, so that no link on the way can lead outside.

What is done in a folder is done through its descriptor: a link that takes the folder's place a
moment later changes nothing.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict

from keras_doctor.fixes.transaction.errors import TransactionError, reason, shown
from keras_doctor.fixes.transaction.scope import is_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_MOST = 64
"""Descriptors that are kept; the limit for a process may be as low as 256."""


class MissingError(OSError):
    """A folder on the way is not there."""


class BlockedError(OSError):
    """Something on the way is no folder but a file or a link.

    Attributes:
        path: Which.
    """

    def __init__(self, path: str) -> None:
        super().__init__(errno.ENOTDIR, f"{shown(path)} is not a folder")
        self.path = path


class Tree:
    """The folders below some bases."""

    def __init__(self, bases: Sequence[str]) -> None:
        """Open the bases.

        Raises:
            TransactionError: One is not there, or is reached through a link.
        """
        if os.open not in os.supports_dir_fd:
            raise TransactionError(
                "Repairs are not applied on this system: it has no safe way to reach a folder. "
                "Use a new environment."
            )
        self._bases: dict[str, int] = {}
        self._open: OrderedDict[str, int] = OrderedDict()
        try:
            for base in sorted(bases, key=len, reverse=True):
                self._bases[base] = _open_base(base)
        except BaseException:
            self.close()
            raise

    def open(self, folder: str) -> int:
        """The descriptor of a folder; it stays valid until the next call but one.

        Raises:
            MissingError: It is not there.
            BlockedError: A link or a file is in the way.
            OSError: It cannot be opened.
        """
        known = self._bases.get(folder)
        if known is not None:
            return known
        known = self._open.get(folder)
        if known is not None:
            self._open.move_to_end(folder)
            return known
        base = next((base for base in self._bases if is_below(folder, base)), None)
        if base is None:
            raise TransactionError(f"{shown(folder)} lies outside of what may be changed.")
        handle = self._walk(base, folder)
        self._open[folder] = handle
        if len(self._open) > _MOST:
            os.close(self._open.popitem(last=False)[1])
        return handle

    def forget(self, folder: str) -> None:
        """Close what is known of a folder, which goes or comes."""
        handle = self._open.pop(folder, None)
        if handle is not None:
            os.close(handle)

    def handles(self) -> tuple[int, ...]:
        """The descriptors of the bases."""
        return tuple(self._bases.values())

    def close(self) -> None:
        """Close all descriptors."""
        for handle in (*self._bases.values(), *self._open.values()):
            os.close(handle)
        self._bases.clear()
        self._open.clear()

    def _walk(self, base: str, folder: str) -> int:
        handle = self._bases[base]
        path = base.rstrip(os.sep)
        own = False
        for name in folder[len(path) + 1 :].split(os.sep):
            path = f"{path}{os.sep}{name}"
            try:
                deeper = os.open(name, _FLAGS, dir_fd=handle)
            except FileNotFoundError:
                raise MissingError(errno.ENOENT, "no such folder", path) from None
            except OSError as error:
                if error.errno in (errno.ENOTDIR, errno.ELOOP):
                    raise BlockedError(path) from None
                raise
            finally:
                if own:
                    os.close(handle)
            handle, own = deeper, True
        return handle


def _open_base(base: str) -> int:
    try:
        handle = os.open(base, _FLAGS)
    except OSError as error:
        raise TransactionError(f"{shown(base)} cannot be opened: {reason(error)}.") from error
    if os.path.realpath(base) != base:
        os.close(handle)
        raise TransactionError(
            f"{shown(base)} is reached through a link; its real place is "
            f"{shown(os.path.realpath(base))}."
        )
    return handle
