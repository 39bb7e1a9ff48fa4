"""The screen of `knowledge`: what is known offline, how old it is, where it lies."""

from __future__ import annotations

from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.knowledge.contents import Contents
    from keras_doctor.refresh.update import Updated


def render_knowledge(
    known: Contents,
    *,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    verbose: bool = False,
) -> str:
    """What is known.

    Args:
        known: What was looked at.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
        verbose: Whether each package's gaps are named.
    """
    page = Page(width=width, color=color, unicode=unicode)
    releases = sum(package.releases for package in known.packages)
    with_requires = sum(package.requires for package in known.packages)
    page.text(
        f"{len(known.packages)} packages, {releases} releases; the requirements of "
        f"{with_requires} of them.",
        style="bold",
    )
    page.field("Read:", _when(known.date))
    page.field("Copy:", _whose(known.source))
    page.field("Folder:", known.folder)
    page.field("Size:", f"{known.size / 1000:.0f} kB")
    if known.problem:
        page.blank()
        page.text(f"A copy of your own is not used: {known.problem}.")
    page.blank()
    page.text("Releases", style="bold")
    rows: list[tuple[str, ...]] = [("package", "releases", "requirements", "newest")]
    for package in known.packages:
        numbers = (str(package.releases), str(package.requires))
        rows.append((package.name, *numbers, package.last or "-"))
    page.table(rows, indent=2)
    _gaps(page, known, verbose=verbose)
    page.blank()
    page.text("Other knowledge", style="bold")
    page.table(
        [
            (file.name, "" if file.rows is None else str(file.rows), file.meaning)
            for file in known.files
        ],
        indent=2,
    )
    return page.render()


def render_updated(
    done: Updated, *, width: int = 80, color: bool = False, unicode: bool = True
) -> str:
    """What an update did."""
    page = Page(width=width, color=color, unicode=unicode)
    count = sum(number for _, number in done.new)
    page.text(
        f"Updated: {done.packages} packages, {done.releases} releases, {count} of them new.",
        style="bold",
    )
    page.field("Folder:", done.folder)
    if done.new:
        page.field("New:", _listed([f"{name} {number}" for name, number in done.new]))
    if done.missing:
        page.field("Not had:", f"the index refuses {_listed(done.missing)}")
    return page.render()


def _gaps(page: Page, known: Contents, *, verbose: bool) -> None:
    if known.missing:
        page.blank()
        page.text("Missing", style="bold")
        reasons: dict[str, list[str]] = {}
        for name, why in known.missing:
            reasons.setdefault(why, []).append(name)
        for why, names in reasons.items():
            page.text(f"{_listed(names)}: {why}.", indent=2, hang=2)
    gaps: list[tuple[str, ...]] = [
        (p.name, f"{what}: {why}") for p in known.packages for what, why in p.gaps
    ]
    if gaps and verbose:
        page.blank()
        page.text("Gaps", style="bold")
        page.table(gaps, indent=2)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _when(date: str) -> str:
    return date.replace("T", " ").replace("Z", " UTC") or "never"


def _whose(source: str) -> str:
    return "your own" if source == "user" else "the one that came with keras-doctor"
