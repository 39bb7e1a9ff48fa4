"""The newest releases of the named packages that go together in one place: a bounded search.

No resolver: only what the named packages say of each other counts, and what was measured of them.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

from keras_doctor.compat.asked import releases_asked
from keras_doctor.compat.pair import FORBIDS, Pair, pair
from keras_doctor.compat.seen import fails_alone, speaks, were_measured, were_measured_as
from keras_doctor.knowledge.releases import installable
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.compat.asked import Asked
    from keras_doctor.compat.where import Where
    from keras_doctor.knowledge.releases import Candidate
    from keras_doctor.versions import Version

MOST_PAIRS = 30_000
"""After so many looked-up pairs a question's search gives up, so that it ends within half a
second in any case."""


class Chosen(NamedTuple):
    """A set of releases, in the order of the packages as they were named."""

    where: Where
    releases: tuple[Candidate, ...]

    @property
    def key(self) -> tuple[object, ...]:
        """Sorts sets by their releases, the first package first."""
        return tuple(map(_key, self.releases))


def _key(one: Candidate) -> Version:
    return compare_key(one.release.version)


class Budget:
    """How many pairs a question may still look up, in all places together."""

    def __init__(self, pairs: int) -> None:
        self.left = pairs

    @property
    def spent(self) -> bool:
        """Whether the search is over."""
        return self.left < 0


class Search:
    """The candidates of some packages in one place, and what is known of each pair."""

    def __init__(self, asked: Sequence[Asked], where: Where, budget: Budget) -> None:
        self.asked = asked
        self.where = where
        self.candidates = [_candidates(one, where) for one in asked]
        self._budget = budget
        self._run = {
            (i, j): were_measured(asked[i].name, asked[j].name)
            for i, j in combinations(range(len(asked)), 2)
        }

    def newest(self, *, measured: bool, least: Chosen | None = None) -> Chosen | None:
        """The newest set; None when none goes together.

        Args:
            measured: Whether every pair of packages that was ever run together must have been
                seen to work; else it is enough that nothing speaks against it.
            least: A set that it must not be older than in any package.
        """
        rows = self._measured() if measured else self.candidates
        if least is not None:
            rows = [
                [
                    c
                    for c in row
                    if compare_key(c.release.version) >= compare_key(at.release.version)
                ]
                for row, at in zip(rows, least.releases, strict=True)
            ]
        picked = self._extend([], rows, measured=measured)
        return None if picked is None else Chosen(where=self.where, releases=tuple(picked))

    def _measured(self) -> list[list[Candidate]]:
        """The candidates without those that no run can speak for, which would only take time."""
        rows = list(self.candidates)
        for (i, j), run in self._run.items():
            for mine, other in ((i, j), (j, i)) if run else ():
                names = self.asked[mine].name, self.asked[other].name
                if not were_measured_as(*reversed(names)):
                    rows[mine] = [
                        c for c in rows[mine] if speaks(names[0], c.release.version, names[1])
                    ]
        return rows

    def _extend(
        self, picked: list[Candidate], rows: Sequence[Sequence[Candidate]], *, measured: bool
    ) -> list[Candidate] | None:
        place = len(picked)
        if place == len(self.asked):
            return picked
        for candidate in rows[place]:
            if self._budget.spent:
                return None
            if all(
                self.fits(other, earlier, place, candidate, measured=measured)
                for other, earlier in enumerate(picked)
            ):
                found = self._extend([*picked, candidate], rows, measured=measured)
                if found is not None:
                    return found
        return None

    def fits(self, i: int, one: Candidate, j: int, other: Candidate, *, measured: bool) -> bool:
        """Whether two candidates go together; i < j."""
        self._budget.left -= 1
        found = self.pair(i, one, j, other)
        if found.declared == FORBIDS or (found.seen is not None and not found.seen.works):
            return False
        return not (measured and self._run[i, j]) or self.was_seen(found)

    def counts(self, i: int, j: int) -> bool:
        """Whether any releases of two packages were ever run together."""
        return self._run[i, j]

    def was_seen(self, found: Pair) -> bool:
        """Whether a pair was seen to work here."""
        seen = found.seen
        return seen is not None and seen.works and counts_on(seen.python, self.where.python)

    def pair(self, i: int, one: Candidate, j: int, other: Candidate) -> Pair:
        """What is known of two candidates."""
        return pair(
            self.asked[i].name,
            one.release.version,
            self.asked[j].name,
            other.release.version,
            self.where,
        )


def counts_on(tried: str, python: str) -> bool:
    """Whether what worked on one Python counts as seen on another: on the same or an older one.

    What is not built for one Python installs on every newer one, and old code does not go on
    working there.
    """
    return compare_key(tried) >= compare_key(".".join(python.removesuffix("t").split(".")[:2]))


@cache
def in_place(asked: Asked, where: Where) -> tuple[Candidate, ...]:
    """The releases that will do and can be installed in a place, newest first."""
    wanted = {row.version for row in releases_asked(asked)}
    return tuple(
        candidate
        for candidate in installable(
            asked.name,
            python=where.python,
            platform=where.system,
            machine=where.machine,
            prereleases=asked.prereleases,
        )
        if candidate.release.version in wanted
    )


@cache
def ways_in_place(asked: Asked, where: Where) -> dict[str, str]:
    """The same by version: ``wheel`` or ``sdist``."""
    return {one.release.version: one.how for one in in_place(asked, where)}


def _candidates(asked: Asked, where: Where) -> list[Candidate]:
    """What is chosen from: wheels, or what has to be built where no wheel will do.

    Not what was seen to fail there with everything else of its time.
    """
    found = in_place(asked, where)
    wheels = [candidate for candidate in found if candidate.how == "wheel"]
    return [
        c
        for c in wheels or found
        if fails_alone(asked.name, c.release.version, where.python) is None
    ]
