"""What runs showed of two releases together."""

from __future__ import annotations

from functools import cache

from keras_doctor.compat.family import subject_of
from keras_doctor.compat.where import distance
from keras_doctor.knowledge import measured
from keras_doctor.knowledge.measured import series
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.knowledge.measured import Base, Edge


class Seen(NamedTuple):
    """What was seen of a pair of releases."""

    works: bool
    subject: str
    """The release that was measured, like ``tensorflow 2.10.1``: of the same series at least."""
    python: str
    """Where; another Python than the one asked for says it less surely."""
    date: str
    statement: str
    """What was run."""
    failure: str | None = None
    """The exception's type, or the signal."""
    message: str | None = None


@cache
def were_measured(one: str, other: str) -> bool:
    """Whether any releases of two packages were run together."""
    return were_measured_as(one, other) or were_measured_as(other, one)


def were_measured_as(subject: str, dependency: str) -> bool:
    """Whether releases of one package were held against those of another."""
    return (subject_of(subject), subject_of(dependency)) in _pairs()


def speaks(subject: str, version: str, dependency: str) -> bool:
    """Whether runs of a release, or of one of its series, tell of another package."""
    one, other = subject_of(subject), subject_of(dependency)
    if (one, other, series(version)) in _edges():
        return True
    return any(key == compare_key(version) for key, _ in _held().get((one, other), ()))


def seen(one: str, version: str, other: str, other_version: str, python: str) -> Seen | None:
    """What was seen of two releases together; None when nothing was.

    Args:
        one: A package.
        version: Its release.
        other: Another package.
        other_version: Its release.
        python: The Python that counts first; else the nearest on which it was tried.
    """
    found = [
        *_of_edges(edges_for(one, version, other, python), other_version),
        *_of_edges(edges_for(other, other_version, one, python), version),
    ]
    if found:
        # One thing that fails is enough; a plain import tells more than a program that saves.
        return min(found, key=lambda s: (s.works, not s.statement.startswith("import ")))
    for subject, of, dependency, version_of in (
        (one, version, other, other_version),
        (other, other_version, one, version),
    ):
        base = _base_with(subject, of, dependency, version_of)
        if base is not None:
            return _of_base(base)
    return None


@cache
def edges_for(subject: str, version: str, dependency: str, python: str) -> tuple[Edge, ...]:
    """The edges that speak for a release: one for each statement that was tried.

    Of the same series, the release itself before the others; this Python before the nearest.
    """
    found: dict[str, Edge] = {}
    edges = _edges().get((subject_of(subject), subject_of(dependency), series(version)), ())
    key = compare_key(version)
    own = sorted(
        edges, key=lambda e: (compare_key(e.release) != key, *distance(e.python, python), e.release)
    )
    for edge in own:
        found.setdefault(edge.statement, edge)
    return tuple(found.values())


def edges_of(subject: str, version: str, python: str) -> tuple[Edge, ...]:
    """All edges that speak for a release, whatever it was run with."""
    names = dict.fromkeys(d for s, d, _ in _edges() if s == subject_of(subject))
    return tuple(edge for name in names for edge in edges_for(subject, version, name, python))


def bases_of(subject: str, version: str) -> tuple[Base, ...]:
    """What a release did on each Python with everything else of its own time, oldest Python first.

    Of the same series, the release itself before the others.
    """
    found: dict[str, Base] = {}
    key = compare_key(version)
    rows = [
        b for b in _bases().get(subject_of(subject), ()) if series(b.release) == series(version)
    ]
    for base in sorted(rows, key=lambda b: compare_key(b.release) != key):
        found.setdefault(base.python, base)
    return tuple(sorted(found.values(), key=lambda b: compare_key(b.python)))


@cache
def fails_alone(name: str, version: str, python: str) -> Base | None:
    """The run in which a release failed, whatever it is combined with; None when it did not.

    On this Python, or on an older one after which it was not seen to work. A release that was
    not tried there fails with the next newer one that was: it knew no more of that Python.
    """
    for base in _tried_until(name, python):
        if compare_key(base.release) >= compare_key(version) or series(base.release) == series(
            version
        ):
            return None if base.works else base
    return None


@cache
def _tried_until(name: str, python: str) -> tuple[Base, ...]:
    """Of each release what it did on the newest Python up to this one, oldest release first."""
    limit = compare_key(python.removesuffix("t"))
    last: dict[str, Base] = {}
    for base in sorted(
        _bases().get(subject_of(name), ()), key=lambda base: compare_key(base.python)
    ):
        if compare_key(base.python) <= limit:
            last[base.release] = base
    return tuple(sorted(last.values(), key=lambda base: compare_key(base.release)))


def _of_edges(edges: tuple[Edge, ...], version: str) -> list[Seen]:
    found = []
    for edge in edges:
        side = edge.side_of(version)
        if side is not None:
            failure = next(iter(edge.failures(side)), None)
            found.append(
                _seen(edge, failure.type if failure else "it fails", failure and failure.message)
            )
        elif _worked(edge, version):
            found.append(_seen(edge, None, None))
    return found


def _seen(edge: Edge, failure: str | None, message: str | None) -> Seen:
    return Seen(
        works=failure is None,
        subject=f"{edge.subject} {edge.release}",
        python=edge.python,
        date=edge.date,
        statement=edge.statement,
        failure=failure,
        message=message or None,
    )


def _worked(edge: Edge, version: str) -> bool:
    low, high = good_range(edge)
    return compare_key(low) <= compare_key(version) <= compare_key(high)


@cache
def good_range(edge: Edge) -> tuple[str, str]:
    """The releases of the dependency that worked, with the one that the environment began with."""
    low, high = edge.good
    base = next(
        (
            b
            for b in _bases().get(edge.subject, ())
            if (b.release, b.python, b.statement) == (edge.release, edge.python, edge.statement)
        ),
        None,
    )
    first = base.others.get(edge.dependency) if base and base.works else None
    if first is None or edge.side_of(first) is not None:
        return low, high
    return min(low, first, key=compare_key), max(high, first, key=compare_key)


def _base_with(subject: str, version: str, dependency: str, dependency_version: str) -> Base | None:
    """The environment of its time in which a release worked with just this one."""
    held = _held().get((subject_of(subject), subject_of(dependency)))
    return held.get((compare_key(version), compare_key(dependency_version))) if held else None


@cache
def _held() -> dict[tuple[str, str], dict[tuple[object, object], Base]]:
    found: dict[tuple[str, str], dict[tuple[object, object], Base]] = {}
    for base in measured.all_bases():
        for name, version in base.others.items() if base.works else ():
            pairs = found.setdefault((subject_of(base.subject), subject_of(name)), {})
            pairs.setdefault((compare_key(base.release), compare_key(version)), base)
    return found


def _of_base(base: Base) -> Seen:
    return Seen(
        works=True,
        subject=f"{base.subject} {base.release}",
        python=base.python,
        date=str(measured.about()["date"]),
        statement=base.statement or "as it was resolved",
    )


@cache
def _edges() -> dict[tuple[str, str, tuple[int, ...]], list[Edge]]:
    found: dict[tuple[str, str, tuple[int, ...]], list[Edge]] = {}
    for edge in measured.all_edges():
        key = (subject_of(edge.subject), subject_of(edge.dependency), series(edge.release))
        found.setdefault(key, []).append(edge)
    return found


@cache
def _pairs() -> frozenset[tuple[str, str]]:
    return frozenset((subject, dependency) for subject, dependency, _ in _edges())


@cache
def _bases() -> dict[str, list[Base]]:
    found: dict[str, list[Base]] = {}
    for base in measured.all_bases():
        found.setdefault(subject_of(base.subject), []).append(base)
    return found
