"""`keras-doctor run -- COMMAND`: the command as it is, and a diagnosis after it if it failed."""

from __future__ import annotations

import sys

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.program import program_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Options, Parser
    from keras_doctor.model import Examination
    from keras_doctor.relay import Relayed

NOT_FOUND, NOT_STARTED = 127, 126
"""The exit status of a shell for a command that is not there, or that cannot be run."""

DESCRIPTION = """Runs your command unchanged, and ends as it ends. Only when it fails on an import
or by a crash, the diagnosis is printed after it, on stderr."""


def parser() -> Parser:
    """The options of `run`."""
    tried = (words.backend_option(), words.no_live_option(), words.timeout_option())
    return words.parser("run", "[options] -- COMMAND ...", DESCRIPTION, [("What is tried", tried)])


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Run the command; return its exit status, or end by its signal."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    if not command:
        raise UsageError(
            "There is no command to run.", hint=f"Like this: {program_name()} run -- python x.py"
        )
    if sys.platform == "win32":
        return _on_windows(options, command)
    from keras_doctor.relay import end_like, run_relayed

    try:
        ended = run_relayed(command)
    except OSError as error:
        reason = error.strerror or str(error)
        sys.stderr.write(f"{program_name()}: {command[0]} cannot be run: {reason}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_STARTED
    if ended.code:
        _diagnose(options, command, ended)
    if ended.code < 0:
        end_like(ended.code)
    return ended.code


def _on_windows(options: Options, command: tuple[str, ...]) -> int:
    """Without a relay: the console is the child's own; the failure is taken from a re-run."""
    import subprocess

    from keras_doctor.relay import Relayed

    code = subprocess.run(command, check=False).returncode
    if code:
        _diagnose(options, command, Relayed(code=code, stderr=None))
    return code


def _diagnose(options: Options, command: tuple[str, ...], ended: Relayed) -> None:
    """Say why it failed, if it is a failure of ours to explain; never fail by ourselves."""
    from keras_doctor.wrapped import concern, examine

    whose = concern(command, ended)
    if whose is None:
        return
    try:
        from keras_doctor.cli.progress import Progress

        with Progress(enabled=not options.quiet, limit=options.timeout) as progress:
            examination = examine(
                command,
                ended,
                whose,
                wish=options.backend,
                live=not options.no_live,
                timeout=options.timeout,
                progress=progress,
            )
        if examination is not None:
            _report(options, command, ended, examination)
    except Exception as error:  # noqa: BLE001 -- the command's own end counts, not ours
        from keras_doctor.cli.errors import report_bug

        report_bug(error, verbose=options.verbose)


def _report(
    options: Options, command: tuple[str, ...], ended: Relayed, examination: Examination
) -> None:
    if options.format == "json":
        from keras_doctor.cli.output import emit
        from keras_doctor.report import json

        text = json.dumps(json.run(examination, exit_code=ended.code))
        if options.output:
            emit(text, path=options.output)
        else:
            sys.stderr.write(text)
        return
    from keras_doctor.cli.output import columns, emit, holds_unicode, wants_color
    from keras_doctor.cli.program import quote
    from keras_doctor.report.text import render_check

    text = render_check(
        examination,
        verbose=options.verbose,
        quiet=options.quiet,
        program=program_name(),
        again=f"{program_name()} run -- {quote(command)}",
        width=columns(),
        color=wants_color(options.color, to_file=options.output is not None, stream=sys.stderr),
        unicode=holds_unicode(to_file=options.output is not None, stream=sys.stderr),
    )
    if options.output:
        emit(text, path=options.output, utf8=False)
    else:
        sys.stderr.write("\n" + text)
