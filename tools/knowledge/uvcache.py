"""Release lists from what uv has already fetched on this machine: nothing is asked anywhere.

uv keeps each project's page of the index in its cache as an archive of its own Rust values (rkyv,
https://rkyv.org, format 0.8), and the metadata of each wheel that it looked at as MessagePack. The
layout is uv's private matter and was read off the caches of uv 0.13 (folders ``simple-v28``,
``wheels-v8``, ``sdists-v11``); another version of the first is refused. Only the fields below are
looked at: in a page every file is a block around the pointer to its address. A test has uv read
an index on this machine and compares.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator
from pathlib import Path

from keras_doctor.knowledge.tags import platform_of
from keras_doctor.refresh.assemble import precedence
from keras_doctor.registry.listing import File, Listing
from tools.knowledge import msgpack

PAGES, WHEELS, SDISTS = Path("simple-v28"), Path("wheels-v8"), Path("sdists-v11")
DEFAULT_INDEX = "pypi"
"""The folder of the index that is asked when none is named; others have a hash for a name."""
_OPERATORS = ("==", "==.*", "===", "!=", "!=.*", "~=", "<", "<=", ">", ">=")
_NO_SUFFIX = 5
_ABSENT = 1


class UnknownLayoutError(ValueError):
    """The cache is not as the one that this reader was written for."""


def read_listing(cache: Path, name: str) -> Listing | None:
    """The page of a project, or None when uv has not fetched it."""
    paths = sorted((cache / PAGES).glob(f"{DEFAULT_INDEX}/{name}.rkyv"))
    if not paths:
        if not (cache / PAGES).is_dir():
            raise UnknownLayoutError(f"{cache} holds no {PAGES}")
        return None
    read = dt.datetime.fromtimestamp(int(paths[0].stat().st_mtime), dt.UTC)
    files = tuple(_files(paths[0].read_bytes()))
    return Listing(name, read.strftime("%Y-%m-%dT%H:%M:%SZ"), files)


def read_requires(cache: Path, name: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """The requirements that uv has read: by version and platform, what speaks for it first."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    wheels = sorted((cache / WHEELS).glob(f"{DEFAULT_INDEX}/{name}/*.msgpack"))
    for path in (
        *wheels,
        *sorted((cache / SDISTS).glob(f"{DEFAULT_INDEX}/{name}/*/*/metadata.msgpack")),
    ):
        row = msgpack.first_value(path.read_bytes())
        if not isinstance(row, list) or row[0] != name or not isinstance(row[2], list):
            raise UnknownLayoutError(f"{path} is about {row!r:.80}")
        lines = tuple(line for line in row[2] if isinstance(line, str))
        tag = path.stem.partition("-")[2]
        found.setdefault(str(row[1]), {})[platform_of(tag) if tag else "sdist"] = lines
    return {
        version: {platform: rows[platform] for platform in sorted(rows, key=precedence)}
        for version, rows in found.items()
    }


def _files(page: bytes) -> Iterator[File]:
    for at, url in _addresses(page):
        milliseconds = struct.unpack_from("<q", page, at - 48)[0]
        day = dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC).date()
        python, pointer = struct.unpack_from("<Ii", page, at + 16)
        yank = struct.unpack_from("<i", page, at + 28)[0]
        yield File(
            filename=url.rpartition("/")[2],
            url=url,
            requires_python=_specifiers(page, at + 20 + pointer) if python else None,
            yanked=yank != _ABSENT,
            uploaded=day.isoformat(),
            has_metadata=False,
        )


def _addresses(page: bytes) -> Iterator[tuple[int, str]]:
    """Every archived text that is a file's address: where its pointer stands, and the text.

    A text longer than eight bytes is a length, whose lowest byte begins with the bits 10, and
    an offset back to its bytes.
    """
    for at in range(56, len(page) - 40, 4):
        length, back = struct.unpack_from("<Ii", page, at)
        start = at + back
        if length & 0xC0 != 0x80 or not 0 <= start < at:
            continue
        length = (length & 0x3F) | length >> 8 << 6
        if start + length <= at and page[start : start + 4] == b"http":
            text = page[start : start + length].decode("utf-8", "replace")
            if text.endswith((".whl", ".gz", ".zip", ".bz2", ".xz", ".tgz")):
                yield at, text


def _specifiers(page: bytes, at: int) -> str:
    """Requires-Python: blocks of an operator and a version packed into eight bytes."""
    back, count = struct.unpack_from("<iI", page, at)
    return ",".join(_specifier(page, at + back + 32 * index) for index in range(count))


def _specifier(page: bytes, at: int) -> str:
    operator = _OPERATORS[page[at]]
    packed, length = struct.unpack_from("<QB", page, at + 16)
    if packed >> 20 & 7 != _NO_SUFFIX or not 1 <= length <= 4:
        raise UnknownLayoutError("a version in Requires-Python is more than numbers")
    numbers = [packed >> 48 & 0xFFFF, *((packed >> shift) & 0xFF for shift in (40, 32, 24))]
    version = ".".join(map(str, numbers[:length]))
    return operator[:2] + version + ".*" if operator.endswith(".*") else operator + version
