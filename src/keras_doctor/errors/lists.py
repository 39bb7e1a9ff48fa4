"""Lists of installed packages in a text: pip, conda, uv, poetry, environment.yml, prose."""

from __future__ import annotations

import json
import re

from keras_doctor.names import normalize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINES = 20_000
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,80}[A-Za-z0-9])?"
_VERSION = r"v?\d+(?:\.\d+)*(?:[abrc.+-]+\w+)*"
_FREEZE = re.compile(
    rf"^(?:\[pip3?\] |\[conda\] |- )?({_NAME})(?:\[[\w,-]+\])?==?({_VERSION})(?:=\S+)?$"
)
_TABLE_HEAD = re.compile(r"^(?:Package +Version\b|# ?Name +Version\b|# packages in environment)")
_TABLE_ROW = re.compile(rf"^({_NAME}) +({_VERSION})(?: +\S.*)?$")
_OLD_ROW = re.compile(rf"^({_NAME}) \(({_VERSION})(?:, .*)?\)$")
_SHOWN = re.compile(r"^(Name|Version): (\S+)$")
_INSTALLED = re.compile(r"^Successfully installed (.+)$")
_INSTALLED_WORD = re.compile(rf"^({_NAME})-({_VERSION})$")
_SATISFIED = re.compile(
    rf"^Requirement already (?:satisfied|up-to-date)[^:]*: ({_NAME})\S* .*\(({_VERSION})\)$"
)
_UV_LINE = re.compile(rf"^ \+ ({_NAME})==({_VERSION})$")


def packages_in(text: str, known: frozenset[str] = frozenset()) -> dict[str, str]:
    """The distributions that a text lists, by normalised name.

    Args:
        text: Anything; a list may be in the middle of it.
        known: Names that count also in a sentence ("Keras 2.3.1, TensorFlow: 2.1"). Other names
            count only where a list says that they are names of distributions.
    """
    found: dict[str, str] = {}
    for name, version in _rows(text):
        found[normalize(name)] = version.lstrip("v")
    for name, version in _mentions(text, known):
        found.setdefault(name, version)
    return found


def is_whole_list(text: str) -> bool:
    """Whether a text is, or holds, the complete list that a manager prints."""
    return any(_TABLE_HEAD.match(line) for line in text.splitlines()[:MAX_LINES]) or (
        text.lstrip().startswith(("[{", "{")) and packages_of_json(text) is not None
    )


def packages_of_json(text: str) -> dict[str, str] | None:
    """The rows of ``pip list --format json``, ``pip inspect`` or ``conda list --json``.

    Returns:
        None when the text is none of them.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    rows = data.get("installed") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        return None
    found = {}
    for row in rows[:MAX_LINES]:
        stated = row.get("metadata", row) if isinstance(row, dict) else {}
        name, version = stated.get("name"), stated.get("version")
        if isinstance(name, str) and isinstance(version, str):
            found[normalize(name)] = version
    return found or None


def _rows(text: str) -> Iterator[tuple[str, str]]:
    table = False
    name = None
    for raw in text.splitlines()[:MAX_LINES]:
        line = raw.strip()
        if _TABLE_HEAD.match(line):
            table = True
        elif not line:
            table = False
        elif found := _row(line, raw, table=table):
            yield found[1], found[2]
        elif found := _SHOWN.match(line):
            if found[1] == "Name":
                name = found[2]
            elif name:
                yield name, found[2]
                name = None
        elif found := _INSTALLED.match(line):
            for word in found[1].split()[:500]:
                if installed := _INSTALLED_WORD.match(word):
                    yield installed[1], installed[2]


def _row(line: str, raw: str, *, table: bool) -> re.Match[str] | None:
    found = _FREEZE.match(line) or _UV_LINE.match(raw) or _OLD_ROW.match(line)
    found = found or _SATISFIED.match(line)
    return found or (_TABLE_ROW.match(line) if table else None)


_MENTION = re.compile(
    r"(?<![\w./\\-])(?P<name>[A-Za-z][A-Za-z0-9_-]{2,40})"
    r"(?: ?version)?(?: \(use command below\))?[ :=]{1,3}(?:version )?[v'\"(]?"
    r"(?P<version>\d+\.\d+(?:\.\d+)*(?:(?:rc|a|b|\.post|\.dev)\d+)?)(?=(?P<after>[^\n]{0,12}))",
    re.IGNORECASE,
)
_A_DEMAND = re.compile(
    r"^(?:\.x|\s*(?:or (?:higher|later|newer|above|greater)|\+|and (?:above|later)))"
)
_DEMANDED = re.compile(
    r"(?:requires?|needs?|install|upgrade to|downgrade to|at least|than|expects?)\W+(?:\w+\W+)?$",
    re.IGNORECASE,
)


def _mentions(text: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """``Keras 2.3.1``, ``tensorflow version: 2.1`` of known names, unless it is a demand."""
    if not known:
        return
    for found in _MENTION.finditer(text[:200_000]):
        name = normalize(found["name"])
        if name not in known or _A_DEMAND.match(found["after"]):
            continue
        if _DEMANDED.search(text[max(0, found.start() - 40) : found.start()]):
            continue
        yield name, found["version"]


def version_in(stated: object) -> str | None:
    """The version in what somebody wrote as one (``v2.4``, ``2.3.x``, ``1.12+``), or None."""
    found = (
        re.search(r"\d+(?:\.\d+)*(?:[A-Za-z0-9.+]*)", stated) if isinstance(stated, str) else None
    )
    return found[0].rstrip(".+") if found else None
