"""The entry point of `keras-doctor` and of `python -m keras_doctor`.

Only `sys` and `os`, which are loaded by then, are imported before :func:`_leave_the_patient`: a
`types.py` on the user's PYTHONPATH is what this program is to find, not what it is to die of.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as type checkers understand it; `typing` would import half the library
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    For this process's own words it does not return where it can end the process itself.

    Args:
        argv: The words after the program's name; default: this process's, which then belongs to
            this program alone.

    Returns:
        The exit status, as DESIGN.md lists them.
    """
    if argv is None:
        argv = sys.argv[1:]
        _leave_the_patients_libraries()
        _leave_the_patient()
        import gc

        gc.disable()  # a short life, and what it builds it keeps to its end
        from keras_doctor.cli import run

        return _end(run(tuple(argv)))
    from keras_doctor.cli import run

    return run(tuple(argv))


def _end(status: int) -> int:
    """End the process without taking the interpreter apart, which costs as much as all rules.

    Where something may wait to be called at the end, or the last words cannot be written, the
    usual way is left to do it.
    """
    if "threading" in sys.modules or "atexit" in sys.modules or sys.getprofile() is not None:
        return status
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return status
    os._exit(status)


_LOADER = ("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES")
_LEFT = "_KERAS_DOCTOR_LOADER"


def _leave_the_patients_libraries() -> None:
    """Start again without the loader's variables where they break this program's own Python.

    They belong to what is examined, and are given back to it: the loader reads them only while
    a process starts. Nothing is done where the modules load that need libraries of the system.
    """
    left = os.environ.pop(_LEFT, None)
    if left is not None:
        names = left.split("\x1f")
        os.environ.update(zip(names[::2], names[1::2], strict=False))
        return
    given = {name: os.environ[name] for name in _LOADER if os.environ.get(name)}
    if not given or os.name != "posix":
        return
    environ = {name: value for name, value in os.environ.items() if name not in given}
    try:
        if _loads(dict(os.environ)) or not _loads(environ):
            return  # nothing is broken, or it needs them to start at all
        environ[_LEFT] = "\x1f".join(word for pair in given.items() for word in pair)
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environ)  # noqa: S606
    except OSError:
        return


def _loads(environ: dict[str, str]) -> bool:
    """Whether modules that need libraries of the system load; a broken one may end the process."""
    program = "import _ctypes, _hashlib, binascii, zlib"
    started = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", "-c", program],
        environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)],
    )
    return os.waitpid(started, 0)[1] == 0


def _leave_the_patient() -> None:
    """Take the folders of PYTHONPATH, and the current one, off this program's own search path.

    They belong to the Python that is examined. The variable itself stays as it is, since the
    patient is started with it; so does a folder that this program was found in.
    """
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    theirs = {os.path.abspath(folder) for folder in folders if folder}
    started_by_module = os.path.basename(sys.argv[0]) == "__main__.py"
    if "" in sys.path[:1] or (started_by_module and not sys.flags.safe_path):
        theirs.add(os.path.abspath(sys.path[0]))
    theirs.discard(home)
    if not theirs:
        return
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) not in theirs]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.dirname(os.path.abspath(file)) in theirs:
            del sys.modules[name]


if __name__ == "__main__":
    sys.exit(main())
