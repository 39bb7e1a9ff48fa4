"""`keras-doctor history`: the repairs that were made, and dropping what is kept of them."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.parser import Option
from keras_doctor.cli.program import program_name
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Parser

DESCRIPTION = """Lists the repairs that were made, newest first. The files that a repair replaced
are kept so that it can be undone; --drop ID gives that up and frees the space."""


def parser() -> Parser:
    """The options of `history`."""
    kept = (
        Option("--drop", "ID", "forget a repair: its old files are removed for good"),
        Option("--force", None, "with --drop: also one that was interrupted or cannot be read"),
    )
    return words.parser("history", "[options]", DESCRIPTION, [("What is kept", kept)])


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """List, or drop; 0 when done."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    from keras_doctor import api

    if options.drop:
        api.drop(options.drop, force=options.force)
    listing = api.history()

    def text() -> str:
        from keras_doctor.report.history import render_history

        return render_history(
            listing, dropped=options.drop, program=program_name(), **style(options)
        )

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.history(listing, dropped=options.drop)

    show(options, text=text, json=json)
    return 0
