"""Examines every environment of the laboratory and writes the table of results.

For each scenario: build it, run `keras-doctor check --backend <wish> -- <failing command>` with
its variables and in its folder, compare the report with its answer, remove it. The table goes to
benchmarks/results/lab.md, the whole data to lab.json. Exit status 0 even with misses: they are
what the table is for; 2 when the laboratory is not there.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from judging import Scenario, Verdict
from laboratory import (
    DEFAULT_TOOL,
    Laboratory,
    LaboratoryError,
    examine,
    is_small,
    load_scenarios,
    open_laboratory,
)
from labtable import Run, as_json, line, markdown, summary

HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    options = _parse(arguments)
    try:
        laboratory = open_laboratory(options.tool or DEFAULT_TOOL, options.timeout, options.through)
    except LaboratoryError as error:
        print(f"make lab: {error}", file=sys.stderr)
        return 2
    if options.healed and options.lab_dir:
        print("make lab: --healed changes environments; it wants fresh ones", file=sys.stderr)
        return 2
    scenarios = load_scenarios(laboratory, only=options.only, families=options.families)
    if options.fast:
        scenarios = [scenario for scenario in scenarios if is_small(scenario)]
    if not scenarios:
        print("make lab: no scenario is meant by that", file=sys.stderr)
        return 2
    verdicts: list[Verdict] = []
    run = _describe_run(options)
    for verdict in _examine_all(laboratory, scenarios, options):
        print(line(verdict), flush=True)
        verdicts.append(verdict)
        verdicts.sort(key=lambda verdict: (verdict.healed, verdict.family, verdict.id))
        # After each: a run that is stopped leaves the table of what it has examined.
        _write(options, run, verdicts)
    print(summary(verdicts))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make lab ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument(
        "--families", type=lambda text: text.split(","), default=[], metavar="NAME,..."
    )
    parser.add_argument("--fast", action="store_true", help="without TensorFlow and torch")
    parser.add_argument("--healed", action="store_true", help="once more after the repair")
    parser.add_argument(
        "--through", choices=("check", "run"), default="check", help="which command examines"
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS")
    parser.add_argument("--lab-dir", type=Path, metavar="DIR", help="built environments to use")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="build here, and leave them")
    parser.add_argument(
        "--results",
        type=Path,
        default=HERE / "results",
        metavar="DIR",
        help="where lab.md and lab.json go",
    )
    parser.add_argument(
        "--tool", type=lambda text: text.split(), metavar="COMMAND", help="another keras-doctor"
    )
    return parser.parse_args(arguments)


def _examine_all(
    laboratory: Laboratory, scenarios: Sequence[Scenario], options: argparse.Namespace
) -> Iterator[Verdict]:
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        pending = [
            pool.submit(
                examine,
                laboratory,
                scenario,
                built=options.lab_dir,
                healed=options.healed,
                keep=options.keep,
            )
            for scenario in scenarios
        ]
        try:
            for done in as_completed(pending):
                yield from done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _describe_run(options: argparse.Namespace) -> Run:
    return Run(
        tool=_output([*(options.tool or DEFAULT_TOOL), "--version"]).split(" ")[-1] or "unknown",
        commit=_commit(),
        date=time.strftime("%Y-%m-%d"),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        arguments=_arguments_shown(options),
    )


def _write(options: argparse.Namespace, run: Run, verdicts: Sequence[Verdict]) -> None:
    options.results.mkdir(parents=True, exist_ok=True)
    stem = "lab" if options.through == "check" else "lab-run"
    texts = ((f"{stem}.md", markdown(run, verdicts)), (f"{stem}.json", as_json(run, verdicts)))
    for name, text in texts:
        (options.results / name).write_text(text, encoding="utf-8")


def _arguments_shown(options: argparse.Namespace) -> str:
    """The arguments that decide what is examined; folders of this machine are not shown."""
    shown = [f"--only '{pattern}'" for pattern in options.only]
    if options.families:
        shown.append(f"--families {','.join(options.families)}")
    if options.through != "check":
        shown.append(f"--through {options.through}")
    shown += [f"--{name}" for name in ("fast", "healed") if getattr(options, name)]
    return f' ARGS="{" ".join(shown)}"' if shown else ""


def _commit() -> str:
    changed = _output(["git", "-C", str(HERE), "status", "--porcelain", "--", "../src"])
    return (_output(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]) or "?") + (
        "+" if changed else ""
    )


def _output(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
