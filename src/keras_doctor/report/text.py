"""The report of `check` for a terminal: verdict, causes, ways out.

A tired person reads it. The verdict comes first, then what was examined, then each cause
with its evidence and the one thing to do; what was not tried is said, never implied.
"""

from __future__ import annotations

from keras_doctor.report import header, wording
from keras_doctor.report.layout import LABEL, Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Diagnosis, Evidence, Examination, Finding, Fix

_TONES = {wording.GOOD: "green", wording.BAD: "red", wording.OPEN: "yellow"}
_PROGRAM = "keras-doctor"
_OTHER_FIXES = 2
_PROBLEMS = 3


def render_check(
    examination: Examination,
    *,
    verbose: bool = False,
    quiet: bool = False,
    width: int = 80,
    color: bool = False,
    unicode: bool = True,
    program: str = _PROGRAM,
    again: str | None = None,
    take_along: str | None = None,
    considered: Sequence[str] = (),
    from_file: bool = False,
) -> str:
    """The report of one examination.

    Args:
        examination: What `check` saw and concluded.
        verbose: Also what was checked and ruled out, every run, every source of a setting.
        quiet: Only the verdict, and of each cause its title and what mends it.
        width: Columns of the terminal.
        color: Whether escape sequences for colour are used.
        unicode: Whether the output can hold more than ASCII.
        program: How this program was called, for commands to paste.
        again: The command line that repeats this examination, quoted for the shell.
        take_along: The command line that writes the facts down for somebody else.
        considered: One line for each place that was considered for the target.
        from_file: Whether the facts were read from a snapshot's file.

    Returns:
        Text ending in a line break, without control characters other than line breaks (and
        colour, when asked for).
    """
    page = Page(width=width, color=color, unicode=unicode)
    sentence, tone = wording.verdict(examination)
    page.text(sentence, style=_TONES[tone])
    if quiet:
        _brief(page, examination.diagnosis)
        return page.render()
    page.blank()
    header.add_target(page, examination)
    header.add_runs(page, examination, verbose=verbose)
    header.add_choice(page, examination)
    header.add_untried(page, examination, from_file=from_file)
    add_causes(page, examination, program, verbose=verbose)
    _way_out(
        page,
        examination,
        again or _repeat(examination, program),
        take_along or f"{program} snapshot --output snapshot.json",
        elsewhere=from_file,
    )
    _notes(page, examination.diagnosis, verbose=verbose)
    _limits(page, examination, verbose=verbose)
    if verbose:
        from keras_doctor.report import details

        details.add(page, examination, considered)
    return page.render()


def _brief(page: Page, diagnosis: Diagnosis) -> None:
    for cause in diagnosis.causes:
        page.text(f"- {cause.title}", hang=2)
        if cause.fixes:
            _do(page, cause.fixes[0], indent=4)


def add_causes(page: Page, examination: Examination, program: str, *, verbose: bool) -> None:
    """Each cause with why, its evidence, and what mends it."""
    causes = examination.diagnosis.causes
    follow = _followers(examination.diagnosis)
    for number, cause in enumerate(causes):
        page.blank()
        lead = f"{number + 1}. " if len(causes) > 1 else ""
        page.text(f"{lead}{cause.title}", hang=len(lead), style="bold")
        page.blank()
        indent = 3
        page.field("Why", cause.why, indent=indent)
        _evidence(page, cause.evidence, indent=indent)
        if cause.cause != wording.UNKNOWN:
            page.field("Certainty", wording.certainty(cause, examination), indent=indent)
        _fixes(page, cause, indent=indent, all_of_them=verbose)
        if follow[number]:
            _follows(page, follow[number], indent=indent)
        page.field("More", f"{program} rule {cause.code}", indent=indent)


def _evidence(page: Page, evidence: tuple[Evidence, ...], *, indent: int) -> None:
    label = "Evidence"
    for item in evidence:
        page.field(label, f"{item.text} ({item.where})" if item.where else item.text, indent=indent)
        label = ""


def _fixes(page: Page, cause: Finding, *, indent: int, all_of_them: bool) -> None:
    fixes = cause.fixes
    if not fixes and cause.cause != wording.UNKNOWN:
        page.field("To mend", "no repair is known for this one", indent=indent)
    shown = fixes if all_of_them else fixes[: 1 + _OTHER_FIXES]
    label = "To mend"
    for fix in shown:
        page.field(label, _sentence(fix), indent=indent)
        label = "Then" if fix.continues else "Or"
        if fix.command:
            page.command(fix.command, indent=indent + LABEL)


def _sentence(fix: Fix) -> str:
    text = fix.summary.rstrip(".:,").removeprefix("Or ").removeprefix("then ")
    return text[:1].upper() + text[1:] + (":" if fix.command else "")


def _do(page: Page, fix: Fix, *, indent: int) -> None:
    if fix.command:
        page.command(fix.command, indent=indent)
    else:
        page.text(fix.summary, indent=indent)


def _followers(diagnosis: Diagnosis) -> list[list[Finding]]:
    """The consequences of each cause; what no cause claims goes with the first."""
    groups: list[list[Finding]] = [[] for _ in diagnosis.causes]
    for finding in diagnosis.consequences:
        keys = {finding.key, finding.key.partition(":")[0] + ":*"}
        owners = [i for i, cause in enumerate(diagnosis.causes) if keys & set(cause.explains)]
        if groups:
            groups[owners[0] if owners else 0].append(finding)
    return groups


def _follows(page: Page, findings: list[Finding], *, indent: int) -> None:
    verb = "message follows" if len(findings) == 1 else "messages follow"
    titles = "; ".join(finding.title.rstrip(".") for finding in findings)
    page.field("Also", f"{len(findings)} other {verb} from this: {titles}", indent=indent)


def _way_out(
    page: Page, examination: Examination, again: str, take_along: str, *, elsewhere: bool
) -> None:
    """How to see that a repair worked, and where else to turn."""
    diagnosis = examination.diagnosis
    if not diagnosis.causes:
        return
    page.blank()
    if any(cause.cause != wording.UNKNOWN for cause in diagnosis.causes):
        order = "Mend them in this order. " if len(diagnosis.causes) > 1 else ""
        where = ", on the machine that the facts are from" if elsewhere else ""
        page.text(f"{order}To see that it worked{where}:")
        page.command(again, indent=4)
    else:
        page.text("To ask somebody else, take the facts along; personal names are masked:")
        page.command(take_along, indent=4)
    works = [b for b in diagnosis.backends if b.importable and b.trains is not False]
    if works:
        page.blank()
        names = ", ".join(f"{b.name} {b.version}" if b.version else b.name for b in works)
        page.text(f"Backends that work here: {names}", hang=4)
    for ask in diagnosis.asks:
        page.blank()
        page.text(f"This would settle it: {ask.question}", hang=4)
        if ask.command:
            page.command(ask.command, indent=4)


def _notes(page: Page, diagnosis: Diagnosis, *, verbose: bool) -> None:
    if not diagnosis.notes:
        return
    page.blank()
    headings = {
        True: "Harmless, but worth knowing:",
        False: "Seen, and not the cause:",
        None: "Seen; whether it matters shows only when the import is tried:",
    }
    page.text(headings[diagnosis.healthy])
    for note in diagnosis.notes:
        page.text(f"- {note.title} [{note.code}]", indent=2, hang=2)
        if verbose:
            for item in note.evidence:
                page.text(f"{item.text} ({item.where})" if item.where else item.text, indent=6)


def _limits(page: Page, examination: Examination, *, verbose: bool) -> None:
    """What could not be read or checked."""
    diagnosis = examination.diagnosis
    crashed = [result for result in diagnosis.results if result.state == "crashed"]
    skipped = [result for result in diagnosis.results if result.state == "skipped"]
    problems = examination.snapshot.problems
    if not (crashed or skipped or problems):
        return
    page.blank()
    shown = problems if verbose else problems[:_PROBLEMS]
    for problem in shown:
        page.text(f"Not read: {problem}", hang=4)
    if len(shown) < len(problems):
        page.text(f"Not read: {len(problems) - len(shown)} more (--verbose)", hang=4)
    if skipped:
        count = wording.plural(len(skipped), "rule")
        page.text(f"Not checked for want of facts: {count}" + " (--verbose)" * (not verbose))
    for result in crashed:
        page.text(f"{result.code} failed by a mistake of ours: {result.reason}", hang=4)


def _repeat(examination: Examination, program: str) -> str:
    """A command line that examines the same again, for callers who do not know theirs."""
    import shlex

    words: list[str] = []
    if examination.wish:
        words += ["--backend", examination.wish]
    target = examination.snapshot.target
    if target.command:
        words += ["--", *target.command]
    return f"{program} check {shlex.join(words)}".rstrip()
