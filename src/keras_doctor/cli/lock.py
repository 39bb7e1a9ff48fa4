"""`keras-doctor lock`: write down an environment in which Keras trains."""

from __future__ import annotations

import os

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show, style

DESCRIPTION = """Writes a pylock.toml (PEP 751) and a requirements.txt with hashes for an
environment in which Keras imports, trains one step, and saves and loads a model. `keras-doctor
create DIR --from-lock pylock.toml` makes it again."""


def parser() -> Parser:
    """The options of `lock`."""
    what = (
        Option("--python", "PYTHON", "an interpreter, an environment, or a name like 3.11"),
        Option("--replace", None, "write the files anew when they are there"),
        words.timeout_option(),
    )
    return words.parser("lock", "[DIR] [options]", DESCRIPTION, [("What", what)], positional="DIR")


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Lock, report, and return 0 (written) or 1 (it does not work).

    Raises:
        UsageError: An option cannot be read.
    """
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    if command is not None:
        raise UsageError("lock runs no command of yours.", hint="Leave the -- out.")
    from keras_doctor.cli.ending import tidy_when_terminated

    tidy_when_terminated()
    from keras_doctor import api

    folder = os.path.abspath(options.word or os.curdir)
    with Progress(enabled=not options.quiet, limit=options.timeout) as progress:
        written, examined = api.lock(
            folder,
            python=options.python,
            replace=options.replace,
            timeout=options.timeout,
            progress=progress,
        )
    status = 0 if written else 1

    def text() -> str:
        from keras_doctor.report.created import render_lock

        return render_lock(written, examined, **style(options))

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.lock(written, examined, exit_code=status)

    show(options, text=text, json=json)
    return status
