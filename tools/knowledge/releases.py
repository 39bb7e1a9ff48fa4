"""Writes ``knowledge/compiled/releases/``: every release of the packages that are wanted.

    python -m tools.knowledge releases --from-uv-cache ~/.cache/uv

takes what uv has fetched in ordinary use and asks no index.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.packages import wanted_packages
from keras_doctor.knowledge.releasefile import Package
from keras_doctor.refresh.assemble import assemble, uploads_by_version
from keras_doctor.refresh.copyfiles import verify, write_copy
from tools.compile_knowledge import KNOWLEDGE
from tools.knowledge import uvcache

TARGET = KNOWLEDGE / "compiled" / "releases"
FROM_UV = (
    "Read from the pages and the metadata that uv had fetched while environments were built; "
    "no index was asked for them again."
)
NO_METADATA = "had not been fetched by an installer, and no index was asked"
UNFETCHED = "its page had not been fetched by an installer, and no index was asked"


def main(argv: Sequence[str]) -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge releases", description=__doc__)
    parser.add_argument("--from-uv-cache", type=Path, metavar="DIR", required=True)
    parser.add_argument("--packages", help="only these, with commas between them")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: the shipped files")
    options = parser.parse_args(argv)
    names = [package.name for package in wanted_packages()]
    if options.packages:
        names = [name for name in names if name in options.packages.split(",")]
    packages, gaps = from_uv(options.from_uv_cache, names)
    replace(options.output, packages, gaps, FROM_UV)
    for package in packages:
        read = sum(row.requires is not None for row in package.releases)
        print(f"{package.name}: {len(package.releases)} releases, requirements of {read}")
    for name, why in gaps:
        print(f"{name}: missing, {why}")
    return 0


def from_uv(cache: Path, names: Sequence[str]) -> tuple[list[Package], list[tuple[str, str]]]:
    """What uv's cache holds of the packages, and what it does not."""
    packages, gaps = [], []
    for name in names:
        listing = uvcache.read_listing(cache, name)
        if listing is None:
            gaps.append((name, UNFETCHED))
            continue
        requires = uvcache.read_requires(cache, name)
        versions = uploads_by_version(listing)
        read = sum(version in requires for version in versions)
        gap = (
            "requirements",
            f"read for {read} of {len(versions)} releases: of the others it {NO_METADATA}",
        )
        packages.append(assemble(listing, requires, [gap] if read < len(versions) else []))
    return packages, gaps


def replace(
    folder: Path, packages: Sequence[Package], gaps: Sequence[tuple[str, str]], how: str
) -> None:
    """Put a new set of files in the place of the old one, after reading it back."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".releases-") as new:
        write_copy(new, packages, gaps, how)
        verify(copies.open_copy(new, "user"))
        folder.mkdir(exist_ok=True)
        fresh = {path.name for path in Path(new).iterdir()}
        for path in folder.iterdir():
            if path.name not in fresh:
                path.unlink()
        for name in sorted(fresh):
            (Path(new) / name).replace(folder / name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
