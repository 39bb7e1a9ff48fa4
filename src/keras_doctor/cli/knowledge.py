"""`keras-doctor knowledge` and `keras-doctor knowledge update`: what is known offline."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError, complain
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Options, Parser
    from keras_doctor.refresh.update import Updated

DESCRIPTION = """Shows what keras-doctor knows without asking anybody: the releases of Keras, its
backends and what they need, how old this knowledge is, and where it lies. `knowledge update`
refreshes a copy of your own from the index that your pip is configured with; no other command
reaches the network."""


def parser() -> Parser:
    """The options of `knowledge`."""
    return words.parser("knowledge", "[update] [options]", DESCRIPTION, positional="update")


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Show what is known, or refresh it; 1 when that came to nothing."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    words.no_command(name, command)
    if options.word not in (None, "update"):
        hint = f"Did you mean `{name} update`?"
        raise UsageError(f"{options.word!r} is nothing that {name} does.", hint=hint)
    check_writable(options.output)
    if options.word is None:
        _show(options)
        return 0
    return _update(options)


def _show(options: Options) -> None:
    from keras_doctor.knowledge.contents import contents

    known = contents()

    def text() -> str:
        from keras_doctor.report.knowledge import render_knowledge

        return render_knowledge(known, verbose=options.verbose, **style(options))

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.knowledge(known)

    show(options, text=text, json=json)


def _update(options: Options) -> int:
    from keras_doctor import api
    from keras_doctor.cli.progress import Progress
    from keras_doctor.refresh.update import UpdateError

    done: Updated | None = None
    problem: str | None = None
    try:
        with Progress(enabled=not options.quiet) as progress:
            done = api.update_knowledge(progress=progress)
    except UpdateError as error:
        problem = str(error)
        complain(problem)
    status = 0 if done else 1

    def text() -> str:
        from keras_doctor.report.knowledge import render_updated

        return render_updated(done, **style(options)) if done else ""

    def json() -> dict[str, object]:
        from keras_doctor.knowledge.contents import contents
        from keras_doctor.report import json

        return json.knowledge(contents(), updated=done, problem=problem, exit_code=status)

    show(options, text=text, json=json)
    return status
