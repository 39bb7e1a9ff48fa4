"""What the tests of overlays have done in the other world, and how a plain user starts Python."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import keras_doctor

SOURCES = os.path.dirname(os.path.dirname(keras_doctor.__file__))
NOBODY = 65534


def write(path: str, text: str) -> None:
    """Write a file; its folder is made."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(path: str) -> str:
    """Read a file."""
    with open(path, encoding="utf-8") as file:
        return file.read()


def ran(*argv: str) -> tuple[int, str]:
    """Run a program to its end."""
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


class StrangeError(Exception):
    """One that cannot be made again from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail(kind: str) -> NoReturn:
    """Raise an error of a kind."""
    if kind == "strange":
        raise StrangeError(1, 2)
    if kind == "os":
        raise FileNotFoundError(2, "No such file", "/the/file")
    raise ValueError(kind)


def chatter(text: str, progress: Callable[[str], None]) -> int:
    """Print what would disturb the messages, and tell of progress."""
    print(text * 1000, flush=True)
    subprocess.run(["echo", "from a child"], check=True)
    progress("half")
    progress("done")
    return os.getpid()


def end() -> NoReturn:
    """End the process at once."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Whether a process ends within some seconds; one that only waits to be reaped has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def mounted(text: str) -> list[int]:
    """The processes that see a mount whose line holds a text."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/mountinfo", encoding="utf-8", errors="replace") as file:
                if name.isdigit() and text in file.read():
                    found.append(int(name))
        except OSError:
            continue
    return found


def python_of(uid: int) -> str | None:
    """A Python that a user can start and that can import this program; None: there is none."""
    code = "import sys; assert sys.version_info >= (3, 11); sys.path[:0] = [sys.argv[1]];"
    code += "import keras_doctor.fixes.rehearse.place"
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")):
        try:
            done = subprocess.run(
                [python, "-I", "-S", "-c", code, SOURCES],
                user=uid,
                group=uid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
            )
        except (OSError, subprocess.SubprocessError):
            continue
        if done.returncode == 0:
            return python
    return None
