"""The options that several commands share, and what their values may be."""

from __future__ import annotations

from keras_doctor.cli.errors import UsageError, nearest
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.program import program_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 120.0
"""Seconds for one live run; a first TensorFlow import without .pyc files takes 22."""


def parser(
    command: str,
    usage: str,
    text: str,
    groups: Sequence[tuple[str, Sequence[Option]]] = (),
    *,
    positional: str | None = None,
    many: bool = False,
) -> Parser:
    """The parser of a command, with the options that all commands have."""
    output = (
        Option(
            "--format",
            "FORMAT",
            "text (default) or json",
            choices=("text", "json"),
            default="text",
        ),
        Option("--output", "FILE", "write to a file, whole or not at all"),
        Option(
            "--color",
            "WHEN",
            "auto (default), always or never",
            choices=("auto", "always", "never"),
            default="auto",
        ),
        Option("--verbose", None, "say everything", short="-v"),
        Option("--quiet", None, "say only what matters", short="-q"),
        Option("--help", None, "this text", short="-h"),
    )
    return Parser(
        command,
        usage,
        text,
        [*groups, ("Output", output)],
        positional=positional,
        many=many,
        clashes=(("--verbose", "--quiet"),),
    )


def target_group() -> tuple[str, tuple[Option, ...]]:
    """The options that say which Python is meant."""
    return (
        "Which Python",
        (
            Option("--python", "PYTHON", "an interpreter, an environment, or a name like 3.11"),
            Option("--kernel", "NAME", "a Jupyter kernel"),
            Option("--project", "FOLDER", "the folder that you run in"),
        ),
    )


def backend_option() -> Option:
    """The backend that is wanted."""
    return Option("--backend", "NAME", "the backend that you want to get", convert=backend)


def timeout_option() -> Option:
    """The time limit of each live run."""
    text = f"for each run (default {TIMEOUT:.0f})"
    return Option("--timeout", "SECONDS", text, convert=seconds, default=TIMEOUT)


def no_live_option() -> Option:
    """The promise that nothing of the user's is run."""
    return Option("--no-live", None, "only read, run nothing of yours")


def seconds(text: str) -> float:
    """A time limit.

    Raises:
        ValueError: The text is none, as a clause of a sentence.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"{text!r} is no number of seconds above 0")
    return value


def backend(text: str) -> str:
    """A backend that some Keras knows, in its own spelling.

    Raises:
        UsageError: There is none of that name.
    """
    from keras_doctor.knowledge.selection import backend_names, meant_by

    names = backend_names()
    if text in names:
        return text
    guess = meant_by(text) or nearest(text, names)
    hint = f"Did you mean {guess}?" if guess else f"Known are {', '.join(names)}."
    raise UsageError(f"--backend: no Keras knows a backend {text!r}.", hint=hint)


def no_command(name: str, command: tuple[str, ...] | None) -> None:
    """Refuse `-- COMMAND` where it means nothing."""
    if command is not None:
        raise UsageError(f"`{name}` takes no command after --.")


def with_command(command: tuple[str, ...] | None) -> tuple[str, ...]:
    """The user's command, () when none was given.

    Raises:
        UsageError: There are two dashes with nothing after them.
    """
    if command == ():
        raise UsageError(
            "No command comes after --.", hint=f"Like this: {program_name()} check -- python x.py"
        )
    return command or ()


def requirements(option: str, files: Sequence[str], kinds: str = "rc") -> list[str]:
    """The requirements in the files that an option names.

    Args:
        option: Its name.
        files: Requirements or constraints files.
        kinds: Which of the files that they name are read too, see
            :func:`keras_doctor.fixes.requirementfiles.requirements_in`.

    Raises:
        UsageError: One cannot be read.
    """
    from keras_doctor.fixes.requirementfiles import requirements_in

    found = []
    for path in files:
        try:
            with open(path, encoding="utf-8") as file:
                file.read(1)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise UsageError(f"{option} {path} cannot be read: {reason}.") from None
        found += [line for line, _where in requirements_in(path, kinds)]
    return found
