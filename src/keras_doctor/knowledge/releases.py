"""Which releases a package has, what each requires, and which of them can be installed where.

Everything here reads local data files: nothing asks an index.
"""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.releasefile import DamagedError, Package, Release
from keras_doctor.knowledge.tags import Matcher, place
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key, parse_version, satisfies
from keras_doctor.versions import release as release_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "Candidate",
    "Package",
    "Release",
    "installable",
    "known_packages",
    "nearest",
    "package",
    "release",
    "releases_of",
]


class Candidate(NamedTuple):
    """A release that can be installed somewhere, and how."""

    release: Release
    how: str
    """``wheel``, or ``sdist`` when it must be built there."""


@cache
def package(name: str) -> Package | None:
    """What is known of a package; None when nothing is.

    A user's copy that is damaged is passed over for the shipped one.
    """
    name = normalize(name)
    copy, _ = copies.in_use()
    try:
        return copies.read_package(copy, name)
    except DamagedError:
        if copy.source == "shipped":
            raise
        return copies.read_package(copies.shipped(), name)


def known_packages() -> frozenset[str]:
    """The normalised names of the packages whose releases are known."""
    return frozenset(copies.in_use()[0].packages)


def releases_of(name: str) -> tuple[Release, ...]:
    """The releases of a package, oldest version first; () when it is not known."""
    found = package(name)
    return found.releases if found else ()


def release(name: str, version: str) -> Release | None:
    """One release, by a version in any spelling; None when it is not known.

    A local part (``2.6.0+cpu``) is left out when no release bears it.
    """
    rows = _by_version(normalize(name))
    key = compare_key(version)
    return rows.get(key) or rows.get(key._replace(local=()))


@cache
def _by_version(name: str) -> dict[tuple[object, ...], Release]:
    return {compare_key(row.version): row for row in releases_of(name)}


def installable(
    name: str,
    *,
    python: str,
    platform: str = "linux",
    machine: str = "x86_64",
    libc: str | None = None,
    macos: str | None = None,
    prereleases: bool = False,
) -> tuple[Candidate, ...]:
    """The releases that an installer would take for a CPython on a machine, newest first.

    Args:
        name: The package.
        python: Like ``3.9`` (its last patch is meant), ``3.9.18`` or ``3.13t``.
        platform: As ``sys.platform`` says: linux, darwin or win32.
        machine: As ``platform.machine()`` says.
        libc: Like ``glibc 2.36`` or ``musl 1.2``; None: any glibc.
        macos: The release of macOS; None: any.
        prereleases: Whether alphas, betas, candidates and development releases count.

    Returns:
        Those with a wheel that fits, and those that only an sdist offers; never a yanked one.
    """
    where = place(python, platform, machine, libc, macos)
    matcher = Matcher(where)
    full = where.python if where.python.count(".") > 1 else where.python + ".999"
    found = []
    for row in reversed(releases_of(name)):
        if row.yanked or not _python_allows(row, full):
            continue
        if not prereleases and _is_prerelease(row.version):
            continue
        if matcher.fits_any(row.tags):
            found.append(Candidate(row, "wheel"))
        elif row.has_sdist:
            found.append(Candidate(row, "sdist"))
    return tuple(found)


def nearest(
    name: str,
    wanted: Sequence[str] | Callable[[Release], bool],
    *,
    to: str | None = None,
    python: str,
    platform: str = "linux",
    machine: str = "x86_64",
    libc: str | None = None,
    macos: str | None = None,
    prereleases: bool = False,
    build: bool = False,
) -> Candidate | None:
    """The installable release nearest to an installed one that satisfies what is wanted.

    Near is what shares most leading numbers with `to`; among those, what lies fewest releases
    away; of two equally near ones, the newer. Without `to`, the newest.

    Args:
        name: The package.
        wanted: Specifiers that must all hold, like ``[">=1.26,<2", "!=1.26.1"]``, or a
            function that says of a release whether it will do.
        to: The installed version.
        python: See :func:`installable`, as for the four that follow.
        platform: See there.
        machine: See there.
        libc: See there.
        macos: See there.
        prereleases: See there.
        build: Whether a release that must be built from its sdist will do.
    """
    candidates = [
        candidate
        for candidate in installable(
            name,
            python=python,
            platform=platform,
            machine=machine,
            libc=libc,
            macos=macos,
            prereleases=prereleases,
        )
        if build or candidate.how == "wheel"
    ]
    fitting = [
        (index, candidate)
        for index, candidate in enumerate(candidates)
        if _will_do(candidate.release, wanted)
    ]
    if not fitting:
        return None
    if to is None:
        return fitting[0][1]
    here = compare_key(to)
    newer = sum(compare_key(c.release.version) > here for c in candidates)
    absent = not any(compare_key(c.release.version) == here for c in candidates)

    def distance(item: tuple[int, Candidate]) -> tuple[int, int]:
        index, candidate = item
        steps = newer - index if index < newer else index - newer + absent
        return -_shared(candidate.release.version, to), steps

    # The newest come first, and min takes the first of equals.
    return min(fitting, key=distance)[1]


def _will_do(row: Release, wanted: Sequence[str] | Callable[[Release], bool]) -> bool:
    if callable(wanted):
        return wanted(row)
    return all(satisfies(row.version, specifier) is True for specifier in wanted)


def _shared(one: str, other: str) -> int:
    """How many leading numbers two versions have in common."""
    pairs = zip(release_numbers(one), release_numbers(other), strict=False)
    count = 0
    for a, b in pairs:
        if a != b:
            break
        count += 1
    return count


def _python_allows(row: Release, python: str) -> bool:
    """Requires-Python that cannot be read forbids nothing, as pip has it."""
    return not row.requires_python or satisfies(python, row.requires_python) is not False


def _is_prerelease(version: str) -> bool:
    parsed = parse_version(version)
    return parsed is None or parsed.is_prerelease
