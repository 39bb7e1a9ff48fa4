"""Questions to a person at a terminal."""

from __future__ import annotations

import sys

from keras_doctor.cli.output import is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Options


def can_ask(options: Options) -> bool:
    """Whether somebody is there to answer: input and stderr are a terminal, and no JSON is due."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr) and options.format != "json"


def ask(question: str) -> bool:
    """Ask a question that is answered by y or n; anything but a clear yes is no.

    Args:
        question: Without the hint how to answer.
    """
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
