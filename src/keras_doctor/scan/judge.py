"""Which of the paths that programs use exist where, and in which releases all of them do."""

from __future__ import annotations

from keras_doctor.knowledge.pathindex import path_index, runs_of
from keras_doctor.knowledge.paths import close_paths, exists_in, known_ranges, replacement_of
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras_doctor.model.uses import Use

DISTRIBUTIONS = {
    "keras": "keras",
    "tf_keras": "tf-keras",
    "tensorflow": "tensorflow",
    "keras_applications": "keras-applications",
    "keras_preprocessing": "keras-preprocessing",
}
"""The import packages whose paths are known by release, with the distribution of each."""


class Judged(NamedTuple):
    """One path, in all places that use it."""

    path: str
    uses: tuple[Use, ...]
    here: bool | None
    """Whether the installed release has it; None when that cannot be told, or none is here."""
    ranges: tuple[tuple[str, str], ...] | None
    """The releases that have it, first and last inclusive; None: not known."""
    instead: str | None
    """Today's path for the same."""

    @property
    def gone(self) -> bool:
        """Whether the newest release does not have it any more, or never did."""
        return self.ranges is not None and _is_gone(self.ranges, self.path)

    @property
    def guarded(self) -> bool:
        """Whether every place that uses it can do without it."""
        return all(use.guarded for use in self.uses)


class Package(NamedTuple):
    """One import package, over all programs."""

    name: str
    distribution: str
    installed: str | None
    together: tuple[tuple[str, str], ...]
    """The releases in which every path that is used, outside ``try``, exists at once."""
    without: tuple[str, ...]
    """When there are none: the paths that no release has together with the most others."""


class Scan(NamedTuple):
    """What was found in a tree of programs."""

    files: int
    judged: tuple[Judged, ...]
    packages: tuple[Package, ...]
    problems: tuple[str, ...]
    python: str | None
    """The Python whose releases count as installed."""

    @property
    def is_broken(self) -> bool:
        """Whether something does not work: here, or with nothing installed, in any release."""
        if any(package.installed for package in self.packages):
            return any(row.here is False and not row.guarded for row in self.judged)
        return any(not package.together for package in self.packages)


def judge(
    uses: Sequence[Use],
    installed: Mapping[str, str],
    *,
    files: int,
    problems: Sequence[str] = (),
    python: str | None = None,
) -> Scan:
    """Judge every path that was used.

    Args:
        uses: In the order of the files.
        installed: Versions by import package.
        files: How many were read.
        problems: What could not be read.
        python: Where `installed` is from.
    """
    by_path: dict[str, list[Use]] = {}
    for use in uses:
        by_path.setdefault(_known_part(use), []).append(use)
    rows = []
    for path, places in by_path.items():
        rows.append(_judge(path, tuple(places), installed))
    packages = [
        _package(top, [row for row in rows if row.path.partition(".")[0] == top], installed)
        for top in DISTRIBUTIONS
        if any(row.path.partition(".")[0] == top for row in rows)
    ]
    return Scan(
        files=files,
        judged=tuple(rows),
        packages=tuple(packages),
        problems=tuple(problems),
        python=python,
    )


def _known_part(use: Use) -> str:
    """The path, or of an attribute the part of it whose releases are known.

    ``tf.keras.layers.Dense.call`` leads into a class: whether that has `call` is not known.
    """
    path = use.path
    if use.is_import:
        return path
    while "." in path and known_ranges(path) is None:
        path = path.rpartition(".")[0]
    return path


def _judge(path: str, uses: tuple[Use, ...], installed: Mapping[str, str]) -> Judged:
    top = path.partition(".")[0]
    version = installed.get(top)
    ranges = known_ranges(path)
    here = exists_in(path, version, installed.get("keras")) if version else None
    index = path_index(top)
    instead = None
    if index is not None and (here is False or (ranges is not None and _is_gone(ranges, path))):
        replaced = replacement_of(path)
        instead = replaced[1] if replaced else None
        if instead is None:
            instead = next(iter(close_paths(path, version or index.newest)), None)
    return Judged(path=path, uses=uses, here=here, ranges=ranges, instead=instead)


def _is_gone(ranges: tuple[tuple[str, str], ...], path: str) -> bool:
    index = path_index(path.partition(".")[0])
    return index is not None and (not ranges or ranges[-1][1] != index.newest)


def _package(top: str, rows: list[Judged], installed: Mapping[str, str]) -> Package:
    index = path_index(top)
    releases = index.releases if index else ()
    needed = [r for r in rows if r.ranges and not r.guarded]
    sets = {row.path: _indices(row.ranges or (), releases) for row in needed}
    common = set(range(len(releases)))
    for found in sets.values():
        common &= found
    without: list[str] = []
    if not common and sets:
        counts = [sum(i in found for found in sets.values()) for i in range(len(releases))]
        best = max(range(len(releases)), key=lambda i: (counts[i], i))
        without = [path for path, found in sets.items() if best not in found]
    return Package(
        name=top,
        distribution=DISTRIBUTIONS[top],
        installed=installed.get(top),
        together=runs_of(common, releases),
        without=tuple(without),
    )


def _indices(ranges: tuple[tuple[str, str], ...], releases: tuple[str, ...]) -> set[int]:
    return {
        i for first, last in ranges for i in range(releases.index(first), releases.index(last) + 1)
    }
