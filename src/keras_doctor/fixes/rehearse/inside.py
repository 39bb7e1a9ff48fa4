"""The process that lives in a rehearsal's world and does there what it is told.

It reads pickled calls from its standard input and writes pickled answers to what was its standard
output; both ends are this program, nothing else speaks on these pipes.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from keras_doctor.fixes.rehearse.namespace import end_with_parent, enter

if TYPE_CHECKING:
    from typing import BinaryIO, NoReturn

HEAD = 8
"""Bytes of the length before each message."""
_writing = threading.Lock()


def write(stream: BinaryIO, message: object) -> None:
    """Send one message.

    Raises:
        OSError: The other end is gone.
    """
    data = pickle.dumps(message)
    with _writing:  # how far a download is comes from another thread
        stream.write(len(data).to_bytes(HEAD, "big") + data)
        stream.flush()


def read(stream: BinaryIO) -> Any:
    """Receive one message.

    Raises:
        EOFError: The other end is gone.
    """
    head = stream.read(HEAD)
    if len(head) < HEAD:
        raise EOFError
    data = stream.read(int.from_bytes(head, "big"))
    return pickle.loads(data)  # noqa: S301 (from our own process)


def main() -> None:
    """Enter the world that the first message describes, then serve calls until the end."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    end_with_parent()
    # What anything prints by accident must not land among the messages.
    answers = os.fdopen(os.dup(1), "wb")
    calls = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        folder = os.getcwd()
        enter(read(calls))
        os.chdir(folder)  # else it would still be the common one, below the overlay
    except (OSError, EOFError) as error:
        write(answers, ("error", error))
        return
    write(answers, ("value", None))
    while True:
        try:
            function, args, named = read(calls)
        except EOFError:
            _end_children()
            return
        write(answers, _answer(function, args, named, answers))


def _answer(
    function: Any, args: tuple[Any, ...], named: dict[str, Any], answers: BinaryIO
) -> tuple[str, Any]:
    def progress(message: str) -> None:
        write(answers, ("progress", message))

    try:
        if named.pop("with_progress", False):
            named["progress"] = progress
        return "value", function(*args, **named)
    except Exception as error:  # noqa: BLE001 (it is raised again on the other side)
        return "error", _portable(error)


def _portable(error: Exception) -> Exception:
    """The error, if it survives the journey; else one that says the same."""
    try:
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001 (whatever its class does while it is copied)
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error if isinstance(copy, type(error)) else RuntimeError(str(error))


def _leave(number: int, _frame: object) -> NoReturn:
    _end_children()
    sys.exit(128 + number)


def _end_children() -> None:
    """End what was started here: it may have been started only just now."""
    for child in _children():
        with contextlib.suppress(OSError):
            if os.getpgid(child) == child:
                os.killpg(child, signal.SIGKILL)
            else:
                os.kill(child, signal.SIGKILL)


def _children() -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError, IndexError):
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
            if parent == os.getpid():
                found.append(int(name))
    return found
