"""The JSON contract: the keys are pinned, and every report follows the published schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from keras_doctor.codec import decode
from keras_doctor.model import Fix, Snapshot
from keras_doctor.report import json as report
from keras_doctor.report.pages import RulePage
from keras_doctor.report.schemas import schema_text
from report import report_samples as samples

ENVELOPE = ["schema_version", "command", "tool", "target", "exit_code", "errors"]
CHECK = [
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
]
PAGE = RulePage(
    code="KD102",
    name="backend-not-installed",
    family="Selection",
    causes=("backend-not-installed",),
    summary="The selected backend is not installed.",
    page="Text.",
)


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(schema_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def fitting(validator: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The report after its way through text, if it follows the schema."""
    read: dict[str, Any] = json.loads(report.dumps(data).encode("utf-8"))
    errors = [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(read)]
    assert errors == []
    return read


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_check(validator: Any, name: str) -> None:
    example = samples.SAMPLES[name]()
    status = 1 if example.diagnosis.causes else 0
    data = fitting(validator, report.check(example, exit_code=status))
    assert list(data) == ENVELOPE + CHECK
    assert data["command"] == "check"
    assert [cause["title"] for cause in data["causes"]] == [
        cause.title for cause in example.diagnosis.causes
    ]


def test_keys_of_parts(validator: Any) -> None:
    data = fitting(validator, report.check(samples.proven(), exit_code=1))
    assert list(data["target"]) == [
        "python",
        "version",
        "implementation",
        "chosen",
        "folder",
        "start",
        "path0",
        "script",
        "command",
        "environment",
        "manager",
    ]
    cause = data["causes"][0]
    assert list(cause) == [
        "code",
        "cause",
        "culprit",
        "title",
        "why",
        "evidence",
        "confidence",
        "blocks",
        "docs",
        "fixes",
    ]
    assert cause["docs"] == "rules/KD102"
    assert list(cause["fixes"][0]) == [
        *("kind", "summary", "argv", "command", "name", "value"),
        *("targets", "continues"),
    ]
    assert cause["fixes"][1]["argv"][1:] == ["-m", "pip", "install", "torch"]
    assert list(data["selection"]) == ["keras", "backend", "sources", "apis"]
    assert list(data["selection"]["backend"]) == ["name", "asked_by", "where", "honoured"]
    assert list(data["selection"]["apis"][0]) == ["import", "distribution", "version", "backend"]
    assert list(data["backends"][0]) == [
        "name",
        "installed",
        "version",
        "importable",
        "trains",
        "device",
        "seconds",
        "reason",
    ]


def test_live_is_the_world_as_it_is(validator: Any) -> None:
    live = fitting(validator, report.check(samples.proven(), exit_code=1))["live"]
    assert live["status"] == "raised"
    assert live["exception"]["type"] == "ImportError"
    assert [link["type"] for link in live["exception"]["chain"]] == [
        "ModuleNotFoundError",
        "ImportError",
    ]
    assert [run["status"] for run in live["runs"]] == ["raised", "passed"]
    assert live["runs"][1]["changes"] == [
        {"kind": "set-variable", "name": "KERAS_BACKEND", "value": "jax"}
    ]


def test_not_tried_is_null(validator: Any) -> None:
    data = fitting(validator, report.check(samples.unseen(), exit_code=0))
    assert data["live"] is None
    assert data["healthy"] is None
    assert data["skipped"] == [
        {"code": "KD301", "name": "rule-KD301", "reason": "the RECORD of keras is missing"}
    ]


@pytest.mark.parametrize("command", [*report.OWN_KEYS, None])
def test_failure_keeps_every_key(validator: Any, command: str | None) -> None:
    problem = report.Problem(code="target", message="There is no Python at /x.", hint=None)
    data = fitting(validator, report.failure(command, problem, exit_code=2))
    assert list(data) == [*ENVELOPE, *report.OWN_KEYS.get(command or "", ())]
    assert data["errors"] == [
        {"code": "target", "message": "There is no Python at /x.", "hint": None}
    ]


def test_the_other_commands(validator: Any) -> None:
    fitting(validator, report.backends(samples.healthy()))
    fitting(validator, report.rules([PAGE]))
    page = fitting(validator, report.rule(PAGE))
    assert page["rule"]["page"] == "Text."
    data = fitting(validator, report.snapshot(samples.snapshot()))
    assert decode(Snapshot, data["snapshot"]) == samples.snapshot()


def test_the_schema_refuses(validator: Any) -> None:
    good = json.loads(report.dumps(report.check(samples.proven(), exit_code=1)))
    for spoil in (
        {"command": "chekc"},
        {"causes": None},
        {"exit_code": 7},
        {"errors": [{"code": "x", "message": "y", "hint": None}]},
        {"healthy": "yes"},
    ):
        assert not validator.is_valid({**good, **spoil}), spoil
    for key in ENVELOPE + CHECK:
        assert not validator.is_valid({k: v for k, v in good.items() if k != key}), key


def test_keys_may_be_added(validator: Any) -> None:
    good = json.loads(report.dumps(report.check(samples.proven(), exit_code=1)))
    assert validator.is_valid({**good, "one_more": 1})


def test_readable_text_and_escaped_rest() -> None:
    text = report.dumps({"a": "\u00e9\u65e5 \x1b \x9b \udc80 \u202e \U000e0001"})
    assert "\u00e9\u65e5" in text
    assert all(char == "\n" or char.isprintable() for char in text)
    assert json.loads(text) == {"a": "\u00e9\u65e5 \x1b \x9b \udc80 \u202e \U000e0001"}


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=30))
def test_hostile_strings(validator: Any, text: str) -> None:
    fix = Fix(kind="delete", summary=text, argv=(text,), command=text, name=text, value=text)
    example = samples.examination(
        wish=text,
        outcomes=(samples.outcome("raised", chain=(samples.raised(text, text),), output=text),),
        diagnosis=samples.diagnosis(causes=(samples.finding(title=text, fixes=(fix,)),)),
    )
    data = fitting(validator, report.check(example, exit_code=1))
    assert data["causes"][0]["fixes"][0]["argv"] == [text]
