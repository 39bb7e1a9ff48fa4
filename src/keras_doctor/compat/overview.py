"""One package alone: its releases, where they install, and the limits that were measured."""

from __future__ import annotations

from itertools import groupby

from keras_doctor.compat.asked import releases_asked
from keras_doctor.compat.declared import declared
from keras_doctor.compat.pair import contradiction, pair
from keras_doctor.compat.seen import bases_of, edges_of, good_range
from keras_doctor.knowledge.measured import series
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.compat.asked import Asked
    from keras_doctor.compat.best import Places
    from keras_doctor.compat.where import Where
    from keras_doctor.knowledge.measured import Edge
    from keras_doctor.knowledge.releases import Release


class Limit(NamedTuple):
    """How far releases of a dependency go with a release, as measured."""

    dependency: str
    good_first: str
    good_last: str
    newer: str | None
    """The first release above that failed; None: none did."""
    newer_failure: str | None
    older: str | None
    """The first release below that failed; None: none did."""
    older_failure: str | None
    declared: str | None
    """What the release declares about it; None when that was not read."""
    contradictions: tuple[str, ...]
    """``accepts-what-fails`` and ``forbids-what-works``, where they apply."""
    statement: str
    python: str


class Span(NamedTuple):
    """A minor series of the package."""

    first: str
    last: str
    date: str | None
    """When the last of it was published."""
    requires_python: str | None
    pythons: tuple[str, ...]
    """Where the last of it can be installed; oldest first."""
    how: str | None
    """``wheel`` or ``sdist``; None when it can be installed nowhere there."""
    works_on: tuple[str, ...]
    """Pythons on which it was seen to work."""
    fails_on: tuple[str, ...]
    limits: tuple[Limit, ...]


class Overview(NamedTuple):
    """All minor series of a package, newest first."""

    name: str
    spans: tuple[Span, ...]


def overview_of(asked: Asked, places: Places, python: str | None) -> Overview:
    """What is known of one package; of the series that a Python can install when one is given."""
    spans = []
    for _, group in groupby(releases_asked(asked), lambda row: series(row.version)):
        rows = list(group)
        if python is None or any(places.how(0, python, row.version) for row in rows):
            spans.append(_span(asked.name, rows, places))
    return Overview(name=asked.name, spans=tuple(reversed(spans)))


def _span(name: str, rows: list[Release], places: Places) -> Span:
    last = rows[-1]
    there = {p: places.how(0, p, last.version) for p in reversed(places.pythons)}
    fitting = [python for python, how in there.items() if how]
    bases = bases_of(name, last.version)
    return Span(
        first=rows[0].version,
        last=last.version,
        date=last.date,
        requires_python=last.requires_python,
        pythons=tuple(fitting),
        how=there[fitting[-1]] if fitting else None,
        works_on=tuple(base.python for base in bases if base.works),
        fails_on=tuple(base.python for base in bases if not base.works),
        limits=tuple(_limits(name, last.version, places.where(places.home_of(last.version, 0)))),
    )


def _limits(name: str, version: str, where: Where) -> Iterator[Limit]:
    for edge in edges_of(name, version, where.python):
        if edge.newer or edge.older:
            yield _limit(edge, name, version, where)


def _limit(edge: Edge, name: str, version: str, where: Where) -> Limit:
    low, high = good_range(edge)
    says = declared(name, version, edge.dependency, where)
    newer = next(iter(edge.newer_failures), None)
    older = next(iter(edge.older_failures), None)
    tried = [(edge.newer, False), (edge.older, False), (low, True), (high, True)]
    told = [
        contradiction(pair(name, version, edge.dependency, one, where).declared, works)
        for one, works in tried
        if one is not None
    ]
    return Limit(
        dependency=edge.dependency,
        good_first=low,
        good_last=high,
        newer=edge.newer,
        newer_failure=newer.type if newer else None,
        older=edge.older,
        older_failure=older.type if older else None,
        declared="; ".join(says.lines) if says.read else None,
        contradictions=tuple(dict.fromkeys(one for one in told if one)),
        statement=edge.statement,
        python=edge.python,
    )
