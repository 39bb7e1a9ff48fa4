"""What spares a rule's import changes no answer but its words."""

from __future__ import annotations

import pytest

from keras_doctor.rules import RULES, Rule, run_rules
from keras_doctor.rules.base import NotApplicable, RuledOut, Skip
from keras_doctor.rules.context import Context
from rules.factory import JAX_STACK, TENSORFLOW_STACK, THEANO_STACK, passed, world

WORLDS = {
    "TensorFlow": world(TENSORFLOW_STACK),
    "JAX that works": world(JAX_STACK, variables={"KERAS_BACKEND": "jax"}, outcomes=[passed()]),
    "Theano": world(THEANO_STACK, variables={"KERAS_BACKEND": "theano"}),
    "no native facts": world(TENSORFLOW_STACK, native=None),
}
GATED = [rule for rule in RULES if rule.gate]


@pytest.mark.parametrize("context", WORLDS.values(), ids=WORLDS.keys())
@pytest.mark.parametrize("rule", GATED, ids=lambda rule: rule.code)
def test_a_spared_rule_would_have_found_nothing(rule: Rule, context: Context) -> None:
    (result,) = (one for one in run_rules(context) if one.code == rule.code)
    try:
        found = list(rule.function()(context))
    except (NotApplicable, RuledOut, Skip):
        found = []
    assert list(result.findings) == found
    assert result.state != "crashed"


def test_gates_are_known() -> None:
    assert {rule.gate for rule in GATED} == {"native", "failure", "program"}
