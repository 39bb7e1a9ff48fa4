"""KD902 unknown: a failure that no rule explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.rules.base import finding, seen
from keras_doctor.rules.stages import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Outcome, RuleResult
    from keras_doctor.rules.context import Context


def unknown(context: Context, results: tuple[RuleResult, ...]) -> Iterator[Finding]:
    """The import fails and no rule explains why.

    What it checks: nothing by itself. It is the honest answer when a live run failed and no other
    rule predicts that failure: it shows the failure, who raised it, and what was ruled out.

    Why it is there: a wrong cause costs more time than none.

    How it is fixed: the report holds what a maintainer needs; ``keras-doctor snapshot`` writes it
    as a file for a bug report.

    Example: a bug in a package, or a combination of versions that nobody has measured yet.
    """
    outcome = next((o for o in context.failures if not o.changes), None)
    if outcome is None:
        outcome = context.failures[0] if context.failures else None
    if outcome is None:
        return
    last = outcome.chain[-1] if outcome.chain else None
    message = f"{last.type}: {last.message}" if last else _ending(outcome)
    ruled_out = [r.name for r in results if r.state in ("ok", "not-applicable")]
    yield finding(
        "KD902",
        "unknown",
        _place(outcome) or outcome.what,
        title=f"It fails, and none of the known causes explains it: {message}"
        if not _imports_work(context)
        else f"The imports work; the program itself fails: {message}",
        why=f"Ruled out: {', '.join(ruled_out)}." if ruled_out else "Nothing could be ruled out.",
        evidence=[*_chain(outcome), *_statement(outcome)],
        stage=UNKNOWN,
        weight="fatal",
    )


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
