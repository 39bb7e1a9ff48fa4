"""Reading the words of a command line.

With argparse, which costs about 3 of the 120 ms of a static check (measured, its own import and
one parser of sixteen options); only the parser of the command that was typed is built.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from keras_doctor.cli.errors import UsageError, nearest
from keras_doctor.cli.program import program_name

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 120.0
"""Seconds for one live run; a first TensorFlow import without .pyc files takes 22."""


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of exiting, and suggests the option that was meant."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into one sentence of ours."""
        text = message.removeprefix("argument ")
        raise UsageError(text[:1].upper() + text[1:].rstrip(".") + ".", hint=self.help_hint())

    def help_hint(self) -> str:
        """Where the options are explained."""
        words = self.prog.split()
        return f"See `{program_name()} help {words[-1]}`."

    def options(self) -> tuple[str, ...]:
        """Every option string."""
        return tuple(name for action in self._actions for name in action.option_strings)

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse all words.

        Raises:
            UsageError: Some word means nothing here.
        """
        options, rest = self.parse_known_args(list(words))
        if rest:
            self._refuse(rest[0])
        return options

    def _refuse(self, word: str) -> NoReturn:
        if not word.startswith("-"):
            python = word if word.startswith("python") else f"python {word}"
            raise UsageError(
                f"{word!r} is no option.",
                hint=f"A command of yours comes after two dashes: {program_name()} check -- "
                f"{python}",
            )
        name = word.split("=", maxsplit=1)[0]
        guess = nearest(name, self.options())
        hint = f"Did you mean {guess}?" if guess else self.help_hint()
        raise UsageError(f"There is no option {name}.", hint=hint)


def parser(command: str, description: str) -> Parser:
    """The parser of a command, with the options that all commands have."""
    made = Parser(
        prog=f"keras-doctor {command}",
        description=description,
        add_help=False,
        allow_abbrev=False,
        usage=argparse.SUPPRESS,
    )
    output = made.add_argument_group("output")
    output.add_argument(
        "--format", choices=("text", "json"), default="text", help="text (default) or json"
    )
    output.add_argument("--output", metavar="FILE", help="write to a file, whole or not at all")
    loud = output.add_mutually_exclusive_group()
    loud.add_argument("-v", "--verbose", action="store_true", help="say everything")
    loud.add_argument("-q", "--quiet", action="store_true", help="say only what matters")
    output.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    output.add_argument("-h", "--help", action="store_true", help="this text")
    return made


def add_target(made: Parser) -> None:
    """The options that say which Python is meant."""
    target = made.add_argument_group("which Python")
    target.add_argument(
        "--python", metavar="PYTHON", help="an interpreter, an environment, or a name like 3.11"
    )
    target.add_argument("--kernel", metavar="NAME", help="a Jupyter kernel")
    target.add_argument("--project", metavar="FOLDER", help="the folder that you run in")


def add_backend(made: Parser) -> None:
    """The option that says which backend is wanted."""
    made.add_argument(
        "--backend", metavar="NAME", type=backend, help="the backend that you want to get"
    )


def add_timeout(made: Parser) -> None:
    """The time limit of each live run."""
    made.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=TIMEOUT,
        help=f"for each run (default {TIMEOUT:.0f})",
    )


def seconds(text: str) -> float:
    """A time limit; argparse turns the ValueError's kin into its complaint."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def backend(text: str) -> str:
    """A backend that some Keras knows, in its own spelling."""
    from keras_doctor.knowledge.selection import backend_names, meant_by

    names = backend_names()
    if text in names:
        return text
    guess = meant_by(text) or nearest(text, names)
    hint = f" Did you mean {guess}?" if guess else f" Known are {', '.join(names)}."
    raise UsageError(f"--backend: no Keras knows a backend {text!r}.", hint=hint.strip())


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
