"""The words of the report: what a verdict, a change, a confidence is called.

Pure text without layout, shared by the text report and its details, so that the same thing
is always called the same.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Change, Examination, Finding, Outcome, Raised, Selection, Target

GOOD, BAD, OPEN = "good", "bad", "open"
"""The tone of a verdict: it works, it does not, nobody knows."""

UNKNOWN = "unknown"
"""The slug of the cause that says that no rule explains it."""

_WORKED = ("passed", "stopped")
_LONG = 72
_ASKED = {
    "environment": "the environment",
    "config": "the configuration file",
    "code": "the program itself",
}


def as_it_is(outcomes: Sequence[Outcome]) -> Outcome | None:
    """The run that speaks for the world as it is.

    Of the runs without any change, the first that did not work: a training step may fail
    after an import that passed. If all worked, the first.
    """
    real = [outcome for outcome in outcomes if not outcome.changes]
    for outcome in real:
        if outcome.status not in _WORKED:
            return outcome
    return real[0] if real else None


def worked(outcome: Outcome) -> bool:
    """Whether the imports went through."""
    return outcome.status in _WORKED


def what_is_meant(examination: Examination) -> str:
    """What the user wants to work, in backquotes: their command, or the import."""
    import shlex

    outcome = as_it_is(examination.outcomes)
    command = examination.snapshot.target.command
    if command:
        text = shlex.join(command)
    else:
        text = outcome.what if outcome is not None else "import keras"
    first = text.split("\n")[0]
    if len(first) > _LONG:
        first = first[: _LONG - 1].rstrip() + "\u2026"
    return f"`{first}`"


def verdict(examination: Examination) -> tuple[str, str]:
    """One sentence that answers the question, and its tone."""
    diagnosis = examination.diagnosis
    what = what_is_meant(examination)
    outcome = as_it_is(examination.outcomes)
    causes = diagnosis.causes
    if outcome is None:
        return _unseen(what, causes)
    if not worked(outcome):
        return f"{failure(what, outcome)}{_for_reasons(causes)}.", BAD
    if causes:
        wish, got = examination.wish, _backend_seen(examination)
        if wish and got and wish != got:
            return f"{what} works here, but with the {got} backend instead of {wish}.", BAD
        return f"{what} works here, but not as asked.", BAD
    return _healthy(examination, what, outcome), GOOD


def failure(what: str, outcome: Outcome) -> str:
    """How it failed, as a clause without a full stop."""
    if outcome.status == "died":
        return f"{what} kills Python here ({outcome.signal or 'no message at all'})"
    if outcome.status == "hung":
        return f"{what} did not come to an end within {seconds(outcome.seconds)}"
    if outcome.status == "exited":
        return f"{what} ends Python here with exit status {outcome.exit_code}"
    if outcome.status == "not-started":
        return f"{what} was not reached: Python does not start here"
    return f"{what} fails here"


def _unseen(what: str, causes: tuple[Finding, ...]) -> tuple[str, str]:
    if not causes:
        return f"Nothing was found that stands in the way of {what}, but it was not tried.", OPEN
    if not any(cause.blocks for cause in causes):
        return f"By what was read, {what} does not do here what was asked.", BAD
    if all(cause.confidence == "likely" for cause in causes):
        return f"{what} probably fails here{_for_reasons(causes)}. It was not tried.", BAD
    return f"By what was read, {what} cannot work here{_for_reasons(causes)}.", BAD


def _for_reasons(causes: tuple[Finding, ...]) -> str:
    if not causes:
        return ""
    if all(cause.cause == UNKNOWN for cause in causes):
        return ", and no rule explains why"
    return ", for one reason" if len(causes) == 1 else f", for {len(causes)} reasons"


def _healthy(examination: Examination, what: str, outcome: Outcome) -> str:
    selection = examination.diagnosis.selection
    version = outcome.keras_version or (selection.keras.version if selection else None)
    backend = _backend_seen(examination) or (selection.backend.name if selection else None)
    if not version:
        return f"{what} works here."
    if not backend:
        return f"Keras {version} works here."
    release = backend_version(examination, backend)
    return (
        f"Keras {version} works here with the {backend} backend{f' ({release})' * bool(release)}."
    )


def _backend_seen(examination: Examination) -> str | None:
    """The backend that the world as it is gave; a command of the user's does not say it."""
    seen = (run.backend for run in examination.outcomes if not run.changes)
    return next(filter(None, seen), None)


def ran(outcome: Outcome, target: Target) -> str:
    """What a run was, short enough for a line: the imports of a program are not spelled out."""
    if outcome.kind != "command" and len(outcome.what) > _LONG and target.script:
        return f"the imports of {os.path.basename(target.script)}"
    return outcome.what


def backend_version(examination: Examination, name: str) -> str | None:
    """The version of a backend, as far as the diagnosis knows it."""
    for state in examination.diagnosis.backends:
        if state.name == name:
            return state.version
    return None


def chosen_by(selection: Selection) -> str:
    """Which backend is asked for, and by which source."""
    choice = selection.backend
    if choice.name is None:
        return "none is asked for"
    if choice.asked_by == "default":
        text = f"{choice.name}, {choice.where or 'the default'}"
    else:
        asker = choice.where or _ASKED.get(choice.asked_by, choice.asked_by)
        text = f"{choice.name}, asked for by {asker}"
    if choice.honoured is False:
        text += "; what was asked for is not honoured"
    return text


def change(item: Change) -> str:
    """One thing that a run did differently, as it would follow the word 'with'."""
    words = {
        "set-variable": f"{item.name}={item.value}",
        "unset-variable": f"{item.name} unset",
        "config-text": f"a mended copy of {item.name}" if item.value else f"{item.name} gone",
        "drop-path-entry": f"{item.name} taken off Python's search path",
        "hide-module": f"{item.name} out of the way",
    }
    return words.get(item.kind, f"{item.kind} {item.name}")


def _by_text(cause: Finding) -> str:
    if cause.confidence == "certain":
        return "certain: the text says what only this cause says"
    return "likely: as far as the text tells; other causes can look the same"


def certainty(finding: Finding, examination: Examination) -> str:
    """How sure it is that this is the cause, and what that rests on."""
    if examination.snapshot.start.mode == "given":
        return _by_text(finding)
    if finding.confidence == "proven":
        return f"proven. {experiment(finding, examination)}"
    if finding.confidence == "certain":
        if _was_seen(finding, examination):
            return "certain: the failure that was seen is the one that this leads to"
        return "certain: with this, there is no other way for it to end"
    return "likely: it was read, but no failure was seen that only this explains"


def _was_seen(finding: Finding, examination: Examination) -> bool:
    """Whether some run failed in a way that the finding predicts."""
    from keras_doctor.signs import matches

    return any(
        matches(sign, outcome)
        for outcome in examination.outcomes
        if not worked(outcome)
        for sign in finding.signs
    )


def experiment(finding: Finding, examination: Examination) -> str:
    """The proof as the experiment that it was.

    Causes that hide each other are removed one after another, so the run that passed may hold
    the changes for earlier causes too; then the run before it is the one that failed.
    """
    what = what_is_meant(examination)
    before: Outcome | None = None
    for run in examination.outcomes:
        done = before.changes if before is not None else ()
        new = tuple(item for item in run.changes if item not in done)
        if worked(run) and new and set(new) == set(finding.changes):
            changes = ", ".join(change(item) for item in new)
            count = "this one change" if len(new) == 1 else f"these {len(new)} changes"
            if done:
                return (
                    f"With the causes above removed, {what} still fails; with {count} more, it "
                    f"passes: {changes}"
                )
            if before is not None and worked(before):
                gets = f"gets {run.backend}" if run.backend else "does"
                return (
                    f"As it is, {what} does not do what was asked; with {count}, it {gets}: "
                    f"{changes}"
                )
            return f"As it is, {what} fails; with {count}, it passes: {changes}"
        before = run
    return f"With this out of the way, {what} passes."


def raised(item: Raised) -> str:
    """An exception as the last line of a traceback shows it: every word, no empty lines."""
    message = "\n".join(line for line in item.message.split("\n") if line.strip())
    return f"{item.type}: {message}" if message else item.type


def short_path(path: str) -> str:
    """A file of a package as a person would name it: from the package on."""
    for folder in ("site-packages", "dist-packages"):
        _, found, rest = path.replace("\\", "/").rpartition(f"/{folder}/")
        if found:
            return rest
    return path


def last_words(output: str) -> list[str]:
    """What a program printed, without the stack that faulthandler adds and empty lines."""
    stack = ('  File "', "Current thread", "Thread 0x", "Extension modules:", "  <no Python frame>")
    return [line for line in output.splitlines() if line.strip() and not line.startswith(stack)]


def seconds(value: float) -> str:
    """A duration for a person: ``0.4 s``, ``12 s``."""
    if value < 0.05:
        return "less than 0.1 s"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 check``, ``3 checks``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """A number of bytes for a person: ``712 kB``, ``1.2 GB``."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            value = count / unit
            return f"{value:.1f} {name}" if value < 10 else f"{value:.0f} {name}"
    return plural(count, "byte")
