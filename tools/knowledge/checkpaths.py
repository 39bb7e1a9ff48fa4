"""Holds the index of import paths against real imports: ``python -m tools.knowledge paths-check``.

In the interpreter that is given every module that the index has for the installed release is
imported, and a sample of the names, and of paths that it says are not there. What came out is
written down in ``path_checks.json``, and from there into the index.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from keras_doctor.knowledge.pathindex import PathIndex, path_index
from tools.knowledge.paths import CHECKS

_PROGRAM = r"""
import importlib, json, sys
rows = json.load(sys.stdin)
found = []
for path, kind in rows:
    try:
        if kind == "module":
            importlib.import_module(path)
        else:
            parent, _, name = path.rpartition(".")
            exec("from %s import %s" % (parent, name), {})
        found.append(None)
    except BaseException as error:
        found.append("%s: %s" % (type(error).__name__, error))
sys.stderr.flush()
print("\nRESULT" + json.dumps(found))
"""
_MISSING = re.compile(r"No module named '(\w+)")
_MOST_SHOWN = 12
_LIMIT_S = 900


def main(argv: Sequence[str]) -> int:
    """Check one package in one interpreter; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge paths-check")
    parser.add_argument("--python", required=True, help="an interpreter that has the package")
    parser.add_argument("--top", required=True)
    parser.add_argument("--version", required=True, help="what is installed there")
    parser.add_argument("--keras", help="the Keras 3 that is installed beside TensorFlow")
    parser.add_argument("--below", default="", help="only these modules")
    parser.add_argument("--names", type=int, default=300)
    parser.add_argument("--environment", default="", help="what is said of it, one line")
    options = parser.parse_args(argv)
    index = path_index(options.top)
    if index is None:
        sys.exit(f"there is no index of {options.top}")
    rows = questions(index, options.version, options.names, options.below)
    answers = _ask(options.python, [row[:2] for row in rows])
    result = judged(rows, answers)
    head = {"top": options.top, "version": options.version, "in": options.environment}
    write_down({**head, **result})
    for (path, kind, expected), error in zip(rows, answers, strict=True):
        if (error is None) is not expected and not needs_another(error, path):
            print(f"{path} ({kind}): {'expected' if expected else 'not expected'}, {error}")
    print(json.dumps(result))
    return 0


def questions(
    index: PathIndex, version: str, names: int, below: str = ""
) -> list[tuple[str, str, bool]]:
    """Paths to be imported, whether as a module or a name, and what the index says."""
    modules = [
        path
        for path in index.tree.modules()
        if path.startswith(below) and index.is_module(path, version)
    ]
    there, absent = set(), set()
    for module in modules:
        at = index.nearest(version)[0]
        line = index.tree.line(module)
        for mask, group in line.groups if line else ():
            for path in (f"{module}.{name}" for name in group.split()):
                if at in mask:
                    there.add(path)
                elif index.exists_in(path, version) is False:
                    absent.add(path)
    chosen = random.Random(7)  # noqa: S311 - the same sample each time
    rows = [(path, "module", True) for path in sorted(modules)]
    rows += [(path, "name", True) for path in _sample(chosen, there, names)]
    rows += [(path, "name", False) for path in _sample(chosen, absent, names)]
    gone = {p for p in index.tree.modules() if p.startswith(below)} - set(modules)
    gone = {path for path in gone if index.exists_in(path, version) is False}
    return rows + [(path, "module", False) for path in _sample(chosen, gone, names)]


def _sample(chosen: random.Random, paths: Iterable[str], count: int) -> list[str]:
    ordered = sorted(paths)
    return sorted(chosen.sample(ordered, min(count, len(ordered))))


def judged(
    rows: Sequence[tuple[str, str, bool]], answers: Sequence[str | None]
) -> dict[str, Any]:
    """How many agree, by what was asked, and which did not."""
    found: dict[str, Any] = {}
    for (path, kind, expected), error in zip(rows, answers, strict=True):
        key = f"{kind}s" if expected else f"absent {kind}s"
        cell = found.setdefault(key, {"asked": 0, "agree": 0, "not installed": 0, "other": []})
        cell["asked"] += 1
        if (error is None) is expected:
            cell["agree"] += 1
        elif needs_another(error, path):
            cell["not installed"] += 1
        else:
            cell["other"].append(f"{path}: {_first_line(error)}" if error else path)
    for cell in found.values():
        cell["other"] = cell["other"][:_MOST_SHOWN]
    return found


def needs_another(error: str | None, path: str) -> bool:
    """Whether the import failed for want of a package that is not this one."""
    match = _MISSING.search(error or "")
    return match is not None and match[1] != path.partition(".")[0]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:120]


def _ask(python: str, rows: Sequence[Sequence[str]]) -> list[str | None]:
    done = subprocess.run(
        [python, "-c", _PROGRAM],
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    text = done.stdout.rpartition("RESULT")[2]
    if not text:
        sys.exit(f"the interpreter ended with {done.returncode}: {done.stderr[-2000:]}")
    answers: list[str | None] = json.loads(text)
    return answers


def write_down(row: dict[str, Any]) -> None:
    """Put a result in the place of the one before it."""
    rows = json.loads(CHECKS.read_text(encoding="utf-8")) if CHECKS.exists() else []
    same = ("top", "version")
    rows = [old for old in rows if any(old[key] != row[key] for key in same)] + [row]
    rows.sort(key=lambda old: [old[key] for key in same])
    CHECKS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
