"""The report of `check` for a terminal: verdict, causes, ways out.

A tired person reads it. The verdict comes first, then what was examined, then each cause
with its evidence and the one thing to do; what was not tried is said, never implied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.report import wording
from keras_doctor.report.layout import LABEL, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Diagnosis, Evidence, Examination, Finding, Fix, Outcome

_TONES = {wording.GOOD: "green", wording.BAD: "red", wording.OPEN: "yellow"}
_PROGRAM = "keras-doctor"
_OUTPUT_LINES = 6
_FRAMES = 3
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
    considered: Sequence[str] = (),
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
        considered: One line for each place that was considered for the target.

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
    add_target(page, examination)
    _ran(page, examination, verbose=verbose)
    add_choice(page, examination)
    _untried(page, examination)
    _causes(page, examination, program, verbose=verbose)
    _way_out(page, examination, again or _repeat(examination, program))
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


def add_target(page: Page, examination: Examination) -> None:
    """Which Python and which folder were examined, and why these."""
    target, interpreter = examination.snapshot.target, examination.snapshot.interpreter
    where = target.python or (interpreter.executable if interpreter else None)
    version = f" ({interpreter.version})" if interpreter else ""
    if where:
        page.field("Python", f"{where}{version}")
        page.field("", target.chosen)
    else:
        page.field("Python", target.chosen)
    page.field("Folder", target.folder)


def _ran(page: Page, examination: Examination, *, verbose: bool) -> None:
    """What was run as it is, and how the run that decides the verdict failed."""
    main = wording.as_it_is(examination.outcomes)
    label = "Ran"
    for run in examination.outcomes:
        if run.changes or not (run is main or wording.worked(run) or verbose):
            continue
        page.field(label, f"{wording.ran(run, examination.snapshot.target)}: {_ended(run)}")
        label = ""
    if main is not None and not wording.worked(main):
        _failure(page, main, verbose=verbose)


def _ended(run: Outcome) -> str:
    after = wording.seconds(run.seconds)
    if run.status == "passed":
        return f"passed in {after}"
    if run.status == "stopped":
        return f"the imports passed; it was stopped after {after}"
    if run.status == "raised":
        return f"failed after {after}{_place(run)}"
    if run.status == "died":
        return f"Python died after {after} ({run.signal or 'signal unknown'})"
    if run.status == "hung":
        return f"no end in sight after {after}; it was stopped"
    if run.status == "exited":
        return f"ended Python after {after} with exit status {run.exit_code}"
    return "Python did not start"


def _place(run: Outcome) -> str:
    """Which line of the user's own program failed, when that is known."""
    line, statement = run.failed_line, run.failed_statement
    if line is None and run.chain and run.chain[-1].frames:
        first = run.chain[-1].frames[0]
        line, statement = first.line, first.text
    shown = f" ({statement.strip()})" if statement and statement.strip() != run.what else ""
    return f" at line {line}{shown}" if line else shown


def _failure(page: Page, run: Outcome, *, verbose: bool) -> None:
    """What the failing run said: its last exception in full, or its last lines."""
    if run.chain:
        page.field("Error", wording.raised(run.chain[-1]), style="bold")
        if run.chain[0].message not in run.chain[-1].message:
            page.field("Before it", wording.raised(run.chain[0]))
        return
    if run.crash_frames:
        page.field("Last seen", "in these calls, the innermost last:")
        for frame in run.crash_frames if verbose else run.crash_frames[-_FRAMES:]:
            file = frame.file if verbose else wording.short_path(frame.file)
            page.field("", f"  {file}:{frame.line} in {frame.function}")
    lines = wording.last_words(run.output)
    if lines:
        page.field("Output", "\n".join(lines[-_OUTPUT_LINES:]))


def add_choice(page: Page, examination: Examination) -> None:
    """Which Keras is found, and which backend it is asked to take."""
    selection = examination.diagnosis.selection
    if selection is None:
        return
    keras = selection.keras
    if keras.version or keras.path:
        name = keras.distribution if (keras.distribution or "").lower() != "keras" else None
        text = " ".join(part for part in (name, keras.version) if part) or "version unknown"
        home = examination.snapshot.target.environment
        elsewhere = keras.path and not (home and keras.path.startswith(home))
        page.field("Keras", f"{text} ({keras.path})" if elsewhere else text)
    page.field("Backend", wording.chosen_by(selection))
    if examination.wish and examination.wish != selection.backend.name:
        page.field("Wanted", examination.wish)


def _untried(page: Page, examination: Examination) -> None:
    """What was not tried, so that nobody takes it for fine."""
    if not examination.outcomes:
        given = examination.snapshot.start.mode == "given"
        page.field("Not tried", "the import itself" + ("" if given else " (--no-live)"))
        return
    trained = any(run.kind in ("train", "command") for run in examination.outcomes)
    if not trained and examination.diagnosis.healthy:
        page.field("Not tried", "a training step (--train does one)")


def _causes(page: Page, examination: Examination, program: str, *, verbose: bool) -> None:
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
    for number, fix in enumerate(shown):
        page.field("Or" if number else "To mend", _sentence(fix), indent=indent)
        if fix.command:
            page.command(fix.command, indent=indent + LABEL)


def _sentence(fix: Fix) -> str:
    text = fix.summary.rstrip(".:").removeprefix("Or ")
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


def _way_out(page: Page, examination: Examination, again: str) -> None:
    diagnosis = examination.diagnosis
    if not diagnosis.causes:
        return
    page.blank()
    if len(diagnosis.causes) > 1:
        page.text("Mend them in this order. To see that it worked:")
    else:
        page.text("To see that it worked:")
    page.command(again, indent=4)
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
    page.text("Harmless, but worth knowing:" if diagnosis.healthy else "Not the cause, but seen:")
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
