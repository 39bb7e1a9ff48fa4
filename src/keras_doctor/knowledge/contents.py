"""What the knowledge holds: for `keras-doctor knowledge`, which looks at all of it."""

from __future__ import annotations

import os

from keras_doctor.knowledge import copies, folder, load
from keras_doctor.knowledge.releasefile import DamagedError
from keras_doctor.records import NamedTuple

_MEANING = {
    "selection": ("generation", "generations of Keras: how each selects its backend"),
    "import_paths": ("path", "import paths that came, went or moved"),
    "imports": ("loads", "environments in which it was measured what an import loads"),
    "measured": ("edges", "pairs of releases whose boundary was measured"),
    "compatibility": ("refusal", "messages by which packages refuse each other"),
    "native": ("instructions", "packages whose libraries need certain processor instructions"),
    "packages": ("package", "packages whose releases are wanted"),
    "import_names": ("row", "import names that people wrote down the distribution of"),
    "import_files": ("names", "import names and the released files that hold them"),
    "signatures": ("signature", "messages of failures, each with the causes that it had"),
}
"""What one row of a file is, by the name of the file and of the list in it."""


class KnownPackage(NamedTuple):
    """What is known of one package."""

    name: str
    releases: int
    requires: int
    """Releases whose requirements are known."""
    first: str | None
    last: str | None
    """Its oldest and its newest version."""
    read: str
    gaps: tuple[tuple[str, str], ...]


class KnownFile(NamedTuple):
    """Another file of knowledge."""

    name: str
    rows: int | None
    """None when it is a file of a kind that is not described here."""
    meaning: str
    size: int


class Contents(NamedTuple):
    """All that is known."""

    source: str
    """Where the releases in use come from: ``shipped`` or ``user``."""
    folder: str
    date: str
    size: int
    """Bytes of the releases in use."""
    problem: str | None
    """Why a user's copy is not used, when there is one and it cannot be."""
    packages: tuple[KnownPackage, ...]
    missing: tuple[tuple[str, str], ...]
    files: tuple[KnownFile, ...]


def contents() -> Contents:
    """Look at all of it; every release file is read.

    Raises:
        DamagedError: The shipped files are damaged.
    """
    copy, problem = copies.in_use()
    packages = []
    for name in sorted(copy.packages):
        try:
            packages.append(_known(copy, name))
        except DamagedError as error:
            if copy.source == "shipped":
                raise
            problem = problem or f"{error}; for {name} the shipped copy is used"
            if name in copies.shipped().packages:
                packages.append(_known(copies.shipped(), name))
    return Contents(
        source=copy.source,
        folder=copy.folder,
        date=copy.date,
        size=sum(entry.size for entry in copy.packages.values()),
        problem=problem,
        packages=tuple(packages),
        missing=copy.gaps,
        files=tuple(_files()),
    )


def _known(copy: copies.Copy, name: str) -> KnownPackage:
    package = copies.read_package(copy, name)
    if package is None:
        raise DamagedError(f"{name} is missing")
    rows = package.releases
    return KnownPackage(
        name=name,
        releases=len(rows),
        requires=sum(row.requires is not None for row in rows),
        first=rows[0].version if rows else None,
        last=rows[-1].version if rows else None,
        read=package.read,
        gaps=package.gaps,
    )


def _files() -> list[KnownFile]:
    found = []
    paths = os.path.join(folder(), "paths")
    for file in sorted(os.listdir(paths)):
        name = os.path.splitext(file)[0]
        index = load(os.path.join("paths", name))
        found.append(
            KnownFile(
                name=f"paths/{name}",
                rows=len(index["releases"].split()),
                meaning="releases whose import paths were read",
                size=os.path.getsize(os.path.join(paths, file)),
            )
        )
    found.append(_stacks())
    for file in sorted(os.listdir(folder())):
        name, ending = os.path.splitext(file)
        if ending != ".json":
            continue
        key, meaning = _MEANING.get(name, ("", ""))
        rows = load(name).get(key)
        found.append(
            KnownFile(
                name=name,
                rows=len(rows) if isinstance(rows, (list, dict)) else None,
                meaning=meaning,
                size=os.path.getsize(os.path.join(folder(), file)),
            )
        )
    return found


def _stacks() -> KnownFile:
    path = os.path.join(folder(), "stacks")
    return KnownFile(
        name="stacks",
        rows=len(load(os.path.join("stacks", "index"))["stacks"]),
        meaning="whole environments of packages that go together",
        size=sum(os.path.getsize(os.path.join(path, file)) for file in os.listdir(path)),
    )
