"""Writes a set of release files, and checks one: the same for the shipped and a user's copy."""

from __future__ import annotations

import json
import os
import zlib

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.releasefile import SCHEMA, DamagedError, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.knowledge.releasefile import Package


def write_copy(
    folder: str, packages: Sequence[Package], gaps: Sequence[tuple[str, str]], how: str
) -> None:
    """Write one file a package and the index into an existing folder, each flushed to the disk.

    Args:
        folder: Where to.
        packages: What is known.
        gaps: Packages that are wanted and missing: (name, why).
        how: How it was read, one sentence.
    """
    index = {}
    for package in sorted(packages):
        raw = _dump(encode(package))
        write_file(os.path.join(folder, package.name + ".json"), raw)
        index[package.name] = {
            "releases": len(package.releases),
            "requires": sum(row.requires is not None for row in package.releases),
            "gaps": len(package.gaps),
            "size": len(raw),
            "crc32": zlib.crc32(raw),
        }
    data = {
        "schema": SCHEMA,
        "date": max((package.read for package in packages), default=""),
        "how": how,
        "packages": index,
        "gaps": sorted([name, why] for name, why in gaps),
    }
    write_file(os.path.join(folder, copies.INDEX), _dump(data))


def verify(copy: copies.Copy) -> None:
    """Read every package of a copy as the reader does.

    Raises:
        DamagedError: One cannot be read, or holds something else than the index says.
    """
    for entry in copy.packages.values():
        package = copies.read_package(copy, entry.name)
        if package is None or len(package.releases) != entry.releases:
            raise DamagedError(f"{entry.name} has not the {entry.releases} releases of the index")


def write_file(path: str, raw: bytes) -> None:
    """Write a new file and wait until it is on the disk."""
    with open(path, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _dump(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode("utf-8") + b"\n"
