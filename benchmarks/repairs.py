"""Repairs every environment of the laboratory and writes the table of results.

For each scenario: build it, note every file of it, run `keras-doctor fix --yes --backend <wish> --
<failing command>` with its variables and in its folder, carry out the steps that the report leaves
to the user as a script would, ask the laboratory whether its goal holds, undo the repair, and
compare every file with what was noted. The table goes to benchmarks/results/repairs.md, the data
to repairs.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import stat
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

from laboratory import (
    DEFAULT_TOOL,
    Laboratory,
    LaboratoryError,
    load_scenarios,
    open_laboratory,
    remove_tree,
    run_laboratory,
    split_command,
)
from manualsteps import carry_out
from repairtable import as_json, line, markdown, summary

HERE = Path(__file__).resolve().parent
# What the goal's own run, and the journal, leave: no part of the environment.
_LEFT = ("__pycache__", ".keras-doctor", "keras-doctor")


class Row(NamedTuple):
    """What became of one scenario."""

    id: str
    family: str
    exit_code: int | None
    applied: bool
    verified: bool | None
    rung: str | None
    steps: int
    manual: tuple[str, ...]
    """Kinds of the steps that were left to the user."""
    goal: bool
    changed: int
    """Distributions that the repair changed."""
    healing: int | None
    """Distributions that the laboratory's own repair changes; None: it makes a new environment."""
    broken: int
    """Requirements that were met before and are not any more."""
    undone: bool | None
    """Whether undo gave back every file; None: there was nothing to undo."""
    seconds: float
    problem: str | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    options = _parse(arguments)
    try:
        laboratory = open_laboratory(options.tool or DEFAULT_TOOL, options.timeout)
    except LaboratoryError as error:
        print(f"make lab-fix: {error}", file=sys.stderr)
        return 2
    scenarios = load_scenarios(laboratory, only=options.only)
    rows: list[Row] = []
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        pending = [
            pool.submit(repair, laboratory, one.id, options.keep, bare=options.bare)
            for one in scenarios
        ]
        for done in as_completed(pending):
            rows.append(done.result())
            rows.sort(key=lambda row: (row.family, row.id))
            print(line(done.result()), flush=True)
            options.results.mkdir(parents=True, exist_ok=True)
            name = "repairs-bare.md" if options.bare else "repairs.md"
            text = markdown(rows, bare=options.bare)
            (options.results / name).write_text(text, encoding="utf-8")
            (options.results / "repairs.json").write_text(as_json(rows), encoding="utf-8")
    print(summary(rows))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make lab-fix ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--timeout", type=float, default=900, metavar="SECONDS")
    parser.add_argument(
        "--bare", action="store_true", help="without the failing command after the dashes"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="build here, and leave them")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    parser.add_argument(
        "--tool", type=lambda text: text.split(), metavar="COMMAND", help="another keras-doctor"
    )
    return parser.parse_args(arguments)


def repair(laboratory: Laboratory, name: str, keep: Path | None, *, bare: bool = False) -> Row:
    """Builds one scenario, repairs it, and takes the repair back."""
    scenario = tomllib.loads(
        (laboratory.folder / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
    )
    parent = keep or Path(tempfile.mkdtemp(prefix="keras-doctor-repair-"))
    directory = parent / name
    try:
        status, text = run_laboratory(laboratory, ["build", name, str(directory)])
        if status:
            return _failed(scenario, f"build: {text[-300:]}")
        return _repaired(laboratory, scenario, directory, bare=bare)
    finally:
        if keep is None:
            remove_tree(parent)


def _repaired(
    laboratory: Laboratory, scenario: dict[str, Any], directory: Path, *, bare: bool
) -> Row:
    before = dict(_tree(directory))
    argv = ["fix", "--yes", "--format", "json", "--backend", scenario["wish"]]
    if "fails" in scenario and not bare:
        argv += ["--", *split_command(scenario["fails"]["command"])]
    start = time.monotonic()
    status, text = _tool(laboratory, scenario["id"], directory, argv)
    seconds = time.monotonic() - start
    try:
        report = json.loads(text[text.index("{\n") :])
    except ValueError:
        return _failed(scenario, f"exit status {status}: {text[-400:]}")
    if report["errors"]:
        return _failed(scenario, report["errors"][0]["message"][-300:])
    problem = carry_out(report["manual"], directory)
    status_of_goal, said = run_laboratory(laboratory, ["goal", scenario["id"], str(directory)])
    undone = None
    if report["journal"]:
        code, words = _tool(laboratory, scenario["id"], directory, ["undo", report["journal"]])
        undone = code == 0 and _same(before, directory, report)
        problem = problem or (None if undone else f"undo: {words[-200:]}")
    rehearsal = report["rehearsal"] or {}
    if status_of_goal:
        problem = _last(report.get("refusal") or rehearsal.get("failure") or problem or said)
    return Row(
        id=scenario["id"],
        family=scenario["family"],
        exit_code=report["exit_code"],
        applied=bool(report["applied"]),
        verified=report["verified"],
        rung=rehearsal.get("rung"),
        steps=len(report["plan"]),
        manual=tuple(step["kind"] for step in report["manual"]),
        goal=status_of_goal == 0,
        changed=len(rehearsal.get("distributions") or ()),
        healing=_healing(scenario),
        broken=len(rehearsal.get("newly_broken") or ()),
        undone=undone,
        seconds=round(seconds, 1),
        problem=problem,
    )


def _tool(
    laboratory: Laboratory, name: str, directory: Path, argv: Sequence[str]
) -> tuple[int, str]:
    return run_laboratory(laboratory, ["run", name, str(directory), "--", *laboratory.tool, *argv])


def _last(text: str) -> str:
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())[-300:]


def _healing(scenario: dict[str, Any]) -> int | None:
    """How many distributions the laboratory's own repair installs or removes."""
    steps = scenario.get("heal", [])
    if any(step["op"] == "venv" for step in steps):
        return None
    names = {
        package.partition("==")[0].lower().replace("_", "-")
        for step in steps
        if step["op"] in ("install", "uninstall")
        for package in step["packages"]
    }
    return len(names)


def _tree(directory: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Every file, link and folder of the environment and of HOME: kind, mode, time, content."""
    for top in ("env", "home"):
        for folder, folders, files in os.walk(directory / top):
            folders[:] = [name for name in folders if name not in _LEFT]
            for name in (*folders, *files):
                path = Path(folder, name)
                info = path.lstat()
                shown = str(path.relative_to(directory))
                if stat.S_ISLNK(info.st_mode):
                    yield shown, ("link", os.readlink(path))
                elif stat.S_ISDIR(info.st_mode):
                    yield shown, ("folder", stat.S_IMODE(info.st_mode))
                else:
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                    mode = stat.S_IMODE(info.st_mode)
                    yield shown, ("file", mode, info.st_mtime_ns, digest)


def _same(before: dict[str, Any], directory: Path, report: dict[str, Any]) -> bool:
    """Whether everything is as it was; what Keras itself wrote during the goal's run aside."""
    after = dict(_tree(directory))
    by_hand = {step.get("path") for step in report["manual"]}
    differing = {
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path) and str(directory / path) not in by_hand
    }
    new = {path for path in differing if path not in before and path.startswith("home/")}
    return not differing - new


def _failed(scenario: dict[str, Any], problem: str) -> Row:
    return Row(
        id=scenario["id"],
        family=scenario["family"],
        exit_code=None,
        applied=False,
        verified=None,
        rung=None,
        steps=0,
        manual=(),
        goal=False,
        changed=0,
        healing=None,
        broken=0,
        undone=None,
        seconds=0.0,
        problem=problem,
    )


if __name__ == "__main__":
    sys.exit(main())
