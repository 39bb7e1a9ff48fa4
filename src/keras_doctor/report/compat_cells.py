"""The words for ranges of releases in the tables of `compat`."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.compat.overview import Limit
    from keras_doctor.compat.table import Row, Stretch, Table

MOST_LEFT_OUT = 2
"""Releases that a requirement may leave out by ``!=`` and still be shown whole."""
MOST_RANGES = 2
"""Of what works; more would not fit."""


def span(first: str, last: str) -> str:
    """``3.12.0-3.13.2``, or one version."""
    return first if first == last else f"{first}-{last}"


def plain_requirement(text: str) -> str:
    """A requirement without a long row of single releases that it leaves out."""
    if text.count("!=") <= MOST_LEFT_OUT:
        return text
    return re.sub(r",?\s*!=[^,;\s]+", "", text) + " (and leaves out single releases)"


def metadata_cell(row: Row, table: Table, *, everything: bool) -> str:
    """What metadata lets in, newest first."""
    kinds = {stretch.declared for stretch in row.stretches}
    if kinds == {"not-read"}:
        return "not read"
    doubt = " ?" if "not-read" in kinds else ""
    if not kinds & {"accepts", "forbids"}:
        return "says nothing" + doubt
    # What is accepted by name comes before what nobody speaks of.
    plain = "accepts" in kinds and not everything
    let_in = ranges(
        row.stretches, lambda s: s.declared == "accepts" or (s.declared == "silent" and not plain)
    )
    if let_in == [(table.earliest, table.latest)]:
        return "any"
    if not let_in:
        return "not read" if doubt else "none"
    return _few(let_in, len(let_in) if everything else 1) + doubt


def measured_cell(row: Row, table: Table, *, everything: bool) -> str:
    """What was seen to work, what fails next to it, and where metadata says otherwise.

    Args:
        row: The row.
        table: Its table.
        everything: All that failed, with the messages; else the nearest on each side.
    """
    good = ranges(row.stretches, lambda s: s.measured == "works")
    bad = [s for s in row.stretches if s.measured == "fails"]
    if not good and not bad:
        return "not measured"
    parts = ["works " + _few(good, len(good) if everything else MOST_RANGES)] if good else []
    told = bad[::-1] if everything else _nearest(row.stretches)
    parts += [f"{_reach(one, table)} ({_how(one, messages=everything)})" for one in told]
    return "; ".join(parts + _contradictions(row.stretches, told, everything=everything))


def _nearest(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The failing releases next to those that work: above, then below; else the newest."""
    works = [i for i, s in enumerate(stretches) if s.measured == "works"]
    fails = [i for i, s in enumerate(stretches) if s.measured == "fails"]
    above = [i for i in fails if not works or i > works[-1]]
    below = [i for i in fails if works and i < works[-1]]
    if not works:
        return [stretches[above[-1]]]
    return [stretches[i] for i in (*above[:1], *below[-1:])]


def _few(spans: Sequence[tuple[str, str]], most: int) -> str:
    """Ranges, newest first; not too many."""
    shown = spans[-most:]
    more = ", ..." if len(shown) < len(spans) else ""
    return ", ".join(span(*one) for one in reversed(shown)) + more


def _how(stretch: Stretch, *, messages: bool) -> str:
    name = (stretch.failure or "it fails").rpartition(".")[2]
    if stretch.statement and not stretch.statement.startswith("import "):
        name = f"saving a model: {name}"
    if messages and stretch.message:
        return f"{name}: {stretch.message}"
    return name


def _reach(stretch: Stretch, table: Table) -> str:
    """Which releases fail, in words where they go to one of the ends."""
    if stretch.first == stretch.last:
        return f"{stretch.first} fails"
    if stretch.last == table.latest:
        return f"{stretch.first} and newer fail"
    if stretch.first == table.earliest:
        return f"{stretch.last} and older fail"
    return f"{span(stretch.first, stretch.last)} fail"


def _contradictions(
    stretches: Sequence[Stretch], told: Sequence[Stretch], *, everything: bool
) -> list[str]:
    """Where metadata says the opposite of what was seen; marked, so that the eye finds it.

    Of what fails, only what the cell tells of.
    """
    found = []
    for kind, says in (
        ("forbids-what-works", "! metadata forbids "),
        ("accepts-what-fails", "! metadata lets in "),
    ):
        marked = [s for s in stretches if s.contradiction == kind]
        if kind == "accepts-what-fails":
            marked = [s for s in marked if s in told]
        spots = ranges(stretches, marked.__contains__)
        if spots:
            found.append(says + _few(spots, len(spots) if everything else 1))
    return found


def ranges(
    stretches: Sequence[Stretch], wanted: Callable[[Stretch], bool]
) -> list[tuple[str, str]]:
    """The runs of neighbouring stretches that are as wanted: (first, last), oldest first."""
    found: list[tuple[str, str]] = []
    open_run = False
    for stretch in stretches:
        if not wanted(stretch):
            open_run = False
        elif open_run:
            found[-1] = (found[-1][0], stretch.last)
        else:
            found.append((stretch.first, stretch.last))
            open_run = True
    return found


def limit_text(limit: Limit) -> str:
    """One measured limit of a package alone."""
    parts = [f"{limit.dependency}: works {span(limit.good_first, limit.good_last)}"]
    if limit.newer:
        parts.append(f"fails from {limit.newer} ({_short(limit.newer_failure, limit)})")
    if limit.older:
        parts.append(f"fails up to {limit.older} ({_short(limit.older_failure, limit)})")
    if "forbids-what-works" in limit.contradictions:
        parts.append("! metadata forbids part of what works")
    if "accepts-what-fails" in limit.contradictions:
        parts.append("! metadata lets in what fails")
    return "; ".join(parts)


def _short(failure: str | None, limit: Limit) -> str:
    name = (failure or "it fails").rpartition(".")[2]
    return name if limit.statement.startswith("import ") else f"saving a model: {name}"
