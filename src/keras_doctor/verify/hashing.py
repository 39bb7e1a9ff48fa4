"""SHA-256 of many files on all processors.

hashlib sets the interpreter free while it works on more than 2 KiB, so threads are enough. Large
files go first: the one that takes longest must not be the one that starts last. Files are read
and not mapped: one that shrinks, or a disk that fails, must not kill this process.
"""

from __future__ import annotations

import heapq
import os
import threading
from collections import deque
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self

    from keras_doctor.verify.entries import Entry

    Share = Callable[[int, int], None]
    """Told how many bytes of how many are done."""

LARGE = 1 << 20
"""Files from this size on are taken one at a time, the largest first; smaller ones in batches."""
_AT_ONCE = 1 << 16
"""Files up to this size are read at once."""
_PIECE = 1 << 20
"""Bytes of other files that are read and hashed together; smaller pieces cost more calls."""
_BATCH = 1 << 20
_COST = 1 << 14
"""What opening a file costs, in bytes that could be hashed meanwhile."""
_MOST_THREADS = 16
_TICK = 0.1
CHANGED = "it changed while it was read"
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOCTTY", 0)
    # A FIFO in the place of a file must not make this wait.
    | getattr(os, "O_NONBLOCK", 0)
)
_advise = getattr(os, "posix_fadvise", None)


class Crew:
    """The threads that read files, as a context manager that stops them.

    Each file is told its SHA-256, or its ``trouble`` when it cannot be read.
    """

    def __init__(self, threads: int | None = None) -> None:
        """Args: how many threads; default: one for each processor."""
        self._number = min(threads or processors(), _MOST_THREADS)
        self._threads: list[threading.Thread] = []
        self._large: list[tuple[int, int, Entry]] = []
        self._batches: deque[list[Entry]] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self._on_small = 0
        self._stopped = False
        self._error: BaseException | None = None
        self._count = self._total = self._done = 0

    def feed(self, files: Sequence[Entry]) -> None:
        """Hand over files; the reading begins at once."""
        if not files:
            return
        batches: list[list[Entry]] = []
        cost = _BATCH
        with self._condition:
            for file in files:
                self._total += file.size
                if file.size >= LARGE:
                    self._count += 1
                    heapq.heappush(self._large, (-file.size, self._count, file))
                    continue
                if cost >= _BATCH:
                    batches.append([])
                    cost = 0
                batches[-1].append(file)
                cost += file.size + _COST
            self._batches.extend(batches)
            self._condition.notify_all()
        while len(self._threads) < self._number:
            # Daemons: a file system that hangs must not keep the process after Ctrl-C.
            self._threads.append(threading.Thread(target=self._run, daemon=True))
            self._threads[-1].start()

    def finish(self, share: Share | None = None) -> None:
        """Wait for all files; `share` is told now and then how far it is."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        for thread in self._threads:
            while thread.is_alive():
                thread.join(_TICK)
                if share is not None:
                    share(min(self._done, self._total), self._total)
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._condition:
            self._stopped = self._closed = True
            self._condition.notify_all()

    def _run(self) -> None:
        """The body of each thread: take files until there are none left."""
        buffer = memoryview(bytearray(_PIECE))
        try:
            while batch := self._next():
                for file in batch:
                    if self._stopped:
                        return
                    try:
                        self._read(file, buffer)
                    except OSError as error:
                        file.trouble = error.strerror or str(error)
                self._done_with(batch)
        except BaseException as error:  # noqa: BLE001 - raised again by who waits
            self._error = error
            self._stopped = True

    def _next(self) -> Sequence[Entry]:
        """The next files for one thread; none when there will be none.

        Small files are mostly a matter of the interpreter, which only one thread can have: one
        reads them while the others have large ones, and the feeder is done.
        """
        with self._condition:
            while not (self._large or self._batches or self._closed):
                self._condition.wait()
            if self._stopped:
                return ()
            now = self._closed and not self._on_small
            if self._batches and (now or not self._large):
                self._on_small += 1
                return self._batches.popleft()
            return (heapq.heappop(self._large)[2],) if self._large else ()

    def _done_with(self, files: Sequence[Entry]) -> None:
        if files[0].size < LARGE:
            with self._condition:
                self._on_small -= 1

    def _read(self, file: Entry, buffer: memoryview) -> None:
        size = file.size
        handle = os.open(file.path, _FLAGS)
        try:
            if size <= _AT_ONCE:
                data = os.read(handle, size + 1)
                read = len(data)
                state = sha256(data)
            else:
                if _advise is not None:
                    _advise(handle, 0, 0, os.POSIX_FADV_SEQUENTIAL)
                state = sha256()
                read = 0
                with open(handle, "rb", buffering=0, closefd=False) as stream:
                    # One that grows is not followed to its end.
                    while read <= size and (number := stream.readinto(buffer)):
                        if self._stopped:
                            return
                        state.update(buffer[:number])
                        read += number
                        self._done += number
        finally:
            os.close(handle)
        if size <= _AT_ONCE:
            self._done += read
        if read == size:
            file.accept(state.digest())
        else:
            file.trouble = CHANGED


def processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1
