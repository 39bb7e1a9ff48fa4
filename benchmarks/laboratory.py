"""Builds scenarios of the laboratory, runs `keras-doctor check` inside them, repairs them.

The laboratory is a folder with `lab.py` and `scenarios/*.toml`, named by KERAS_DOCTOR_LAB. Its
environments are built with hard links into uv's cache by default: quick and small, and safe
because `lab.py` damages and repairs files through new inodes only.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from judging import Scenario, Verdict, judge, scenario_from

VARIABLE = "KERAS_DOCTOR_LAB"
# Downloads of hundreds of megabytes: not for a quick run.
HEAVY = re.compile(r"(tensorflow|tensorflow[-_]cpu|torch)==")
# A line of shell rather than one program with its arguments.
SHELL = re.compile(r"[;&|<>$`()\n]")
DEFAULT_TOOL = (sys.executable, "-I", "-m", "keras_doctor")


class LaboratoryError(Exception):
    """The laboratory, or what it needs, is not there. The message is for the user."""


class Laboratory(NamedTuple):
    """Where the laboratory is, and which tool it examines."""

    folder: Path
    tool: tuple[str, ...]
    """The command of keras-doctor, started by absolute path: the scenario has its own PATH."""
    timeout: float
    """Seconds for one build or one check."""
    through: str = "check"
    """``check``, or ``run``: the failing command under `keras-doctor run`; those that raise
    nothing are examined by `check` all the same."""


def open_laboratory(
    tool: Sequence[str] = DEFAULT_TOOL, timeout: float = 600, through: str = "check"
) -> Laboratory:
    """Finds the laboratory through its variable.

    Raises:
        LaboratoryError: The variable is not set, names no laboratory, or uv is missing.
    """
    value = os.environ.get(VARIABLE)
    if not value:
        raise LaboratoryError(f"set {VARIABLE} to the folder of the laboratory (with lab.py in it)")
    folder = Path(value).resolve()
    if not (folder / "lab.py").is_file():
        raise LaboratoryError(f"{VARIABLE}: no lab.py in {folder}")
    if not shutil.which("uv"):
        raise LaboratoryError("the laboratory builds with uv, which is not on PATH")
    return Laboratory(folder=folder, tool=tuple(tool), timeout=timeout, through=through)


def load_scenarios(
    laboratory: Laboratory, *, only: Sequence[str] = (), families: Sequence[str] = ()
) -> list[Scenario]:
    """Reads the scenarios, in the order of their ids.

    Args:
        laboratory: Where they are.
        only: Shell patterns of ids; () for all.
        families: Names of families; () for all.
    """
    found = []
    for path in sorted((laboratory.folder / "scenarios").glob("*.toml")):
        scenario = scenario_from(tomllib.loads(path.read_text(encoding="utf-8")))
        if only and not any(fnmatch.fnmatch(scenario.id, pattern) for pattern in only):
            continue
        if families and scenario.family not in families:
            continue
        found.append(scenario)
    return found


def is_small(scenario: Scenario) -> bool:
    """Says whether it builds without TensorFlow and torch: seconds instead of minutes."""
    return not any(HEAVY.match(requirement) for requirement in scenario.requirements)


def examine(
    laboratory: Laboratory,
    scenario: Scenario,
    *,
    built: Path | None = None,
    healed: bool = False,
    keep: Path | None = None,
) -> list[Verdict]:
    """Builds a scenario, examines it, and removes it.

    Args:
        laboratory: The laboratory.
        scenario: What to examine.
        built: A folder that holds the built environment under the scenario's id; it is used as
            it is and left alone.
        healed: Examine it a second time after the known-good repair (needs a fresh build).
        keep: A folder to build in and to leave it in; else a temporary one.

    Returns:
        One verdict, or two with `healed`. A failed build is a verdict with its problem.
    """
    if built is not None:
        return [run_check(laboratory, scenario, built / scenario.id)]
    parent = keep or Path(tempfile.mkdtemp(prefix="keras-doctor-lab-"))
    directory = parent / scenario.id
    try:
        problem = _lab(laboratory, "build", scenario.id, str(directory))
        if problem:
            return [_failed(scenario, f"build: {problem}", healed=False)]
        verdicts = [run_check(laboratory, scenario, directory)]
        if healed and scenario.command is not None:
            problem = _lab(laboratory, "heal", scenario.id, str(directory))
            verdicts.append(
                _failed(scenario, f"heal: {problem}", healed=True)
                if problem
                else run_check(laboratory, scenario, directory, healed=True)
            )
        return verdicts
    finally:
        if keep is None:
            remove_tree(parent)


def run_check(
    laboratory: Laboratory, scenario: Scenario, directory: Path, *, healed: bool = False
) -> Verdict:
    """Runs `check` with the variables and in the folder of a built scenario.

    Args:
        laboratory: The laboratory.
        scenario: The answer to compare with.
        directory: Where it was built.
        healed: It was repaired: only the import is examined, and nothing may be found.
    """
    command = None if healed else scenario.command
    if command and laboratory.through == "run":
        verdict = _run_command(laboratory, scenario, directory, command)
        if verdict is not None:
            return verdict
    with tempfile.TemporaryDirectory(prefix="keras-doctor-report-") as folder:
        output = Path(folder) / "report.json"
        argv = [*laboratory.tool, "check", "--format", "json", "--output", str(output)]
        if scenario.wish:
            argv += ["--backend", scenario.wish]
        if command:
            argv += ["--", *split_command(command)]
        start = time.monotonic()
        status, text = _run(
            laboratory, ["run", scenario.id, str(directory), "--", *argv], laboratory.timeout
        )
        seconds = time.monotonic() - start
        try:
            report = json.loads(_neutral(output.read_text(encoding="utf-8"), directory))
        except (OSError, ValueError):
            return _failed(scenario, f"exit status {status}: {_tail(text)}", healed=healed)
    return judge(scenario, report, exit_code=status, seconds=seconds, healed=healed)


def _run_command(
    laboratory: Laboratory, scenario: Scenario, directory: Path, command: str
) -> Verdict | None:
    """What `run` says after the failing command; None when the command does not fail."""
    with tempfile.TemporaryDirectory(prefix="keras-doctor-report-") as folder:
        output = Path(folder) / "report.json"
        argv = [*laboratory.tool, "run", "--format", "json", "--output", str(output)]
        if scenario.wish:
            argv += ["--backend", scenario.wish]
        argv += ["--", *split_command(command)]
        start = time.monotonic()
        status, text = _run(
            laboratory, ["run", scenario.id, str(directory), "--", *argv], laboratory.timeout
        )
        seconds = time.monotonic() - start
        if status == 0:
            return None
        try:
            report = json.loads(_neutral(output.read_text(encoding="utf-8"), directory))
        except (OSError, ValueError):
            return _failed(scenario, f"run said nothing: {_tail(text)}", healed=False)
    code = 1 if report["causes"] else 0  # the status is the command's own
    return judge(scenario, report, exit_code=code, seconds=seconds)


def split_command(command: str) -> list[str]:
    """Makes the argument list of a failing command, as a user would type it after `--`."""
    if SHELL.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", command)):
        return ["bash", "-c", command]
    return shlex.split(command)


def remove_tree(folder: Path) -> None:
    """Removes a folder, also where a scenario took the rights away."""
    for root, names, _ in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if not path.is_symlink():
                path.chmod(0o755)
    shutil.rmtree(folder)


def run_laboratory(laboratory: Laboratory, arguments: Sequence[str]) -> tuple[int, str]:
    """Runs a command of lab.py; its exit status, and all that it printed."""
    return _run(laboratory, arguments, laboratory.timeout)


def _failed(scenario: Scenario, problem: str, *, healed: bool) -> Verdict:
    return judge(scenario, None, exit_code=None, seconds=0, healed=healed, problem=problem)


def _lab(laboratory: Laboratory, *arguments: str) -> str | None:
    """Runs a command of lab.py; what it said when it failed."""
    status, text = _run(laboratory, arguments, laboratory.timeout)
    return _tail(text) if status else None


def _run(laboratory: Laboratory, arguments: Sequence[str], timeout: float) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, str(laboratory.folder / "lab.py"), *arguments],
        env={"LAB_LINK_MODE": "hardlink", **os.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A group of its own: at the time limit what it started goes too.
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 124, f"no end after {timeout:.0f} seconds"
    return process.returncode, (output + errors).decode("utf-8", "replace")


def _neutral(text: str, directory: Path) -> str:
    """The report without the folders of this machine, so that results can be compared."""
    for folder, name in ((directory.resolve(), "{DIR}"), (Path.home(), "~")):
        text = text.replace(json.dumps(str(folder))[1:-1], name)
    return text


def _tail(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-400:] or "no output"
