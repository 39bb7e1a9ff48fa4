"""The reports of what was examined: an environment, a command, a text."""

from __future__ import annotations

from keras_doctor.report.json.envelope import envelope, target
from keras_doctor.report.json.values import (
    backend_of,
    finding_of,
    live_of,
    result_of,
    run_of,
    selection_of,
    verified_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from keras_doctor.model import Examination


def run(examination: Examination, *, exit_code: int) -> dict[str, Any]:
    """The report of `run`: that of `check`; the exit status is the command's own."""
    return check(examination, exit_code=exit_code) | {"command": "run"}


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
        "failures": [_owned(run_of(outcome)) for outcome in examination.outcomes],
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
    return envelope("check", target(examination.snapshot), exit_code=exit_code) | {
        "healthy": diagnosis.healthy,
        "wish": examination.wish,
        "live": live_of(examination.outcomes),
        "selection": selection_of(diagnosis.selection),
        "backends": [backend_of(state) for state in diagnosis.backends],
        "causes": [finding_of(finding) for finding in diagnosis.causes],
        "consequences": [finding_of(finding) for finding in diagnosis.consequences],
        "notes": [finding_of(finding) for finding in diagnosis.notes],
        "ruled_out": [result_of(result) for result in results if result.state == "ok"],
        "skipped": [result_of(result) for result in results if result.state == "skipped"],
        "crashed": [result_of(result) for result in results if result.state == "crashed"],
        "ask": [
            {"question": ask.question, "command": ask.command, "decides": list(ask.decides)}
            for ask in diagnosis.asks
        ],
        "problems": list(examination.snapshot.problems),
        "verified": verified_of(examination.snapshot.verified),
    }


def backends(examination: Examination, *, exit_code: int = 0) -> dict[str, Any]:
    """The report of `backends`."""
    diagnosis = examination.diagnosis
    return envelope("backends", target(examination.snapshot), exit_code=exit_code) | {
        "wish": examination.wish,
        "selection": selection_of(diagnosis.selection),
        "backends": [backend_of(state) for state in diagnosis.backends],
        "live": live_of(examination.outcomes),
    }
