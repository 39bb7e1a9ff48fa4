"""The report of `scan`: what does not work first, then in which releases all of it does."""

from __future__ import annotations

from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.scan.judge import Judged, Package, Scan

_PLACES = 3


def render_scan(
    scan: Scan,
    *,
    verbose: bool = False,
    quiet: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
) -> str:
    """The report of one scan; arguments as of `render_check`."""
    page = Page(width=width, color=color, unicode=unicode)
    broken = [row for row in scan.judged if row.here is False]
    going = [row for row in scan.judged if row.here is not False and row.gone]
    page.text(_verdict(scan, broken), style="red" if broken else "green")
    if quiet:
        for row in broken or going:
            _row(page, row, verbose=False)
        return page.render()
    page.blank()
    files = f"{scan.files} file{'s' * (scan.files != 1)}"
    page.field("Read", f"{files}, {len(scan.judged)} different paths of the Keras world")
    if scan.python:
        page.field("Python", scan.python)
    for package in scan.packages:
        page.field("Installed" if package is scan.packages[0] else "", _installed(package))
    _rows(page, "Not in the installed releases:", broken, verbose=verbose)
    _rows(page, "Gone from the newest releases:", going, verbose=verbose)
    if verbose:
        fine = [row for row in scan.judged if row not in broken and row not in going]
        _rows(page, "In order:", fine, verbose=True)
    _together(page, scan)
    for problem in scan.problems:
        page.text(f"Not read: {problem}", hang=4)
    return page.render()


def _verdict(scan: Scan, broken: list[Judged]) -> str:
    if broken:
        paths = f"{len(broken)} path{'s' * (len(broken) != 1)}"
        return f"{paths} that these programs use {'is' if len(broken) == 1 else 'are'} not there."
    if not scan.judged:
        return "These programs use nothing of Keras or TensorFlow."
    if not any(package.installed for package in scan.packages):
        gone = sum(row.gone for row in scan.judged)
        if gone:
            return f"{gone} of {len(scan.judged)} paths are not in the newest releases."
        return "All that these programs use is in the newest releases."
    return "All that these programs use of the Keras world is there."


def _installed(package: Package) -> str:
    return f"{package.distribution} {package.installed or 'not installed'}"


def _rows(page: Page, heading: str, rows: list[Judged], *, verbose: bool) -> None:
    if not rows:
        return
    page.blank()
    page.text(heading, style="bold")
    for row in rows:
        _row(page, row, verbose=verbose)


def _row(page: Page, row: Judged, *, verbose: bool) -> None:
    page.text(f"{row.path}: {_since(row)}", indent=2, hang=2)
    if row.instead:
        page.text(f"use {row.instead}", indent=4, hang=4)
    places = row.uses if verbose else row.uses[:_PLACES]
    for use in places:
        guarded = " (in try)" if use.guarded else ""
        page.text(f"{use.file}:{use.line}  {use.text}{guarded}", indent=4, hang=4)
    if len(places) < len(row.uses):
        page.text(f"and {len(row.uses) - len(places)} more places (--verbose)", indent=4)


def _since(row: Judged) -> str:
    if row.ranges is None:
        return "its releases are not known"
    if not row.ranges:
        return "no release has it"
    return "in " + spoken(row.ranges)


def spoken(ranges: tuple[tuple[str, str], ...]) -> str:
    """Ranges of releases in words."""
    return " and ".join(a if a == b else f"{a} to {b}" for a, b in ranges)


def _together(page: Page, scan: Scan) -> None:
    if not scan.packages:
        return
    page.blank()
    page.text("All at once works with:", style="bold")
    for package in scan.packages:
        if package.together:
            page.text(f"{package.distribution} {spoken(package.together)}", indent=2, hang=2)
        else:
            page.text(f"no release of {package.distribution}", indent=2)
            for path in package.without:
                page.text(f"most work without {path}", indent=4, hang=4)
