"""`rules`, `rule` and `envs` with the real rules and the real machine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keras_doctor.__main__ import main
from keras_doctor.cli.rules import FAMILIES
from keras_doctor.report.schemas import schema_text
from keras_doctor.rules import RULES


def report(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--format", "json"]) == 0
    data: dict[str, Any] = json.loads(capfd.readouterr().out)
    errors = Draft202012Validator(json.loads(schema_text())).iter_errors(data)
    assert [error.message for error in errors] == []
    return data


def test_all_rules_are_listed(capfd: pytest.CaptureFixture[str]) -> None:
    data = report(capfd, "rules")
    assert [rule["code"] for rule in data["rules"]] == [rule.code for rule in RULES]
    assert all(rule["summary"] for rule in data["rules"])
    assert main(["rules"]) == 0
    out = capfd.readouterr().out
    assert all(rule.code in out for rule in RULES)


def test_every_code_has_a_family() -> None:
    assert {rule.code[2] for rule in RULES} <= set(FAMILIES)


@pytest.mark.parametrize("word", ["KD102", "kd102", "backend-not-installed"])
def test_a_rule_by_code_or_cause(capfd: pytest.CaptureFixture[str], word: str) -> None:
    assert main(["rule", word]) == 0
    assert capfd.readouterr().out.startswith("KD102 backend-not-installed\n")
    data = report(capfd, "rule", word)
    assert data["rule"]["docs"] == "rules/KD102"
    assert "What it checks" in data["rule"]["page"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rule"], "Which rule?"),
        (["rule", "KD1002"], "Did you mean KD102?"),
        (["rule", "backend-not-instaled"], "Did you mean backend-not-installed?"),
        (["rule", "zzzzzz"], "rules`."),
        (["rule", "KD102", "KD103"], "'KD103' is no option of rule."),
    ],
)
def test_no_such_rule(capfd: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert main(words) == 2
    assert told in capfd.readouterr().err


def test_envs(capfd: pytest.CaptureFixture[str]) -> None:
    data = report(capfd, "envs")
    assert sum(one["active"] for one in data["environments"]) <= 1
    assert main(["envs"]) == 0
    out = capfd.readouterr().out
    for one in data["environments"]:
        assert one["python"] in out
