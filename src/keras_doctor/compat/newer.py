"""Why no newer release of a package is in the set."""

from __future__ import annotations

from itertools import groupby

from keras_doctor.compat.asked import releases_asked
from keras_doctor.compat.pair import FORBIDS
from keras_doctor.compat.seen import fails_alone
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.compat.best import Places
    from keras_doctor.compat.choose import Chosen, Search
    from keras_doctor.compat.pair import Pair
    from keras_doctor.knowledge.releases import Candidate, Release


class Held(NamedTuple):
    """Releases newer than the one in the set, and what speaks against them."""

    name: str
    first: str
    last: str
    why: str
    """A clause, like ``needs Python >=3.11``."""


def why_not_newer(places: Places, chosen: Chosen) -> tuple[Held, ...]:
    """For each package the newer releases that would have done by their number, newest first."""
    search = places.at(chosen.where.python)
    found: list[Held] = []
    for place, asked in enumerate(places.asked):
        mine = compare_key(chosen.releases[place].release.version)
        newer = [row for row in releases_asked(asked) if compare_key(row.version) > mine]
        there = {one.release.version: one for one in places.there(place, chosen.where.python)}
        reasons = [(row, _why(search, chosen, place, row, there)) for row in newer]
        for why, group in groupby(reversed(reasons), lambda pair: pair[1]):
            rows = [row for row, _ in group]
            found.append(
                Held(name=asked.name, first=rows[-1].version, last=rows[0].version, why=why)
            )
    return tuple(found)


def _why(
    search: Search,
    chosen: Chosen,
    place: int,
    row: Release,
    there: dict[str, Candidate],
) -> str:
    where, name = search.where, search.asked[place].name
    candidate = there.get(row.version)
    if candidate is None:
        return _not_there(row, where.python, where.platform)
    failed = fails_alone(name, row.version, where.python)
    if failed is not None:
        how = f": {failed.failure.type}" if failed.failure else ""
        return f"was seen to fail on Python {failed.python}{how}"
    if candidate not in search.candidates[place]:
        return "has no wheel and would have to be built"
    return _clash(search, chosen, place, candidate) or _elsewhere(search, place)


def _not_there(row: Release, python: str, platform: str) -> str:
    full = python if python.count(".") > 1 else python + ".99"
    if row.requires_python and satisfies(full, row.requires_python) is False:
        return f"needs Python {row.requires_python}"
    return f"has no wheel for Python {python} on {platform}"


def _clash(search: Search, chosen: Chosen, place: int, candidate: Candidate) -> str | None:
    """What speaks against a release beside the others of the set."""
    unseen = None
    for other, partner in enumerate(chosen.releases):
        if other == place:
            continue
        first, second = sorted((place, other))
        ends = {place: candidate, other: partner}
        found = search.pair(first, ends[first], second, ends[second])
        name = f"{search.asked[other].name} {partner.release.version}"
        told = _told(found, name)
        if told:
            return told
        if search.counts(first, second) and not search.was_seen(found):
            unseen = unseen or f"was not measured with {name}"
    return unseen


def _told(found: Pair, name: str) -> str | None:
    if found.declared == FORBIDS:
        said = "; ".join(found.says)
        return f"does not go with {name}: {said}"
    if found.seen is not None and not found.seen.works:
        return f"was seen to fail with {name}: {found.seen.failure}"
    return None


def _elsewhere(search: Search, place: int) -> str:
    """It would go with the others, but the search preferred a newer release of one before it."""
    if place:
        return f"goes only with an older {search.asked[0].name}"
    return "goes only without one of the others"
