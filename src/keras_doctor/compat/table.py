"""The table of two packages: for each release of the first, the range of the second."""

from __future__ import annotations

from itertools import groupby

from keras_doctor.compat.declared import declared
from keras_doctor.compat.pair import contradiction, verdict
from keras_doctor.compat.seen import seen as seen_of
from keras_doctor.compat.seen import were_measured
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.compat.seen import Seen
    from keras_doctor.compat.where import Where
    from keras_doctor.knowledge.releases import Release


class Stretch(NamedTuple):
    """Releases of the second package, without a gap, of which the same is known."""

    first: str
    last: str
    declared: str
    """``accepts``, ``forbids``, ``silent`` or ``not-read``."""
    measured: str | None
    """``works`` or ``fails``; None: not measured."""
    failure: str | None
    message: str | None
    statement: str | None
    """What was run."""
    python: str | None
    """On which Python it was measured."""
    subject: str | None
    """Which release was measured, like ``tensorflow 2.10.1``: one of the same series."""
    contradiction: str | None
    """``accepts-what-fails`` or ``forbids-what-works``."""


class Row(NamedTuple):
    """Releases of the first package, without a gap, that go with the same ones of the second."""

    first: str
    last: str
    date: str | None
    """When the last of them was published."""
    python: str
    """The Python that the row is about."""
    how: str | None
    """``wheel`` or ``sdist``, as they are installed there; None: not at all."""
    requires: tuple[str, ...]
    """What the last of them declares about the second."""
    stretches: tuple[Stretch, ...]
    """Oldest releases first; together all that were looked at."""


class Table(NamedTuple):
    """Two packages, release by release."""

    first: str
    second: str
    measured: bool
    """Whether any releases of the two were run together."""
    earliest: str
    """The oldest release of the second that was looked at."""
    latest: str
    rows: tuple[Row, ...]
    """Newest first."""


def make_table(
    first: str,
    rows: Sequence[Release],
    second: str,
    columns: Sequence[Release],
    place_of: Callable[[str, Stretch | None], tuple[Where, str | None]],
) -> Table:
    """The table of two packages.

    Args:
        first: The package of the rows.
        rows: Its releases, oldest first.
        second: The package of the columns.
        columns: Its releases, oldest first; not empty.
        place_of: From a version of the first, and perhaps releases of the second of which the
            last should be there too, to the place that its row is about, and how it is installed
            there.
    """
    made = []
    for release in rows:
        place = place_of(release.version, None)
        row = _row(first, release, second, columns, *place)
        better = place_of(release.version, _partner(row))
        # Another Python may have other requirements.
        made.append(row if better == place else _row(first, release, second, columns, *better))
    merged = []
    for _, group in groupby(made, lambda row: (row.python, row.how, row.requires, row.stretches)):
        alike = list(group)
        merged.append(alike[-1]._replace(first=alike[0].first))
    return Table(
        first=first,
        second=second,
        measured=were_measured(first, second),
        earliest=columns[0].version,
        latest=columns[-1].version,
        rows=tuple(reversed(merged)),
    )


def _partner(row: Row) -> Stretch | None:
    """The newest releases of the second that go with a row, as far as is known."""
    for wanted in ("works", None):
        for stretch in reversed(row.stretches):
            if stretch.measured == wanted and (wanted or stretch.declared == "accepts"):
                return stretch
    return None


def _row(
    first: str, row: Release, second: str, columns: Sequence[Release], where: Where, how: str | None
) -> Row:
    there = declared(first, row.version, second, where)
    run = were_measured(first, second)
    cells = []
    for column in columns:
        back = declared(second, column.version, first, where)
        says = verdict(there.accepts(column.version), back.accepts(row.version), there, back)
        shown = seen_of(first, row.version, second, column.version, where.python) if run else None
        cells.append((column.version, says, shown))
    return Row(
        first=row.version,
        last=row.version,
        date=row.date,
        python=where.python,
        how=how,
        requires=there.lines,
        stretches=_stretches(cells),
    )


def _stretches(cells: Sequence[tuple[str, str, Seen | None]]) -> tuple[Stretch, ...]:
    found = []
    for (says, alike), group in groupby(cells, lambda cell: (cell[1], _alike(cell[2]))):
        members = list(group)
        shown = members[0][2]
        found.append(
            Stretch(
                first=members[0][0],
                last=members[-1][0],
                declared=says,
                measured=None if shown is None else "works" if shown.works else "fails",
                failure=shown.failure if shown else None,
                message=shown.message if shown else None,
                statement=shown.statement if shown else None,
                python=shown.python if shown else None,
                subject=shown.subject if shown else None,
                contradiction=contradiction(says, None if alike is None else alike[0]),
            )
        )
    return tuple(found)


def _alike(shown: Seen | None) -> tuple[bool, str | None] | None:
    """What makes one stretch of neighbours: whether they work, and else how they fail."""
    return None if shown is None else (shown.works, shown.failure)
