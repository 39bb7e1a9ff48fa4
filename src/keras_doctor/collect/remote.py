"""Collect on another machine or in a container, through a command that reaches it.

The collector is one source text that a Python there reads from its standard input; nothing
is copied or installed.
"""

from __future__ import annotations

import os
import shlex

from keras_doctor.collect.bundle import build_source
from keras_doctor.collect.errors import CollectError
from keras_doctor.collect.process import Completed, run_program
from keras_doctor.collect.request import Request
from keras_doctor.collect.start import MODES, Attempt, attempt, build_payload, start_after
from keras_doctor.model import Snapshot, Start, Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# ssh itself failed; docker itself failed; the command may not be run; it was not found.
_NEVER_STARTED = (255, 125, 126, 127)


def ssh_prefix(host: str) -> tuple[str, ...]:
    """The command that runs another command on a host, without ever asking for a password."""
    _refuse_option(host)
    return ("ssh", "-T", "-o", "BatchMode=yes", host)


def docker_prefix(container: str) -> tuple[str, ...]:
    """The command that runs another command in a running container."""
    _refuse_option(container)
    return ("docker", "exec", "-i", container)


def collector_source(request: Request | None = None) -> str:
    """The collector as a program to save and run by hand, as a file or over ``python -``.

    What it prints is read by :func:`keras_doctor.collect.load.loads_snapshot`.
    """
    return build_source(_payload(request, "run by hand", start_after("normal", None)))


def collect_remote(
    argv_prefix: Sequence[str],
    request: Request | None = None,
    *,
    python: str = "python3",
    quote: bool = True,
    timeout: float = 120.0,
) -> Snapshot:
    """Every fact about a Python that only a command can reach.

    Args:
        argv_prefix: The command, like :func:`ssh_prefix` or :func:`docker_prefix` give.
        request: What to look at; None for what ``import keras`` needs.
        python: The interpreter there, a name or a path.
        quote: Whether a shell reads the words there, as behind ssh.
        timeout: Seconds for each start, the way there included.

    Raises:
        CollectError: The command fails, or what it reaches is no Python 3.6 to 3.14.
    """
    _refuse_option(python)
    name = shlex.quote(python) if quote else python
    where = f"{python} through {shlex.join(argv_prefix)}"
    first: Attempt | None = None
    for mode, options in MODES.items():
        argv = [*argv_prefix, name, "-B", *options]
        payload = _payload(request, where, start_after(mode, first))
        result = attempt(payload, _runner(argv, timeout))
        if result.unsupported:
            raise CollectError(
                f"{where} is Python {result.unsupported}; keras-doctor examines 3.6 to 3.14"
            )
        if result.snapshot is not None:
            return result.snapshot
        first = first or result
        if result.exit_code in _NEVER_STARTED:
            break
    last = first.failure.splitlines()[-1:] if first else []
    raise CollectError(f"{where} gave no answer: {' '.join(last) or 'it printed nothing'}")


def _payload(request: Request | None, chosen: str, start: Start) -> dict[str, object]:
    target = Target(
        python=None,
        chosen=chosen,
        folder="",
        start="interactive",
        path0=os.curdir,
        script=None,
        command=(),
        environment=None,
        manager=None,
    )
    return build_payload(target, request or Request(), start)


def _runner(argv: list[str], timeout: float) -> Callable[[Sequence[str], bytes, str], Completed]:
    def run(last: Sequence[str], data: bytes, marker: str) -> Completed:
        try:
            return run_program([*argv, *last], data, None, None, timeout, marker)
        except OSError as error:
            raise CollectError(f"{argv[0]} cannot be run: {error.strerror or error}") from None

    return run


def _refuse_option(word: str) -> None:
    if not word or word.startswith("-"):
        raise CollectError(f"{word!r} is no name of a host, a container or an interpreter")
