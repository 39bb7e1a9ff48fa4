"""Run one program in our own folder with as little as the system needs for it.

Importing :mod:`subprocess` and starting its threads takes longer than the collector takes to
look at a small environment. What is not simple here (another working folder, a program to be
searched on PATH, a system without these calls) is left to :mod:`keras_doctor.collect.process`.
"""

from __future__ import annotations

import contextlib
import os
import time

from keras_doctor.collect import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras_doctor.collect.process import Completed

_PIECE = 1 << 16
_STEP = 0.02  # seconds between two looks at a program that has closed its output


def can_spawn(argv: Sequence[str], folder: str | None) -> bool:
    """Whether :func:`spawn_program` is for this program: a path, to run in our own folder."""
    if not hasattr(os, "posix_spawn") or os.sep not in argv[0]:
        return False
    try:
        return folder is None or os.path.samefile(folder, ".")
    except OSError:
        return False


def spawn_program(
    argv: Sequence[str],
    data: bytes,
    environ: Mapping[str, str] | None,
    timeout: float,
    marker: bytes,
) -> Completed | None:
    """Run ``argv`` like :func:`keras_doctor.collect.process.run_program`, in our own folder.

    Returns:
        What it did, or None when nothing was started because the system cannot do it so.

    Raises:
        OSError: It cannot be started at all.
    """
    ours: list[int] = []
    theirs: list[int] = []
    try:
        for number in range(3):
            ends = os.pipe()
            ours.append(ends[number == 0])
            theirs.append(ends[number != 0])
        if min(ours + theirs) <= 2:  # our own standard streams are closed
            return None
        try:
            pid = _start(argv, os.environ if environ is None else environ, theirs)
        except NotImplementedError:
            return None
        while theirs:
            os.close(theirs.pop())
        return _Talk(pid, ours, data).hold(timeout, marker)
    finally:
        for handle in (*ours, *theirs):
            os.close(handle)


def _start(argv: Sequence[str], environ: Mapping[str, str], theirs: list[int]) -> int:
    """Start it in a session of its own, with three pipes and no other file of ours."""
    import _signal  # type: ignore[import-not-found]  # signal itself enumerates all its names

    actions: list[tuple[int, int] | tuple[int, int, int]] = [
        (os.POSIX_SPAWN_DUP2, theirs[number], number) for number in range(3)
    ]
    actions += [(os.POSIX_SPAWN_CLOSE, handle) for handle in _inherited()]
    # Python ignores these for itself, but no program expects to start so.
    ignored = [_signal.SIGPIPE, _signal.SIGXFSZ]
    return os.posix_spawn(
        argv[0], list(argv), environ, file_actions=actions, setsid=True, setsigdef=ignored
    )


def _inherited() -> list[int]:
    """Files that whoever started us left open for our children."""
    found = []
    for name in os.listdir("/dev/fd"):
        try:
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:
            continue  # the folder that was just listed
    return found


class _Talk:
    """What passes between us and one running program."""

    def __init__(self, pid: int, handles: list[int], data: bytes) -> None:
        """Take over the pipes.

        Args:
            pid: The program, which leads its session.
            handles: Our ends: its input, its output, its errors. Those that are closed before
                the end are taken out.
            data: For its input.
        """
        import select

        self._pid = pid
        self._handles = handles
        self._input, self._output, self._errors = handles
        self._data = memoryview(data)
        self._kept: list[bytes] = []
        self._said: list[bytes] = []
        self._status: int | None = None
        self._poll = select.poll()
        os.set_blocking(self._input, False)
        self._poll.register(self._input, select.POLLOUT)
        self._poll.register(self._output, select.POLLIN)
        self._poll.register(self._errors, select.POLLIN)

    def hold(self, timeout: float, marker: bytes) -> Completed:
        """Feed it, listen until its output is complete, and see it end."""
        try:
            complete = self._listen(time.monotonic() + timeout, marker)
            if complete:
                self._await_end(time.monotonic() + process.LINGER)
        finally:
            status = self._kill() if self._status is None else self._status
        deadline = time.monotonic() + process.LEFTOVERS
        while self._errors in self._handles and time.monotonic() < deadline and self._poll.poll(0):
            self._turn(0)
        return process.Completed(
            exit_code=os.waitstatus_to_exitcode(status),
            output=b"".join(self._kept),
            errors=b"".join(self._said)[-process.MOST_ERRORS :],
            timed_out=not complete,
        )

    def _listen(self, deadline: float, marker: bytes) -> bool:
        """Whether its output was complete before the deadline."""
        seen = 0
        size = 0
        tail = b""
        while self._output in self._handles:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for part in self._turn(left):
                joint = tail + part
                seen += joint.count(marker)
                tail = joint[1 - len(marker) :]
                if size < process.MOST_OUTPUT:
                    self._kept.append(part)
                    size += len(part)
                if seen >= 2:
                    self._close(self._output)
        return True

    def _turn(self, seconds: float) -> list[bytes]:
        """Wait for one of the pipes and serve all that are ready; what came as output."""
        came = []
        for handle, _ in self._poll.poll(seconds * 1000):
            if handle == self._input:
                self._feed()
                continue
            part = os.read(handle, _PIECE)
            if not part:
                self._close(handle)
            elif handle == self._output:
                came.append(part)
            else:
                self._said.append(part)
                del self._said[:-64]
        return came

    def _feed(self) -> None:
        # Who does not read its input, or dies before the end of it, is none of our business.
        try:
            self._data = self._data[os.write(self._input, self._data) :]
        except BlockingIOError:
            return
        except OSError:
            self._data = self._data[:0]
        if not self._data:
            self._close(self._input)

    def _await_end(self, deadline: float) -> None:
        while not self._ended() and time.monotonic() < deadline:
            self._turn(_STEP)

    def _ended(self) -> bool:
        self._status = self._wait(os.WNOHANG)
        return self._status is not None

    def _kill(self) -> int:
        """End it and what it started; its status."""
        with contextlib.suppress(OSError):
            os.killpg(self._pid, 9)
        return self._wait(0) or 0

    def _wait(self, option: int) -> int | None:
        """The status of a program that has ended, None while it runs."""
        try:
            pid, status = os.waitpid(self._pid, option)
        except ChildProcessError:  # whoever started us told the system to forget children
            return 0
        return status if pid else None

    def _close(self, handle: int) -> None:
        self._poll.unregister(handle)
        self._handles.remove(handle)
        os.close(handle)
