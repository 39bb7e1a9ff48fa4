"""One repair at a time in an environment.

The lock is held on the environment's folder itself: that leaves no trace, and keeps other users
out too. Who holds it is noted in the user's own state folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from hashlib import sha256

from keras_doctor.fixes.transaction.errors import HeldError, TransactionError, reason, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_FOLDER = "locks"
_TICK = 0.1
_LARGEST = 10_000


class EnvironmentLock:
    """Holds an environment, as a context manager.

    Raises, on entry:
        HeldError: Another process holds it; the sentence says which.
        TransactionError: It cannot be locked at all.
    """

    def __init__(
        self, environment: str, state_folder: str, command: str = "keras-doctor", wait: float = 10.0
    ) -> None:
        """Nothing is done yet.

        Args:
            environment: The environment's root folder.
            state_folder: As :func:`state_folder` gives it.
            command: What this process does, for others who have to wait.
            wait: Seconds until it is given up.
        """
        self._environment = environment
        key = sha256(os.fsencode(os.path.realpath(environment))).hexdigest()[:32]
        self._base = os.path.join(state_folder, _FOLDER, key)
        self._command = command
        self._wait = wait
        self._handle: int | None = None
        self._made: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._handle = self._take()
        except OSError as error:
            raise TransactionError(
                f"{shown(self._environment)} cannot be locked: {reason(error)}."
            ) from error
        self._note()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            _forget(self._base + ".json")
            for folder in self._made:  # a look leaves no trace
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            os.close(handle)  # which frees the lock

    def _take(self) -> int:
        """A handle that holds the lock."""
        handle = os.open(self._environment, os.O_RDONLY) if sys.platform != "win32" else -1
        try:
            if handle < 0 or not _can_lock(handle):
                # No such locks here (Windows, some network file systems): a file of our own.
                if handle >= 0:
                    os.close(handle)
                    handle = -1
                os.makedirs(os.path.dirname(self._base), mode=0o700, exist_ok=True)
                handle = os.open(self._base + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            self._wait_for(handle)
        except BaseException:
            if handle >= 0:
                os.close(handle)
            raise
        return handle

    def _wait_for(self, handle: int) -> None:
        deadline = time.monotonic() + self._wait
        while not lock(handle):
            if time.monotonic() >= deadline:
                raise HeldError(self._holder())
            time.sleep(_TICK)

    def _note(self) -> None:
        """Write down who holds it; only a help for others, so a failure is none."""
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        note = {"pid": os.getpid(), "command": self._command, "since": since}
        try:
            folder = os.path.dirname(self._base)
            self._made = _missing(folder)
            os.makedirs(folder, mode=0o700, exist_ok=True)
            temporary = f"{self._base}.{os.getpid()}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
            with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
                json.dump(note, file)
            os.replace(temporary, self._base + ".json")
        except OSError:
            return

    def _holder(self) -> str:
        """The sentence that names who holds it."""
        who = "another process, perhaps of another user"
        try:
            with open(self._base + ".json", encoding="utf-8") as file:
                note = json.loads(file.read(_LARGEST))
            pid, command, since = int(note["pid"]), str(note["command"]), str(note["since"])
            who = f"process {pid} ({shown(command)}), since {shown(since)}"
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return (
            f"{shown(self._environment)} is being worked on by {who}: wait until it has ended, "
            "then try again."
        )


def _can_lock(handle: int) -> bool:
    """Whether this folder can be locked; a lock that is held counts as yes."""
    try:
        lock(handle)
    except OSError:
        return False
    return True


if sys.platform == "win32":
    import msvcrt

    def lock(handle: int) -> bool:
        """Try to lock an open file; False when somebody else has it."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def lock(handle: int) -> bool:
        """Try to lock an open file or folder; False when somebody else has it."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _missing(folder: str) -> list[str]:
    """The folders that have to be made for a folder, the innermost first."""
    found = []
    while folder and not os.path.isdir(folder):
        found.append(folder)
        folder = os.path.dirname(folder)
    return found


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
