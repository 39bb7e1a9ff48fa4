"""The answer to 'which Python is meant', and the error when there is none."""

from keras_doctor.model import Target
from keras_doctor.records import NamedTuple


class TargetError(Exception):
    """There is no such target; one sentence that says what, where, and what to do."""

    def __init__(self, message: str) -> None:
        # Names in it come from anywhere; one line without control characters is what is shown.
        super().__init__("".join(one if one.isprintable() else "?" for one in message))


class Found(NamedTuple):
    """A target with everything that is needed to start it. Never serialised: see `environ`."""

    target: Target
    environ: dict[str, str]
    """The complete environment with which the user would start that Python."""
    argv: tuple[str, ...]
    """The user's command as typed, () when none was given."""
    set_by: dict[str, str]
    """Who set a variable of `environ`, when it is the command, a script or a kernel spec."""
    considered: tuple[str, ...]
    """One line for each place that was looked at, in order."""
    options: tuple[str, ...]
    """Options of the interpreter in the command (``-O``, ``-I``, ``-X dev``), without those
    that only say what to run or that wait for a person (``-c``, ``-m``, ``-i``, ``-V``)."""
    module: str | None
    """The module of ``-m``, or None."""
    code: str | None
    """The text of ``-c`` or of a here-document, or None."""
    arguments: tuple[str, ...]
    """What the program gets as ``sys.argv[1:]``."""
    run: tuple[str, ...]
    """The argument list that runs the user's command as typed, a shell line through a shell;
    () when none was given."""
    run_folder: str
    """The folder in which `run` is started. A ``cd`` in the command makes `target.folder`
    another one."""
    run_environ: dict[str, str]
    """The environment in which `run` is started: without what the command itself sets."""
