"""What a text gives away of the environment that it comes from."""

from __future__ import annotations

import json
import re

from keras_doctor.errors.lists import is_whole_list, packages_in, packages_of_json
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_TEXT = 400_000
"""So much of a text's beginning and end is searched for facts."""


class Given(NamedTuple):
    """Facts that somebody stated or that a text shows. None and (): not told."""

    python: str | None = None
    system: str | None = None
    """``linux`` | ``windows`` | ``macos``."""
    machine: str | None = None
    bits: int | None = None
    """32 or 64: what the interpreter was built for."""
    manager: str | None = None
    packages: tuple[tuple[str, str], ...] = ()
    """(normalised name, version)."""
    whole: bool = False
    """Whether the packages are a complete list: what is not in it is not installed."""
    variables: tuple[tuple[str, str], ...] = ()
    command: str | None = None
    config: str | None = None
    """The text of the user's keras.json."""

    def joined(self, other: Given) -> Given:
        """These facts, completed by others."""
        return Given(
            python=self.python or other.python,
            system=self.system or other.system,
            machine=self.machine or other.machine,
            bits=self.bits or other.bits,
            manager=self.manager or other.manager,
            packages=tuple({**dict(other.packages), **dict(self.packages)}.items()),
            whole=self.whole or other.whole,
            variables=tuple({**dict(other.variables), **dict(self.variables)}.items()),
            command=self.command or other.command,
            config=self.config or other.config,
        )


# Where a version of Python stands in paths and banners, the surest first.
_PYTHON = (
    re.compile(r"\bPython (\d\.\d+\.\d+)(?:\+| |\)|$|,|:)", re.MULTILINE),
    re.compile(r"[Pp]ython[ _](?:[Vv]ersion)?\s*[:=]?\s*v?(\d\.\d+(?:\.\d+)?)\b"),
    re.compile(r"[/\\](?:lib|lib64|Lib)[/\\]python(\d\.\d+)[/\\]"),
    re.compile(r"[/\\]\.?pyenv[/\\]versions[/\\](\d\.\d+\.\d+)[/\\]"),
    re.compile(r"[/\\]Versions[/\\](\d\.\d+)[/\\]"),
    re.compile(r"[/\\]Python[/\\]?(\d)(\d+)(?:-32|_64)?[/\\]"),
    re.compile(r"\.cpython-(\d)(\d+)[m-]"),
    re.compile(r"\bcp(\d)(\d+)-(?:cp\d+m?u?|abi3|none)-"),
    re.compile(r"-py(\d\.\d+)\.egg"),
)
_SYSTEMS = (
    (
        "windows",
        re.compile(
            r"\b[A-Za-z]:[\\/](?!/)|\\site-packages|WinError|DLL load failed|\.pyd\b|win_amd64"
        ),
    ),
    (
        "macos",
        re.compile(
            r"/Users/|\.dylib\b|/Library/(?:Frameworks|Python)|macosx|\bdyld\b|darwin|\bmac ?os\b",
            re.IGNORECASE,
        ),
    ),
    (
        "linux",
        re.compile(
            r"/home/|/usr/(?:local/)?lib/python|/root/|\.so(?:\.\d+)*: |manylinux|\bUbuntu\b"
            r"|/opt/conda|\blinux\b",
            re.IGNORECASE,
        ),
    ),
)
_MACHINES = (
    ("aarch64", re.compile(r"\baarch64\b")),
    ("arm64", re.compile(r"\barm64\b|\bApple M\d|\bM1\b")),
)
_BITS = re.compile(r"Python\d*-32\b|\b32[ -]?bit\b|\bwin32\b(?!api)|\[MSC [^\]]*32 bit")
_CONDA = re.compile(r"conda|miniforge|mambaforge", re.IGNORECASE)
_VARIABLE = re.compile(
    r"^\s*(?:export |set |setenv |ENV |\$env:|os\.environ\[['\"])?"
    r"((?:KERAS|TF|THEANO|JAX|XLA|CUDA|LD|PYTHON|PROTOCOL_BUFFERS)[A-Z_]*)"
    r"(?:['\"]\])?\s?=\s?['\"]?([^'\"\s#]{1,200})",
    re.MULTILINE,
)
_COMMAND = re.compile(
    r"^(?:[Ee]xact )?[Cc]ommand(?: to reproduce)?\s*[:=]\s*(\S.{0,300})$", re.MULTILINE
)
_CONFIG = re.compile(r"\{[^{}]{0,300}\"backend\"\s*:[^{}]{0,300}\}")
_REMARK = re.compile(r"\s+\([^()]*\)$")
"""What people write behind a value: ``theano (set by conda)``."""
_EGG = re.compile(r"[/\\]([A-Za-z0-9_.]+)-(\d+[\w.]*)-py\d\.\d+\.egg[/\\]")


def facts_of_text(text: str, known: frozenset[str]) -> Given:
    """What a pasted text shows of its environment.

    Args:
        text: The text; of a long one the two ends are searched.
        known: Names of distributions that count also in sentences.
    """
    if len(text) > 2 * MAX_TEXT:
        text = text[:MAX_TEXT] + "\n" + text[-MAX_TEXT:]
    packages = packages_in(text, known)
    for found in _EGG.finditer(text):
        packages.setdefault(found[1].lower().replace("_", "-"), found[2])
    return Given(
        python=_python_in(text),
        system=next((name for name, pattern in _SYSTEMS if pattern.search(text)), None),
        machine=next((name for name, pattern in _MACHINES if pattern.search(text)), None),
        bits=32 if _BITS.search(text) else None,
        manager="conda" if _CONDA.search(text) else None,
        packages=tuple(packages.items()),
        whole=is_whole_list(text),
        variables=tuple((found[1], found[2]) for found in _VARIABLE.finditer(text)),
        command=command[1].strip() if (command := _COMMAND.search(text)) else None,
        config=config[0] if (config := _CONFIG.search(text)) else None,
    )


def _python_in(text: str) -> str | None:
    for pattern in _PYTHON:
        if found := pattern.search(text):
            return ".".join(found.groups())
    return None


def facts_of_file(text: str, known: frozenset[str]) -> Given:
    """The facts in a file: JSON that states them, a list of packages, or sentences.

    JSON may be what ``pip list --format json``, ``pip inspect`` or ``conda list --json`` print, or
    an object with any of ``packages`` (a mapping or a list), ``python``, ``os``, ``manager``,
    ``env``, ``command``.
    """
    listed = packages_of_json(text)
    if listed is not None:
        return Given(packages=tuple(listed.items()), whole=True)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict):
        return _of_object(data)
    return facts_of_text(text, known)


def _of_object(data: Mapping[str, Any]) -> Given:
    packages = _first(data, "packages", "versions", "distributions", "installed")
    python = _text(_first(data, "python", "python_version"))
    system = _text(_first(data, "os", "system", "platform")) or ""
    variables = _first(data, "env", "environment", "variables")
    return Given(
        python=_python_of(python),
        system=_system_of(system),
        machine=_text(_first(data, "machine", "arch", "architecture")),
        bits=32 if _BITS.search(python or "") else None,
        manager=_text(data.get("manager")),
        packages=tuple(_pairs(packages).items()),
        variables=tuple(
            (name, _REMARK.sub("", value))
            for name, value in (variables.items() if isinstance(variables, dict) else ())
            if isinstance(value, str) and name.isidentifier()
        ),
        command=_text(data.get("command")),
        config=_config_of(data, variables),
    )


def _config_of(data: Mapping[str, Any], variables: Any) -> str | None:
    """The text of keras.json, stated as a text or as an object, by itself or among variables."""
    places = [data, variables if isinstance(variables, dict) else {}]
    found = next((place["keras.json"] for place in places if place.get("keras.json")), None)
    if isinstance(found, dict):
        return json.dumps(found)
    return _text(found)


def _first(data: Mapping[str, Any], *names: str) -> Any:
    return next((data[name] for name in names if data.get(name)), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _python_of(text: str | None) -> str | None:
    found = re.search(r"\d\.\d+(?:\.\d+)?", text or "")
    return found[0] if found else None


def _system_of(text: str) -> str | None:
    lowered = text.lower()
    if lowered in ("linux", "windows", "macos"):
        return lowered
    if lowered.startswith("win"):
        return "windows"
    if lowered.startswith(("mac", "darwin", "os x", "osx")):
        return "macos"
    return next((name for name, pattern in _SYSTEMS if pattern.search(text)), None)


def _pairs(packages: Any) -> dict[str, str]:
    """Names and versions of a mapping, or of a list of ``name==version`` or of objects."""
    from keras_doctor.errors.lists import version_in
    from keras_doctor.names import normalize

    rows: list[tuple[Any, Any]] = []
    if isinstance(packages, dict):
        rows = list(packages.items())
    elif isinstance(packages, list):
        for each in packages:
            if isinstance(each, dict):
                rows.append((each.get("name"), each.get("version")))
            elif isinstance(each, str):
                name, _, rest = each.replace("==", " ").replace("=", " ").partition(" ")
                rows.append((name, rest))
    return {
        normalize(name): version
        for name, stated in rows
        if isinstance(name, str) and (version := version_in(stated)) is not None
    }
