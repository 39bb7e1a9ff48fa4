"""One package's releases as they lie on disk: small, and read in a few milliseconds.

What repeats is written once (requirement lines, lists of them, wheel tags, Requires-Python) and
named by its place; a set of tags is written as its difference from the set before; a column in
which neighbours are equal is written as runs: count, value, count, value. Everything that is read
is checked, because the file may be a user's own copy that something has damaged.
"""

from __future__ import annotations

import datetime as dt
import re

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from typing import Any

SCHEMA = 1
MOST_RELEASES = 20_000
"""More than any package has; a file that claims more is not believed."""
FIRST_DAY = "1990-01-01"
"""No file was uploaded before."""
_DAY_ONE = dt.date.fromisoformat(FIRST_DAY).toordinal()
_NOT_READ = -1
_SAME = -2


class Release(NamedTuple):
    """One release of a package, as the index tells it."""

    version: str
    date: str | None
    """The day of its first upload, like ``2024-03-11``."""
    yanked: bool
    requires_python: str | None
    requires: tuple[str, ...] | None
    """Its Requires-Dist lines; None when they were not read."""
    tags: tuple[str, ...]
    """The tags of its wheels as in their file names, like ``py2.py3-none-any``."""
    has_sdist: bool
    requires_on: tuple[tuple[str, tuple[str, ...] | None], ...] = ()
    """The platforms on which the wheels require something else: (``windows-x86_64``, lines)."""

    def requires_for(self, platform: str) -> tuple[str, ...] | None:
        """The Requires-Dist lines of the wheel for a platform, like ``macos-arm64``."""
        return dict(self.requires_on).get(platform, self.requires)


class Package(NamedTuple):
    """All releases of a package, oldest version first."""

    name: str
    read: str
    """When the index was asked, like ``2026-11-25T02:40:00Z``."""
    releases: tuple[Release, ...]
    gaps: tuple[tuple[str, str], ...] = ()
    """What is missing: (which versions or part, why)."""


class DamagedError(ValueError):
    """The text is no release file; the message says what is wrong, as a clause."""


def encode(package: Package) -> dict[str, Any]:
    """The JSON value that stands for a package."""
    lines, lists, pythons, tags, sets = _Table(), _Table(), _Table(), _Table(), _Table()

    def listed(requires: tuple[str, ...] | None) -> int:
        if requires is None:
            return _NOT_READ
        return lists.place(tuple(lines.place(line) for line in requires))

    rows = package.releases
    platforms = sorted({platform for row in rows for platform, _ in row.requires_on})
    return {
        "schema": SCHEMA,
        "name": package.name,
        "read": package.read,
        "gaps": [list(gap) for gap in package.gaps],
        "versions": " ".join(row.version for row in rows),
        "dates": list(_differences(rows)),
        "yanked": _runs(int(row.yanked) for row in rows),
        "sdist": _runs(int(row.has_sdist) for row in rows),
        "python": _runs(pythons.place(row.requires_python or "") for row in rows),
        "requires": _runs(listed(row.requires) for row in rows),
        "requires_on": {
            platform: _runs(
                listed(dict(row.requires_on)[platform])
                if platform in dict(row.requires_on)
                else _SAME
                for row in rows
            )
            for platform in platforms
        },
        "wheels": _runs(
            sets.place(tuple(sorted(tags.place(tag) for tag in row.tags))) for row in rows
        ),
        "texts": {"lines": lines.values, "pythons": pythons.values, "tags": tags.values},
        "lists": [list(places) for places in lists.values],
        "sets": list(_set_differences(sets.values)),
    }


def decode(data: Any) -> Package:
    """The package that a JSON value stands for.

    Raises:
        DamagedError: It stands for none.
    """
    try:
        return _decode(data)
    except DamagedError:
        raise
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise DamagedError(
            f"it is not as a release file is ({type(error).__name__}: {error})"
        ) from None


def _decode(data: Any) -> Package:
    if data["schema"] != SCHEMA:
        raise DamagedError(f"it has the schema {data['schema']!r}, not {SCHEMA}")
    versions = _text(data["versions"]).split()
    count = len(versions)
    if count > MOST_RELEASES or len(set(versions)) != count:
        raise DamagedError("it lists too many releases, or one twice")
    texts = data["texts"]
    lines, pythons, tags = (_texts(texts[kind]) for kind in ("lines", "pythons", "tags"))
    lists = [tuple(_pick(lines, places)) for places in data["lists"]]
    sets = [tuple(_pick(tags, places)) for places in _whole_sets(data["sets"], len(tags))]

    def column(runs: Any, values: Sequence[Any], extra: dict[int, Any] | None = None) -> list[Any]:
        return _column(runs, values, extra or {}, count)

    unread: dict[int, Any] = {_NOT_READ: None}
    on = {
        _text(platform): column(runs, lists, unread | {_SAME: False})
        for platform, runs in data["requires_on"].items()
    }
    columns = zip(
        versions,
        _dates(data["dates"], count),
        column(data["yanked"], (False, True)),
        column(data["python"], [python or None for python in pythons]),
        column(data["requires"], lists, unread),
        column(data["wheels"], sets),
        column(data["sdist"], (False, True)),
        _by_row(on, count),
        strict=True,
    )
    return Package(
        name=_text(data["name"]),
        read=_text(data["read"]),
        releases=tuple(map(Release._make, columns)),
        gaps=tuple((_text(what), _text(why)) for what, why in data["gaps"]),
    )


class _Table:
    """Gives equal values one place, in the order of their first use."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}

    def place(self, value: Hashable) -> int:
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[Any]:
        return list(self._places)


def _runs(values: Iterable[int]) -> list[int]:
    found: list[int] = []
    for value in values:
        if found and found[-1] == value:
            found[-2] += 1
        else:
            found += [1, value]
    return found


def _column(runs: Any, values: Sequence[Any], extra: dict[int, Any], count: int) -> list[Any]:
    found: list[Any] = []
    for length, place in zip(runs[::2], runs[1::2], strict=True):
        if not 0 < _number(length) <= count - len(found):
            raise DamagedError("a column is longer than its releases")
        found += [_at(values, extra, place)] * length
    if len(found) != count:
        raise DamagedError("a column is shorter than its releases")
    return found


def _at(values: Sequence[Any], extra: dict[int, Any], place: int) -> Any:
    if place in extra:
        return extra[place]
    if _number(place) < 0:
        raise DamagedError("a place is below zero")
    return values[place]


def _by_row(
    on: dict[str, list[Any]], count: int
) -> Iterable[tuple[tuple[str, tuple[str, ...] | None], ...]]:
    if not on:
        return [()] * count
    return [
        tuple(
            (platform, column[row]) for platform, column in on.items() if column[row] is not False
        )
        for row in range(count)
    ]


def _differences(rows: Sequence[Release]) -> Iterator[int | None]:
    """Days since the release before; None for an unknown day."""
    last = _DAY_ONE
    for row in rows:
        if row.date is None:
            yield None
            continue
        day = dt.date.fromisoformat(row.date).toordinal()
        yield day - last
        last = day


def _dates(differences: Any, count: int) -> list[str | None]:
    if len(differences) != count:
        raise DamagedError("it has not one date for each release")
    last, found = _DAY_ONE, list[str | None]()
    for days in differences:
        if days is None:
            found.append(None)
            continue
        last += _number(days)
        found.append(dt.date.fromordinal(last).isoformat())
    return found


def _set_differences(sets: Sequence[tuple[int, ...]]) -> Iterator[list[list[int]]]:
    """For each set what it has more than the one before, and what it has less."""
    last: set[int] = set()
    for places in sets:
        now = set(places)
        yield [sorted(now - last), sorted(last - now)]
        last = now


def _whole_sets(differences: Any, count: int) -> Iterator[list[int]]:
    last: set[int] = set()
    for more, less in differences:
        last = last.difference(less).union(more)
        if len(last) > count:
            raise DamagedError("a set of tags is larger than all tags")
        yield sorted(last)


def _pick(values: Sequence[str], places: Sequence[int]) -> Iterator[str]:
    if places and min(places) < 0:
        raise DamagedError("a place is below zero")
    return map(values.__getitem__, places)


def _number(value: Any) -> int:
    if type(value) is not int or abs(value) > 10**7:
        raise DamagedError(f"{str(value)[:40]!r} is no number that could stand here")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise DamagedError(f"{str(value)[:40]!r} is no text")
    return value


def _texts(values: Any) -> list[str]:
    if type(values) is not list or not all(type(value) is str for value in values):
        raise DamagedError("a table of texts holds something else")
    return values


def well_formed(version: str) -> bool:
    """Whether a version can stand in a release file: it is one word of plain characters."""
    return re.fullmatch(r"[A-Za-z0-9.!+_-]{1,100}", version) is not None
