"""The screen of `compat`: first what to install, then the tables, newest first."""

from __future__ import annotations

from itertools import groupby

from keras_doctor.report.compat_cells import (
    limit_text,
    measured_cell,
    metadata_cell,
    plain_requirement,
    span,
)
from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.compat.answer import Answer, Fact, Together
    from keras_doctor.compat.overview import Overview
    from keras_doctor.compat.table import Row, Table

MOST_ROWS = 25
"""Of all tables together, unless everything is wanted."""
MOST_PYTHONS = 5
"""Beside the one that is named."""
MOST_REASONS = 3
"""For each package."""


def render_compat(
    answer: Answer,
    *,
    verbose: bool = False,
    quiet: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """What goes together: the newest set, why nothing newer, and the tables.

    Args:
        answer: What was found out.
        verbose: All rows and reasons, the messages of exceptions, the tables of all pairs.
        quiet: The newest set only.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
    """
    page = Page(width=width, color=color, unicode=unicode)
    if answer.newest is not None:
        page.text(_sentence(answer.newest, answer), style="bold")
        _add_set(page, answer.newest, answer)
        if not quiet:
            _add_held(page, answer, verbose=verbose)
    else:
        _add_nothing(page, answer)
    if quiet:
        return page.render()
    if answer.overview is not None:
        _add_overview(page, answer.overview, verbose=verbose)
    _add_tables(page, answer, verbose=verbose)
    _add_sources(page, answer, verbose=verbose)
    return page.render()


def _sentence(found: Together, answer: Answer) -> str:
    names = _listing([f"{one.name} {one.version}" for one in found.members])
    where = f"Python {found.python}"
    if len(found.members) == 1:
        return f"{names} is the newest that installs on {where}."
    if found.evidence == "measured":
        tried = dict.fromkeys(f.python for f in found.facts if f.python not in (None, found.python))
        on = f" on Python {_listing([str(one) for one in tried])}" if tried else ""
        if answer.platform != answer.measured_platform:
            on += f" on {answer.measured_platform}"
        return f"{names} go together on {where}: they were run together{on}."
    ran = [fact for fact in found.facts if fact.measured is not None]
    doubt = "not measured: they were not run together"
    if len(ran) == len(found.facts):
        on = _listing([str(one) for one in dict.fromkeys(fact.python for fact in ran)])
        doubt = f"they were run together on Python {on} only"
    elif ran:
        doubt = f"of the {len(found.facts)} pairs {len(ran)} {'was' if len(ran) == 1 else 'were'}"
        doubt += " run together"
    if found.evidence == "declared":
        return f"Metadata accepts {names} together on {where}; {doubt}."
    return f"Nothing that is known speaks against {names} on {where}; {doubt}."


def _add_set(page: Page, found: Together, answer: Answer) -> None:
    page.blank()
    page.command(found.command, indent=4)
    page.blank()
    others = found.also_on[:MOST_PYTHONS]
    more = " and older" if len(others) < len(found.also_on) else ""
    also = f", also on {_listing(others)}{more}" if others else ""
    page.field("Python", f"{found.python}{also} ({answer.platform})", indent=2)
    for member in found.members:
        if member.how == "sdist":
            page.field("built", f"{member.name} has no wheel: it is built when installed", indent=2)
    for fact in found.facts:
        for label, text in _fact_lines(fact, found):
            page.field(label, text, indent=2)
    open_pairs = [f"{fact.first} with {fact.second}" for fact in found.facts if not fact.measured]
    if open_pairs:
        page.field("unknown", f"not measured: {', '.join(open_pairs)}", indent=2)
    for bound in found.bounds:
        page.field("bound", f"{bound.requirement}: {bound.why}", indent=2)


def _fact_lines(fact: Fact, found: Together) -> list[tuple[str, str]]:
    both = f"{fact.first} with {fact.second}"
    lines = []
    if fact.measured:
        ran = "import and one training step"
        if fact.statement and not fact.statement.startswith("import "):
            ran += ", and saving a model,"
        here = "" if fact.python == found.python else ", not on this one"
        run = f"{fact.subject}, Python {fact.python}{here}, {fact.date}"
        lines.append(("measured", f"{both}: {ran} work ({run})"))
    if fact.says:
        lines += [("declared", plain_requirement(said)) for said in fact.says]
    elif fact.declared == "not-read":
        lines.append(("declared", f"{both}: the requirements were not read"))
    elif len(found.facts) == 1:
        lines.append(("declared", f"{both}: neither says anything about the other"))
    return lines


def _add_held(page: Page, answer: Answer, *, verbose: bool) -> None:
    shown: dict[str, int] = {}
    for held in answer.held:
        shown[held.name] = shown.get(held.name, 0) + 1
        if verbose or shown[held.name] <= MOST_REASONS:
            why = held.why if verbose else plain_requirement(held.why)
            told = f"{held.name} {span(held.first, held.last)} {why}"
            page.field("not newer", told, indent=2)
    for name, count in shown.items():
        if not verbose and count > MOST_REASONS:
            page.field("", f"{name}: {count - MOST_REASONS} more reasons with --verbose", indent=2)
    newer = answer.unseen
    if newer is not None:
        page.blank()
        text = "Newer, with nothing known against it, but not measured"
        if newer.python != (answer.newest.python if answer.newest else None):
            text += f" (Python {newer.python})"
        page.text(text + ":")
        page.command(newer.command, indent=4)


def _add_nothing(page: Page, answer: Answer) -> None:
    names = _listing([one.name + one.specifier for one in answer.asked])
    where = f"Python {answer.python}" if answer.python else "any Python"
    what = f"No release of {names} installs"
    if len(answer.asked) > 1:
        what = f"No releases of {names} go together"
    end = "." if not answer.gave_up else ", as far as was tried: there are too many combinations."
    page.text(f"{what} on {where} ({answer.platform}){end}", style="bold")
    if answer.elsewhere is not None:
        page.blank()
        page.text(f"The nearest Python where there is something is {answer.elsewhere.python}:")
        _add_set(page, answer.elsewhere, answer)
    if answer.otherwise is not None:
        page.blank()
        page.text(f"On {where}, whatever version:")
        _add_set(page, answer.otherwise, answer)


def _add_overview(page: Page, overview: Overview, *, verbose: bool) -> None:
    if not overview.spans:
        return
    page.blank()
    page.text(f"Releases of {overview.name}, newest first", style="bold")
    spans = overview.spans if verbose else overview.spans[:MOST_ROWS]
    head = ("release", "date", "installs on", "seen to work")
    rows: list[tuple[str, ...]] = [head]
    for one in spans:
        fails = f"; fails on {_run(one.fails_on)}" if one.fails_on else ""
        built = " (built)" if one.how == "sdist" else ""
        worked = f"on {_run(one.works_on)}" if one.works_on else "not measured"
        if fails and not one.works_on:
            worked, fails = fails[2:], ""
        rows.append((one.last, one.date or "?", _run(one.pythons) + built, worked + fails))
    page.table(rows, indent=2)
    _more(page, len(overview.spans) - len(spans))
    limited = [one for one in overview.spans if one.limits]
    if limited:
        page.blank()
        page.text("Measured limits", style="bold")
        for one in limited if verbose else limited[:MOST_ROWS]:
            for number, limit in enumerate(one.limits):
                page.field("" if number else one.last, limit_text(limit), indent=2)


def _add_tables(page: Page, answer: Answer, *, verbose: bool) -> None:
    room = max(MOST_ROWS // max(len(answer.tables), 1), 5)
    for table in answer.tables:
        page.blank()
        page.text(f"{table.first} with {table.second}, newest first", style="bold")
        if not table.measured and _silent(table):
            page.text(
                "Neither says anything about the other, and they were not measured.", indent=2
            )
            continue
        _add_table(page, table, answer, None if verbose else room, verbose=verbose)


def _silent(table: Table) -> bool:
    return all(s.declared == "silent" for row in table.rows for s in row.stretches)


def _add_table(
    page: Page, table: Table, answer: Answer, room: int | None, *, verbose: bool
) -> None:
    rows = []
    for _, group in groupby(table.rows, lambda row: _cells(row, table, answer, verbose=verbose)):
        alike = list(group)
        rows.append(
            (
                span(alike[-1].first, alike[0].last),
                *_cells(alike[0], table, answer, verbose=verbose),
            )
        )
    python = () if answer.python else ("Python",)
    head = (table.first, *python, f"{table.second} by metadata", f"{table.second} as measured")
    page.table([head, *rows[:room]], indent=2)
    _more(page, len(rows) - len(rows[:room]))


def _cells(row: Row, table: Table, answer: Answer, *, verbose: bool) -> tuple[str, ...]:
    python = () if answer.python else (_python_of(row),)
    return (
        *python,
        metadata_cell(row, table, everything=verbose),
        measured_cell(row, table, everything=verbose),
    )


def _python_of(row: Row) -> str:
    """The newest Python that has both; none where nothing of the second is known to go along."""
    if not any(s.measured == "works" or s.declared == "accepts" for s in row.stretches):
        return "-"
    return row.python if row.how == "wheel" else f"{row.python}, built"


def _more(page: Page, count: int) -> None:
    if count > 0:
        page.text(f"{count} older {'row' if count == 1 else 'rows'} with --verbose", indent=2)


def _add_sources(page: Page, answer: Answer, *, verbose: bool) -> None:
    page.blank()
    doubts = "?: the requirements of some releases were not read. " if answer.gaps else ""
    page.text(
        f"{doubts}Metadata as of {answer.releases_read}; {answer.measured_runs} runs on "
        f"{answer.measured_platform}, the last on {answer.measured_on}.",
        style="dim",
    )
    if verbose:
        for gap in answer.gaps:
            page.text(gap, indent=2, hang=2, style="dim")


def _listing(words: list[str] | tuple[str, ...]) -> str:
    """``a, b and c``."""
    return ", ".join(words[:-1]) + " and " + words[-1] if len(words) > 1 else "".join(words)


def _run(pythons: tuple[str, ...]) -> str:
    """Pythons in order, neighbours as a range: ``3.6-3.9, 3.11``."""
    runs: list[list[str]] = []
    for python in pythons:
        if runs and _follows(runs[-1][-1], python):
            runs[-1].append(python)
        else:
            runs.append([python])
    return ", ".join(span(run[0], run[-1]) for run in runs) or "none"


def _follows(one: str, other: str) -> bool:
    major, minor = (int(part) for part in one.split(".")[:2])
    return other == f"{major}.{minor + 1}"
