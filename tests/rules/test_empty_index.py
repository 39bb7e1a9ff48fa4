"""KD703 and KD701: pip got nothing of a package that fits this Python."""

from __future__ import annotations

from keras_doctor.diagnosis import diagnose
from keras_doctor.rules.context import Context
from rules.factory import JAX_STACK, PYTHON, judge, printed, without, world

SAID = """\
Looking in indexes: http://127.0.0.1:9/simple
ERROR: Could not find a version that satisfies the requirement {0} (from versions: {1})
ERROR: No matching distribution found for {0}
"""


def after(requirement: str, versions: str = "none") -> Context:
    return world(without(JAX_STACK, "jax"), outcomes=[printed(SAID.format(requirement, versions))])


def test_the_index_is_named() -> None:
    context = after("jax==0.5.0")
    (found,) = judge("KD703", context)
    assert (found.cause, found.culprit) == ("network-or-permission", "http://127.0.0.1:9/simple")
    assert [fix.command for fix in found.fixes] == [f"{PYTHON} -m pip config debug"]
    assert [one.weight for one in judge("KD701", context)] == ["risk"]
    assert diagnose(context).causes[0].cause == "network-or-permission"


def test_what_is_offered_and_does_not_fit_is_no_matter_of_the_index() -> None:
    for context in (after("jax==99", "0.4.1, 0.5.0"), after("nobody-knows-it")):
        assert judge("KD703", context) == []
        assert [one.weight for one in judge("KD701", context)] == ["fatal"]
