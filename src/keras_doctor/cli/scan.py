"""`keras-doctor scan PATH ...`: every import of the Keras world in a tree of programs."""

from __future__ import annotations

import os

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.program import program_name
from keras_doctor.cli.show import show, style

DESCRIPTION = """Lists what scripts and notebooks use of Keras and TensorFlow: whether the installed
releases have it, since and until when it exists, what takes its place, and the releases in which
all of it works at once. Nothing is run. Exit status 1: something does not work here; without an
environment, in no release together."""


def parser() -> Parser:
    """The options of `scan`."""
    which = (
        Option("--python", "PYTHON", "compare with this interpreter or environment"),
        Option("--no-env", None, "compare with no environment, only with all releases"),
    )
    return words.parser(
        "scan",
        "PATH [PATH ...] [options]",
        DESCRIPTION,
        [("Which Python", which)],
        positional="PATH",
        many=True,
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Scan, report, and return 0 or 1."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    check_writable(options.output)
    if not options.words:
        raise UsageError("There is nothing to scan.", hint=f"Like this: {program_name()} scan .")
    for path in options.words:
        if not os.path.exists(path):
            raise UsageError(f"There is no file or folder {path}.", code="path")
    if options.python and options.no_env:
        raise UsageError("--python and --no-env contradict each other.")

    from keras_doctor import api

    found = api.scan(options.words, python=options.python, compare=not options.no_env)
    status = 1 if found.is_broken else 0

    def text() -> str:
        from keras_doctor.report.scan import render_scan

        return render_scan(found, verbose=options.verbose, quiet=options.quiet, **style(options))

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.scan(found, exit_code=status)

    show(options, text=text, json=json)
    return status
