"""The report of `explain` for a terminal: what it most likely is, and what would settle it."""

from __future__ import annotations

from keras_doctor.report import wording
from keras_doctor.report.layout import Page
from keras_doctor.report.text import add_causes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Examination, Outcome, Snapshot

_PACKAGES = 8
_FAILURES = 3


def render_explained(
    examination: Examination,
    *,
    verbose: bool = False,
    quiet: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    program: str = "keras-doctor",
) -> str:
    """The report of one explained text; arguments as of `render_check`."""
    page = Page(width=width, color=color, unicode=unicode)
    causes = examination.diagnosis.causes
    page.text(verdict(examination), style="yellow" if causes else "green")
    if quiet:
        for cause in causes:
            page.text(f"- {cause.title}", hang=2)
        return page.render()
    page.blank()
    _failures(page, examination.outcomes, verbose=verbose)
    _facts(page, examination.snapshot, verbose=verbose)
    add_causes(page, examination, program, verbose=verbose)
    for ask in examination.diagnosis.asks:
        page.blank()
        page.text(f"This would settle it: {ask.question}", hang=4)
        if ask.command:
            page.command(ask.command, indent=4)
    _better(page, examination, program)
    return page.render()


def verdict(examination: Examination) -> str:
    """One sentence that answers the question."""
    causes = examination.diagnosis.causes
    if not causes:
        return "No failure of the Keras world is in this text."
    first = causes[0]
    if first.cause == wording.UNKNOWN:
        return "No known cause explains this failure."
    if first.confidence in ("certain", "proven"):
        return f"{first.title}."
    if len(causes) == 1:
        return f"Most likely: {first.title}."
    others = len(causes) - 1
    more = "one other explanation is" if others == 1 else f"{others} other explanations are"
    return f"Most likely: {first.title}; {more} possible."


def _failures(page: Page, outcomes: tuple[Outcome, ...], *, verbose: bool) -> None:
    label = "Failure"
    shown = outcomes if verbose else outcomes[-_FAILURES:]
    for outcome in shown:
        if outcome.chain:
            page.field(label, wording.raised(outcome.chain[-1]), style="bold")
            if outcome.chain[0].message not in outcome.chain[-1].message:
                page.field("Before it", wording.raised(outcome.chain[0]))
        elif outcome.signal:
            page.field(label, f"the process was ended by {outcome.signal}", style="bold")
        else:
            page.field(label, "\n".join(wording.last_words(outcome.output)[-3:]))
        label = ""
    if len(shown) < len(outcomes):
        page.field("", f"and {len(outcomes) - len(shown)} before these (--verbose)")


def _facts(page: Page, snapshot: Snapshot, *, verbose: bool) -> None:
    """What is known of the environment, so that a wrong guess of ours can be seen."""
    interpreter, machine = snapshot.interpreter, snapshot.machine
    if snapshot.start.mode != "given":
        page.field("Python", snapshot.target.python or "")
        return
    facts = [f"Python {interpreter.version}"] if interpreter else []
    facts += [machine.system] if machine else []
    facts += [snapshot.target.manager] if snapshot.target.manager else []
    rows = [f"{d.name} {d.version}" for d in snapshot.distributions]
    more = 0 if verbose else max(0, len(rows) - _PACKAGES)
    rows = rows[: len(rows) - more]
    facts += [*rows, f"{more} more packages"] if more else rows
    facts += [f"{v.name}={v.value}" for v in snapshot.variables]
    page.field("Known", ", ".join(facts) or "nothing but the text")


def _better(page: Page, examination: Examination, program: str) -> None:
    """Where the environment is at hand, reading it beats reading the text."""
    first = next(iter(examination.diagnosis.causes), None)
    if examination.snapshot.start.mode != "given" or first is None:
        return
    if first.confidence in ("certain", "proven") and first.cause != wording.UNKNOWN:
        return
    page.blank()
    page.text("With the environment at hand, this says which it is:")
    page.command(f"{program} check --python PYTHON", indent=4)
