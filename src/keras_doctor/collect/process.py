"""Run one program with a text on its standard input, and survive what it does."""

from __future__ import annotations

import contextlib
import errno
import os
import time

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

MOST_OUTPUT = 64 << 20
"""Of standard output that is kept, in bytes; more means that something floods it."""
MOST_ERRORS = 1 << 16
"""Of standard error that is kept: its end."""
LINGER = 2.0
"""Seconds that a program gets to end after its output is complete."""
LEFTOVERS = 0.3
"""Seconds for the rest of a pipe that something else may keep open."""
_PAUSES = (0.1, 0.3, 1.0)  # seconds before a start that failed for want of room is repeated
_FULL = (errno.EAGAIN, errno.ENOMEM)


class Completed(NamedTuple):
    """What a program did."""

    exit_code: int
    """Negative for a signal."""
    output: bytes
    errors: bytes
    timed_out: bool


def run_program(
    argv: Sequence[str],
    data: bytes,
    environ: Mapping[str, str] | None,
    folder: str | None,
    timeout: float,
    marker: str,
) -> Completed:
    """Run ``argv`` in a session of its own and feed it ``data``.

    Args:
        argv: The program and its arguments.
        data: For its standard input.
        environ: Its variables; None for ours.
        folder: Its working folder; None for ours.
        timeout: Seconds; then it and what it started are killed.
        marker: Output is complete once this stood in it twice, even if something that was
            started on the way keeps the pipe open.

    Raises:
        OSError: It cannot be started at all.
    """
    mark = marker.encode("ascii")
    from keras_doctor.collect.spawn import can_spawn, spawn_program

    if can_spawn(argv, folder):
        try:
            completed = spawn_program(argv, data, environ, timeout, mark)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            completed = None
        if completed is not None:
            return completed
    return _run_with_threads(argv, data, environ, folder, timeout, mark)


def _run_with_threads(
    argv: Sequence[str],
    data: bytes,
    environ: Mapping[str, str] | None,
    folder: str | None,
    timeout: float,
    mark: bytes,
) -> Completed:
    """The way that works on every system and in any folder."""
    import subprocess

    process = _open(list(argv), None if environ is None else dict(environ), folder)
    output: list[bytes] = []
    errors: list[bytes] = []
    feeder = _thread(_feed, process.stdin, data)
    reader = _thread(_keep_head, process.stdout, output, mark)
    listener = _thread(_keep_tail, process.stderr, errors)
    try:
        reader.join(timeout)
        timed_out = reader.is_alive()
        if not timed_out:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LINGER)
    finally:
        if process.returncode is None:
            _kill_session(process)
        process.wait()
    for worker in (feeder, reader, listener):
        worker.join(LEFTOVERS)
    return Completed(
        exit_code=process.returncode,
        output=b"".join(output),
        errors=b"".join(errors)[-MOST_ERRORS:],
        timed_out=timed_out,
    )


def _open(
    argv: list[str], environ: dict[str, str] | None, folder: str | None
) -> subprocess.Popen[bytes]:
    """Start a process, with patience for a machine that is full at the moment."""
    import subprocess

    for pause in (*_PAUSES, None):
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environ,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            if pause is None or error.errno not in _FULL:
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")


def _thread(function: Callable[..., None], *arguments: object) -> threading.Thread:
    import threading

    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    import signal

    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _feed(pipe: IO[bytes], data: bytes) -> None:
    # Who does not read its input, or dies before the end of it, is none of our business.
    with contextlib.suppress(OSError), pipe:
        pipe.write(data)


def _keep_head(pipe: IO[bytes], kept: list[bytes], mark: bytes) -> None:
    size = 0
    seen = 0
    tail = b""
    with contextlib.suppress(OSError), pipe:
        while seen < 2 and (part := os.read(pipe.fileno(), 1 << 16)):
            if size < MOST_OUTPUT:
                kept.append(part)
                size += len(part)
            joint = tail + part
            seen += joint.count(mark)
            tail = joint[1 - len(mark) :]


def _keep_tail(pipe: IO[bytes], kept: list[bytes]) -> None:
    with contextlib.suppress(OSError), pipe:
        while part := os.read(pipe.fileno(), 1 << 16):
            kept.append(part)
            del kept[:-64]
