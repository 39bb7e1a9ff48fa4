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
_PLACE = re.compile(r" \(/.*")
"""Where a module lies is no business of the index."""
_MOST_SHOWN = 12
_LIMIT_S = 900


def main(argv: Sequence[str]) -> int:
    """Check one package in one interpreter; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge paths-check")
    parser.add_argument("--python", required=True, help="an interpreter that has the package")
    parser.add_argument("--top", required=True)
    parser.add_argument("--version", required=True, help="what is installed there")
    parser.add_argument("--keras", help="ask for tensorflow.keras, which is this Keras 3")
    parser.add_argument("--names", type=int, default=300)
    parser.add_argument("--environment", default="", help="what is said of it, one line")
    options = parser.parse_args(argv)
    index = path_index(options.top)
    if index is None:
        sys.exit(f"there is no index of {options.top}")
    if options.keras:
        rows = questions_of_mount(index, options.version, options.keras, options.names)
    else:
        rows = questions(index, options.version, options.names)
    answers = _ask(options.python, [row[:2] for row in rows])
    result = judged(rows, answers)
    version = options.version + (f" with keras {options.keras}" if options.keras else "")
    head = {"top": options.top, "version": version, "in": options.environment}
    write_down({**head, **result})
    for (path, kind, expected), error in zip(rows, answers, strict=True):
        if (error is None) is not expected and not needs_another(error, path):
            print(f"{path} ({kind}): {'expected' if expected else 'not expected'}, {error}")
    print(json.dumps(result))
    return 0


Questions = list[tuple[str, str, bool]]
"""Paths to be imported, whether as a module or a name, and what the index says."""


def questions(index: PathIndex, version: str, names: int) -> Questions:
    """All modules of a release, and samples of names and of what is not there."""
    modules = [path for path in index.tree.modules() if index.is_module(path, version)]
    there, absent = set(), set()
    at = index.nearest(version)[0]
    for module in modules:
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
    gone = set(index.tree.modules()) - set(modules)
    gone = {path for path in gone if index.exists_in(path, version) is False}
    return rows + [(path, "module", False) for path in _sample(chosen, gone, names)]


def questions_of_mount(index: PathIndex, version: str, keras: str, names: int) -> Questions:
    """The same for what another package puts below this one."""
    rows: Questions = []
    for mount in index.mounts:
        other = path_index(mount.top)
        prefix = mount.path + "."
        for path, kind, expected in questions(other, keras, 1_000_000) if other else ():
            if path.startswith(prefix):
                here = mount.at + path[len(mount.path) :]
                if index.exists_in(here, version, keras) is not expected:
                    sys.exit(f"{here}: the two indices do not say the same")
                rows.append((here, kind, expected))
    chosen = random.Random(7)  # noqa: S311 - the same sample each time
    modules = [row for row in rows if row[1:] == ("module", True)]
    others = [row for row in rows if row[1:] != ("module", True)]
    return modules + sorted(chosen.sample(others, min(names, len(others))))


def _sample(chosen: random.Random, paths: Iterable[str], count: int) -> list[str]:
    ordered = sorted(paths)
    return sorted(chosen.sample(ordered, min(count, len(ordered))))


def judged(rows: Sequence[tuple[str, str, bool]], answers: Sequence[str | None]) -> dict[str, Any]:
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
    return _PLACE.sub("", text.strip().splitlines()[0])[:120]


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
