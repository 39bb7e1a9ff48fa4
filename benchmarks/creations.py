"""Creates environments for every Keras, backend and Python: each trains, or is refused with why.

The matrix is Keras releases of every age, the backends that some Keras knows, and each Python that
is installed. `keras-doctor create` runs for each; there are two good outcomes: the environment was
made and has trained (built and predicted, on a backend for inference), or it was refused before
anything was fetched, with the reason. The table goes to benchmarks/results/creations.md.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
KERAS = ("2.2.5", "2.3.1", "2.6.0", "2.10.0", "2.12.0", "2.15.0", "3.0.5", "3.5.0", "newest")
BACKENDS = ("tensorflow", "theano", "jax", "torch", "numpy", "openvino")
PYTHONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
SAMPLE = ("2.3.1-theano-3.8", "newest-jax-3.12", "2.3.1-theano-3.13", "2.10.0-jax-3.10")
_SECONDS = 1800


class Row(NamedTuple):
    """One combination."""

    keras: str
    backend: str
    python: str
    outcome: str
    """``trained`` | ``predicted`` | ``refused`` | ``failed``."""
    packages: str
    """Keras and the backend that were taken."""
    said: str
    seconds: float

    @property
    def id(self) -> str:
        """As options name it."""
        return f"{self.keras}-{self.backend}-{self.python}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="make matrix ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--sample", action="store_true", help="four combinations")
    parser.add_argument(
        "--resume", action="store_true", help="run again only what failed, or is new"
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    options = parser.parse_args(arguments)
    patterns = [*options.only, *(SAMPLE if options.sample else ())] or ["*"]
    wanted = [
        (keras, backend, python)
        for keras in KERAS
        for backend in BACKENDS
        for python in PYTHONS
        if any(fnmatch.fnmatch(f"{keras}-{backend}-{python}", one) for one in patterns)
    ]
    options.results.mkdir(parents=True, exist_ok=True)
    kept = options.results / "creations.jsonl"
    rows = []
    if options.resume and kept.exists():
        lines = kept.read_text(encoding="utf-8").splitlines()
        rows = [
            row for row in (Row(*json.loads(line)) for line in lines) if row.outcome != "failed"
        ]
        known = {(row.keras, row.backend, row.python) for row in rows}
        wanted = [one for one in wanted if one not in known]
    with ThreadPoolExecutor(options.jobs) as pool:
        for row in pool.map(lambda one: create(*one), wanted):
            print(f"{row.outcome:9} {row.id:28} {row.packages} {row.said[:150]}", flush=True)
            rows.append(row)
    if not options.sample:
        kept.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    if not options.sample:
        (options.results / "creations.md").write_text(table(rows), encoding="utf-8")
    bad = [row for row in rows if row.outcome == "failed"]
    print(f"{len(rows) - len(bad)} of {len(rows)} made and trained, or refused with the reason")
    return 1 if bad else 0


def create(keras: str, backend: str, python: str) -> Row:
    """One environment, removed again."""
    parent = Path(tempfile.mkdtemp(prefix="keras-doctor-matrix-"))
    argv = [sys.executable, "-m", "keras_doctor", "create", str(parent / "env"), "--quiet"]
    argv += ["--format", "json", "--backend", backend, "--python", python]
    argv += [] if keras == "newest" else ["--keras", keras]
    start = time.monotonic()
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=parent
        )
        report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        left = os.listdir(parent)
    finally:
        seconds = time.monotonic() - start
        shutil.rmtree(parent, ignore_errors=True)
    outcome, packages, said = _outcome(done.returncode, report, left, done.stderr)
    return Row(keras, backend, python, outcome, packages, said, round(seconds, 1))


def _outcome(
    status: int, report: dict[str, Any], left: list[str], stderr: str
) -> tuple[str, str, str]:
    if status == 0 and report.get("made"):
        names = ("keras", *_distributions(report["backend"]))
        pins = [p for p in report["packages"] if p.partition("==")[0] in names]
        return ("trained" if report["trained"] else "predicted"), " ".join(pins), ""
    errors = report.get("errors") or []
    said = errors[0]["message"] if errors else stderr[-300:]
    refused = bool(errors) and errors[0]["code"] == "create" and not said.startswith("No env")
    return ("refused" if refused and not left else "failed"), "", said


def _distributions(backend: str) -> tuple[str, ...]:
    return {
        "tensorflow": ("tensorflow", "tensorflow-cpu"),
        "theano": ("theano", "theano-pymc"),
    }.get(backend, (backend,))


def table(rows: Iterable[Row]) -> str:
    """The matrix: a table for each backend, Keras down, Python across."""
    found = {(row.keras, row.backend, row.python): row for row in rows}
    marks = {
        "trained": "trained",
        "predicted": "predicted",
        "refused": "-",
        "failed": "tried, taken away",
    }
    text = "# Environments for every Keras, backend and Python\n\n"
    bad = [row for row in found.values() if row.outcome == "failed"]
    counts = {name: sum(row.outcome == name for row in found.values()) for name in marks}
    text += (
        f"`make matrix`: {len(found)} combinations, {counts['trained']} made and trained, "
        f"{counts['predicted']} made, built and predicted (backends for inference), "
        f"{counts['refused']} refused with the reason before anything was fetched (-), "
        f"{counts['failed']} made, tried, and taken away again.\n"
    )
    for row in bad:
        text += f"\n{row.id}: {row.said}\n"
    for backend in BACKENDS:
        text += f"\n## {backend}\n\n| Keras | " + " | ".join(PYTHONS) + " |\n"
        text += "| --- |" + " --- |" * len(PYTHONS) + "\n"
        for keras in KERAS:
            cells = [found.get((keras, backend, python)) for python in PYTHONS]
            text += f"| {keras} | " + " | ".join(marks[c.outcome] if c else "" for c in cells)
            text += " |\n"
    return text


if __name__ == "__main__":
    sys.exit(main())
