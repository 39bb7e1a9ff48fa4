"""The JSON of `create` and `lock` follows the published schema."""

from __future__ import annotations

import json as text_json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report.report_samples import examination, outcome

from create.test_created_report import MADE, PLAN
from keras_doctor.create.wanted import CreateError
from keras_doctor.report import json
from keras_doctor.report.schemas import schema_text


def documents() -> list[dict[str, Any]]:
    refused = [("torch", CreateError("too large", hint="--yes"))]
    imported = MADE._replace(imported=outcome(status="raised"))
    return [
        json.create(PLAN, exit_code=0),
        json.create(imported, exit_code=0),
        json.create_all([MADE, PLAN], refused, exit_code=0),
        json.create_all([], refused, exit_code=1),
        json.lock(["/x/pylock.toml"], examination(), exit_code=0),
        json.lock([], examination(), exit_code=1),
    ]


@pytest.mark.parametrize("number", range(len(documents())))
def test_it_follows_the_schema(number: int) -> None:
    document = text_json.loads(json.dumps(documents()[number]))
    Draft202012Validator(text_json.loads(schema_text())).validate(document)


def test_the_names_that_programs_rely_on() -> None:
    document = json.create(PLAN, exit_code=0)
    assert document["python"] == "3.8"
    assert document["interpreter"] == "/usr/bin/python3.8"
    assert document["packages"] == ["keras==2.3.1", "theano==1.0.5"]
    assert document["local_modules"] == ["helpers"]
    assert document["unknown"] == [{"module": "mystery", "where": "train.py:4"}]
    assert document["reasons"]
