"""`keras-doctor snapshot`: every fact about an environment, written down for somebody else."""

from __future__ import annotations

import os
import sys

from keras_doctor.cli import options as words
from keras_doctor.cli.errors import UsageError
from keras_doctor.cli.output import check_writable, emit, is_terminal
from keras_doctor.cli.parser import Option, Options, Parser
from keras_doctor.cli.program import program_name, quote
from keras_doctor.cli.progress import Progress
from keras_doctor.cli.show import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Snapshot

DESCRIPTION = """Writes down every fact about an environment as JSON, without importing a package
there, so that `check --snapshot FILE` can examine it on another machine. Home folders, user and
host names, and credentials are masked."""


def parser() -> Parser:
    """The options of `snapshot`."""
    where = (
        Option("--ssh", "HOST", "on another machine; --python names the Python there"),
        Option("--docker", "NAME", "in a running container; --python likewise"),
        Option("--print-collector", None, "print the program that collects, to run it by hand"),
    )
    what = (
        words.backend_option(),
        Option("--no-mask", None, "keep names and paths as they are"),
    )
    groups = [words.target_group(), ("Elsewhere", where), ("What is written", what)]
    return words.parser("snapshot", "[options] [-- COMMAND ...]", DESCRIPTION, groups)


def run(name: str, argv: tuple[str, ...], command: tuple[str, ...] | None) -> int:
    """Collect and write; always 0."""
    options = parser().read(argv)
    if options.help:
        from keras_doctor.cli.help import print_help

        return print_help(name)
    mine = words.with_command(command)
    _refuse_contradictions(options, mine)
    check_writable(options.output)
    if options.print_collector:
        from keras_doctor.collect.remote import collector_source
        from keras_doctor.collect.wanted import request_for

        emit(collector_source(request_for()), path=options.output)
        return 0
    with Progress(enabled=not options.quiet) as progress:
        progress("Reading the environment")
        facts = _collect(options, mine)
    if not options.no_mask:
        facts = _masked(options, facts)

    def text() -> str:
        from keras_doctor.collect.load import dumps_snapshot

        return dumps_snapshot(facts) + "\n"

    def json() -> dict[str, object]:
        from keras_doctor.report import json

        return json.snapshot(facts)

    show(options, text=text, json=json)
    _tell(options)
    return 0


def _collect(options: Options, command: tuple[str, ...]) -> Snapshot:
    if options.ssh or options.docker:
        from keras_doctor.collect.remote import collect_remote, docker_prefix, ssh_prefix
        from keras_doctor.collect.wanted import request_for

        prefix = ssh_prefix(options.ssh) if options.ssh else docker_prefix(options.docker)
        return collect_remote(
            prefix,
            request_for(),
            python=options.python or "python3",
            quote=bool(options.ssh),
        )
    from keras_doctor import api

    return api.take_snapshot(
        python=options.python,
        kernel=options.kernel,
        project=options.project,
        command=command,
        wish=options.backend,
    )


def _masked(options: Options, facts: Snapshot) -> Snapshot:
    """The facts without the names that this side knows of."""
    from keras_doctor.collect.masking import mask

    users = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")]
    hosts = [os.environ.get("HOSTNAME", ""), os.environ.get("COMPUTERNAME", "")]
    if hasattr(os, "uname"):
        hosts.append(os.uname().nodename)
    if options.ssh:
        user, _, host = options.ssh.rpartition("@")
        users.append(user)
        hosts.append(host)
    names = [host.partition(".")[0] for host in hosts]
    return mask(facts, users=filter(None, users), hosts=filter(None, [*hosts, *names]))


def _refuse_contradictions(options: Options, command: tuple[str, ...]) -> None:
    away = [f"--{name}" for name in ("ssh", "docker") if getattr(options, name)]
    if options.print_collector:
        away.append("--print-collector")
    if len(away) > 1:
        raise UsageError(f"{away[0]} and {away[1]} contradict each other.")
    if not away:
        return
    for name in ("kernel", "project", "backend"):
        if getattr(options, name):
            raise UsageError(f"{away[0]} does not go with --{name}: that is of this machine.")
    if command:
        raise UsageError(f"{away[0]} does not go with a command: it is of this machine.")


def _tell(options: Options) -> None:
    """What to do with the file, for a person who watches."""
    if options.quiet or options.output is None or not is_terminal(sys.stderr):
        return
    line = f"{program_name()} check --snapshot {quote((options.output,))}"
    masked = "Names and paths are as they are." if options.no_mask else "Personal names are masked."
    sys.stderr.write(f"Written. {masked} Examine it anywhere: {line}\n")
