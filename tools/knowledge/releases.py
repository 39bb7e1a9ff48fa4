"""Writes ``knowledge/compiled/releases/``: every release of the packages that are wanted.

It asks the index that pip is configured with, each question once; with ``--cache`` the answers
are kept, and a run that was killed goes on where it stopped. ``--from-uv-cache`` asks no index: it
takes what uv has fetched in ordinary use. Either way the files depend on the answers alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.packages import Wanted, wanted_packages
from keras_doctor.knowledge.releasefile import Package
from keras_doctor.refresh.assemble import assemble, uploads_by_version
from keras_doctor.refresh.copyfiles import verify, write_copy
from keras_doctor.refresh.gather import Steps, gather
from keras_doctor.registry import RegistryError
from keras_doctor.registry.address import find_index
from keras_doctor.registry.answers import Answers
from keras_doctor.registry.client import Client
from tools.compile_knowledge import KNOWLEDGE
from tools.knowledge import uvcache

TARGET = KNOWLEDGE / "compiled" / "releases"
FROM_INDEX = "Read from a package index: its simple pages, and the metadata of the files."
FROM_UV = (
    "Read from the pages and the metadata that uv had fetched while environments were built; "
    "no index was asked for them again."
)
NO_METADATA = "the others' had not been fetched by an installer, and no index was asked"
UNFETCHED = "its page had not been fetched by an installer, and no index was asked"
REFUSED = "the index refuses it"

Gathered = tuple[list[Package], list[tuple[str, str]]]
"""The packages, and those that are missing with the reason."""


def main(argv: Sequence[str]) -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge releases", description=__doc__)
    parser.add_argument("--packages", help="only these, with commas between them")
    parser.add_argument("--cache", metavar="DIR", help="keep the answers here, and go on from them")
    parser.add_argument("--from-uv-cache", type=Path, metavar="DIR", help="ask no index")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: the shipped files")
    options = parser.parse_args(argv)
    wanted = _wanted(options.packages)
    try:
        if options.from_uv_cache:
            packages, gaps = from_uv(options.from_uv_cache, wanted)
        else:
            packages, gaps = from_index(options.cache, wanted)
    except (RegistryError, uvcache.UnknownLayoutError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    how = FROM_UV if options.from_uv_cache else FROM_INDEX
    replace(options.output, packages, gaps, how)
    for package in packages:
        read = sum(row.requires is not None for row in package.releases)
        print(f"{package.name}: {len(package.releases)} releases, requirements of {read}")
    for name, why in gaps:
        print(f"{name}: missing, {why}")
    return 0


def _wanted(names: str | None) -> list[Wanted]:
    every = {package.name: package for package in wanted_packages()}
    if names is None:
        return list(every.values())
    unknown = sorted(set(names.split(",")) - every.keys())
    if unknown:
        sys.exit(f"not in knowledge/sources/packages.toml: {', '.join(unknown)}")
    return [every[name] for name in names.split(",")]


def from_index(cache: str | None, wanted: Sequence[Wanted]) -> Gathered:
    """What the index that pip is configured with knows of the packages."""
    from rich.progress import Progress

    answers = Answers(Client(find_index()), cache)
    packages, gaps = [], []
    with Progress(transient=True) as bar:
        whole = bar.add_task("packages", total=len(wanted))
        part = bar.add_task("")
        steps = Steps(
            begin=lambda name, count: bar.reset(part, description=name, total=count),
            advance=lambda: bar.advance(part),
        )
        for row in wanted:
            package = gather(answers, row, steps=steps)
            if package is None:
                gaps.append((row.name, REFUSED))
            else:
                packages.append(package)
            bar.advance(whole)
    print(f"{answers.client.asked} questions were sent")
    return packages, gaps


def from_uv(cache: Path, wanted: Sequence[Wanted]) -> Gathered:
    """What uv's cache holds of the packages."""
    packages, gaps = [], []
    for name in (row.name for row in wanted):
        listing = uvcache.read_listing(cache, name)
        if listing is None:
            gaps.append((name, UNFETCHED))
            continue
        requires = uvcache.read_requires(cache, name)
        versions = uploads_by_version(listing)
        read = sum(version in requires for version in versions)
        gap = (
            "requirements",
            f"read for {read} of {len(versions)} releases; {NO_METADATA}",
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
