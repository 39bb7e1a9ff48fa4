"""Mask what says who somebody is before a snapshot is shared.

One pass over every text of the snapshot, so that no field can be forgotten. The same thing is
always replaced by the same placeholder, so paths still agree with each other afterwards.
"""

from __future__ import annotations

import re

from keras_doctor.codec import decode, encode
from keras_doctor.model import Snapshot
from keras_doctor.names import normalize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

HOME = "<home>"
USER = "<user>"
HOST = "<host>"
CREDENTIALS = "<credentials>"
SECRET = "<secret>"  # noqa: S105 - it stands for one

# Names that say nothing about a person, and would be hit in ordinary words.
_GENERIC = frozenset(
    (
        "admin",
        "app",
        "build",
        "conda",
        "default",
        "docker",
        "home",
        "jovyan",
        "local",
        "localhost",
        "nobody",
        "python",
        "root",
        "runner",
        "share",
        "shared",
        "system",
        "test",
        "ubuntu",
        "user",
        "users",
        "vagrant",
        "work",
        "workspace",
    )
)
_SHORTEST = 3
_HOMES = re.compile(r"(?<![\w.-])(?:/home/|/Users/|\b[A-Za-z]:[\\/]+Users[\\/]+)([^/\\\s:;\"'<>]+)")
_ADDRESS = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@\"'<>]*@")
_WORDS = r"token|secret|passw(?:or)?d|passwd|api[_-]?key|access[_-]?key|credentials?"
_QUERY = re.compile(rf"(?i)([?&](?:[\w-]*(?:{_WORDS}|sig|signature))=)[^&\s\"'<]+")
# A requirement like tokenizers==1.0 is none: the word must end the name, the sign be single.
_ASSIGNED = re.compile(
    rf"(?i)((?<![^\W_])(?:{_WORDS})[\"']?\s*(?:=(?!=)|:(?!//))\s*[\"']?)[^\s\"'&<,;=]{{4,}}"
)
_TOKEN = re.compile(
    r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{16,}"
    r"|pypi-[\w-]{16,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{12,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_BEARER = re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}")


def mask(snapshot: Snapshot, *, users: Iterable[str] = (), hosts: Iterable[str] = ()) -> Snapshot:
    """The snapshot without home folders, user and host names, credentials and tokens.

    Args:
        snapshot: As it was collected.
        users: Login names that may stand in it, besides those of the home folders in it.
        hosts: Host names that may stand in it.
    """
    data = encode(snapshot)
    replace = _replacer(
        homes=_homes(snapshot),
        users=[*users, *_users_in(data)],
        hosts=hosts,
        spared=_spared(snapshot),
    )
    return decode(Snapshot, _walk(data, replace))


def mask_text(text: str) -> str:
    """A text without credentials and tokens, whoever they belong to."""
    text = _ADDRESS.sub(rf"\1{CREDENTIALS}@", text)
    text = _QUERY.sub(rf"\1{SECRET}", text)
    text = _TOKEN.sub(SECRET, text)
    text = _BEARER.sub(rf"\1{SECRET}", text)
    return _ASSIGNED.sub(rf"\1{SECRET}", text)


def _homes(snapshot: Snapshot) -> list[str]:
    """The home folders that the variables name, longest first."""
    values = {one.value.rstrip("/\\") for one in snapshot.variables if one.name in _HOME_NAMES}
    return sorted((value for value in values if len(value) > 1), key=len, reverse=True)


_HOME_NAMES = ("HOME", "USERPROFILE")


def _users_in(data: Any) -> set[str]:
    """The login names that paths below the usual home folders give away."""
    found: set[str] = set()

    def look(text: str) -> str:
        found.update(_HOMES.findall(text))
        return text

    _walk(data, look)
    return found


def _spared(snapshot: Snapshot) -> set[str]:
    """Words that the diagnosis needs: a user may be called like a package."""
    names = {normalize(one.name) for one in snapshot.distributions}
    names.update(one.name.lower() for one in snapshot.modules)
    return names | set(_GENERIC)


def _replacer(
    homes: list[str], users: Iterable[str], hosts: Iterable[str], spared: set[str]
) -> Callable[[str], str]:
    """The function that masks one text."""
    steps: list[tuple[re.Pattern[str], str]] = []
    if homes:
        names = "|".join(re.escape(home) for home in homes)
        steps.append((re.compile(rf"(?<![\w.-])(?:{names})(?![\w.-])"), HOME))
    steps.append((_HOMES, HOME))
    steps.append((re.compile(r"(?<![\w./\\-])/root(?![\w.-])"), HOME))
    for words, placeholder in ((users, USER), (hosts, HOST)):
        listed = sorted({word for word in words if _is_telling(word, spared)}, key=len)[::-1]
        if listed:
            names = "|".join(re.escape(word) for word in listed)
            steps.append((re.compile(rf"(?<!\w)(?:{names})(?!\w)"), placeholder))

    def replace(text: str) -> str:
        for pattern, placeholder in steps:
            text = pattern.sub(placeholder, text)
        return mask_text(text)

    return replace


def _is_telling(word: str, spared: set[str]) -> bool:
    return len(word) >= _SHORTEST and normalize(word) not in spared and word.lower() not in spared


def _walk(data: Any, replace: Callable[[str], str]) -> Any:
    if isinstance(data, str):
        return replace(data)
    if isinstance(data, list):
        return [_walk(item, replace) for item in data]
    if isinstance(data, dict):
        return {key: _walk(value, replace) for key, value in data.items()}
    return data
