"""The command line: one module a command, each parses, calls the API, renders, exits.

Only the module of the command that was typed is imported.
"""

from __future__ import annotations

import contextlib
import itertools

from keras_doctor.cli.errors import (
    BUG,
    INTERRUPTED,
    USAGE,
    UsageError,
    complain,
    expected,
    report_bug,
)
from keras_doctor.cli.program import program_name

COMMANDS = {
    "check": "say why `import keras` fails, or that it works (the default)",
    "fix": "make it work: plan, rehearse in a copy, apply, verify; undo brings the old state back",
    "create": "make a new environment in which Keras has trained: keras-doctor create DIR",
    "lock": "write down an environment that works, so that it can be made again",
    "use": "make a backend the selected one: keras-doctor use jax",
    "undo": "bring back what a repair has changed",
    "history": "list the repairs that were made",
    "backends": "say which backend is chosen and why, and try each one",
    "explain": "say what a pasted traceback, a log or a notebook's output means",
    "run": "run a command of yours unchanged, and say why if it fails: run -- COMMAND",
    "envs": "list every Python here that holds a Keras or a backend",
    "compat": "say which releases of packages go together, and the newest that do",
    "scan": "list what scripts and notebooks use of Keras, and in which releases it works",
    "snapshot": "write down every fact about an environment, to be examined elsewhere",
    "rules": "list everything that is checked",
    "rule": "explain one rule: keras-doctor rule KD102",
    "knowledge": "show what is known offline; `knowledge update` refreshes it",
    "schema": "print the JSON Schema of the reports",
    "help": "explain a command: keras-doctor help check",
}
"""Each command with what it does."""


def run(argv: tuple[str, ...]) -> int:
    """Run one command line and return its exit status.

    Args:
        argv: The words after the program's name.

    Returns:
        0 or 1 as the command says, 2 for bad usage or no such target, 3 for a mistake of
        ours, 130 when interrupted.
    """
    words, command = _split(argv)
    name = words[0] if words and not words[0].startswith("-") else None
    try:
        status = _dispatch(name, words, command)
    except UsageError as error:
        return _refuse(error, name, words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except Exception as error:  # noqa: BLE001 (the last net: what is expected was told apart)
        problem = expected(error)
        if problem is not None:
            return _refuse(problem, name, words)
        report_bug(error, verbose="-v" in words or "--verbose" in words)
        return _tell(UsageError(f"{type(error).__name__}: {error}", code="bug"), name, words, BUG)
    return status


def _split(argv: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Our own words, and the user's command after `--`, None when there is no `--`."""
    if "--" not in argv:
        return argv, None
    place = argv.index("--")
    return argv[:place], argv[place + 1 :]


def _dispatch(name: str | None, words: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    if name is None and words and words[0] in ("--version", "-V"):
        from keras_doctor import __version__
        from keras_doctor.cli.output import emit

        emit(f"keras-doctor {__version__}\n")
        return 0
    if name is None and words and words[0] in ("--help", "-h"):
        name, words = "help", ("help",)
    if name is not None and name not in COMMANDS:
        raise _unknown_command(name)
    from importlib import import_module

    module = "rules" if name == "rule" else name or "check"
    rest = words[1:] if name else words
    status: int = import_module(f"keras_doctor.cli.{module}").run(name or "check", rest, command)
    return status


def _unknown_command(name: str) -> UsageError:
    from keras_doctor.cli.errors import nearest

    guess = nearest(name, COMMANDS)
    if guess:
        hint = f"Did you mean `{program_name()} {guess}`?"
    elif name.startswith("python") or name.endswith(".py"):
        words = name if name.startswith("python") else f"python {name}"
        hint = f"A command of yours comes after two dashes: {program_name()} check -- {words}"
    else:
        hint = f"The commands are {', '.join(COMMANDS)}."
    return UsageError(f"There is no command {name!r}.", hint=hint)


def _refuse(error: UsageError, name: str | None, words: tuple[str, ...]) -> int:
    complain(error.message + (f" {error.hint}" if error.hint else ""))
    return _tell(error, name, words, USAGE)


def _tell(error: UsageError, name: str | None, words: tuple[str, ...], status: int) -> int:
    """In JSON mode the envelope says it on stdout too."""
    if not _wants_json(words):
        return status
    from keras_doctor.cli.output import emit
    from keras_doctor.report import json

    command = name if name in json.OWN_KEYS else None if name else "check"
    problem = json.Problem(code=error.code, message=error.message, hint=error.hint)
    with contextlib.suppress(OSError, UsageError):
        emit(json.dumps(json.failure(command, problem, exit_code=status)))
    return status


def _wants_json(words: tuple[str, ...]) -> bool:
    return "--format=json" in words or ("--format", "json") in itertools.pairwise(words)
