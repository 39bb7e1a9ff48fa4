"""Compile what was installed, as pip does, while something else goes on in the same world."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras_doctor.model import Snapshot

TIMEOUT = 600.0
"""Seconds: TensorFlow's eight thousand files take three on one core."""
_NICE = 10
_MANY = 400
"""From so many files on, several processes are worth their start."""

_begun: list[subprocess.Popen[bytes]] = []
"""What runs by now in this process's world."""


def begin_compiling(
    python: str, paths: Sequence[str], environ: Mapping[str, str], hidden: Sequence[str] = ()
) -> None:
    """Begin to compile source files to bytecode; what does not compile stays as it is.

    Args:
        python: The interpreter that will load them.
        paths: The files.
        environ: The user's variables.
        hidden: Names of variables that would lead it elsewhere.
    """
    if not paths:
        return
    variables = {n: v for n, v in environ.items() if n not in hidden}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    jobs = ("-j", "0") if len(paths) > _MANY else ()
    with tempfile.TemporaryFile() as names, contextlib.suppress(OSError):
        names.write(os.fsencode("\n".join(path for path in paths if "\n" not in path)))
        names.seek(0)
        process = subprocess.Popen(
            [python, "-I", "-S", "-m", "compileall", "-q", "-i", "-", *jobs],
            env=variables,
            stdin=names,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _begun.append(process)
        if hasattr(os, "setpriority"):  # it is what nobody waits for
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)


def end_compiling() -> None:
    """Wait for what was begun; what takes too long is ended."""
    for process in _begun:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TIMEOUT)
    stop_compiling()


def stop_compiling() -> None:
    """End what was begun: its files are wanted no more."""
    while _begun:
        process = _begun.pop()
        process.kill()
        process.wait()


def keeps_bytecode(snapshot: Snapshot) -> bool:
    """Whether anything of what is installed has compiled bytecode beside it."""
    return any(
        os.path.isdir(os.path.join(one.location, name, "__pycache__"))
        for one in snapshot.distributions
        for name in one.import_packages
    )
