"""What happened when something was really run in the target."""

from keras_doctor.records import NamedTuple

CUT_OFF = "Unknown"
"""The type of an exception whose line was cut off from the text that shows it."""


class Frame(NamedTuple):
    """One line of a traceback."""

    file: str
    line: int
    function: str
    text: str | None


class Raised(NamedTuple):
    """One exception of a chain."""

    type: str
    """Qualified unless builtin: ``ModuleNotFoundError``, ``google.protobuf.…Error``."""
    message: str
    frames: tuple[Frame, ...]
    """Outermost call first, as Python prints them."""
    link: str | None
    """How the *next* exception of the chain came from this one: ``cause`` (raise from),
    ``context`` (during handling). None for the last."""
    name: str | None
    """``ImportError.name``: the module that was not found or lacked the name."""
    path: str | None
    """``ImportError.path``."""


class ImportEdge(NamedTuple):
    """Who imported a top-level module first."""

    module: str
    file: str | None
    """Where it was loaded from; None when it was not found."""
    importer: str | None
    """The file of the import statement."""


class Change(NamedTuple):
    """One thing that a counterfactual run did differently from the user's own."""

    kind: str
    """``set-variable`` | ``unset-variable`` | ``config-text`` | ``drop-path-entry`` |
    ``hide-module``."""
    name: str
    """The variable, the config file's path, the sys.path entry, the hidden file's path."""
    value: str | None


class Outcome(NamedTuple):
    """The result of one live run."""

    kind: str
    """``imports`` (import statements in the instrumented child), ``train`` (imports and one
    training step), ``command`` (the user's command as typed, read from its output)."""
    what: str
    """The statements or the command, for a person to read."""
    status: str
    """``passed`` | ``raised`` | ``exited`` (sys.exit or os._exit with a status) | ``died`` (by a
    signal) | ``hung`` (time limit) | ``stopped`` (time limit after the Keras world had been
    imported: the imports passed) | ``not-started``."""
    exit_code: int | None
    signal: str | None
    """``SIGSEGV``, ``SIGABRT``, ``SIGBUS``, ``SIGILL`` ..."""
    chain: tuple[Raised, ...]
    """The exceptions, the one raised first at the start."""
    crash_frames: tuple[Frame, ...]
    """Where faulthandler saw it die or hang, innermost last like a traceback."""
    failed_statement: str | None
    """The import statement that failed, as in the user's script."""
    failed_line: int | None
    backend: str | None
    """What ``keras.backend.backend()`` said."""
    keras_version: str | None
    keras_file: str | None
    device: str | None
    imports: tuple[ImportEdge, ...]
    seconds: float
    output: str
    """The last lines that it printed, stderr and stdout together as they came."""
    changes: tuple[Change, ...]
    """() for the world as it is; else this is a counterfactual run."""


def not_started(kind: str, what: str, changes: tuple[Change, ...] = ()) -> Outcome:
    """The outcome of a run of which nothing is known yet; what happens is filled in."""
    return Outcome(
        kind=kind,
        what=what,
        status="not-started",
        exit_code=None,
        signal=None,
        chain=(),
        crash_frames=(),
        failed_statement=None,
        failed_line=None,
        backend=None,
        keras_version=None,
        keras_file=None,
        device=None,
        imports=(),
        seconds=0.0,
        output="",
        changes=changes,
    )
