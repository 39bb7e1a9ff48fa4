"""`keras-doctor fix`: make `import keras` work, as a transaction."""

from __future__ import annotations

import sys

from keras_doctor.cli import options as words
from keras_doctor.cli.asking import ask, can_ask
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Options, Parser
from keras_doctor.cli.program import program_name, quote
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model.plan import Consent, Repair

DESCRIPTION = """Makes `import keras` work. A plan is made, tried in a copy that nobody else sees
(the import, the backend, one training step), shown, and applied when you say yes; then it is
verified, and taken back if it does not work. `keras-doctor undo` brings the old state back at any
time. Packages are downloaded as your pip or uv would. A command of yours after two dashes
(keras-doctor fix -- python train.py) must work too: it is run once as it is, and in the copy
when all else passes there."""


def parser() -> Parser:
    """The options of `fix`."""
    plan = (
        words.backend_option(),
        Option("--dry-run", None, "plan, rehearse and show; change nothing"),
        Option("--yes", None, "apply what is safe without asking", short="-y"),
        Option("--move", "FILE", "yes, this file of mine may get another name", many=True),
        Option(
            "--prefer",
            "WAY",
            "switch-backend, change-versions or new-env, where there is a choice",
            choices=("switch-backend", "change-versions", "new-env"),
        ),
        Option("--keep", "SPEC", "a distribution that must stay, like numpy==1.26.4", many=True),
        Option("--constraint", "FILE", "a constraints file to obey", many=True),
        words.timeout_option(),
    )
    return words.parser(
        "fix",
        "[options] [-- COMMAND ...]",
        DESCRIPTION,
        [words.target_group(), ("The plan", plan)],
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Repair, report, and return 0 (it works now) or 1 (not repaired, or steps are left)."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    mine = words.with_command(command)
    if options.dry_run and options.yes:
        raise UsageError("--dry-run changes nothing, and --yes says that it may.")
    check_writable(options.output)
    from keras_doctor.cli.ending import tidy_when_terminated

    tidy_when_terminated()
    from keras_doctor import api
    from keras_doctor.fixes.search import Options as FixOptions

    with Progress(enabled=not options.quiet) as progress:
        repair = api.fix(
            python=options.python,
            kernel=options.kernel,
            project=options.project,
            command=mine,
            wish=options.backend,
            options=FixOptions(
                prefer=options.prefer,
                keep=options.keep,
                constraints=tuple(words.requirements("--constraint", options.constraint)),
            ),
            agree=lambda plan: _consent(plan, options, progress),
            timeout=options.timeout,
            progress=progress,
        )
    status = 0 if repair.verified else 1

    def text() -> str:
        from keras_doctor.report.fixed import render_fix

        return render_fix(
            repair,
            verbose=options.verbose,
            quiet=options.quiet,
            asked=options.dry_run or can_ask(options),
            program=program_name(),
            again=_again(options, mine),
            **style(options),
        )

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.fix(repair, exit_code=status)

    show(options, text=text, json=json)
    return status


def _consent(plan: Repair, options: Options, progress: Progress) -> Consent:
    """What the user says to the rehearsed plan: by options, else when asked at a terminal."""
    import os

    from keras_doctor.model.plan import Consent

    named = {os.path.abspath(path) for path in options.move}
    moves = tuple(
        step.path
        for step in plan.manual
        if step.kind == "rename-file" and step.path and step.path in named
    )
    if options.dry_run:
        return Consent(apply=False)
    if options.yes:
        return Consent(apply=True, moves=moves)
    if not can_ask(options):
        return Consent(apply=False)
    from keras_doctor.report.fixed import render_plan

    progress.pause()
    sys.stderr.write(render_plan(plan, **style(options)))
    for step in plan.manual:
        path = step.path if step.kind == "rename-file" else None
        if path and path not in moves and ask(f"Give {path} the name {step.to}?"):
            moves += (path,)
    if not plan.steps and not moves:
        return Consent(apply=False)
    return Consent(apply=ask("Apply this plan?"), moves=moves)


def _again(options: Options, command: tuple[str, ...]) -> str:
    """The command line that applies the plan."""
    argv = ["fix"]
    for option in ("python", "kernel", "project", "backend", "prefer"):
        value = getattr(options, option)
        if value is not None:
            argv += [f"--{option}", value]
    for option in ("keep", "constraint", "move"):
        for value in getattr(options, option):
            argv += [f"--{option}", value]
    argv.append("--yes")
    if command:
        argv += ["--", *command]
    return f"{program_name()} {quote(tuple(argv))}"
