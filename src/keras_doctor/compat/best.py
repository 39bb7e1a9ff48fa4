"""The newest set over all Pythons, and where else it fits."""

from __future__ import annotations

from keras_doctor.compat import choose
from keras_doctor.compat.choose import Budget, Chosen, Search, in_place, ways_in_place
from keras_doctor.compat.seen import bases_of, fails_alone
from keras_doctor.compat.where import Where, distance, pythons_for
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keras_doctor.compat.asked import Asked
    from keras_doctor.knowledge.releases import Candidate


class Places:
    """The searches in all places that a question is about, each made once."""

    def __init__(self, asked: Sequence[Asked], system: str, machine: str) -> None:
        self.asked = asked
        self.pythons = pythons_for(one.name for one in asked)
        self._system = system
        self._machine = machine
        self._searches: dict[str, Search] = {}
        self._budget = Budget(choose.MOST_PAIRS)

    @property
    def gave_up(self) -> bool:
        """Whether the search was ended before everything was tried."""
        return self._budget.spent

    def without_versions(self) -> Places:
        """The same packages and places, whatever versions were asked for."""
        free = [one._replace(specifier="") for one in self.asked]
        return Places(free, self._system, self._machine)

    def where(self, python: str) -> Where:
        """The place of a Python."""
        return Where(python=python, system=self._system, machine=self._machine)

    def at(self, python: str) -> Search:
        """The search on a Python."""
        if python not in self._searches:
            self._searches[python] = Search(self.asked, self.where(python), self._budget)
        return self._searches[python]

    def there(self, place: int, python: str) -> tuple[Candidate, ...]:
        """The releases of one of the packages that can be installed on a Python at all."""
        asked, where = self.asked[place], self.where(python)
        return in_place(asked, where)

    def newest(
        self, pythons: Iterable[str], *, measured: bool, least: Chosen | None = None
    ) -> Chosen | None:
        """The newest set on any of some Pythons; of equal ones that on the first."""
        best: Chosen | None = None
        for python in pythons:
            search = self.at(python)
            if best is not None and not self._may_beat(search, best):
                continue
            found = search.newest(measured=measured, least=least)
            if found is not None and (best is None or found.key > best.key):
                best = found
        return best

    def also_on(self, chosen: Chosen, pythons: Iterable[str], *, measured: bool) -> list[str]:
        """On which other Pythons a set fits, in their order.

        What is not built for one Python installs on very old ones too: of what was run, only the
        Pythons that something in the set was built for.
        """
        return [
            python
            for python in pythons
            if python != chosen.where.python
            and (not measured or _is_built_for(chosen, python))
            and self._holds(self.at(python), chosen, measured=measured)
        ]

    def nearest(self, python: str) -> tuple[Chosen, bool] | None:
        """The newest set on the Python nearest to one on which nothing fits, and if it was seen.

        One that was seen to work counts first, wherever it is.
        """
        others = sorted((p for p in self.pythons if p != python), key=lambda p: distance(p, python))
        for measured in (True, False):
            for other in others:
                found = self.at(other).newest(measured=measured)
                if found is not None:
                    return found, measured
        return None

    def home_of(self, version: str, place: int) -> str:
        """The Python that a release of a package is looked at on.

        The newest on which it was seen to work, else the newest with a wheel, else the newest.
        """
        good = [base.python for base in bases_of(self.asked[place].name, version) if base.works]
        ways = {python: self.how(place, python, version) for python in self.pythons}
        for wanted in ("wheel", "sdist"):
            fitting = [python for python, how in ways.items() if how == wanted]
            if fitting:
                return next((python for python in fitting if python in good), fitting[0])
        return self.pythons[0]

    def joint(
        self, place: int, version: str, other: int, other_version: str, tried: str | None
    ) -> str | None:
        """The Python to look at two releases on: where they were run, else the newest with both.

        Wheels before what has to be built.
        """
        both = {
            python: {self.how(place, python, version), self.how(other, python, other_version)}
            for python in self.pythons
            if fails_alone(self.asked[place].name, version, python) is None
            and fails_alone(self.asked[other].name, other_version, python) is None
        }
        for ways in ({"wheel"}, {"wheel", "sdist"}):
            fitting = [python for python, found in both.items() if found <= ways]
            if fitting:
                return tried if tried in fitting else fitting[0]
        return None

    def how(self, place: int, python: str, version: str) -> str | None:
        """``wheel`` or ``sdist``, as a release of a package is installed; None: not at all."""
        return ways_in_place(self.asked[place], self.where(python)).get(version)

    def _may_beat(self, search: Search, best: Chosen) -> bool:
        """Whether the first package has a release there that is at least as new."""
        first = search.candidates[0]
        return (
            bool(first)
            and all(search.candidates)
            and compare_key(first[0].release.version)
            >= compare_key(best.releases[0].release.version)
        )

    def _holds(self, search: Search, chosen: Chosen, *, measured: bool) -> bool:
        places = []
        for candidates, wanted in zip(search.candidates, chosen.releases, strict=True):
            same = [c for c in candidates if c.release.version == wanted.release.version]
            if not same:
                return False
            places.append(same[0])
        return all(
            search.fits(i, places[i], j, places[j], measured=measured)
            for j in range(len(places))
            for i in range(j)
        )


def _is_built_for(chosen: Chosen, python: str) -> bool:
    word = "cp" + python.replace(".", "")
    tags = (tag for one in chosen.releases for tag in one.release.tags)
    return any(word in tag.partition("-")[0].split(".") for tag in tags)
