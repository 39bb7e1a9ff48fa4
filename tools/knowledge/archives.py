"""The Python files inside a wheel, an sdist or an unpacked wheel, as bytes; nothing is imported.

Archives come from an index, so their names are not trusted: what would leave the folder it is
unpacked to is passed over, and so is what is too large to be a module.
"""

from __future__ import annotations

import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

LARGEST = 8 << 20
"""No module that people wrote has more bytes; generated ones of TensorFlow have 2 MB."""
MOST = 100_000
"""Members that are looked at in one archive."""

_DATA = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")
_EXTENSION = re.compile(r"\.(?:cpython-[\w-]+|abi3)?\.?(?:so|pyd)$")

Files = Mapping[str, bytes | None]
"""Path below site-packages to its text; None for a compiled module."""


class UnreadableError(Exception):
    """The archive cannot be read."""


def read_files(source: Path, wanted: Callable[[str], bool]) -> dict[str, bytes | None]:
    """The modules of a distribution whose path is `wanted`."""
    found: dict[str, bytes | None] = {}
    try:
        for count, (raw, size, read) in enumerate(_members(source)):
            name = place(raw)
            if count >= MOST:
                break
            if name is None or not wanted(name):
                continue
            if _EXTENSION.search(name):
                found[_EXTENSION.sub("", name) + ".so"] = None
            elif name.endswith(".py") and size <= LARGEST:
                found[name] = read()
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise UnreadableError(f"{source.name}: {error}") from None
    return found


def place(raw: str) -> str | None:
    """Where an installer would put a member; None when no installer should."""
    if "\\" in raw or "\0" in raw or raw.startswith("/") or ":" in raw:
        return None
    if any(part in ("", ".", "..") for part in raw.split("/")):
        return None
    return _DATA.sub("", raw, count=1) if _DATA.match(raw) else raw


def _members(source: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """Name, size and reader of each file."""
    if source.is_dir():
        yield from _of_folder(source)
    elif source.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(source) as wheel:
            for info in wheel.infolist():
                yield info.filename, info.file_size, lambda info=info: wheel.read(info)  # type: ignore[misc]
    else:
        with tarfile.open(source) as sdist:
            for member in sdist:
                if member.isfile():
                    # The first folder of an sdist bears its name and version.
                    name = member.name.removeprefix("./").partition("/")[2]
                    yield name, member.size, lambda member=member: _extract(sdist, member)  # type: ignore[misc]


def _of_folder(source: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    for folder, folders, files in os.walk(source):
        folders.sort()
        for file in sorted(files):
            path = Path(folder, file)
            if file.endswith((".py", ".so", ".pyd")) and not path.is_symlink():
                yield path.relative_to(source).as_posix(), path.stat().st_size, path.read_bytes


def _extract(sdist: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = sdist.extractfile(member)
    return file.read() if file else b""
