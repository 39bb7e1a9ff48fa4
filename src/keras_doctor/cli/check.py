"""`keras-doctor check`: why `import keras` fails, or that it works."""

from __future__ import annotations

import sys

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError, complain
from keras_doctor.cli.output import check_writable
from keras_doctor.cli.parser import Option, Options, Parser
from keras_doctor.cli.program import program_name, quote
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show, style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Snapshot

DESCRIPTION = """Says why `import keras` fails in the Python that you use, with the evidence and
what mends it, or that it works. Nothing in the environment is changed; --verify remembers in your
cache folder what it has read, and nothing else is written anywhere. A command of yours after
two dashes (keras-doctor check -- python train.py) is examined instead, and run once."""


def parser() -> Parser:
    """The options of `check`."""
    tried = (
        words.backend_option(),
        words.no_live_option(),
        Option(
            "--thorough",
            None,
            "with --no-live: also look into the files, and at rarely loaded ones",
        ),
        Option(
            "--verify",
            "SCOPE",
            "compare every file on the way of the import with its SHA-256; =all: every "
            "installed file",
            choices=("way", "all"),
            implied="way",
        ),
        Option("--train", None, "also do one real training step"),
        Option("--prove", None, "mend the causes in a copy (it may download) to prove them"),
        words.timeout_option(),
        Option("--snapshot", "FILE", "examine what `snapshot` wrote; - is standard input"),
        Option("--exit-zero", None, "exit 0 even with causes found"),
    )
    return words.parser(
        "check",
        "[options] [-- COMMAND ...]",
        DESCRIPTION,
        [words.target_group(), ("What is tried", tried)],
    )


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Examine, report, and return 0 (no cause) or 1 (causes found)."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    mine = words.with_command(command)
    _refuse_contradictions(options, mine)
    check_writable(options.output)

    if not (options.no_live or options.snapshot):
        from keras_doctor.cli.ending import tidy_when_terminated

        tidy_when_terminated()

    from keras_doctor import api

    snapshot = load(options.snapshot) if options.snapshot else None
    with Progress(enabled=not options.quiet, limit=options.timeout) as progress:
        examination, considered = api.check(
            python=options.python,
            kernel=options.kernel,
            project=options.project,
            command=mine,
            wish=options.backend,
            live=not (options.no_live or snapshot is not None),
            thorough=options.thorough,
            verify=options.verify or "no",
            train=options.train,
            timeout=options.timeout,
            snapshot=snapshot,
            progress=progress,
            share=progress.share,
        )
        unproven = None
        if options.prove:
            examination, unproven = api.prove(
                examination,
                python=options.python,
                kernel=options.kernel,
                project=options.project,
                command=mine,
                timeout=options.timeout,
                progress=progress,
            )
    if unproven:
        complain(unproven)
    found = bool(examination.diagnosis.causes)
    status = 1 if found and not options.exit_zero else 0

    def text() -> str:
        from keras_doctor.report.text import render_check

        return render_check(
            examination,
            verbose=options.verbose,
            quiet=options.quiet,
            program=program_name(),
            again=again(options, mine),
            take_along=take_along(options, mine),
            considered=considered,
            from_file=snapshot is not None,
            **style(options),
        )

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.check(examination, exit_code=status)

    show(options, text=text, json=json)
    return status


def again(options: Options, command: tuple[str, ...]) -> str:
    """The command line that shows whether a repair has worked.

    The same target and wish, but with the import tried, and as text. After a snapshot, which
    stays as it is, it is to be typed where the snapshot came from.
    """
    argv = ["check", *_same_target(options)]
    if options.verify:
        argv.append("--verify" if options.verify == "way" else f"--verify={options.verify}")
    if options.train:
        argv.append("--train")
    if options.timeout != words.TIMEOUT:
        argv += ["--timeout", f"{options.timeout:g}"]
    if command:
        argv += ["--", *command]
    return f"{program_name()} {quote(tuple(argv))}"


def take_along(options: Options, command: tuple[str, ...]) -> str:
    """The command line that writes the facts of the same target down."""
    argv = ["snapshot", *_same_target(options), "--output", "snapshot.json"]
    if command:
        argv += ["--", *command]
    return f"{program_name()} {quote(tuple(argv))}"


def _same_target(options: Options) -> list[str]:
    argv: list[str] = []
    for option in ("python", "kernel", "project", "backend"):
        value = getattr(options, option)
        if value is not None:
            argv += [f"--{option}", value]
    return argv


def load(path: str) -> Snapshot:
    """The snapshot in a file, bare or inside the envelope of `snapshot --format json`.

    Raises:
        UsageError: The file cannot be read.
        keras_doctor.collect.load.SnapshotError: It holds no snapshot.
    """
    from keras_doctor.collect.load import MAX_BYTES, SnapshotError, loads_snapshot

    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"The snapshot {path} cannot be read: {reason}.", code="snapshot"
        ) from None
    try:
        return loads_snapshot(data)
    except SnapshotError:
        inner = _unwrap(data)
        if inner is None:
            raise
        return loads_snapshot(inner)


def _unwrap(data: bytes) -> str | None:
    """The text of the snapshot inside an envelope, or None if this is none."""
    import json

    try:
        report = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict) or not isinstance(report.get("snapshot"), dict):
        return None
    return json.dumps(report["snapshot"])


def _refuse_contradictions(options: Options, command: tuple[str, ...]) -> None:
    if options.no_live and options.train:
        raise UsageError("--train runs a training step, and --no-live forbids to run anything.")
    if options.no_live and options.prove:
        raise UsageError("--prove runs what it rehearses, and --no-live forbids to run anything.")
    if options.snapshot is None:
        return
    if options.verify:
        raise UsageError(
            "--snapshot examines what was written down elsewhere; --verify would have to read the "
            "files, and they are there."
        )
    for option in ("python", "kernel", "project", "train", "prove"):
        if getattr(options, option):
            raise UsageError(
                f"--snapshot examines what was written down elsewhere; it does not go with "
                f"--{option}."
            )
    if command:
        raise UsageError("--snapshot does not go with a command: nothing is run for a snapshot.")
