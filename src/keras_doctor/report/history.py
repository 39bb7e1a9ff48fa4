"""The reports of `undo` and `history` for a terminal."""

from __future__ import annotations

from keras_doctor.report import wording
from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.history import History, Undone
    from keras_doctor.fixes.transaction.journal import Journal

_STATES = {
    "verified": "works since",
    "applied": "applied",
    "undone": "undone",
    "rolled-back": "taken back at once",
    "planned": "not begun",
    "applying": "interrupted; the next fix or undo takes it back",
    "undoing": "interrupted while it was undone; the next undo goes on",
}


def render_undo(done: Undone, *, width: int, color: bool, unicode: bool) -> str:
    """What became of an undo."""
    page = Page(width=width, color=color, unicode=unicode)
    if done.refusal is not None:
        page.text("Not undone: everything is as it was.", style="red")
        page.blank()
        page.text(done.refusal)
        return page.render()
    for journal in done.recovered:
        page.text(f"An interrupted repair was taken back: {journal.environment}", hang=4)
    if done.journal is not None:
        where = done.journal.environment
        count = wording.plural(len(done.journal.changes), "change")
        said = f"Undone: {count} in {where} taken back."
        if done.journal.made:
            said = f"Undone: the environment that was made in {where} is removed."
        page.text(said, style="green")
        for left in done.journal.left:
            page.text(f"Left, because it is not from the repair: {left}", hang=4)
    return page.render()


def render_history(
    history: History,
    *,
    dropped: str | None,
    program: str,
    width: int,
    color: bool,
    unicode: bool,
) -> str:
    """The repairs, newest first."""
    page = Page(width=width, color=color, unicode=unicode)
    if dropped:
        page.text(f"Forgotten: {dropped}")
        page.blank()
    if not history.journals:
        page.text("No repair was made here.")
    for journal in history.journals:
        _journal(page, journal)
    for problem in history.problems:
        page.text(f"Not read: {problem}", hang=4)
    if any(journal.status in ("applied", "verified") for journal in history.journals):
        page.blank()
        page.text("To bring an old state back:")
        page.command(f"{program} undo ID", indent=4)
        page.text("To free the space of the old files, for good:")
        page.command(f"{program} history --drop ID", indent=4)
    return page.render()


def _journal(page: Page, journal: Journal) -> None:
    page.text(f"{journal.id}  {journal.created}  {_STATES[journal.status]}", style="bold")
    page.text(journal.environment, indent=4)
    for line in journal.summary:
        page.text(line, indent=4, hang=2)
