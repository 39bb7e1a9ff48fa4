"""Writes ``knowledge/compiled/paths/``: what could be imported from Keras in which release.

The wheels and sdists are read as text, nothing of them is imported. They come from ``--unpacked``
(folders in which uv keeps unpacked wheels) and from ``--downloads``, where pip puts what is missing
when ``--fetch`` is given. TensorFlow is never fetched: its wheels are large, so what is there of
each minor is read, and the others are named as gaps.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_doctor.versions import minor, release
from tools.compile_knowledge import KNOWLEDGE
from tools.knowledge.archives import UnreadableError, read_files
from tools.knowledge.pathsources import Sources, final_releases, minors, write_json
from tools.knowledge.pathtree import build
from tools.knowledge.publicpaths import roots_of, surface_of, wanted
from tools.knowledge.surface import Module, Reader, Surface

TARGET = KNOWLEDGE / "compiled" / "paths"
CHECKS = Path(__file__).with_name("path_checks.json")
HOW = (
    "Read from the text of the released wheels and sdists: module files; names bound at the top "
    "level of modules; star imports, __path__ and generated API folders resolved. Nothing was "
    "imported for it; `checked` says how far real imports agree. What is there as an attribute "
    "only (tf.distribute.MirroredStrategy) counts as there."
)
FIRST = {"keras": "1.0.0", "tensorflow": "1.4"}
KERAS_OUTSIDE = ("2.6", "2.15")
"""The minors of TensorFlow whose ``tensorflow.keras`` is that of the Keras of the same minor."""
KERAS_3_IN_TENSORFLOW = ["tensorflow.keras", "2.16", "keras", "keras._tf_keras.keras", "3.0.0"]
STARS_OF_KERAS_24 = ("2.2", "2.3", "2.4", "2.5")
"""Keras 2.4 takes all of ``tensorflow.keras`` from the TensorFlow that is installed."""

_FORWARDED = re.compile(rb'"(tensorflow\.\w+)"')


class Index(NamedTuple):
    """The surfaces of one package."""

    top: str
    releases: list[str]
    read: list[str]
    """Which releases were read for them."""
    surfaces: list[Surface]
    gaps: list[tuple[str, str]]


def main(argv: Sequence[str]) -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.knowledge paths", description=__doc__)
    parser.add_argument("--downloads", type=Path, required=True, metavar="DIR")
    parser.add_argument("--unpacked", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--fetch", action="store_true", help="let pip download what is missing")
    parser.add_argument("--packages", default=",".join(READERS), help="only these")
    parser.add_argument("--output", type=Path, default=TARGET, help="default: the shipped files")
    options = parser.parse_args(argv)
    sources = Sources(options.downloads, options.unpacked, fetch=options.fetch)
    whole = 0
    for top in options.packages.split(","):
        index = READERS[top](sources)
        size = write_json(options.output / f"{top}.json", compiled(index, _checks(top)))
        whole += size
        print(f"{top}: {len(index.releases)} releases, {size:,} bytes, {len(index.gaps)} gaps")
    print(f"{whole:,} bytes")
    return 0


def compiled(index: Index, checks: Sequence[object]) -> dict[str, object]:
    """What is written for one package."""
    by_minor = index.top == "tensorflow"
    about: dict[str, object] = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "how": HOW,
        "by": "minor" if by_minor else "release",
        "checked": checks,
        "gaps": index.gaps,
    }
    if by_minor:
        about["read"] = " ".join(index.read)
    data: dict[str, object] = {"schema": 1, "top": index.top, "about": about}
    data["releases"] = " ".join(index.releases)
    if by_minor:
        data["mounts"] = [KERAS_3_IN_TENSORFLOW]
    return data | build(index.surfaces)


def _checks(top: str) -> list[object]:
    """How far real imports agreed, as ``paths-check`` wrote it down."""
    if not CHECKS.exists():
        return []
    rows = json.loads(CHECKS.read_text(encoding="utf-8"))
    return [row for row in rows if row["top"] == top]


def read_package(
    sources: Sources,
    top: str,
    outside: Callable[[str], dict[str, Module]] = lambda _version: {},
) -> Index:
    """Every final release of a package that is all its own."""
    index = Index(top, [], [], [], [])
    for version in final_releases(top, FIRST.get(top, "0")):
        source = sources.find(top, version)
        if source is None:
            index.gaps.append((version, "no file of it was there to be read"))
            continue
        try:
            reader = Reader(read_files(source, wanted([top])), outside(version))
        except UnreadableError as error:
            index.gaps.append((version, str(error)))
            continue
        index.surfaces.append(surface_of(reader, top, roots_of(top, release(version)[0])))
        index.releases.append(version)
    index.read.extend(index.releases)
    return index


def read_keras(sources: Sources) -> Index:
    """Keras; the star imports of 2.4 go to TensorFlow."""
    known: dict[str, Module] = {}

    def outside(version: str) -> dict[str, Module]:
        if minor(version) != (2, 4):
            return {}
        if not known:
            known.update(_united(read_tensorflow(sources, STARS_OF_KERAS_24).surfaces))
        return known

    index = read_package(sources, "keras", outside)
    if known:
        stars = f"it offers what tensorflow.keras has in one of {', '.join(STARS_OF_KERAS_24)}"
        index.gaps.append(("2.4", f"depends on the TensorFlow beside it: {stars}"))
    return index


def _united(surfaces: Iterable[Surface]) -> dict[str, Module]:
    """A name counts when one of the releases has it."""
    found: dict[str, Module] = {}
    for surface in surfaces:
        for path, module in surface.items():
            if path.startswith("tensorflow.keras"):
                names = found[path].names if path in found else frozenset()
                found[path] = Module(names | module.names, is_open=False)
    return found


def read_tensorflow(sources: Sources, only: Sequence[str] = ()) -> Index:
    """One release of each minor of TensorFlow that is there, with the Keras that belonged to it."""
    index = Index("tensorflow", [], [], [], [])
    for number in only or minors(final_releases("tensorflow", FIRST["tensorflow"])):
        source = sources.newest_of_minor(number, "tensorflow", "tensorflow-cpu")
        if source is None:
            index.gaps.append((number, "no wheel of it was there to be read"))
            continue
        path, version = source
        # 1.15 and 2.0 had all of it in a package beside, and only forwarded to it.
        files = read_files(path, wanted(["tensorflow", "tensorflow_core"]))
        thin = files.get("tensorflow/__init__.py")
        core = {name: text for name, text in files.items() if name.startswith("tensorflow_core/")}
        files = {name: text for name, text in files.items() if name not in core}
        files |= {name.replace("_core", "", 1): text for name, text in core.items()}
        for name, folder in _beside(number):
            found = sources.newest_of_minor(number, name) or sources.nearest_minor(number, name)
            if found:
                files |= read_files(found[0], wanted([folder]))
            if not found or minor(found[1]) != minor(number):
                what = f"{found[1]} was read" if found else "was not there"
                index.gaps.append((number, f"of {name} {what}"))
        roots = roots_of("tensorflow", release(number)[0])
        surface = surface_of(Reader(files), "tensorflow", roots)
        if core:
            surface = _forwarded(surface, thin or b"")
        index.surfaces.append(surface)
        index.releases.append(number)
        index.read.append(version)
        print(f"tensorflow {version}: {len(index.surfaces[-1])} modules", flush=True)
    return index


def _forwarded(surface: Surface, text: bytes) -> Surface:
    """What a package that only forwards lets through: the modules that its text lists."""
    listed = {match.decode() for match in _FORWARDED.findall(text)}
    return {
        path: module
        for path, module in surface.items()
        if path.count(".") == 0 or ".".join(path.split(".")[:2]) in listed
    }


def _beside(number: str) -> list[tuple[str, str]]:
    """Distributions that put a part of ``tensorflow`` there, and its folder."""
    found = []
    if minor("1.13") <= minor(number):
        found.append(("tensorboard", "tensorboard/summary"))
    if minor("1.13") <= minor(number) <= minor("2.15"):
        found.append(("tensorflow-estimator", "tensorflow_estimator"))
    if minor(KERAS_OUTSIDE[0]) <= minor(number) <= minor(KERAS_OUTSIDE[1]):
        found.append(("keras", "keras"))
    return found


READERS: dict[str, Callable[[Sources], Index]] = {
    "keras": read_keras,
    "tf_keras": lambda sources: read_package(sources, "tf_keras"),
    "tensorflow": read_tensorflow,
    "keras_applications": lambda sources: read_package(sources, "keras_applications"),
    "keras_preprocessing": lambda sources: read_package(sources, "keras_preprocessing"),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
