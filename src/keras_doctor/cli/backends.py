"""`keras-doctor backends`: which backend is chosen and why, and which ones work."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Parser

DESCRIPTION = """Says which backend Keras would use here and which setting says so, and tries each
backend that this Keras knows: whether it is installed, imports, and trains."""


def parser() -> Parser:
    """The options of `backends`."""
    tried = (words.backend_option(), words.no_live_option(), words.timeout_option())
    groups = [words.target_group(), ("What is tried", tried)]
    return words.parser("backends", "[options] [-- COMMAND ...]", DESCRIPTION, groups)


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Try the backends and list them; always 0."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    mine = words.with_command(command)
    check_writable(options.output)

    if not options.no_live:
        from keras_doctor.cli.ending import tidy_when_terminated

        tidy_when_terminated()

    from keras_doctor import api

    with Progress(enabled=not options.quiet, limit=options.timeout) as progress:
        examination, considered = api.backends(
            python=options.python,
            kernel=options.kernel,
            project=options.project,
            command=mine,
            wish=options.backend,
            live=not options.no_live,
            timeout=options.timeout,
            progress=progress,
        )

    def text() -> str:
        from keras_doctor.report.backends import render_backends

        return render_backends(
            examination, verbose=options.verbose, considered=considered, **style(options)
        )

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.backends(examination)

    show(options, text=text, json=json)
    return 0
