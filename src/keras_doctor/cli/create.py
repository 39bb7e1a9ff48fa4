"""`keras-doctor create`: a new environment in which Keras has really trained."""

from __future__ import annotations

import os

from keras_doctor.cli import options as words
from keras_doctor.cli.asking import ask, can_ask
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Options, Parser
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.create.order import Order
    from keras_doctor.create.wanted import Wanted
    from keras_doctor.model.creation import Creation

DESCRIPTION = """Makes a new environment in which the wished Keras, on the wished backend, has
really trained: the newest set that is known to work on a Python of this machine. Before the
command returns, Keras was imported there, trained one step, and saved and loaded a model. The
backend is set for this environment alone; your keras.json is not touched. When anything fails,
nothing is left."""
ALL = "all"
MANAGERS = ("uv", "venv", "virtualenv", "conda")


def parser() -> Parser:
    """The options of `create`."""
    what = (
        Option(
            "--backend",
            "NAME",
            "the backend that you want; all: one environment for each, in DIR/NAME",
            convert=_backend,
        ),
        Option("--keras", "SPEC", "releases of Keras, like 2.3.1 or '<3' (default: the newest)"),
        Option("--python", "SPEC", "a Python, like 3.8 or '<3.12' (default: the newest that fits)"),
        Option("--for", "PATH", "a script, a notebook or a folder: what it imports decides"),
        Option("--with", "SPEC", "a further package, like 'pandas<2'", many=True),
        Option("--requirements", "FILE", "further packages", many=True),
        Option("--exclude-newer", "DATE", "take nothing that was uploaded later, like 2019-06-30"),
    )
    instead = (
        Option("--from-lock", "FILE", "make again what a pylock.toml says"),
        Option("--like", "DIR", "the packages of an environment, or of a snapshot of one"),
    )
    how = (
        Option(
            "--gpu",
            "WHAT",
            "cpu (default), cuda12, cuda13, or auto: what the driver here goes with",
            choices=("cpu", "cuda12", "cuda13", "auto"),
            default="cpu",
        ),
        Option("--kernel", "NAME", "make it a Jupyter kernel of yours"),
        Option("--manager", "NAME", "uv, venv, virtualenv or conda", choices=MANAGERS),
        Option("--yes", None, "take a CUDA build of torch where no small one is here", short="-y"),
        Option("--dry-run", None, "say what would be made; fetch and make nothing"),
        words.timeout_option(),
    )
    return words.parser(
        "create",
        "DIR [options]",
        DESCRIPTION,
        [("What", what), ("Instead of that", instead), ("How", how)],
        positional="DIR",
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Make it, report, and return 0 (of all backends, 1: none could be made).

    Raises:
        UsageError: There is no folder, or an option cannot be read.
    """
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    if command is not None:
        raise UsageError("create runs no command of yours.", hint="Leave the -- out.")
    if not options.word and not options.dry_run:
        raise UsageError("Where?", hint="keras-doctor create DIR --backend jax")
    check_writable(options.output)
    from keras_doctor.cli.ending import tidy_when_terminated

    tidy_when_terminated()
    from keras_doctor import api
    from keras_doctor.create.order import Order

    order = Order(
        folder=os.path.abspath(options.word or ".venv"),
        wanted=_wanted(options),
        program=getattr(options, "for"),
        lock=options.from_lock,
        like=options.like,
        accelerator=options.gpu,
        kernel=options.kernel,
        manager=options.manager,
        dry_run=options.dry_run,
        timeout=options.timeout,
    )
    with Progress(enabled=not options.quiet) as progress:
        if options.backend == ALL:
            made, refused = api.create_all(order, progress=progress)
        else:
            made, refused = (_created(order, options, progress),), ()
    status = 0 if made else 1

    def text() -> str:
        from keras_doctor.report.created import render_all, render_create

        if options.backend == ALL:
            return render_all(made, refused, **style(options))
        return render_create(
            made[0], verbose=options.verbose, quiet=options.quiet, **style(options)
        )

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        if options.backend == ALL:
            return json.create_all(made, refused, exit_code=status)
        return json.create(made[0], exit_code=status)

    show(options, text=text, json=json)
    return status


def _created(order: Order, options: Options, progress: Progress) -> Creation:
    """Make it; at a terminal it is asked whether a build of several gigabytes may be taken."""
    from keras_doctor import api
    from keras_doctor.create.torchbuild import LargeBuildError

    try:
        return api.create(order, progress=progress)
    except LargeBuildError as error:
        if not can_ask(options):
            raise
        progress.pause()
        if not ask(f"{error} Take it?"):
            raise
    large = order._replace(wanted=order.wanted._replace(large=True))
    return api.create(large, progress=progress)


def _backend(text: str) -> str:
    return text if text == ALL else words.backend(text)


def _is_day(text: str) -> bool:
    import datetime as dt

    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _wanted(options: Options) -> Wanted:
    """What the options ask for.

    Raises:
        UsageError: A requirement or a file cannot be read.
    """
    from keras_doctor.create.choose import as_specifier
    from keras_doctor.create.wanted import Wanted
    from keras_doctor.requirements import parse_requirement

    if options.exclude_newer is not None and not _is_day(options.exclude_newer):
        raise UsageError(f"--exclude-newer {options.exclude_newer} is no day.", hint="2019-06-30")
    others = list(getattr(options, "with"))
    for line in others:
        if parse_requirement(line) is None:
            raise UsageError(f"--with {line} is no requirement.", hint="Like --with 'pandas<2'.")
    others += words.requirements("--requirements", options.requirements, "r")
    named = words.requirements("--requirements", options.requirements)
    return Wanted(
        backend=None if options.backend == ALL else options.backend,
        keras=as_specifier(options.keras or ""),
        python=options.python,
        others=tuple(others),
        constraints=tuple(line for line in named if line not in others),
        before=options.exclude_newer,
        large=options.yes,
    )
