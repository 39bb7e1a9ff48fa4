"""The small scenarios of the laboratory, end to end: build, check, judge, remove.

Small means without TensorFlow and torch; `make lab` examines all of them. Without
KERAS_DOCTOR_LAB these tests are skipped: the project's own environments in tests/environments
still run.
"""

from __future__ import annotations

import os

import pytest
from judging import Scenario
from laboratory import VARIABLE, examine, is_small, load_scenarios, open_laboratory

pytestmark = pytest.mark.lab
FAMILIES = ("selection", "resolution", "integrity", "healthy", "multi")


def small_scenarios() -> list[Scenario]:
    if not os.environ.get(VARIABLE):
        return []
    scenarios = load_scenarios(open_laboratory(), families=FAMILIES)
    return [scenario for scenario in scenarios if is_small(scenario)]


SCENARIOS = small_scenarios()


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no laboratory")
def test_the_laboratory_has_small_scenarios() -> None:
    assert len(SCENARIOS) >= 10


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.id for scenario in SCENARIOS])
def test_first_cause_and_culprit(scenario: Scenario) -> None:
    (verdict,) = examine(open_laboratory(timeout=300), scenario)
    assert verdict.problem is None
    listed = [(cause.cause, cause.culprit, cause.title) for cause in verdict.listed]
    assert verdict.cause_ok, listed
    assert verdict.culprit_ok, listed
    assert verdict.extra == (), listed
    assert verdict.parts_found == verdict.parts, listed
