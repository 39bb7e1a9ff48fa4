"""Which wheel tags an interpreter on a machine accepts.

Source: the platform compatibility tags page of packaging.python.org (PEP 425, 600, 656, 703).
``packaging.tags``, the authority, answers this only for the interpreter that runs it; the tests
hold the two against each other.
"""

from __future__ import annotations

import re

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MODERN = re.compile(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)")
_OLD = re.compile(r"(manylinux(?:1|2010|2014))_(\w+)")
_MAC = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_MAC_KINDS = {
    "x86_64": ("x86_64", "intel", "fat64", "fat3", "universal2", "universal"),
    "arm64": ("arm64", "universal2"),
}
_SYSTEMS = {"darwin": "macos", "win32": "windows", "cygwin": "windows"}
_WINDOWS = {"x86_64": "win_amd64", "arm64": "win_arm64", "x86": "win32"}
_MACHINES = {"amd64": "x86_64", "x64": "x86_64", "i386": "x86", "i686": "x86", "aarch64": "arm64"}
_LINUX_MACHINES = {"arm64": "aarch64", "x86": "i686"}


class Place(NamedTuple):
    """Where a wheel shall be installed: a CPython on a machine."""

    python: str
    """Like ``3.11`` or ``3.11.7``."""
    system: str
    """``linux``, ``macos`` or ``windows``."""
    machine: str
    """``x86_64``, ``arm64``, ``x86`` or another name as it is."""
    libc: str | None = None
    """Like ``glibc 2.36`` or ``musl 1.2``; None counts as a glibc that is new enough."""
    macos: str | None = None
    """Like ``14.5``; None counts as new enough."""
    threaded: bool = False
    """Whether it is the build without the global lock, like ``3.13t``."""

    @property
    def platform(self) -> str:
        """The platform as release files name it, like ``linux-x86_64``."""
        return f"{self.system}-{self.machine}"


def place(
    python: str, platform: str, machine: str, libc: str | None = None, macos: str | None = None
) -> Place:
    """A place, from words as ``sys.platform`` and ``platform.machine`` say them."""
    lower = machine.lower()
    return Place(
        python=python.removesuffix("t"),
        system=_SYSTEMS.get(platform, platform),
        machine=_MACHINES.get(lower, lower),
        libc=libc,
        macos=macos,
        threaded=python.endswith("t"),
    )


def platform_of(tag: str) -> str:
    """The platform of a wheel tag as release files name it: ``any``, ``macos-arm64`` ..."""
    word = tag.rpartition("-")[2].split(".")[0]
    if word == "any":
        return word
    if word.startswith("win"):
        return "windows-" + next((m for m, name in _WINDOWS.items() if name == word), word)
    found = _MAC.match(word)
    if found:
        return f"macos-{found[3]}"
    found = _MODERN.match(word) or _OLD.match(word)
    machine = found[found.lastindex or 0] if found else word.partition("_")[2]
    return f"linux-{_MACHINES.get(machine, machine)}"


class Matcher:
    """Says of wheel tags whether a place accepts them, each kind of tag judged once."""

    def __init__(self, where: Place) -> None:
        self._where = where
        numbers = (*_numbers(where.python), 0)
        self._version: tuple[int, int] = (numbers[0], numbers[1])
        self._known: dict[str, bool] = {}

    def fits_any(self, tags: Iterable[str]) -> bool:
        """Whether one of the tags is accepted."""
        return any(self.fits(tag) for tag in tags)

    def fits(self, tag: str) -> bool:
        """Whether a tag is accepted; it may be compressed, like ``py2.py3-none-any``."""
        verdict = self._known.get(tag)
        if verdict is None:
            verdict = self._known[tag] = self._judge(tag)
        return verdict

    def _judge(self, tag: str) -> bool:
        parts = tag.split("-")
        if len(parts) != 3:
            return False
        pythons, abis, platforms = (part.split(".") for part in parts)
        anywhere = "any" in platforms
        if not (anywhere or any(self._platform_fits(word) for word in platforms)):
            return False
        return any(
            self._python_fits(python, abi, anywhere=anywhere) for python in pythons for abi in abis
        )

    def _python_fits(self, python: str, abi: str, *, anywhere: bool) -> bool:
        major, minor = self._version
        kind, wanted = python[:2], python[2:]
        if not wanted.isdecimal() or wanted[:1] != str(major):
            return False
        number = int(wanted[1:]) if len(wanted) > 1 else None
        if kind == "py":
            return abi == "none" and (number is None or number <= minor)
        if kind != "cp" or number is None:
            return False
        if abi in ("abi3", "abi3t"):  # the stable ABI, and that of the threaded build
            return number <= minor and not anywhere and self._where.threaded is (abi == "abi3t")
        return number == minor and abi in (("none",) if anywhere else ("none", *self._abis()))

    def _abis(self) -> tuple[str, ...]:
        major, minor = self._version
        name = f"cp{major}{minor}"
        if self._where.threaded:
            return (name + "t",)
        if self._version >= (3, 8):
            return (name,)
        if major == 2:
            return (name + "m", name + "mu") if self._where.system == "linux" else (name + "m",)
        return (name + "m",)

    def _platform_fits(self, word: str) -> bool:
        where = self._where
        if where.system == "windows":
            return word == _WINDOWS.get(where.machine)
        if where.system == "macos":
            found = _MAC.fullmatch(word)
            return found is not None and self._mac_fits(int(found[1]), int(found[2]), found[3])
        machine = _LINUX_MACHINES.get(where.machine, where.machine)
        return self._linux_fits(word, machine)

    def _mac_fits(self, major: int, minor: int, kind: str) -> bool:
        if kind not in _MAC_KINDS.get(self._where.machine, ()):
            return False
        # The system counts in whole numbers since 11, and installers accept only those.
        if major > 10 and minor:  # the last release that counted by its second number
            return False
        return not self._where.macos or (major, minor) <= _numbers(self._where.macos)

    def _linux_fits(self, word: str, machine: str) -> bool:
        if word == f"linux_{machine}":
            return True
        found = _MODERN.fullmatch(word)
        if found:
            family, needed = found[1], (int(found[2]), int(found[3]))
        else:
            found = _OLD.fullmatch(word)
            if found is None:
                return False
            family, needed = "manylinux", _MANYLINUX[found[1]]
        if found[found.lastindex or 0] != machine:
            return False
        libc, _, version = (self._where.libc or "glibc").partition(" ")
        if libc.startswith("musl") is not (family == "musllinux"):
            return False
        own = _numbers(version)
        return not own or (own[0] == needed[0] and own >= needed)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])
