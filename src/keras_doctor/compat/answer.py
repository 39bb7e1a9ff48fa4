"""The whole answer to "which releases go together": what reports are drawn from."""

from __future__ import annotations

from itertools import combinations

from keras_doctor.compat.asked import Asked, read_words, releases_asked
from keras_doctor.compat.best import Places
from keras_doctor.compat.choose import Chosen, counts_on, in_place
from keras_doctor.compat.guards import guards_of
from keras_doctor.compat.newer import Held, why_not_newer
from keras_doctor.compat.overview import Overview, overview_of
from keras_doctor.compat.pair import pair
from keras_doctor.compat.table import Stretch, Table, make_table
from keras_doctor.compat.where import platform_from, python_from
from keras_doctor.knowledge import copies, measured
from keras_doctor.knowledge.releases import package
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.compat.where import Where
    from keras_doctor.knowledge.releases import Release


class Member(NamedTuple):
    """One release of a set."""

    name: str
    version: str
    date: str | None
    how: str
    """``wheel``, or ``sdist`` when it must be built."""


class Fact(NamedTuple):
    """What is known of two members of a set."""

    first: str
    second: str
    declared: str
    """``accepts``, ``forbids``, ``silent`` or ``not-read``."""
    says: tuple[str, ...]
    """What is declared, line by line."""
    measured: str | None
    """``works``; None: not measured."""
    subject: str | None
    statement: str | None
    python: str | None
    date: str | None


class Bound(NamedTuple):
    """A package that was not named, and a bound that must go along."""

    requirement: str
    """Like ``protobuf<4.21.1``."""
    why: str


class Together(NamedTuple):
    """A set of releases, one of each package."""

    python: str
    also_on: tuple[str, ...]
    """Other Pythons on which the same holds."""
    members: tuple[Member, ...]
    facts: tuple[Fact, ...]
    bounds: tuple[Bound, ...]
    argv: tuple[str, ...]
    command: str
    evidence: str
    """The weakest of what is known of its pairs: ``measured`` (run together there or on a newer
    Python), ``declared`` (metadata accepts it), ``none`` (nothing speaks against it)."""


class Answer(NamedTuple):
    """Everything that is said to one question."""

    asked: tuple[Asked, ...]
    python: str | None
    """The Python that was asked for; None: any."""
    platform: str
    newest: Together | None
    """The newest set that goes together there."""
    unseen: Together | None
    """A newer one that nothing speaks against, but that was not measured."""
    elsewhere: Together | None
    """When nothing fits: the newest set on the nearest Python."""
    otherwise: Together | None
    """When nothing fits: the newest set there when the versions asked for are left aside."""
    held: tuple[Held, ...]
    """Why nothing newer."""
    tables: tuple[Table, ...]
    overview: Overview | None
    """For one package alone."""
    gaps: tuple[str, ...]
    gave_up: bool
    """Whether the search was ended before all was tried."""
    releases_read: str
    measured_on: str
    measured_platform: str
    measured_runs: int


def answer(
    words: Sequence[str], *, python: str | None, platform: str | None, every_pair: bool = True
) -> Answer:
    """What goes together.

    Args:
        words: Packages, like ``keras``, ``tensorflow==2.10`` or ``keras<3``.
        python: Like ``3.11``; None: any.
        platform: ``linux``, ``macos`` or ``windows``, perhaps with a processor; None: this one.
        every_pair: Whether there is a table for each pair, or only those with the first package.

    Raises:
        CompatError: A word means no package that is known, or no Python or platform.
    """
    asked = read_words(words)
    wanted = None if python is None else python_from(python)
    system, machine = platform_from(platform)
    places = Places(asked, system, machine)
    pythons = places.pythons if wanted is None else (wanted,)
    seen = places.newest(pythons, measured=True)
    loose = places.newest(pythons, measured=False, least=seen)
    best = seen or loose
    about = measured.about()
    return Answer(
        asked=asked,
        python=wanted,
        platform=f"{system}-{machine}",
        newest=_together(places, best, pythons, seen=seen is not None) if best else None,
        unseen=(
            _together(places, loose, pythons, seen=False)
            if seen and loose and loose.key > seen.key
            else None
        ),
        elsewhere=_elsewhere(places, wanted) if best is None and wanted else None,
        otherwise=_otherwise(asked, places, pythons) if best is None else None,
        held=why_not_newer(places, best) if best else (),
        tables=_tables(places, wanted, every_pair=every_pair),
        overview=overview_of(asked[0], places, wanted) if len(asked) == 1 else None,
        gaps=tuple(_gaps(asked)),
        gave_up=places.gave_up,
        releases_read=copies.in_use()[0].date[:10],
        measured_on=about["date"],
        measured_platform=about["platform"],
        measured_runs=about["runs"],
    )


def _together(places: Places, chosen: Chosen, pythons: Sequence[str], *, seen: bool) -> Together:
    names = [one.name for one in places.asked]
    versions = [one.release.version for one in chosen.releases]
    pinned = dict(zip(names, versions, strict=True))
    facts = tuple(
        _fact(names[i], versions[i], names[j], versions[j], chosen)
        for i, j in combinations(range(len(names)), 2)
    )
    bounds = tuple(Bound(*one) for one in guards_of(pinned, chosen.where))
    argv = ("pip", "install", *(f"{n}=={v}" for n, v in pinned.items()))
    argv += tuple(bound.requirement for bound in bounds)
    also = places.also_on(chosen, pythons, measured=seen)
    return Together(
        python=chosen.where.python,
        also_on=tuple(also),
        members=tuple(
            Member(name=name, version=one.release.version, date=one.release.date, how=one.how)
            for name, one in zip(names, chosen.releases, strict=True)
        ),
        facts=facts,
        bounds=bounds,
        argv=argv,
        # Double quotes, because every shell that people use takes them.
        command=" ".join(f'"{word}"' if "<" in word else word for word in argv),
        evidence=_evidence(facts, chosen.where.python),
    )


def _evidence(facts: Sequence[Fact], python: str) -> str:
    """Pairs of which nothing at all is known count only where no other pair is left."""
    kinds = set()
    for fact in facts:
        if fact.measured and counts_on(fact.python or "", python):
            kinds.add("measured")
        elif fact.declared == "accepts":
            kinds.add("declared")
        elif fact.declared == "not-read" or fact.measured:
            kinds.add("none")
    return next((kind for kind in ("none", "declared", "measured") if kind in kinds), "none")


def _fact(first: str, version: str, second: str, second_version: str, chosen: Chosen) -> Fact:
    found = pair(first, version, second, second_version, chosen.where)
    seen = found.seen
    return Fact(
        first=first,
        second=second,
        declared=found.declared,
        says=found.says,
        measured=None if seen is None else "works" if seen.works else "fails",
        subject=seen.subject if seen else None,
        statement=seen.statement if seen else None,
        python=seen.python if seen else None,
        date=seen.date if seen else None,
    )


def _elsewhere(places: Places, python: str) -> Together | None:
    found = places.nearest(python)
    return _together(places, found[0], places.pythons, seen=found[1]) if found else None


def _otherwise(asked: Sequence[Asked], places: Places, pythons: Sequence[str]) -> Together | None:
    """The newest set of any releases, when particular ones were asked for."""
    if not any(one.specifier for one in asked):
        return None
    free = places.without_versions()
    seen = free.newest(pythons, measured=True)
    found = seen or free.newest(pythons, measured=False)
    return _together(free, found, pythons, seen=seen is not None) if found else None


def _tables(places: Places, python: str | None, *, every_pair: bool) -> tuple[Table, ...]:
    """Those with the first package before the others."""
    rows = [_rows(one, places, python) for one in places.asked]
    return tuple(
        _table(places, python, rows, i, j)
        for i, j in combinations(range(len(rows)), 2)
        if rows[i] and rows[j] and (every_pair or i == 0)
    )


def _table(
    places: Places, python: str | None, rows: Sequence[Sequence[Release]], i: int, j: int
) -> Table:
    def place_of(version: str, partner: Stretch | None) -> tuple[Where, str | None]:
        home = python
        if home is None and partner is not None:
            home = places.joint(i, version, j, partner.last, partner.python)
        if home is None:
            home = places.home_of(version, i)
        return places.where(home), places.how(i, home, version)

    names = [one.name for one in places.asked]
    return make_table(names[i], rows[i], names[j], rows[j], place_of)


def _rows(asked: Asked, places: Places, python: str | None) -> list[Release]:
    """The releases that the tables are about: on a named Python those that can be installed."""
    if python is None:
        return list(releases_asked(asked))
    there = in_place(asked, places.where(python))
    return [candidate.release for candidate in reversed(there)]


def _gaps(asked: Sequence[Asked]) -> list[str]:
    found = []
    for one in asked:
        known = package(one.name)
        found += [f"{one.name}: {what}: {why}" for what, why in (known.gaps if known else ())]
    return found
