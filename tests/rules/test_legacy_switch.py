"""KD106: TF_USE_LEGACY_KERAS without the tf_keras that goes with TensorFlow."""

from __future__ import annotations

import pytest

from keras_doctor.model import Change, ScriptSetting
from keras_doctor.rules.context import Context
from rules.factory import (
    BARE_STACK,
    KERAS_210_STACK,
    QUIET,
    SCRIPT,
    TENSORFLOW_STACK,
    Case,
    abstains,
    assert_case,
    dist,
    judge,
    of_keras,
    script,
    setting,
    with_,
    without,
    world,
)

NAME = "TF_USE_LEGACY_KERAS"
ON = {NAME: "1"}
UNSET = ("unset-env", f"unset {NAME}")
BLOCKED = ("tf.keras",)


def switch(value: str, **more: bool) -> ScriptSetting:
    return setting(value, variable=NAME, **more)  # type: ignore[arg-type]


def install(minor: str) -> tuple[str, str]:
    return ("install", f"/env/bin/python -m pip install 'tf-keras~={minor}.0'")


TF_CPU = of_keras("3.4.1", dist("tensorflow-cpu", "2.16.2", imports=("tensorflow",)))
CASES = [
    Case(
        "missing, and the program goes through tf.keras",
        world(TF_CPU, variables=ON, program=script("tensorflow")),
        NAME,
        "fatal",
        (f"{NAME}=1", "tf-keras is not installed"),
        (install("2.16"), UNSET),
        BLOCKED,
    ),
    Case(
        "missing, and the program imports tf_keras",
        world(TENSORFLOW_STACK, variables=ON, program=script("tf_keras")),
        NAME,
        "fatal",
        ("tf-keras is not installed",),
        (install("2.18"), UNSET),
        BLOCKED,
    ),
    Case(
        "too old",
        world(
            with_(TENSORFLOW_STACK, dist("tf_keras", "2.17.0")),
            variables={NAME: "true"},
            program=script("tensorflow"),
        ),
        NAME,
        "fatal",
        (f"{NAME}=true", "tf-keras 2.17.0 is installed, and 2.18 is needed"),
        (install("2.18"), UNSET),
        BLOCKED,
    ),
    Case(
        "too new",
        world(
            with_(TENSORFLOW_STACK, dist("tf-keras", "2.21.0")),
            variables={NAME: "True"},
            program=script("tensorflow"),
        ),
        NAME,
        "fatal",
        ("tf-keras 2.21.0 is installed, and 2.18 is needed",),
        (install("2.18"), UNSET),
        BLOCKED,
    ),
    Case(
        "a line of the program",
        world(TENSORFLOW_STACK, program=script(switch("1"), "tensorflow")),
        NAME,
        "fatal",
        ("tf-keras is not installed",),
        (install("2.18"), ("edit-code", f"{SCRIPT}:2")),
        BLOCKED,
    ),
    Case(
        "TensorFlow 2.15 knows the switch",
        world(
            of_keras("2.15.0", dist("tensorflow", "2.15.1", "keras<2.16,>=2.15.0")),
            variables=ON,
            program=script("tensorflow"),
        ),
        NAME,
        "fatal",
        ("tf-keras is not installed",),
        (install("2.15"), UNSET),
        BLOCKED,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_switch(case: Case) -> None:
    found = assert_case("KD106", "legacy-keras-switch", case)
    assert found.changes == (Change(kind="unset-variable", name=NAME, value=None),)
    assert "not-installed:tf-keras" in found.explains


RISKS: dict[str, Context] = {
    "import keras is not affected": world(TENSORFLOW_STACK, variables=ON, program=script("keras")),
    "no program is known": world(TENSORFLOW_STACK, variables=ON),
    "tf.keras only where it may not run": world(
        TENSORFLOW_STACK,
        variables=ON,
        program=script("keras", "tensorflow", guarded=("tensorflow",)),
    ),
}


@pytest.mark.parametrize("context", RISKS.values(), ids=RISKS.keys())
def test_only_a_risk(context: Context) -> None:
    assert [f.weight for f in judge("KD106", context)] == ["risk"]


MATCHING = with_(TENSORFLOW_STACK, dist("tf_keras", "2.18.0"))
USES = script("tensorflow")
NOTHING: dict[str, Context] = {
    "not set": world(TENSORFLOW_STACK, program=USES),
    "0": world(TENSORFLOW_STACK, variables={NAME: "0"}, program=USES),
    "TRUE is off": world(TENSORFLOW_STACK, variables={NAME: "TRUE"}, program=USES),
    "yes is off": world(TENSORFLOW_STACK, variables={NAME: "yes"}, program=USES),
    "empty is off": world(TENSORFLOW_STACK, variables={NAME: ""}, program=USES),
    "a space is off": world(TENSORFLOW_STACK, variables={NAME: "1 "}, program=USES),
    "the right one is there": world(MATCHING, variables=ON, program=USES),
    "a patch release apart": world(
        with_(TENSORFLOW_STACK, dist("tf_keras", "2.18.9")), variables=ON, program=USES
    ),
    "TensorFlow 2.10 does not know it": world(KERAS_210_STACK, variables=ON, program=USES),
    "TensorFlow 2.14 does not know it": world(
        of_keras("2.14.0", dist("tensorflow", "2.14.1")), variables=ON, program=USES
    ),
    "no TensorFlow": world(variables=ON),
    "no TensorFlow, though the program wants it": world(BARE_STACK, variables=ON, program=USES),
    "the program switches it off": world(
        TENSORFLOW_STACK, variables=ON, program=script(switch("0"), "tensorflow")
    ),
    "the program switches it on too late": world(
        TENSORFLOW_STACK, program=script("tensorflow", switch("1", before=False))
    ),
    "another variable": world(TENSORFLOW_STACK, variables={"KERAS_BACKEND": "1"}, program=USES),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD106", context).startswith(QUIET)


def test_it_needs_no_keras() -> None:
    context = world(without(TENSORFLOW_STACK, "keras"), variables=ON, program=USES)
    assert [f.weight for f in judge("KD106", context)] == ["fatal"]


def test_setdefault_of_a_set_variable() -> None:
    program = script(switch("0", default_only=True), "tensorflow")
    assert judge("KD106", world(TENSORFLOW_STACK, variables=ON, program=program))


def test_the_fix_is_where_the_switch_is() -> None:
    (found,) = judge("KD106", world(TENSORFLOW_STACK, program=script(switch("1"), "tensorflow")))
    assert f"{SCRIPT}:2" in [fix.name for fix in found.fixes]
