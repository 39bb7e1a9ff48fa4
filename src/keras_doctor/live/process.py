"""Start a child in a group of its own, keep what it prints, and end it for certain."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import IO

HEAD_BYTES = 64 << 10
TAIL_BYTES = 1 << 20
_CHUNK = 1 << 16
_TERM_SECONDS = 1.0
_DRAIN_SECONDS = 1.0


class Ended(NamedTuple):
    """How a child came to its end."""

    code: int | None
    """The exit status; negative for a signal; None when the time limit ended it."""
    output: str
    seconds: float


class Capture:
    """The first 64 KiB and the last 1 MiB of a stream."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail = bytearray()
        self.dropped = 0
        self._lock = threading.Lock()

    def add(self, data: bytes) -> None:
        """Keeps as much of the data as the bounds allow."""
        with self._lock:
            room = HEAD_BYTES - len(self.head)
            self.head += data[:room]
            self.tail += data[room:] if room > 0 else data
            # Cut seldom, so that a flood costs linear time.
            if len(self.tail) > 2 * TAIL_BYTES:
                self._cut()

    def _cut(self) -> None:
        extra = len(self.tail) - TAIL_BYTES
        if extra > 0:
            self.dropped += extra
            del self.tail[:extra]

    def text(self) -> str:
        """Returns what was kept; bytes that are not UTF-8 are replaced."""
        with self._lock:
            self._cut()
            left_out = b"\n[... %d bytes left out ...]\n" % self.dropped if self.dropped else b""
            return (self.head + left_out + self.tail).decode("utf-8", "replace")


class Child:
    """A running child, its output, and its group."""

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        folder: str,
        mark: str,
        watch: Callable[[bytes], None] | None = None,
    ) -> None:
        """Starts it.

        Args:
            argv: the command.
            environ: its variables.
            folder: its working folder.
            mark: a text that only its variables hold, by which processes that left the group
                are found again.
            watch: told every piece of its output, in another thread.

        Raises:
            OSError: it cannot be started.
        """
        self.capture = Capture()
        self.mark = mark
        self._watch = watch
        self.began = time.monotonic()
        with _no_core_files():
            self.process = subprocess.Popen(
                list(argv),
                env=dict(environ),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self.process.pid
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._reader.start()
        self._waiter.start()

    def _read(self) -> None:
        stream: IO[bytes] | None = self.process.stdout
        if stream is None:
            return
        with stream:
            while data := os.read(stream.fileno(), _CHUNK):
                self.capture.add(data)
                if self._watch is not None:
                    with contextlib.suppress(OSError, ValueError):  # nobody listens any more
                        self._watch(data)

    def _wait(self) -> None:
        self.process.wait()
        self._over.set()

    def finish(self, timeout: float, at_limit: Callable[[Child], None]) -> Ended:
        """Waits for the end, and makes it come at the time limit.

        Args:
            timeout: seconds.
            at_limit: called with this child when the limit is reached, before anything of it
                is ended.

        Returns:
            The end, with all that was printed.
        """
        try:
            ended = self._over.wait(timeout)
            seconds = time.monotonic() - self.began
            if not ended:
                at_limit(self)
        finally:
            code = self.process.returncode if self._over.is_set() else None
            self._end_group()
        return Ended(code=code if ended else None, output=self.capture.text(), seconds=seconds)

    def wait_a_moment(self, seconds: float) -> bool:
        """Waits up to so many seconds; tells whether the child is over."""
        return self._over.wait(seconds)

    def send_signal(self, number: int) -> None:
        """Sends a signal to the child alone."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, number)

    def _end_group(self) -> None:
        """Ends every process of the group, then whatever still holds the output."""
        if os.name == "nt":
            self.process.kill()
        else:
            if not self._over.is_set():
                self._signal_group(signal.SIGTERM)
                self._over.wait(_TERM_SECONDS)
            self._signal_group(signal.SIGKILL)
        self._over.wait(_TERM_SECONDS * 5)
        self._reader.join(_DRAIN_SECONDS / 10)
        if self._reader.is_alive():
            end_marked(self.mark)
            self._reader.join(_DRAIN_SECONDS)

    def _signal_group(self, number: int) -> None:
        # The child leads its own session, so its number is the group's, and stays taken while
        # any member lives.
        with contextlib.suppress(OSError):
            os.killpg(self.pid, number)

    def group(self) -> list[int]:
        """Returns the processes of the child's session, itself first (Linux; else only it)."""
        others = (pid for pid in _processes() if pid != self.pid)
        return [self.pid, *(pid for pid in others if _session(pid) == self.pid)]


def end_marked(mark: str) -> None:
    """Kills processes whose variables hold a mark: daemons that left the group (Linux)."""
    wanted = os.fsencode(mark)
    for pid in _processes():
        if pid == os.getpid():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as stream:
            if wanted in stream.read(1 << 20):
                os.kill(pid, signal.SIGKILL)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (OSError, AttributeError):
        return None


@contextlib.contextmanager
def _no_core_files() -> Iterator[None]:
    """A crash leaves no core file in the user's folder: children inherit the limit."""
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
