"""`keras-doctor envs`: every Python on this machine that holds a Keras or a backend."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.show import show, style

DESCRIPTION = """Lists every Python on this machine that holds a Keras or a backend, with versions:
the answer to 'pip installed it, and python does not see it'. Nothing is started."""


def parser() -> Parser:
    """The options of `envs`."""
    project = Option("--project", "FOLDER", "look for environments in this folder")
    return words.parser("envs", "[options]", DESCRIPTION, [("Where", (project,))])


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """List them; always 0."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    check_writable(options.output)

    from keras_doctor import api

    found = api.envs(folder=options.project)

    def text() -> str:
        from keras_doctor.report.environments import render_envs

        return render_envs(found, **style(options))

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.envs(found)

    show(options, text=text, json=json)
    return 0
