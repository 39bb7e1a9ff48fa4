"""The JSON contract: one envelope for every command, drawn from the same values as the text.

Within a schema version keys are only ever added. Unknown is null and never absent, so a
report that ends in an error carries null for everything that it could not find out. The
published schema is ``schemas/report.json``.
"""

from __future__ import annotations

import json

from keras_doctor import __version__
from keras_doctor.records import NamedTuple
from keras_doctor.report import wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from keras_doctor.compat.answer import Answer
    from keras_doctor.fixes.history import History, Undone
    from keras_doctor.fixes.transaction.journal import Journal
    from keras_doctor.fixes.use.result import Used
    from keras_doctor.knowledge.contents import Contents
    from keras_doctor.model import (
        BackendState,
        Change,
        Examination,
        Finding,
        Fix,
        Frame,
        Outcome,
        Raised,
        RuleResult,
        Selection,
        Snapshot,
        Verified,
    )
    from keras_doctor.model.creation import Creation
    from keras_doctor.model.plan import Repair, Step
    from keras_doctor.refresh.update import Updated
    from keras_doctor.report.pages import RulePage
    from keras_doctor.scan.judge import Scan

SCHEMA_VERSION = 1
"""Of the reports that this version writes."""

_EXAMINATION = (
    "healthy",
    "wish",
    "live",
    "selection",
    "backends",
    "causes",
    "consequences",
    "notes",
    "ruled_out",
    "skipped",
    "crashed",
    "ask",
    "problems",
    "verified",
)
"""What every examination has, whatever was examined: an environment, a command, a text."""

OWN_KEYS: dict[str, tuple[str, ...]] = {
    "check": _EXAMINATION,
    "run": _EXAMINATION,
    "explain": (*_EXAMINATION, "failures", "facts"),
    "fix": (
        *_EXAMINATION,
        "plan",
        "alternatives",
        "rehearsal",
        "applied",
        "manual",
        "journal",
        "environment",
        "remarks",
        "refusal",
    ),
    "use": (
        "backend",
        "where",
        "before",
        "after",
        "changed",
        "works",
        "overrides",
        "others",
        "manual",
        "remarks",
        "journal",
        "refusal",
    ),
    "undo": ("undone", "recovered", "refusal"),
    "history": ("repairs", "problems", "folder", "dropped"),
    "backends": ("wish", "selection", "backends", "live"),
    "envs": ("environments",),
    "compat": (
        "asked",
        "python",
        "platform",
        "newest",
        "unseen",
        "elsewhere",
        "otherwise",
        "held",
        "tables",
        "overview",
        "gaps",
        "gave_up",
        "releases_read",
        "measured_on",
        "measured_platform",
        "measured_runs",
    ),
    "scan": ("python", "files", "paths", "packages", "problems"),
    "snapshot": ("snapshot",),
    "rules": ("rules",),
    "rule": ("rule",),
    "knowledge": ("copy", "packages", "missing", "files", "update"),
}
"""The keys of each command beside those of the envelope, in order."""


class Problem(NamedTuple):
    """Why a command has no result."""

    code: str
    """``usage``, ``target``, ``snapshot`` ...: stable, for programs."""
    message: str
    hint: str | None


def dumps(report: Mapping[str, Any]) -> str:
    """A report as text: UTF-8 when encoded, keys in the order of the contract.

    Characters that a terminal would obey, and halves of surrogate pairs (bytes that no
    encoding explains), are written as escapes, which every JSON reader accepts; everything
    else stays readable.
    """
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def failure(command: str | None, problem: Problem, *, exit_code: int) -> dict[str, Any]:
    """The envelope of a command that came to nothing: its own keys are all null."""
    error = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    report = _envelope(command, None, exit_code=exit_code, errors=[error])
    report.update(dict.fromkeys(OWN_KEYS.get(command or "", ())))
    return report


def run(examination: Examination, *, exit_code: int) -> dict[str, Any]:
    """The report of `run`: that of `check`; the exit status is the command's own."""
    return check(examination, exit_code=exit_code) | {"command": "run"}


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
    return _envelope("use", target(used.snapshot), exit_code=exit_code) | {
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
    return _envelope("create", None, exit_code=exit_code) | _creation(creation)


def create_all(
    made: Sequence[Creation], refused: Sequence[tuple[str, Exception]], *, exit_code: int
) -> dict[str, Any]:
    """The report of `create --backend all`."""
    return _envelope("create", None, exit_code=exit_code) | {
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
        "verified": None if creation.verified is None else _run(creation.verified),
        "trained": creation.trained,
        "imported": None if creation.imported is None else _run(creation.imported),
        "files": list(creation.files),
        "remarks": list(creation.remarks),
        "activate": creation.activate,
    }


def lock(written: Sequence[str], examined: Examination, *, exit_code: int) -> dict[str, Any]:
    """The report of `lock`."""
    return _envelope("lock", target(examined.snapshot), exit_code=exit_code) | {
        "files": list(written),
        "causes": [_finding(cause) for cause in examined.diagnosis.causes],
    }


def undo(done: Undone, *, exit_code: int) -> dict[str, Any]:
    """The report of `undo`."""
    return _envelope("undo", None, exit_code=exit_code) | {
        "undone": None if done.journal is None else _journal(done.journal),
        "recovered": [_journal(each) for each in done.recovered],
        "refusal": done.refusal,
    }


def history(listing: History, *, dropped: str | None, exit_code: int = 0) -> dict[str, Any]:
    """The report of `history`."""
    return _envelope("history", None, exit_code=exit_code) | {
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


def explain(examination: Examination, *, exit_code: int) -> dict[str, Any]:
    """The report of `explain`: that of `check`, with the failures and the facts of the text."""
    report = check(examination, exit_code=exit_code)
    report["command"] = "explain"
    snapshot = examination.snapshot
    told = snapshot.start.mode == "given"
    if told:
        report["target"] = None
    interpreter, machine = snapshot.interpreter, snapshot.machine
    return report | {
        "live": None,
        "failures": [_owned(_run(outcome)) for outcome in examination.outcomes],
        "facts": {
            "python": interpreter.version if interpreter else None,
            "system": machine.system if machine else None,
            "manager": snapshot.target.manager,
            "packages": {d.name: d.version for d in snapshot.distributions},
            "variables": {v.name: v.value for v in snapshot.variables},
        }
        if told
        else None,
    }


def _owned(failure: dict[str, Any]) -> dict[str, Any]:
    """A failure whose frames say which import package each lies in, by its path alone."""
    from keras_doctor.rules.message.asked import place_of

    chain = failure["exception"]["chain"] if failure["exception"] else ()
    for frame in (*failure["crash_frames"], *(f for raised in chain for f in raised["frames"])):
        frame["package"] = place_of(frame["file"]).top
    return failure


def check(examination: Examination, *, exit_code: int) -> dict[str, Any]:
    """The report of `check`."""
    diagnosis = examination.diagnosis
    results = diagnosis.results
    return _envelope("check", target(examination.snapshot), exit_code=exit_code) | {
        "healthy": diagnosis.healthy,
        "wish": examination.wish,
        "live": _live(examination.outcomes),
        "selection": _selection(diagnosis.selection),
        "backends": [_backend(state) for state in diagnosis.backends],
        "causes": [_finding(finding) for finding in diagnosis.causes],
        "consequences": [_finding(finding) for finding in diagnosis.consequences],
        "notes": [_finding(finding) for finding in diagnosis.notes],
        "ruled_out": [_result(result) for result in results if result.state == "ok"],
        "skipped": [_result(result) for result in results if result.state == "skipped"],
        "crashed": [_result(result) for result in results if result.state == "crashed"],
        "ask": [
            {"question": ask.question, "command": ask.command, "decides": list(ask.decides)}
            for ask in diagnosis.asks
        ],
        "problems": list(examination.snapshot.problems),
        "verified": _verified(examination.snapshot.verified),
    }


def backends(examination: Examination, *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `backends`."""
    diagnosis = examination.diagnosis
    return _envelope("backends", target(examination.snapshot), exit_code=exit_code) | {
        "wish": examination.wish,
        "selection": _selection(diagnosis.selection),
        "backends": [_backend(state) for state in diagnosis.backends],
        "live": _live(examination.outcomes),
    }


def envs(environments: Sequence[Any], *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `envs`: one entry for each Python that was found."""
    from keras_doctor.codec import encode

    rows = [encode(environment) for environment in environments]
    return _envelope("envs", None, exit_code=exit_code) | {"environments": rows}


def compat(answer: Answer, *, exit_code: int) -> dict[str, Any]:
    """The report of `compat`; about no Python of the user's, so without a target."""
    from keras_doctor.codec import encode

    found: dict[str, Any] = encode(answer)
    return _envelope("compat", None, exit_code=exit_code) | found


def scan(found: Scan, *, exit_code: int) -> dict[str, Any]:
    """The report of `scan`."""
    return _envelope("scan", None, exit_code=exit_code) | {
        "python": found.python,
        "files": found.files,
        "paths": [
            {
                "path": row.path,
                "here": row.here,
                "releases": [list(pair) for pair in row.ranges] if row.ranges is not None else None,
                "instead": row.instead,
                "uses": [
                    {"file": u.file, "line": u.line, "text": u.text, "guarded": u.guarded}
                    for u in row.uses
                ],
            }
            for row in found.judged
        ],
        "packages": [
            {
                "package": package.name,
                "distribution": package.distribution,
                "installed": package.installed,
                "together": [list(pair) for pair in package.together],
                "without": list(package.without),
            }
            for package in found.packages
        ],
        "problems": list(found.problems),
    }


def snapshot(facts: Snapshot, *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `snapshot`, which holds the snapshot under a key of its own."""
    from keras_doctor.codec import encode

    return _envelope("snapshot", target(facts), exit_code=exit_code) | {"snapshot": encode(facts)}


def rules(pages: Sequence[RulePage], *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `rules`."""
    listed = [_rule(page) for page in pages]
    return _envelope("rules", None, exit_code=exit_code) | {"rules": listed}


def rule(page: RulePage, *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `rule`."""
    full = _rule(page) | {"page": page.page}
    return _envelope("rule", None, exit_code=exit_code) | {"rule": full}


def knowledge(
    known: Contents,
    *,
    updated: Updated | None = None,
    problem: str | None = None,
    exit_code: int = 0,
) -> dict[str, Any]:
    """The report of `knowledge`; `updated` or `problem` tell of an update."""
    update = None
    if updated is not None or problem is not None:
        new = updated.new if updated else ()
        update = {
            "done": updated is not None,
            "problem": problem,
            "new": [{"name": name, "releases": count} for name, count in new],
            "missing": list(updated.missing) if updated else [],
            "asked": updated.asked if updated else None,
        }
    return _envelope("knowledge", None, exit_code=exit_code) | {
        "copy": {
            "source": known.source,
            "folder": known.folder,
            "date": known.date,
            "size": known.size,
            "problem": known.problem,
        },
        "packages": [
            {
                "name": package.name,
                "releases": package.releases,
                "requires": package.requires,
                "first": package.first,
                "last": package.last,
                "read": package.read,
                "gaps": [{"what": what, "why": why} for what, why in package.gaps],
            }
            for package in known.packages
        ],
        "missing": [{"name": name, "why": why} for name, why in known.missing],
        "files": [file._asdict() for file in known.files],
        "update": update,
    }


def target(facts: Snapshot) -> dict[str, Any]:
    """The Python that was examined, and how the user would run it."""
    given, python = facts.target, facts.interpreter
    return {
        "python": given.python,
        "version": python.version if python else None,
        "implementation": python.implementation if python else None,
        "chosen": given.chosen,
        "folder": given.folder,
        "start": given.start,
        "path0": given.path0,
        "script": given.script,
        "command": list(given.command),
        "environment": given.environment,
        "manager": given.manager,
    }


def _escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def _envelope(
    command: str | None,
    target: dict[str, Any] | None,
    *,
    exit_code: int,
    errors: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "tool": {"name": "keras-doctor", "version": __version__},
        "target": target,
        "exit_code": exit_code,
        "errors": list(errors),
    }


def _live(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    main = wording.as_it_is(outcomes)
    if main is None:
        return None
    return _run(main) | {"runs": [_run(outcome) for outcome in outcomes]}


def _run(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "what": outcome.what,
        "status": outcome.status,
        "exception": _exception(outcome.chain),
        "signal": outcome.signal,
        "exit_code": outcome.exit_code,
        "seconds": round(outcome.seconds, 3),
        "backend": outcome.backend,
        "keras_version": outcome.keras_version,
        "keras_file": outcome.keras_file,
        "device": outcome.device,
        "failed_statement": outcome.failed_statement,
        "failed_line": outcome.failed_line,
        "crash_frames": [_frame(frame) for frame in outcome.crash_frames],
        "changes": [_change(change) for change in outcome.changes],
        "output": outcome.output,
    }


def _exception(chain: Sequence[Raised]) -> dict[str, Any] | None:
    if not chain:
        return None
    last = chain[-1]
    return {
        "type": last.type,
        "message": last.message,
        "chain": [
            {
                "type": raised.type,
                "message": raised.message,
                "link": raised.link,
                "name": raised.name,
                "path": raised.path,
                "frames": [_frame(frame) for frame in raised.frames],
            }
            for raised in chain
        ],
    }


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "file": frame.file,
        "line": frame.line,
        "function": frame.function,
        "text": frame.text,
    }


def _change(change: Change) -> dict[str, Any]:
    return {"kind": change.kind, "name": change.name, "value": change.value}


def _selection(selection: Selection | None) -> dict[str, Any] | None:
    if selection is None:
        return None
    keras, backend = selection.keras, selection.backend
    return {
        "keras": {
            "distribution": keras.distribution,
            "version": keras.version,
            "path": keras.path,
            "generation": keras.generation,
        },
        "backend": {
            "name": backend.name,
            "asked_by": backend.asked_by,
            "where": backend.where,
            "honoured": backend.honoured,
        },
        "sources": [
            {
                "source": source.source,
                "where": source.where,
                "value": source.value,
                "wins": source.wins,
                "remark": source.remark,
            }
            for source in selection.sources
        ],
        "apis": [
            {
                "import": api.import_name,
                "distribution": api.distribution,
                "version": api.version,
                "backend": api.backend,
            }
            for api in selection.apis
        ],
    }


def _backend(state: BackendState) -> dict[str, Any]:
    return {
        "name": state.name,
        "installed": state.installed,
        "version": state.version,
        "importable": state.importable,
        "trains": state.trains,
        "device": state.device,
        "seconds": state.seconds,
        "reason": state.reason,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "cause": finding.cause,
        "culprit": finding.culprit,
        "title": finding.title,
        "why": finding.why,
        "evidence": [{"text": item.text, "where": item.where} for item in finding.evidence],
        "confidence": finding.confidence,
        "blocks": list(finding.blocks),
        "docs": f"rules/{finding.code}",
        "fixes": [_fix(fix) for fix in finding.fixes],
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "kind": fix.kind,
        "summary": fix.summary,
        "argv": None if fix.argv is None else list(fix.argv),
        "command": fix.command,
        "name": fix.name,
        "value": fix.value,
        "targets": list(fix.targets),
        "continues": fix.continues,
    }


def _result(result: RuleResult) -> dict[str, Any]:
    return {"code": result.code, "name": result.name, "reason": result.reason}


def _verified(verified: Verified | None) -> dict[str, Any] | None:
    if verified is None:
        return None
    return {
        "scope": verified.scope,
        "distributions": verified.distributions,
        "files": verified.files,
        "bytes": verified.bytes,
        "from_cache": verified.from_cache,
        "absent": verified.absent,
        "left_out": verified.left_out,
        "mismatches": [
            {
                "distribution": one.distribution,
                "path": one.path,
                "recorded": one.recorded,
                "found": one.found,
            }
            for one in verified.mismatches
        ],
        "mismatches_total": verified.mismatches_total,
        "not_verifiable": [
            {"distribution": one.distribution, "version": one.version, "reason": one.reason}
            for one in verified.not_verifiable
        ],
        "seconds": verified.seconds,
    }


def _rule(page: RulePage) -> dict[str, Any]:
    return {
        "code": page.code,
        "name": page.name,
        "family": page.family,
        "causes": list(page.causes),
        "summary": page.summary,
        "docs": f"rules/{page.code}",
    }
