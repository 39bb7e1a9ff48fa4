"""The judging code is kinder to nobody: known reports, known verdicts."""

from __future__ import annotations

from typing import Any

import pytest
from judging import Scenario, judge, names_culprit, scenario_from, total
from laboratory import is_small, split_command

SCENARIO = Scenario(
    id="x",
    family="selection",
    title="",
    wish="jax",
    command="python train.py",
    cause="backend-unknown",
    also=("not-installed",),
    culprit="KERAS_BACKEND",
    parts=2,
    requirements=(),
)


def cause(slug: str, culprit: str = "", title: str = "") -> dict[str, str]:
    return {
        "code": "KD0",
        "cause": slug,
        "culprit": culprit,
        "title": title,
        "confidence": "certain",
    }


def report(*causes: dict[str, str]) -> dict[str, Any]:
    return {"causes": list(causes), "crashed": []}


def test_right_answer() -> None:
    verdict = judge(
        SCENARIO, report(cause("backend-unknown", "KERAS_BACKEND")), exit_code=1, seconds=1
    )
    assert verdict.ok
    assert verdict.extra == ()
    assert (verdict.parts_found, verdict.parts) == (1, 2)


def test_an_accepted_cause_first_and_the_culprit_in_the_title() -> None:
    verdict = judge(
        SCENARIO,
        report(cause("not-installed", "torch", "KERAS_BACKEND asks for torch"), cause("unknown")),
        exit_code=1,
        seconds=1,
    )
    assert verdict.ok
    assert verdict.extra == ("unknown",)


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (report(), 0),
        (report(cause("unknown", "KERAS_BACKEND"), cause("backend-unknown", "KERAS_BACKEND")), 1),
        (report(cause("backend-unknown", "keras.json")), 1),
        (report(cause("backend-unknown", "KERAS_BACKEND")), 0),
        (None, 3),
    ],
    ids=["silence", "only second", "wrong culprit", "wrong exit status", "no report"],
)
def test_wrong_answers(document: dict[str, Any] | None, status: int) -> None:
    assert not judge(SCENARIO, document, exit_code=status, seconds=1).ok


def test_a_healed_environment_wants_silence() -> None:
    assert judge(SCENARIO, report(), exit_code=0, seconds=1, healed=True).ok
    verdict = judge(
        SCENARIO,
        report(cause("backend-unknown", "KERAS_BACKEND")),
        exit_code=1,
        seconds=1,
        healed=True,
    )
    assert not verdict.ok
    assert verdict.extra == ("backend-unknown",)


def test_no_report_about_a_healthy_environment_is_not_silence() -> None:
    verdict = judge(SCENARIO, None, exit_code=None, seconds=0, healed=True, problem="build: no")
    assert not verdict.ok


@pytest.mark.parametrize(
    ("culprit", "text"),
    [
        ("project/random.py", "/home/me/project/random.py"),
        ("project/random.py", "random.py"),
        ("project/random.py", "The file 'random.py' hides a module"),
        ("ml-dtypes", "ml_dtypes 0.1.0 is too old."),
        ("KERAS_BACKEND", "keras_backend=theano"),
        ("keras.json", "/home/me/.keras/keras.json"),
        ("keras", "Keras 2.4.3 ignores it"),
        ("project/keras", "/somewhere/project/keras/"),
        ("g++", "No g++ on PATH"),
    ],
)
def test_culprit_is_named(culprit: str, text: str) -> None:
    assert names_culprit(culprit, ["", text])


@pytest.mark.parametrize(
    ("culprit", "text"),
    [
        ("keras", "keras-nightly"),
        ("keras", "keras.json says torch"),
        ("keras", "KERAS_BACKEND"),
        ("project/random.py", "/home/me/other/random.pyc"),
        ("project/random.py", "other/random.py"),
        ("numpy", ""),
    ],
)
def test_culprit_is_not_named(culprit: str, text: str) -> None:
    assert not names_culprit(culprit, ["", text])


def test_totals_count_precision_and_parts() -> None:
    verdicts = [
        judge(
            SCENARIO,
            report(cause("backend-unknown", "KERAS_BACKEND"), cause("unknown")),
            exit_code=1,
            seconds=1,
        ),
        judge(SCENARIO, report(), exit_code=0, seconds=1, healed=True),
    ]
    sums = total(verdicts)
    assert (sums.right, sums.environments) == (2, 2)
    assert sums.precision == 0.5
    assert (sums.parts_found, sums.parts) == (1, 2)
    assert total([]).precision is None


def test_scenario_file_to_scenario() -> None:
    scenario = scenario_from(
        {
            "id": "a",
            "family": "multi",
            "title": "",
            "wish": "jax",
            "cause": "x",
            "packages": ["keras==3.8.0"],
            "fails": {"command": "python train.py"},
            "heal": [{"op": "install", "packages": ["tensorflow-cpu==2.18.0"], "part": 2}, {}],
        }
    )
    assert scenario.parts == 2
    assert scenario.command == "python train.py"
    assert not is_small(scenario)


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("python train.py", ["python", "train.py"]),
        ('python -c "import keras; print(1)"', ["python", "-c", "import keras; print(1)"]),
        ("python train.py; exit 1", ["bash", "-c", "python train.py; exit 1"]),
    ],
)
def test_failing_command_as_typed(command: str, argv: list[str]) -> None:
    assert split_command(command) == argv
