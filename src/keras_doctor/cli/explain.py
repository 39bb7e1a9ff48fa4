"""`keras-doctor explain`: what a pasted traceback, a log or a notebook's output means."""

from __future__ import annotations

import sys

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.program import program_name
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.errors.facts import Given
    from keras_doctor.model import Snapshot

MAX_FACTS = 16 * 1024 * 1024

DESCRIPTION = """Says what a failure means that happened elsewhere: a pasted traceback, a log, the
output of pip or conda, a notebook (.ipynb). Whole or a fragment; FILE, or - for standard input.
What the text gives away of its environment counts, and so does what you state with --facts."""


def parser() -> Parser:
    """The options of `explain`."""
    facts = (
        Option(
            "--facts",
            "FILE",
            "what is known of the environment: the output of pip list, pip freeze, pip inspect or "
            "conda list, an environment.yml, what `keras-doctor snapshot` wrote, some sentences, "
            "or JSON with packages, python, os, manager, env, command",
        ),
        words.backend_option(),
        Option("--exit-zero", None, "exit 0 even with causes found"),
    )
    which = (
        Option(
            "--python",
            "PYTHON",
            "the failure comes from this interpreter or environment: read its facts too",
        ),
    )
    return words.parser(
        "explain",
        "[options] [FILE]",
        DESCRIPTION,
        [("What is known", facts), ("Which Python", which)],
        positional="FILE",
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Read, explain, and return 0 (no cause) or 1 (causes found)."""
    words.no_command(name, command)
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    check_writable(options.output)
    facts, snapshot = _facts(options.facts)
    if snapshot is not None and options.python:
        raise UsageError("--facts names a snapshot, and --python another environment.")
    text = _text(options.words[0] if options.words else None)
    if not text.strip():
        raise UsageError(
            "There is no text to explain.",
            hint=f"Like this: {program_name()} explain log.txt, or paste it into "
            f"`{program_name()} explain -` and end with Ctrl-D.",
        )
    from keras_doctor import api

    examination = api.explain(
        text,
        facts=facts,
        wish=options.backend,
        python=options.python,
        here=True,
        snapshot=snapshot,
    )
    status = 1 if examination.diagnosis.causes and not options.exit_zero else 0

    def as_text() -> str:
        from keras_doctor.report.explained import render_explained

        return render_explained(
            examination,
            verbose=options.verbose,
            quiet=options.quiet,
            program=program_name(),
            **style(options),
        )

    def as_json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.explain(examination, exit_code=status)

    show(options, text=as_text, json=as_json)
    return status


def _text(path: str | None) -> str:
    from keras_doctor.errors.reading import read_text

    if path is None or path == "-":
        if sys.stdin.isatty():
            sys.stderr.write("Paste the failure, then press Ctrl-D on a line of its own.\n")
        return read_text(sys.stdin.buffer)
    try:
        with open(path, "rb") as file:
            return read_text(file)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{path} cannot be read: {reason}.", code="text") from None


def _facts(path: str | None) -> tuple[Given | None, Snapshot | None]:
    """What the file states: facts, or a whole snapshot."""
    if path is None:
        return None, None
    from keras_doctor.errors.facts import facts_of_file
    from keras_doctor.errors.reading import decode
    from keras_doctor.knowledge.releases import known_packages

    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_FACTS)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_FACTS)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"The facts {path} cannot be read: {reason}.", code="facts") from None
    if b'"schema_version"' in data[:2000] and path != "-":
        from keras_doctor.cli.check import load

        return None, load(path)
    facts = facts_of_file(decode(data), known_packages())
    if facts == type(facts)():
        # Whoever has nothing to state states nothing: the text is judged all the same.
        sys.stderr.write(f"No facts were found in {path}; the text alone is judged.\n")
    return facts, None
