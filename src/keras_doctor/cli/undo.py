"""`keras-doctor undo`: bring back what a repair has changed."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Parser

DESCRIPTION = """Brings back, to the byte, everything that a repair has changed: the last one, or
the one with the given id (see `keras-doctor history`). It refuses when something else has changed
these files since."""


def parser() -> Parser:
    """The options of `undo`."""
    return words.parser("undo", "[ID] [options]", DESCRIPTION, positional="ID")


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Undo, and return 0 (done) or 1 (refused)."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    from keras_doctor import api

    done = api.undo(options.word)
    status = 0 if done.refusal is None else 1

    def text() -> str:
        from keras_doctor.report.history import render_undo

        return render_undo(done, **style(options))

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.undo(done, exit_code=status)

    show(options, text=text, json=json)
    return status
