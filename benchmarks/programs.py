"""From the imports of published programs to environments: do the import statements really run?

KERAS_DOCTOR_CASES is a folder with `gists-dev.jsonl`: for each program its import statements (the
programs themselves are not there, and nothing of them is run). A file of these statements is given
to `keras-doctor create --for FILE --dry-run --format json`, offline; the set that it names is
installed as it is, and each statement is run there. Two rules, on the programs that parse as
Python 3: strict, every import of a third-party module runs; lenient, none ends in an ImportError.
What is nobody's known package (a module of the program's own) is left out in both. The table goes
to benchmarks/results/programs.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
_SECONDS = 900
CREATE = (sys.executable, "-m", "keras_doctor", "create")
INSTALL = ("pip", "install", "-q", "--no-deps", "--index-strategy", "unsafe-best-match")
# Runs statements one by one; the outcome of each as a line.
RUNNER = """\
import json, sys
for line in sys.stdin.read().split("\\n"):
    if not line.strip():
        continue
    try:
        exec(line, {"__name__": "__main__"})
        outcome = "ran"
    except ImportError as error:
        outcome = "ImportError: %s" % error
    except BaseException as error:
        outcome = "%s: %s" % (type(error).__name__, error)
    sys.__stdout__.write("\\n@@" + json.dumps([line, outcome[:300]]) + "\\n")
    sys.__stdout__.flush()
"""


class Row(NamedTuple):
    """One program."""

    id: str
    syntax: str
    kind: str
    """What it uses: ``keras``, ``theano``, ``tensorflow``."""
    python: str
    packages: tuple[str, ...]
    unknown: tuple[str, ...]
    failures: tuple[str, ...]
    """Statements of third-party modules that did not run, with what they raised."""
    import_errors: tuple[str, ...]
    """Statements, of the standard library too, that ended in an ImportError."""
    seconds: float
    problem: str | None

    @property
    def strict(self) -> bool:
        """Whether every import of a third-party module ran."""
        return self.problem is None and not self.failures

    @property
    def lenient(self) -> bool:
        """Whether none ended in an ImportError."""
        return self.problem is None and not self.import_errors


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="make programs ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--dry", action="store_true", help="name the sets, install nothing")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    options = parser.parse_args(arguments)
    cases = os.environ.get("KERAS_DOCTOR_CASES")
    if not cases:
        print("make programs: KERAS_DOCTOR_CASES names no folder", file=sys.stderr)
        return 2
    lines = (Path(cases) / "gists-dev.jsonl").read_text(encoding="utf-8").splitlines()
    programs = [json.loads(line) for line in lines]
    programs = [p for p in programs if not options.only or p["gist"][:6] in options.only]
    with ThreadPoolExecutor(options.jobs) as pool:
        rows = []
        for row in pool.map(lambda one: judge(one, dry=options.dry), programs):
            print(_line(row), flush=True)
            rows.append(row)
    text = table(rows, programs)
    print(text[: text.index("| program")])
    if not options.dry and not options.only:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / "programs.md").write_text(text, encoding="utf-8")
    return 0


def statements_of(program: dict[str, Any]) -> list[str]:
    """The import statements of a program."""
    return [
        f"import {each['module']}"
        if each["kind"] == "import"
        else f"from {each['module']} import {', '.join(each['names'])}"
        for each in program["imports"]
    ]


def judge(program: dict[str, Any], *, dry: bool = False) -> Row:
    """Names the set for one program, installs it, and runs its import statements there."""
    statements = statements_of(program)
    tops = set(program["third_party"])
    kind = next((k for k in ("keras", "theano") if k in tops), "tensorflow")
    with tempfile.TemporaryDirectory(prefix="keras-doctor-programs-") as folder:
        file = Path(folder) / "program.py"
        text = "\n".join(statements) + "\n"
        if program["syntax"] == "py2":
            text += "print 'a program for Python 2'\n"
        file.write_text(text, encoding="utf-8")
        start = time.monotonic()
        done = subprocess.run(
            [*CREATE, "--for", str(file), "--dry-run", "--format", "json"],
            env={**os.environ, "UV_OFFLINE": "1"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        seconds = time.monotonic() - start
        report = json.loads(done.stdout) if done.stdout else {}
        blank = Row(program["gist"][:6], program["syntax"], kind, "", (), (), (), (), seconds, None)
        if done.returncode:
            errors = report.get("errors") or [{"message": done.stderr[-200:]}]
            return blank._replace(problem=errors[0]["message"])
        unknown = tuple(each["module"] for each in report["unknown"])
        row = blank._replace(
            python=report["python"], packages=tuple(report["packages"]), unknown=unknown
        )
        if dry:
            return row
        outcomes = _run(Path(folder), report, statements)
    if isinstance(outcomes, str):
        return row._replace(problem=outcomes)
    left_out = {one.partition(".")[0] for one in unknown}
    failures, errors = [], []
    for line, outcome in outcomes:
        top = line.split()[1].partition(".")[0]
        if outcome == "ran" or top in left_out:
            continue
        if top in tops:
            failures.append(f"{line}: {outcome}")
        if outcome.startswith("ImportError"):
            errors.append(f"{line}: {outcome}")
    return row._replace(failures=tuple(failures), import_errors=tuple(errors))


def _run(
    folder: Path, report: dict[str, Any], statements: Sequence[str]
) -> list[tuple[str, str]] | str:
    """Installs a set as it is named, and runs statements in it; or why that failed."""
    uv = shutil.which("uv") or "uv"
    environment = folder / "env"
    pins = folder / "pins.txt"
    pins.write_text("\n".join(report["packages"]) + "\n", encoding="utf-8")
    for argv in (
        [uv, "venv", "-q", "--no-project", "--python", report["interpreter"], str(environment)],
        [uv, *INSTALL, "--python", str(environment), "-r", str(pins)],
    ):
        made = subprocess.run(
            argv, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=folder
        )
        if made.returncode:
            return f"not installed: {made.stderr.strip()[-300:]}"
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-c", RUNNER],
        input="\n".join(statements),
        env={"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=folder,
    )
    found = [json.loads(line[2:]) for line in done.stdout.split("\n") if line.startswith("@@")]
    ran = [(line, outcome) for line, outcome in found]
    ran += [(line, f"ended with {done.returncode}") for line in list(statements)[len(ran) :]]
    return ran


def _line(row: Row) -> str:
    mark = "strict " if row.strict else "lenient" if row.lenient else "no     "
    said = row.problem or "; ".join(row.failures or row.import_errors)
    return f"{mark} {row.id} {row.syntax:4} {row.python:5} {len(row.packages):3} {said[:200]}"


def published(program: dict[str, Any]) -> dict[str, tuple[bool, bool]]:
    """Of each published tool: strict and lenient, as its outcomes are read."""
    found = {}
    for name, outcome in program["outcomes"].items():
        strict = outcome.get("result") == "OtherPass"
        passed = outcome.get("passed")
        lenient = bool(outcome.get("runs_passed")) if passed is None else bool(passed)
        found[name] = (strict, lenient)
    return found


def table(rows: Iterable[Row], programs: Sequence[dict[str, Any]]) -> str:
    """The figures, those of the published tools, and a line for each program."""
    rows = list(rows)
    both = [row for row in rows if row.syntax != "py2"]
    own = [row for row in both if row.kind in ("keras", "theano")]
    text = "# From published programs' imports to environments\n\n"
    text += (
        f"`make programs`, {len(both)} programs that parse as Python 3: strict (every import of a "
        f"third-party module runs) {_share(sum(r.strict for r in both), len(both))}, lenient (no "
        f"ImportError) {_share(sum(r.lenient for r in both), len(both))}; with Keras or Theano "
        f"strict {_share(sum(r.strict for r in own), len(own))}. The set is named offline in "
        f"{statistics.median(r.seconds for r in rows):.2f} s (at most "
        f"{max(r.seconds for r in rows):.2f}).\n\n"
        "Published tools on the same programs, by their published outcomes:\n\n"
        "| tool | strict | lenient |\n| --- | --- | --- |\n"
    )
    third = [p for p in programs if p["syntax"] != "py2"]
    for name in sorted({name for p in third for name in p["outcomes"]}):
        found = [published(p)[name] for p in third if name in p["outcomes"]]
        text += (
            f"| {name} | {sum(s for s, _ in found)} | {sum(lenient for _, lenient in found)} |\n"
        )
    text += "\n| program | Python | packages | strict | lenient | what did not run |\n"
    text += "| --- | --- | --- | --- | --- | --- |\n"
    for row in rows:
        said = (row.problem or "; ".join(row.failures or row.import_errors)).replace("|", "/")
        marks = ("yes" if row.strict else "no", "yes" if row.lenient else "no")
        said = " ".join(said.split())[:160]
        text += f"| {row.id} | {row.python or row.syntax} | {len(row.packages)} | {marks[0]} | "
        text += f"{marks[1]} | {said} |\n"
    return text


def _share(count: int, of: int) -> str:
    return f"{count} of {of} ({100 * count / of:.0f} %)" if of else "0 of 0"


if __name__ == "__main__":
    sys.exit(main())
