"""Write docs/compatibility.md: every measured boundary beside what metadata declares.

``python -m tools.compatibility_table`` reads the shipped releases and boundaries, and nothing
else, so that the same data give the same page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from keras_doctor.compat.declared import declared
from keras_doctor.compat.pair import ACCEPTS, FORBIDS, SILENT, pair
from keras_doctor.compat.seen import good_range
from keras_doctor.compat.where import Where
from keras_doctor.knowledge import copies, measured
from keras_doctor.knowledge.measured import Edge
from keras_doctor.versions import compare_key

TARGET = Path(__file__).parents[1] / "docs" / "compatibility.md"
SAYS_SO, ACCEPTS_BAD, FORBIDS_GOOD, NOT_READ = (
    "metadata says so",
    "metadata accepts what fails",
    "metadata forbids what works",
    "metadata was not read",
)
_LONGEST = 110
_WHAT = (
    "A boundary is where good turns to bad: a release of a subject, in an environment of its own "
    "time, with one dependency changed to ever newer (or older) releases, until the import or one "
    "training step fails; or saving and loading a model, where the table says so. What is the same "
    "on several Pythons counts once. Metadata means what either of the two declares about the "
    "other. It *says so* when it excludes the first bad release and takes the last good one, "
    "*accepts what fails* when it does not exclude the first bad one, and *forbids what works* "
    "when it excludes the last good one."
)


class Boundary(NamedTuple):
    """One end of what works: a subject release, a dependency, a side."""

    subject: str
    release: str
    dependency: str
    statement: str
    side: str
    """``newer`` or ``older``."""
    last_good: str
    first_bad: str | None
    """None: no failure was found up to the end, and metadata forbids the end all the same."""
    failure: str
    declared: str
    verdict: str
    silent: bool
    """Whether neither says anything about the other."""
    pythons: tuple[str, ...]


def boundaries_of(edges: Iterable[Edge], system: str, machine: str) -> list[Boundary]:
    """Every boundary, those that are the same on several Pythons as one.

    In the order of subject, release (newest first), dependency, statement and side.
    """
    found = [
        one
        for edge in edges
        for side in ("newer", "older")
        if (one := _boundary(edge, side, Where(edge.python, system, machine))) is not None
    ]
    found.sort(key=_order)
    merged = []
    for _, group in groupby(found, lambda one: one._replace(pythons=())):
        alike = list(group)
        pythons = sorted({python for one in alike for python in one.pythons}, key=compare_key)
        merged.append(alike[0]._replace(pythons=tuple(pythons)))
    return merged


def _order(one: Boundary) -> tuple[object, ...]:
    numbers = compare_key(one.release)
    newest_first = tuple(-number for number in numbers.release)
    rest = (one.dependency, one.statement, one.side, one.last_good, one.first_bad or "")
    return (one.subject, newest_first, one.release, *rest, one.failure, one.declared, one.verdict)


def _boundary(edge: Edge, side: str, where: Where) -> Boundary | None:
    low, high = good_range(edge)
    last_good, first_bad = (high, edge.newer) if side == "newer" else (low, edge.older)

    def says(version: str) -> str:
        return pair(edge.subject, edge.release, edge.dependency, version, where).declared

    good = says(last_good)
    bad = says(first_bad) if first_bad else None
    if bad is None and (good != FORBIDS or (side == "older" and says(high) == FORBIDS)):
        return None  # nothing ends here and nothing claims so, or the other end tells it
    failure = next(iter(edge.failures(side)), None) if first_bad else None
    return Boundary(
        subject=edge.subject,
        release=edge.release,
        dependency=edge.dependency,
        statement=edge.statement,
        side=side,
        last_good=last_good,
        first_bad=first_bad,
        failure=f"{failure.type}: {failure.message}".rstrip(": ") if failure else "",
        declared=_declared(edge, first_bad or last_good, where),
        verdict=_verdict(good, bad),
        silent=bad == SILENT,
        pythons=(edge.python,),
    )


def _verdict(good: str, bad: str | None) -> str:
    if good == FORBIDS:
        return FORBIDS_GOOD
    if bad == FORBIDS:
        return SAYS_SO
    return ACCEPTS_BAD if bad in (ACCEPTS, SILENT) else NOT_READ


def _declared(edge: Edge, version: str, where: Where) -> str:
    """What either side declares about the other, each requirement without its marker."""
    there = declared(edge.subject, edge.release, edge.dependency, where)
    back = declared(edge.dependency, version, edge.subject, where)
    lines = [line.partition(";")[0].strip() for line in there.lines]
    lines += [
        f"{line.partition(';')[0].strip()} ({edge.dependency} {version})" for line in back.lines
    ]
    if lines:
        return "; ".join(dict.fromkeys(lines))
    return "nothing" if there.read else "not read"


def render(edges: Iterable[Edge], about: dict[str, object], releases_read: str) -> str:
    """The page."""
    system, _, machine = str(about["platform"]).partition("-")
    every = boundaries_of(edges, system, machine)
    ends = [one for one in every if one.first_bad is not None]
    beyond = [one for one in every if one.first_bad is None]
    lines = [*_head(ends, beyond, about, releases_read), ""]
    for subject, group in groupby(ends, lambda one: one.subject):
        lines += [f"## {subject}", "", *_table(list(group)), ""]
    if beyond:
        lines += [
            "## Forbidden, and works to the end",
            "",
            (
                "No failure was found on this side: the last release that was tried works, and "
                "metadata forbids it."
            ),
            "",
            *_table(beyond),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _head(
    ends: list[Boundary], beyond: list[Boundary], about: dict[str, object], releases_read: str
) -> list[str]:
    count = {v: sum(one.verdict == v for one in ends) for v in (SAYS_SO, ACCEPTS_BAD, FORBIDS_GOOD)}
    judged = sum(count.values())
    wrong = count[ACCEPTS_BAD] + count[FORBIDS_GOOD]
    silent = sum(one.silent and one.verdict == ACCEPTS_BAD for one in ends)
    claim = "No measured boundary could be held against metadata."
    if judged:
        share = f"{100 * wrong / judged:.0f} %"
        claim = f"Metadata is wrong about {share} of the measured boundaries: {wrong} of {judged}."
    unread = len(ends) - judged
    lines = [
        "# Which releases go together, as measured",
        "",
        "<!-- Made by `python -m tools.compatibility_table`; do not edit. -->",
        "",
        f"**{claim}**",
        "",
        (
            f"- {ACCEPTS_BAD}: {count[ACCEPTS_BAD]} (in {silent} of them neither package says "
            "anything about the other)"
        ),
        f"- {FORBIDS_GOOD}: {count[FORBIDS_GOOD]}",
        f"- {SAYS_SO}: {count[SAYS_SO]}",
    ]
    if unread:
        lines.append(f"- not counted, because the metadata was not read: {unread}")
    if beyond:
        lines.append(
            f"- not counted, because no failure was found: {len(beyond)} ends that metadata "
            "forbids and that work"
        )
    measured_on = (
        f"Measured on {about['platform']}: {about['runs']} runs, the last on {about['date']}; "
        f"metadata as of {releases_read}. To repeat the runs: `{about['command']}`, then "
        "`python -m tools.measure compile`."
    )
    return [*lines, "", measured_on, "", _WHAT]


def _table(rows: list[Boundary]) -> list[str]:
    lines = [
        (
            "| release | Python | dependency | last good | first bad | how it fails | declared "
            "| verdict |"
        ),
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in rows:
        cells = (
            f"{one.subject} {one.release}",
            ", ".join(one.pythons),
            f"{one.dependency}{_tried(one)}",
            one.last_good,
            one.first_bad or "none",
            _code(one.failure),
            one.declared if one.declared in ("nothing", "not read") else _code(one.declared),
            f"**{one.verdict}**" if one.verdict in (ACCEPTS_BAD, FORBIDS_GOOD) else one.verdict,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _tried(one: Boundary) -> str:
    """What was run, where it is not plainly the import of the subject."""
    return f" ({one.statement})" if one.statement != f"import {one.subject}" else ""


def _code(text: str) -> str:
    """Text as code in a cell of a table; what Markdown would read otherwise is taken out."""
    if not text:
        return ""
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rstrip() + "…"
    text = " ".join(text.split()).replace("`", "'").replace("|", "\\|")
    return f"`{text}`"


def main(argv: list[str]) -> int:
    """Write the page; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.compatibility_table", description=__doc__
    )
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args(argv)
    # The shipped releases, whatever newer copy this user has.
    os.environ["XDG_DATA_HOME"] = os.path.join(os.sep, "nonexistent")
    copies.in_use.cache_clear()
    text = render(measured.all_edges(), measured.about(), copies.in_use()[0].date[:10])
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="utf-8")
    print("\n".join(text.splitlines()[4:12]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
