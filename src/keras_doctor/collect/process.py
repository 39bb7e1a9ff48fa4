"""Run one program with a text on its standard input, and survive what it does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import IO, NamedTuple

MOST_OUTPUT = 64 << 20
"""Of standard output that is kept, in bytes; more means that something floods it."""
MOST_ERRORS = 1 << 16
"""Of standard error that is kept: its end."""


class Completed(NamedTuple):
    """What a program did."""

    exit_code: int
    """Negative for a signal."""
    output: bytes
    errors: bytes
    timed_out: bool


def run_program(
    argv: Sequence[str],
    source: str,
    environ: Mapping[str, str] | None,
    folder: str | None,
    timeout: float,
) -> Completed:
    """Run ``argv`` in a session of its own and feed it ``source``.

    Args:
        argv: The program and its arguments.
        source: ASCII text for its standard input.
        environ: Its variables; None for ours.
        folder: Its working folder; None for ours.
        timeout: Seconds; then it and what it started are killed.

    Raises:
        OSError: It cannot be started at all.
    """
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=None if environ is None else dict(environ),
        cwd=folder,
        start_new_session=True,
    )
    output: list[bytes] = []
    errors: list[bytes] = []
    workers = [
        threading.Thread(target=_feed, args=(process.stdin, source.encode("ascii")), daemon=True),
        threading.Thread(target=_keep_head, args=(process.stdout, output), daemon=True),
        threading.Thread(target=_keep_tail, args=(process.stderr, errors), daemon=True),
    ]
    for worker in workers:
        worker.start()
    timed_out = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
    finally:
        # Also after a normal end: what it left running would keep the pipes open.
        _kill_session(process)
        process.wait()
    for worker in workers:
        worker.join(2.0)
    return Completed(
        exit_code=process.returncode,
        output=b"".join(output),
        errors=b"".join(errors)[-MOST_ERRORS:],
        timed_out=timed_out,
    )


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _feed(pipe: IO[bytes] | None, data: bytes) -> None:
    # Who does not read its input, or dies before the end of it, is none of our business.
    if pipe is not None:
        with contextlib.suppress(OSError), pipe:
            pipe.write(data)


def _keep_head(pipe: IO[bytes] | None, kept: list[bytes]) -> None:
    size = 0
    while pipe is not None and (part := os.read(pipe.fileno(), 1 << 16)):
        if size < MOST_OUTPUT:
            kept.append(part)
            size += len(part)
    if pipe is not None:
        pipe.close()


def _keep_tail(pipe: IO[bytes] | None, kept: list[bytes]) -> None:
    while pipe is not None and (part := os.read(pipe.fileno(), 1 << 16)):
        kept.append(part)
        del kept[: max(0, len(kept) - 64)]
    if pipe is not None:
        pipe.close()
