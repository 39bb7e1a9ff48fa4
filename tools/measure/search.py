"""Find where good turns to bad, with few trials. Pure: the trial is a callable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from keras_doctor.versions import compare_key, minor

Trial = Callable[[str], bool | None]
"""Whether a release works; None when it cannot be installed."""


def find_edge(versions: Sequence[str], known: str, trial: Trial, *, newer: bool) -> None:
    """Try releases on one side of a known good one until the edge is found.

    Good releases are taken to lie together: the far end is tried first, and only when it fails
    the edge is searched by halving, first among the last releases of each minor series, then
    within the series where it lies. The trial remembers its answers, so nothing is returned.

    Args:
        versions: All releases, in order.
        known: One that works.
        trial: Tries one release.
        newer: Which side.
    """
    key = compare_key(known)
    side = [v for v in versions if (compare_key(v) > key if newer else compare_key(v) < key)]
    if not newer:
        side.reverse()
    if not side:
        return
    series = _series_ends(side, newer=newer)
    good, bad = _halve(series, known, trial)
    if bad is None:
        return
    between = [v for v in side if _lies_between(v, good, bad)]
    # Mostly the first release of a series is as bad as its last.
    if between and trial(between[0]) is False:
        return
    _halve([*between, bad], good, trial)


def _series_ends(side: Sequence[str], *, newer: bool) -> list[str]:
    """The release of each minor series that stands for it; the outermost is always there."""
    ends: dict[tuple[int, ...], str] = {}
    for version in side:
        # On the way up the last patch release of a series, on the way down again the last.
        if newer or minor(version) not in ends:
            ends[minor(version)] = version
    return list(ends.values())


def _halve(versions: Sequence[str], known: str, trial: Trial) -> tuple[str, str | None]:
    """(last good, first bad) of a list that goes from good to bad; bad is None without any."""
    left = list(versions)
    end = _last_answer(left, trial)
    if end is None or end[1]:
        return (end[0] if end else known), None
    good, bad = known, end[0]
    left = left[: left.index(bad)]
    while left:
        middle = len(left) // 2
        answer = trial(left[middle])
        if answer is None:
            del left[middle]
        elif answer:
            good, left = left[middle], left[middle + 1 :]
        else:
            bad, left = left[middle], left[:middle]
    return good, bad


def _last_answer(versions: list[str], trial: Trial) -> tuple[str, bool] | None:
    """The outermost release that can be installed, and its answer."""
    for version in reversed(versions[-6:]):
        answer = trial(version)
        if answer is not None:
            return version, answer
    return None


def _lies_between(version: str, one: str, other: str) -> bool:
    low, high = sorted((compare_key(one), compare_key(other)))
    return low < compare_key(version) < high
