"""KD902 unknown: a failure that no rule explains."""

from __future__ import annotations

from keras_doctor.rules.base import finding, listing, seen
from keras_doctor.rules.stages import UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Outcome, RuleResult
    from keras_doctor.rules.context import Context


def unknown(
    context: Context, results: tuple[RuleResult, ...], outcome: Outcome
) -> Iterator[Finding]:
    """The import fails and no rule explains why.

    What it checks: nothing by itself. It is the honest answer when a live run failed and no other
    rule predicts that failure: it shows the failure, who raised it, and what was ruled out.

    Why it is there: a wrong cause costs more time than none.

    How it is fixed: the report holds what a maintainer needs; ``keras-doctor snapshot`` writes it
    as a file for a bug report.

    Example: a bug in a package, or a combination of versions that nobody has measured yet.
    """
    last = outcome.chain[-1] if outcome.chain else None
    message = f"{last.type}: {last.message}" if last else _ending(outcome)
    ruled_out = _ruled_out(results)
    yield finding(
        "KD902",
        "unknown",
        _place(outcome) or outcome.what,
        title=_title(context, outcome, message),
        why=f"Ruled out: {listing(ruled_out)}." if ruled_out else "Nothing could be ruled out.",
        evidence=[*_chain(outcome), *_statement(outcome)],
        stage=UNKNOWN,
        weight="fatal",
    )


FAMILIES = {
    "KD1": "the settings that choose the backend",
    "KD2": "another file, folder or installation in the way",
    "KD3": "damaged files",
    "KD4": "versions that do not go together",
    "KD5": "the native libraries, the processor and the compiler",
    "KD6": "import paths that this Keras does not have",
}
"""What it means that no rule of a family found anything, in words."""


def _ruled_out(results: tuple[RuleResult, ...]) -> list[str]:
    """The families of which every rule could judge and found nothing; else its single rules."""
    words = []
    for family, meaning in FAMILIES.items():
        states = {r.name: r.state for r in results if r.code.startswith(family)}
        clear = [name for name, state in states.items() if state in ("ok", "not-applicable")]
        if len(clear) == len(states):
            words.append(meaning)
        else:
            words += clear
    return words


def _title(context: Context, outcome: Outcome, message: str) -> str:
    if outcome.changes:
        return f"Behind that, another failure waits that no rule explains: {message}"
    if _imports_work(context):
        return f"The imports work; the program itself fails: {message}"
    return f"It fails, and none of the known causes explains it: {message}"


def _ending(outcome: Outcome) -> str:
    if outcome.signal:
        return f"the process was ended by {outcome.signal}"
    if outcome.status == "hung":
        return f"it was still running after {outcome.seconds:.0f} seconds"
    if outcome.exit_code is not None:
        return f"it ended with exit code {outcome.exit_code}"
    return outcome.status


def _imports_work(context: Context) -> bool:
    """The user's command fails although its import statements pass."""
    kinds = {o.kind: o.status for o in context.outcomes if not o.changes}
    return kinds.get("imports") == "passed" and kinds.get("command") not in (None, "passed")


def _place(outcome: Outcome) -> str | None:
    for raised in outcome.chain:
        if raised.frames:
            return f"{raised.frames[-1].file}:{raised.frames[-1].line}"
    if outcome.crash_frames:
        frame = outcome.crash_frames[-1]
        return f"{frame.file}:{frame.line}"
    return None


def _chain(outcome: Outcome) -> list[Evidence]:
    rows = []
    for raised in outcome.chain:
        where = f"{raised.frames[-1].file}:{raised.frames[-1].line}" if raised.frames else None
        rows.append(seen(f"{raised.type}: {raised.message}", where))
    if not rows:
        rows = [seen(line, "what it printed") for line in outcome.output.strip().splitlines()[-3:]]
    return rows


def _statement(outcome: Outcome) -> list[Evidence]:
    if outcome.failed_statement is None:
        return []
    return [seen(f"failed at: {outcome.failed_statement}", outcome.what)]
