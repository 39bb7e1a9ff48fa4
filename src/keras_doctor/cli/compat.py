"""`keras-doctor compat PACKAGE ...`: which releases go together."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.show import show, style

DESCRIPTION = """Says which releases of packages go together: what their metadata declares and what
was measured in real environments, kept apart, and the newest set as one line to paste. Nothing is
installed, run or asked of an index. Name packages like keras, tensorflow==2.10 or "keras<3". Exit
status 1: nothing goes together there."""


def parser() -> Parser:
    """The options of `compat`."""
    where = (
        Option("--python", "VERSION", "like 3.11 (default: any)"),
        Option("--platform", "NAME", "linux, macos or windows (default: this one)"),
    )
    return words.parser(
        "compat",
        "PACKAGE [PACKAGE ...] [options]",
        DESCRIPTION,
        [("Where", where)],
        positional="PACKAGE",
        many=True,
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Answer, and return 0, or 1 when nothing goes together there."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    check_writable(options.output)

    from keras_doctor.compat.answer import answer

    found = answer(
        options.words,
        python=options.python,
        platform=options.platform,
        every_pair=options.verbose or options.format == "json",
    )
    status = 0 if found.newest is not None else 1

    def text() -> str:
        from keras_doctor.report.compat import render_compat

        return render_compat(found, verbose=options.verbose, quiet=options.quiet, **style(options))

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.compat(found, exit_code=status)

    show(options, text=text, json=json)
    return status
