"""The first lines of a report: what was examined, what was run, what was chosen."""

from __future__ import annotations

from keras_doctor.report import wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Examination, Outcome, Verified
    from keras_doctor.report.layout import Page

_OUTPUT_LINES = 6
_FRAMES = 3


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


def add_runs(page: Page, examination: Examination, *, verbose: bool) -> None:
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


def add_untried(page: Page, examination: Examination, *, from_file: bool) -> None:
    """What was verified, and what was not tried, so that nobody takes it for fine."""
    verified = examination.snapshot.verified
    if verified is not None:
        page.field("Verified", _verified(verified))
    if not examination.outcomes:
        reason = "facts from a file are only read" if from_file else "--no-live"
        page.field("Not tried", f"the import itself ({reason})")
        checks = examination.snapshot.files
        looked = verified is not None or any(check.contents_checked for check in checks)
        if checks and not looked:
            page.field(
                "Not read", "the contents of the installed files, only their sizes (--thorough)"
            )
        return
    trained = any(run.kind in ("train", "command") for run in examination.outcomes)
    if not trained and examination.diagnosis.healthy:
        page.field("Not tried", "a training step (--train does one)")


def _verified(verified: Verified) -> str:
    """What hashing showed, in one line."""
    size = wording.size(verified.bytes)
    where = "of all distributions" if verified.scope == "all" else "on the way of the import"
    if verified.mismatches_total:
        text = (
            f"{verified.mismatches_total:,} of {wording.plural(verified.files, 'file')} {where} "
            f"({size}) not as shipped, by SHA-256"
        )
    else:
        text = f"{wording.plural(verified.files, 'file')} {where} ({size}) as shipped, by SHA-256"
    left = len({one.distribution for one in verified.not_verifiable})
    if left:
        text += f"; {wording.plural(left, 'distribution')} cannot be verified"
    return text
