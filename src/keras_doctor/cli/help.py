"""`keras-doctor help`, and `--help` of every command."""

from __future__ import annotations

from keras_doctor.cli.errors import UsageError, nearest
from keras_doctor.cli.output import emit


def run(_name: str, argv: tuple[str, ...], _command: tuple[str, ...] | None) -> int:
    """Explain a command, or say which there are; always 0."""
    topics = [word for word in argv if not word.startswith("-")]
    return print_help(topics[0] if topics else None)


def print_help(topic: str | None) -> int:
    """Print the help of one command, or of all.

    Raises:
        UsageError: There is no such command.
    """
    from keras_doctor.cli import COMMANDS

    if topic is None or topic == "help":
        emit(_overview())
        return 0
    if topic not in COMMANDS:
        guess = nearest(topic, COMMANDS)
        hint = f"Did you mean {guess}?" if guess else f"The commands are {', '.join(COMMANDS)}."
        raise UsageError(f"There is no command {topic!r}.", hint=hint)
    from importlib import import_module

    module = import_module(f"keras_doctor.cli.{'rules' if topic == 'rule' else topic}")
    parser = module.rule_parser() if topic == "rule" else module.parser()
    emit(parser.help())
    return 0


def _overview() -> str:
    from keras_doctor.cli import COMMANDS

    size = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name.ljust(size)}  {what}" for name, what in COMMANDS.items())
    return f"""\
Usage: keras-doctor [COMMAND] [options] [-- COMMAND OF YOURS]

Says why `import keras` fails in the Python that you use, and what mends it.

{commands}

Most used:
  keras-doctor                           the Python that `python` means here
  keras-doctor -- python train.py        your own command instead of `import keras`
  keras-doctor --python .venv            another Python or environment
  keras-doctor --backend jax             you want this backend
  keras-doctor --no-live                 only read, run nothing
  keras-doctor --format json             for programs

Exit status: 0 no cause found, 1 causes found, 2 bad usage or no such target,
3 a mistake of keras-doctor, 130 interrupted.
"""
