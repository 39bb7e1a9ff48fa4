"""The report of `fix` for a terminal: does it work now, what was done, what is left to do."""

from __future__ import annotations

from keras_doctor.report import header, wording
from keras_doctor.report.layout import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model.plan import DistributionChange, Rehearsal, Repair, Step

_INDENT = 3
_ALTERNATIVES = 3
_LONG = 10.0


def render_fix(
    repair: Repair,
    *,
    verbose: bool = False,
    quiet: bool = False,
    asked: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    program: str = "keras-doctor",
    again: str | None = None,
) -> str:
    """The report of one repair.

    Args:
        repair: What was found out and done.
        verbose: Also the other ways, and why they were not taken.
        quiet: Only the verdict and what is left to do.
        asked: Whether the user was asked, or has said that nothing shall be changed.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
        program: How this program was called, for commands to paste.
        again: The command line that applies the plan.

    Returns:
        Text ending in a line break.
    """
    page = Page(width=width, color=color, unicode=unicode)
    sentence, tone = _verdict(repair)
    page.text(sentence, style=tone)
    if not quiet:
        page.blank()
        header.add_target(page, repair.examination)
        _wrong(page, repair)
        _plan(page, repair)
    _manual(page, repair)
    if quiet:
        return page.render()
    _failure(page, repair)
    _alternatives(page, repair, verbose=verbose)
    _remarks(page, repair)
    _next(page, repair, program, again, asked=asked)
    return page.render()


def render_plan(repair: Repair, *, width: int, color: bool, unicode: bool) -> str:
    """The rehearsed plan alone, before the user is asked."""
    page = Page(width=width, color=color, unicode=unicode)
    _wrong(page, repair)
    _plan(page, repair)
    _manual(page, repair)
    page.blank()
    return page.render()


def _verdict(repair: Repair) -> tuple[str, str]:
    if repair.verified and not repair.applied:
        return "Nothing to repair: Keras imports, and it trained one step.", "green"
    if repair.verified:
        return "It works now: Keras imports, and it trained one step.", "green"
    if repair.environment:
        return _verdict_beside(repair)
    if repair.verified is False:
        return "Not repaired: everything is as it was.", "red"
    if repair.rehearsal is None:
        return _verdict_unrehearsed(repair)
    if not repair.rehearsal.passed:
        return "Not repaired: no way out was found that works. Nothing was changed.", "red"
    if repair.refusal:
        return "A repair was found and tried in a copy, but not applied.", "yellow"
    if repair.manual and (repair.applied or not repair.steps):
        count = wording.plural(len(repair.manual), "step")
        return f"It works once you have done {count} that only you can do.", "yellow"
    return "A repair was found and tried in a copy; nothing was changed yet.", "yellow"


def _verdict_beside(repair: Repair) -> tuple[str, str]:
    if repair.applied:
        return "A new environment was made beside this one; Keras trains in it.", "green"
    if not repair.steps:
        return "Another environment of yours, made for this, works.", "yellow"
    if repair.rehearsal is not None and repair.rehearsal.passed and not repair.refusal:
        return "A new environment beside this one can be made.", "yellow"
    return "This environment cannot be mended in place; a new one beside it can help.", "yellow"


def _verdict_unrehearsed(repair: Repair) -> tuple[str, str]:
    if repair.steps and not repair.refusal:
        return "A repair was found; nothing was changed yet.", "yellow"
    return "Not repaired.", "red"


def _wrong(page: Page, repair: Repair) -> None:
    causes = repair.examination.diagnosis.causes
    if not causes:
        return
    page.blank()
    page.text("What was wrong:")
    for cause in causes:
        page.text(f"- {cause.title} [{cause.code}]", indent=2, hang=2)


def _plan(page: Page, repair: Repair) -> None:
    if not repair.steps:
        return
    page.blank()
    tried = repair.rehearsal is not None and not repair.rehearsal.passed and not repair.environment
    would = "What was tried:" if tried else "What would be done:"
    page.text("What was done:" if repair.applied else would)
    for number, step in enumerate(repair.steps, 1):
        _step(page, f"{number}. ", step)
    rehearsal = repair.rehearsal
    if rehearsal is None or repair.environment or not rehearsal.attempts:
        return
    if rehearsal.distributions:
        page.blank()
        page.text("Packages that change:")
        page.table([(d.name, _change(d)) for d in rehearsal.distributions], indent=_INDENT)
    page.blank()
    rungs = {"overlay": "a private overlay", "copy": "a full copy"}
    page.text(
        f"Tried before in {rungs.get(rehearsal.rung, 'a copy by ' + rehearsal.rung)}, "
        f"{_time(rehearsal)}: the import, the backend and one training step "
        + ("passed." if rehearsal.passed else "did not pass.")
    )
    for broken in rehearsal.newly_broken:
        page.text(f"Afterwards {broken}, which is not met any more.", hang=4)


def _time(rehearsal: Rehearsal) -> str:
    whole, installing = rehearsal.seconds, rehearsal.install_seconds
    shown = f"{whole:.0f} s" if whole >= _LONG else f"{whole:.1f} s"
    return f"{shown} ({installing:.1f} s of it installing)" if installing else shown


def _step(page: Page, lead: str, step: Step) -> None:
    summary = _sentence(step.summary)
    end = "" if summary.endswith((".", "?", "!", ":")) else "."
    page.text(lead + summary + end, indent=_INDENT, hang=len(lead))
    several = step.kind == "use-env"
    for command in step.commands if several else step.commands[:1]:
        page.command(command.text, indent=_INDENT + len(lead))


def _sentence(text: str) -> str:
    """With a capital, unless it begins with a name as it is written in programs or paths."""
    text = text.strip().rstrip(",").removeprefix("Or ").removeprefix("then ")
    word = text.partition(" ")[0].rstrip(",:;")
    return text[:1].upper() + text[1:] if word.isalpha() else text


def _change(change: DistributionChange) -> str:
    if change.again:
        return f"{change.after}, its files restored"
    if change.before is None:
        return f"{change.after} (new)"
    if change.after is None:
        return f"{change.before} removed"
    return f"{change.before} \u2192 {change.after}"


def _manual(page: Page, repair: Repair) -> None:
    if not repair.manual:
        return
    page.blank()
    page.text("What only you can do:")
    for number, step in enumerate(repair.manual, 1):
        lead = f"{number}. "
        _step(page, lead, step)
        if step.kind == "edit-code":
            _edit(page, step, indent=_INDENT + len(lead))


def _edit(page: Page, step: Step, *, indent: int) -> None:
    page.text(f"{step.path}, line {step.line}:", indent=indent)
    page.verbatim(f"- {step.old}", indent=indent, style="red")
    for line in (step.new or "").split("\n"):
        page.verbatim(f"+ {line}", indent=indent, style="green")


def _failure(page: Page, repair: Repair) -> None:
    rehearsal = repair.rehearsal
    if repair.refusal:
        page.blank()
        page.text(f"Why: {repair.refusal.rstrip('.')}.")
    if rehearsal is not None and not rehearsal.passed and not repair.environment:
        page.blank()
        tries = wording.plural(rehearsal.attempts, "attempt")
        failure = rehearsal.failure or "nothing could be tried"
        page.text(f"How far it came, in {tries}: {failure.rstrip('.')}.")


def _alternatives(page: Page, repair: Repair, *, verbose: bool) -> None:
    shown = repair.alternatives if verbose else repair.alternatives[:_ALTERNATIVES]
    if not shown:
        return
    page.blank()
    page.text("Other ways:")
    for other in shown:
        words = "; ".join(map(_in_short, other.steps))
        page.text(f"- {words}: {_cost(other.steps)} ({other.why_not})", indent=2, hang=2)


def _cost(steps: Sequence[Step]) -> str:
    """What a way changes, in few words."""
    if any(step.kind == "use-env" for step in steps):
        return "takes another environment"
    packages = sum(
        len(step.requirements)
        for step in steps
        if step.kind in ("install", "reinstall", "uninstall")
    )
    if packages:
        return f"changes {wording.plural(packages, 'package')}"
    return "changes no package"


def _in_short(step: Step) -> str:
    """A step of another way, told apart from one that was taken by what it names."""
    if step.kind == "install" and step.requirements:
        return "Install " + " ".join(step.requirements)
    return _sentence(step.summary).rstrip(".")


def _remarks(page: Page, repair: Repair) -> None:
    remarks: Sequence[str] = repair.remarks
    if remarks:
        page.blank()
    for remark in remarks:
        page.text(f"Note: {_sentence(remark).rstrip('.')}.", hang=6)


def _next(page: Page, repair: Repair, program: str, again: str | None, *, asked: bool) -> None:
    passed = repair.rehearsal is not None and repair.rehearsal.passed
    planned = bool(repair.steps) and not repair.applied
    if repair.journal:
        page.blank()
        page.text("To bring the old state back:")
        page.command(f"{program} undo {repair.journal}", indent=4)
    elif planned and again and (repair.environment or not repair.refusal):
        if not (passed or repair.environment or repair.rehearsal is None):
            return
        page.blank()
        page.text("To apply it:" if asked else "Nobody was there to ask. To apply it:")
        page.command(again, indent=4)
