"""The reports of what was repaired, set, made, or taken back."""

from __future__ import annotations

from keras_doctor.report.json.envelope import envelope, target
from keras_doctor.report.json.examined import check
from keras_doctor.report.json.values import finding_of, run_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from keras_doctor.fixes.history import History, Undone
    from keras_doctor.fixes.transaction.journal import Journal
    from keras_doctor.fixes.use.result import Used
    from keras_doctor.model import Examination
    from keras_doctor.model.creation import Creation
    from keras_doctor.model.plan import Repair, Step


def fix(repair: Repair, *, exit_code: int) -> dict[str, Any]:
    """The report of `fix`: that of `check` about the world as it was, and what was done.

    ``verified`` tells here whether it works now.
    """
    rehearsal = repair.rehearsal
    return check(repair.examination, exit_code=exit_code) | {
        "command": "fix",
        "verified": repair.verified,
        "plan": [_step(step) for step in repair.steps],
        "alternatives": [
            {"steps": [_step(step) for step in other.steps], "why_not": other.why_not}
            for other in repair.alternatives
        ],
        "rehearsal": None
        if rehearsal is None
        else rehearsal._asdict()
        | {
            "distributions": [each._asdict() for each in rehearsal.distributions],
            "newly_broken": list(rehearsal.newly_broken),
        },
        "applied": repair.applied,
        "manual": [_step(step) for step in repair.manual],
        "journal": repair.journal,
        "environment": repair.environment,
        "remarks": list(repair.remarks),
        "refusal": repair.refusal,
    }


def use(used: Used, *, exit_code: int) -> dict[str, Any]:
    """The report of `use`."""
    return envelope("use", target(used.snapshot), exit_code=exit_code) | {
        "backend": used.backend,
        "where": None if used.where is None else used.where._asdict(),
        "before": used.before,
        "after": used.after,
        "changed": used.changed,
        "works": used.works,
        "overrides": [each._asdict() for each in used.overrides],
        "others": [each._asdict() for each in used.others],
        "manual": [_step(step) for step in used.manual],
        "remarks": list(used.remarks),
        "journal": used.journal,
        "refusal": used.refusal,
    }


def create(creation: Creation, *, exit_code: int) -> dict[str, Any]:
    """The report of `create`."""
    return envelope("create", None, exit_code=exit_code) | _creation(creation)


def create_all(
    made: Sequence[Creation], refused: Sequence[tuple[str, Exception]], *, exit_code: int
) -> dict[str, Any]:
    """The report of `create --backend all`."""
    return envelope("create", None, exit_code=exit_code) | {
        "environments": [_creation(one) for one in made],
        "refused": [
            {"backend": name, "message": str(error), "hint": getattr(error, "hint", None)}
            for name, error in refused
        ],
    }


def _creation(creation: Creation) -> dict[str, Any]:
    return {
        "folder": creation.folder,
        "python": creation.python,
        "interpreter": creation.interpreter,
        "backend": creation.backend,
        "keras": creation.keras,
        "packages": list(creation.packages),
        "complete": creation.complete,
        "constraints": list(creation.constraints),
        "evidence": creation.evidence,
        "reasons": list(creation.reasons),
        "local_modules": list(creation.local_modules),
        "unknown": [each._asdict() for each in creation.unknown],
        "made": creation.made,
        "verified": None if creation.verified is None else run_of(creation.verified),
        "trained": creation.trained,
        "imported": None if creation.imported is None else run_of(creation.imported),
        "files": list(creation.files),
        "remarks": list(creation.remarks),
        "activate": creation.activate,
    }


def lock(written: Sequence[str], examined: Examination, *, exit_code: int) -> dict[str, Any]:
    """The report of `lock`."""
    return envelope("lock", target(examined.snapshot), exit_code=exit_code) | {
        "files": list(written),
        "causes": [finding_of(cause) for cause in examined.diagnosis.causes],
    }


def undo(done: Undone, *, exit_code: int) -> dict[str, Any]:
    """The report of `undo`."""
    return envelope("undo", None, exit_code=exit_code) | {
        "undone": None if done.journal is None else _journal(done.journal),
        "recovered": [_journal(each) for each in done.recovered],
        "refusal": done.refusal,
    }


def history(listing: History, *, dropped: str | None, exit_code: int = 0) -> dict[str, Any]:
    """The report of `history`."""
    return envelope("history", None, exit_code=exit_code) | {
        "repairs": [_journal(each) for each in listing.journals],
        "problems": list(listing.problems),
        "folder": listing.folder,
        "dropped": dropped,
    }


def _journal(journal: Journal) -> dict[str, Any]:
    return {
        "id": journal.id,
        "created": journal.created,
        "environment": journal.environment,
        "status": journal.status,
        "summary": list(journal.summary),
        "changes": len(journal.changes),
        "left": list(journal.left),
    }


def _step(step: Step) -> dict[str, Any]:
    return step._asdict() | {
        "paths": list(step.paths),
        "requirements": list(step.requirements),
        "commands": [
            {
                "manager": each.manager,
                "argv": None if each.argv is None else list(each.argv),
                "command": each.text,
            }
            for each in step.commands
        ],
    }
