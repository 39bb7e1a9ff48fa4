"""How far the downloads of uv are, from what it prints where no terminal is.

Source: uv 0.9 writes ``Downloading numpy (16.1MiB)`` when a larger file begins to come, and
``Downloaded numpy`` when it is there; what it has in its cache is not named.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGUN = re.compile(rb"Downloading (?P<name>\S+) \((?P<size>[\d.]+)(?P<unit>[KMGT]?i?B)\)")
_DONE = re.compile(rb"\s*Downloaded (?P<name>\S+)")
_UNITS = {b"B": 2.0**-20, b"KiB": 2.0**-10, b"MiB": 1.0, b"GiB": 2.0**10, b"TiB": 2.0**20}
_BAR = 20


class Downloads:
    """A reader of what uv prints.

    Args:
        tell: Told in words, with a bar, whenever something has changed.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._sizes: dict[bytes, float] = {}
        self._done: set[bytes] = set()
        self._rest = b""

    def __call__(self, data: bytes) -> None:
        """Take the next piece of the output; it may end within a line."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        changed = [self._read(line) for line in lines]
        if any(changed):
            self._tell(self._words())

    def _read(self, line: bytes) -> bool:
        if begun := _BEGUN.match(line):
            self._sizes[begun["name"]] = float(begun["size"]) * _UNITS.get(begun["unit"], 1.0)
        elif done := _DONE.match(line):
            self._done.add(done["name"])
        return bool(begun or done)

    def _words(self) -> str:
        total = sum(self._sizes.values())
        there = sum(self._sizes.get(name, 0.0) for name in self._done)
        bar = "#" * round(_BAR * there / total) if total else ""
        coming = [name.decode() for name in self._sizes if name not in self._done]
        names = f": {', '.join(coming)}" if coming else ""
        return f"Downloading [{bar:.<{_BAR}}] {there:,.0f} of {total:,.0f} MiB{names}"
