"""One set of pins for a list of requirements, by `uv pip compile` on the real interpreter."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from keras_doctor.names import normalize
from keras_doctor.registry.address import find_index
from keras_doctor.targets.named import by_version
from tools.stacks.plan import Plan, uv_settings

LONGEST = 90
"""Seconds for one resolution; one that needs more is looking through a maze of conflicts."""
_LINE = re.compile(r"(?P<name>[\w.-]+)(?:\[[^]]*\])?==(?P<version>\S+)(?:\s+# via (?P<via>.*))?")
_NO_WHEEL = re.compile(r"Wheels are required for `([\w.-]+)`")
_REQUIRED = re.compile(r"(?:you require |Failed to build `)([\w.-]*\w)")
_STEP = re.compile(r"[Bb]ecause ((?:(?![Bb]ecause ).)*?), we can conclude")
_SEEN = re.compile(r"https?://\S+|/\S*/")


class Row(NamedTuple):
    """One pinned distribution, and which of the others it needs."""

    version: str
    needs: tuple[str, ...]


Rows = dict[str, Row]


class UnresolvableError(Exception):
    """The requirements do not go together; why, in uv's words."""

    def __init__(self, why: str, required: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.required = required
        """The requirements that uv says clash, by normalised name."""


def resolve(plan: Plan, names: Iterable[str], known: Mapping[str, Row], source: set[str]) -> Rows:
    """The pins for the roots of a plan and some of its extras.

    Args:
        plan: Whose Python, dates and constraints hold.
        names: The extras.
        known: Pins that are kept where they can be.
        source: What is built, for it has no wheel of the time; found out here and added to.

    Raises:
        UnresolvableError: There are none.
    """
    with tempfile.TemporaryDirectory(prefix="keras-doctor-stacks-") as temporary:
        folder = Path(temporary)
        output = folder / "pins.txt"
        output.write_text("".join(f"{name}=={row.version}\n" for name, row in known.items()))
        _write(folder / "wanted.in", [*plan.roots, *names])
        _write(folder / "constraints.txt", plan.constraints)
        _write(folder / "build.txt", plan.build)
        (folder / "uv.toml").write_text(uv_settings(index_url()))
        while (done := _uv(plan, folder, source)).returncode:
            lacking = set(_NO_WHEEL.findall(done.stderr)) - plan.native - source
            if not lacking:
                raise UnresolvableError(reason(done.stderr), required_in(done.stderr))
            source |= lacking
        return parse(output.read_text())


@cache
def index_url() -> str:
    """The index that pip is configured with."""
    return find_index().url


def interpreter(python: str) -> str:
    """The interpreter of this machine with a version like ``3.7``."""
    found = by_version(python, os.environ, os.getcwd())
    if found is None:
        raise SystemExit(f"this machine has no Python {python}")
    return str(found)


def uv_environment(plan: Plan) -> dict[str, str]:
    """The variables that uv runs with: wheels that lie at hand count for local builds only."""
    variables = {**os.environ, "UV_LINK_MODE": "hardlink", "UV_PYTHON_DOWNLOADS": "never"}
    variables.pop("VIRTUAL_ENV", None)
    if "+" not in plan.release:
        variables.pop("UV_FIND_LINKS", None)
    return variables


def _uv(plan: Plan, folder: Path, source: Iterable[str]) -> subprocess.CompletedProcess[str]:
    argv = ["uv", "--config-file", "uv.toml", "pip", "compile", "--quiet", "--no-header"]
    argv += ["--annotation-style", "line", "--python", interpreter(plan.python)]
    argv += ["--constraint", "constraints.txt", "--build-constraint", "build.txt"]
    argv += ["--output-file", "pins.txt", "--exclude-newer", plan.date]
    for name, date in plan.later.items():
        argv += ["--exclude-newer-package", f"{name}={max(date, plan.date)}"]
    argv += ["--prerelease", "explicit", "--only-binary", ":all:"]
    for name in sorted(source):
        argv += ["--no-binary", name]
    try:
        return subprocess.run(
            [*argv, "wanted.in"],
            cwd=folder,
            env=uv_environment(plan),
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        raise UnresolvableError(f"no answer in {LONGEST} s") from None


def parse(text: str) -> Rows:
    """What `uv pip compile --annotation-style line` wrote.

    Its annotations say who needs a distribution; a row says what a distribution needs.
    """
    versions: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        name = normalize(match["name"])
        versions[name] = match["version"]
        for by in (match["via"] or "").split(", "):
            if by and not by.startswith("-"):
                needs.setdefault(normalize(by.partition("[")[0]), []).append(name)
    return {
        name: Row(versions[name], tuple(sorted(set(needs.get(name, ())) - {name})))
        for name in sorted(versions)
    }


def required_in(text: str) -> tuple[str, ...]:
    """The names that uv gives where it says which requirements clash, or what cannot be built."""
    plain = " ".join(text.split())
    return tuple(dict.fromkeys(normalize(name) for name in _REQUIRED.findall(plain)))


def reason(text: str) -> str:
    """The last step of uv's argument, or what else it said, without addresses and paths."""
    plain = _SEEN.sub("…", " ".join(text.split()))
    steps = _STEP.findall(plain)
    said = steps[-1] if steps else plain.removeprefix("error: ")
    return said if len(said) <= 240 else f"{said[:100]} … {said[-135:]}"


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))
