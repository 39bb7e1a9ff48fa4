"""`keras-doctor use BACKEND`: make a backend the selected one."""

from __future__ import annotations

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError, complain, nearest
from keras_doctor.cli.output import check_writable, emit
from keras_doctor.cli.parser import Option, Parser
from keras_doctor.cli.program import program_name, quote
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.cli.parser import Options
    from keras_doctor.fixes.use.result import How, Used

DESCRIPTION = """Makes a backend the selected one, after a look whether it works with this Keras: an
import and one training step with it. It is written into the keras.json that this Keras reads; that
file is read by all your environments, and none of them is switched without your word (--yes). Or
into something that only this one sees: --conda, --kernel; or nothing is written, and a line for
your shell is printed: eval "$(keras-doctor use jax --shell)". `keras-doctor undo` brings the old
state back."""
_SHELLS = ("bash", "zsh", "fish", "powershell", "cmd", "auto")


def parser() -> Parser:
    """The options of `use`."""
    which = (
        Option("--python", "PYTHON", "an interpreter, an environment, or a name like 3.11"),
        Option("--project", "FOLDER", "the folder that you run in"),
    )
    where = (
        Option(
            "--shell",
            "SHELL",
            "print the line for bash, zsh, fish, powershell or cmd (default: yours); change "
            "nothing",
            choices=_SHELLS,
            implied="auto",
        ),
        Option("--kernel", "NAME", "into the variables of this Jupyter kernel"),
        Option("--conda", None, "into the variables of the conda environment"),
    )
    safety = (
        Option("--dry-run", None, "show what would be written; change nothing"),
        Option("--yes", None, "switch other environments of yours too", short="-y"),
        words.no_live_option(),
        words.timeout_option(),
    )
    return words.parser(
        "use",
        "BACKEND [options] [-- COMMAND ...]",
        DESCRIPTION,
        [("Which Python", which), ("Where to", where), ("How", safety)],
        positional="BACKEND",
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Choose, report, and return 0 (done) or 1 (refused, or not in effect)."""
    options = parser().read(_joined(argv))
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    mine = words.with_command(command)
    how = _how(options)
    check_writable(options.output)
    if how.live and how.shell is None:
        from keras_doctor.cli.ending import tidy_when_terminated

        tidy_when_terminated()
    from keras_doctor import api

    with Progress(enabled=not options.quiet, limit=options.timeout) as progress:
        used = api.use(
            how,
            python=options.python,
            kernel=options.kernel,
            project=options.project,
            command=mine,
            timeout=options.timeout,
            progress=progress,
        )
    status = 0 if used.refusal is None and used.after == used.backend else 1
    if how.shell is not None and options.format != "json":
        return _print_line(used, options, status)

    def text() -> str:
        from keras_doctor.report.used import render_use

        return render_use(
            used,
            verbose=options.verbose,
            quiet=options.quiet,
            program=program_name(),
            quote=quote,
            **style(options),
        )

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.use(used, exit_code=status)

    show(options, text=text, json=json)
    return status


def _joined(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`--shell fish` is what one types; the reader of options wants `--shell=fish`."""
    found = list(argv)
    for place in reversed(range(len(found) - 1)):
        if found[place] == "--shell" and found[place + 1] in _SHELLS:
            found[place : place + 2] = [f"--shell={found[place + 1]}"]
    return tuple(found)


def _how(options: Options) -> How:
    """What the options ask for.

    Raises:
        UsageError: They contradict each other, or there is no such backend.
    """
    from keras_doctor.fixes.use.result import CONDA, CONFIG, KERNEL, SHELL, How

    if options.dry_run and options.yes:
        raise UsageError("--dry-run changes nothing, and --yes says that it may.")
    asked = {SHELL: options.shell, KERNEL: options.kernel, CONDA: options.conda}
    given = [kind for kind, value in asked.items() if value]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} are two places; choose one of them.")
    return How(
        backend=_backend(options.word),
        where=given[0] if given else CONFIG,
        shell=options.shell,
        live=not options.no_live,
        yes=options.yes,
        dry_run=options.dry_run,
    )


def _backend(word: str | None) -> str:
    from keras_doctor.knowledge.selection import backend_names, meant_by

    names = backend_names()
    if word is None:
        like = f"Like this: {program_name()} use jax. Known are {', '.join(names)}."
        raise UsageError("Name the backend that you want.", hint=like)
    if word in names:
        return word
    guess = meant_by(word) or nearest(word, names)
    hint = f"Did you mean {guess}?" if guess else f"Known are {', '.join(names)}."
    raise UsageError(f"No Keras knows a backend {word!r}.", hint=hint)


def _print_line(used: Used, options: Options, status: int) -> int:
    """The line alone on stdout, for `eval`; a refusal goes to stderr, so that nothing is run."""
    if used.refusal is not None or used.where is None:
        complain(f"{used.refusal}.")
    else:
        emit(f"{used.where.text}\n", path=options.output, utf8=False)
    return status
