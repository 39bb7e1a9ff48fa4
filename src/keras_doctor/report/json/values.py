"""The values of a diagnosis as JSON."""

from __future__ import annotations

from keras_doctor.report import wording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from keras_doctor.model import (
        BackendState,
        Change,
        Finding,
        Fix,
        Frame,
        Outcome,
        Raised,
        RuleResult,
        Selection,
        Verified,
    )


def live_of(outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """The run by which the environment is judged; None when nothing was run."""
    main = wording.as_it_is(outcomes)
    if main is None:
        return None
    return run_of(main) | {"runs": [run_of(outcome) for outcome in outcomes]}


def run_of(outcome: Outcome) -> dict[str, Any]:
    """One run: what was tried and what came of it."""
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


def selection_of(selection: Selection | None) -> dict[str, Any] | None:
    """Which Keras and which backend are chosen, and by which setting."""
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


def backend_of(state: BackendState) -> dict[str, Any]:
    """What is known of one backend."""
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


def finding_of(finding: Finding) -> dict[str, Any]:
    """One finding of a rule."""
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


def result_of(result: RuleResult) -> dict[str, Any]:
    """A rule that found nothing, or could not be asked."""
    return {"code": result.code, "name": result.name, "reason": result.reason}


def verified_of(verified: Verified | None) -> dict[str, Any] | None:
    """What comparing files with their RECORD has shown; None when it was not done."""
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
