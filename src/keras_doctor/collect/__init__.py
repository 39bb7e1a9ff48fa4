"""Gather every fact about a target, without importing its packages.

>>> snapshot = collect(target, os.environ)  # doctest: +SKIP
"""

from __future__ import annotations

import os
import sys

from keras_doctor.collect.errors import CollectError
from keras_doctor.collect.process import run_program
from keras_doctor.collect.request import Request
from keras_doctor.collect.start import MODES, Attempt, attempt, build_payload, start_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keras_doctor.collect.process import Completed
    from keras_doctor.model import Snapshot, Start, Target

__all__ = ["CollectError", "Request", "collect"]


def collect(
    target: Target,
    environ: Mapping[str, str],
    request: Request | None = None,
    *,
    timeout: float = 30.0,
) -> Snapshot:
    """Every fact about a target, from one process in its own interpreter.

    The collector is started as the user would start Python there: same variables, same folder.
    When that fails it is started isolated, and at last the files are read from outside; the
    snapshot's ``start`` says which, and how the normal start failed.

    Args:
        target: Whose facts; ``target.python`` is the interpreter's path.
        environ: The variables that the user's program would run with.
        request: What to look at; None for what ``import keras`` needs.
        timeout: Seconds for each start.

    Returns:
        The snapshot; its ``script`` is None, for the host to fill in.

    Raises:
        CollectError: No such interpreter, not a Python, or one that is too old.
    """
    request = request or Request()
    python = _check(target)
    first: Attempt | None = None
    for mode, options in MODES.items():
        start = start_after(mode, first)
        payload = build_payload(target, request, start, environ=environ)
        # -B: start-up modules of the patient must not leave bytecode there.
        argv = [python, "-B", *request.options, *options]
        try:
            result = attempt(payload, _runner(argv, environ, target.folder, timeout), python)
        except OSError as error:
            failure = f"{python} cannot be started: {error.strerror or error}"
            first = Attempt(snapshot=None, unsupported=None, failure=failure, exit_code=126)
            break  # no option changes that
        if result.unsupported:
            raise CollectError(
                f"{python} is Python {result.unsupported}; keras-doctor examines 3.6 to 3.14"
            )
        if result.snapshot is not None:
            return result.snapshot
        first = first or result
    return _collect_outside(target, environ, request, start_after("outside", first), timeout)


def _runner(
    argv: list[str], environ: Mapping[str, str], folder: str, timeout: float
) -> Callable[[Sequence[str], bytes, str], Completed]:
    def run(last: Sequence[str], data: bytes, marker: str) -> Completed:
        return run_program([*argv, *last], data, environ, folder, timeout, marker)

    return run


def _check(target: Target) -> str:
    """The interpreter's path, when there is something to start."""
    python = target.python
    if python is None:
        raise CollectError("the target names no interpreter: give one with --python PATH")
    if not os.path.isdir(target.folder):
        raise CollectError(f"the working folder {target.folder} does not exist")
    if os.path.isdir(python):
        raise CollectError(f"{python} is a folder, not an interpreter")
    folder = os.path.dirname(os.path.abspath(python))
    if os.path.isdir(folder) and not os.access(folder, os.X_OK):
        raise CollectError(f"the folder {folder} may not be entered by this user")
    if not os.path.lexists(python):
        raise CollectError(f"there is no interpreter at {python}")
    return os.path.abspath(python)


def _collect_outside(
    target: Target, environ: Mapping[str, str], request: Request, start: Start, timeout: float
) -> Snapshot:
    """Read the files of an interpreter that does not start, with our own Python."""
    python = os.path.abspath(target.python or "")
    if not looks_like_environment(python):
        last = (start.failure or "no output").splitlines()[-1:]
        raise CollectError(f"{python} is not a Python that starts: {' '.join(last) or 'no output'}")
    payload = build_payload(target, request, start, outside=python)
    argv = [sys.executable, "-B", "-I", "-S"]
    result = attempt(payload, _runner(argv, environ, target.folder, timeout), sys.executable)
    if result.snapshot is None:
        raise CollectError(f"{python} could not be read from outside: {result.failure}")
    return result.snapshot


def looks_like_environment(python: str) -> bool:
    """Whether a path that does not start lies where an environment's interpreter lies."""
    name = os.path.basename(python).lower()
    bin_folder = os.path.dirname(python)
    prefix = os.path.dirname(bin_folder)
    if any(os.path.isfile(os.path.join(place, "pyvenv.cfg")) for place in (bin_folder, prefix)):
        return True
    lib = os.path.join(prefix, "lib")
    if not name.startswith(("python", "pypy")) or not os.path.isdir(lib):
        return False
    return any(entry.startswith("python3.") for entry in os.listdir(lib))
