"""Where a release shall be installed, and what environment markers see there."""

from __future__ import annotations

import re
import sys
from functools import cache

from keras_doctor.compat.asked import CompatError
from keras_doctor.knowledge import measured
from keras_doctor.knowledge.releases import known_packages, releases_of
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SYSTEMS = ("linux", "macos", "windows")
_USUAL = {"linux": "x86_64", "macos": "arm64", "windows": "x86_64"}
_MARKERS = {
    "linux": ("linux", "Linux", "posix"),
    "macos": ("darwin", "Darwin", "posix"),
    "windows": ("win32", "Windows", "nt"),
}
_MACHINES = {
    ("linux", "arm64"): "aarch64",
    ("windows", "x86_64"): "AMD64",
    ("windows", "arm64"): "ARM64",
}
_PYTHON = re.compile(r"\d+\.\d+(\.\d+)?t?")
_TAG = re.compile(r"cp(\d)(\d+)")


class Where(NamedTuple):
    """A CPython on a machine."""

    python: str
    """Like ``3.11``."""
    system: str
    machine: str

    @property
    def platform(self) -> str:
        """Like ``linux-x86_64``."""
        return f"{self.system}-{self.machine}"


def platform_from(word: str | None) -> tuple[str, str]:
    """System and processor from a word like ``linux`` or ``linux-arm64``; None: this machine's.

    Raises:
        CompatError: There is no such system.
    """
    import platform as this

    from keras_doctor.knowledge.tags import place

    here = place("3", sys.platform, this.machine())
    if word is None and here.system in SYSTEMS:
        return here.system, here.machine
    system, _, machine = (word or "linux").lower().partition("-")
    if system not in SYSTEMS:
        raise CompatError(f"--platform is {', '.join(SYSTEMS)}, not {word!r}")
    if not machine:
        machine = here.machine if system == here.system else _USUAL[system]
    return system, place("3", system, machine).machine


def python_from(word: str) -> str:
    """A Python that was asked for, like ``3.11``.

    Raises:
        CompatError: It names none.
    """
    word = word.lower().removeprefix("python").strip()
    if not _PYTHON.fullmatch(word):
        raise CompatError(f"--python is a version like 3.11 here, not {word!r}")
    return word


@cache
def environment(where: Where) -> dict[str, str]:
    """What markers see there.

    Source: the dependency specifiers page of packaging.python.org (PEP 508).
    """
    python = where.python.removesuffix("t")
    full = python if python.count(".") > 1 else python + ".99"
    sys_platform, system, os_name = _MARKERS[where.system]
    return {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": full,
        "implementation_version": full,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "platform_machine": _MACHINES.get((where.system, where.machine), where.machine),
        "platform_system": system,
        "platform_release": "",
        "platform_version": "",
        "sys_platform": sys_platform,
        "os_name": os_name,
    }


def pythons_for(names: Iterable[str]) -> tuple[str, ...]:
    """The Pythons that wheels of the packages were built for, newest first.

    Where none was (pure Python, sdists), those that wheels of any known package were built for;
    where not even these tell, the one that this program runs on.
    """
    found = {python for name in names for python in _built_for(name)}
    if not found:
        found = {python for name in known_packages() for python in _built_for(name)}
    found |= {base.python for base in measured.all_bases()}
    if not found:
        found = {f"{sys.version_info[0]}.{sys.version_info[1]}"}
    return tuple(sorted(found, key=compare_key, reverse=True))


@cache
def _built_for(name: str) -> frozenset[str]:
    tags = {tag for row in releases_of(name) for tag in row.tags}
    words = {word for tag in tags for word in tag.partition("-")[0].split(".")}
    # A wheel for the stable ABI names the oldest Python that it is for; no harm is done by that.
    matches = filter(None, map(_TAG.fullmatch, words))
    return frozenset(f"{match[1]}.{match[2]}" for match in matches)


def distance(one: str, other: str) -> tuple[int, int]:
    """How far one Python is from another; of two equally far ones the newer is nearer."""
    return _steps(one, other), -_minor(one)


def _steps(one: str, other: str) -> int:
    if _numbers(one)[0] != _numbers(other)[0]:
        return 100 + _minor(one)
    return abs(_minor(one) - _minor(other))


def _minor(python: str) -> int:
    return _numbers(python)[1]


def _numbers(python: str) -> list[int]:
    return [int(part) for part in python.removesuffix("t").split(".")]
