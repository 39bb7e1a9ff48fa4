"""KD103: the sources disagree, and the user got the other one."""

from __future__ import annotations

import pytest

from keras_doctor.model import Change, ConfigFile
from keras_doctor.rules.context import Context
from rules.factory import (
    JAX,
    JAX_STACK,
    KERAS_210_STACK,
    KERAS_JSON,
    QUIET,
    SCRIPT,
    TENSORFLOW,
    TENSORFLOW_STACK,
    THEANO,
    Case,
    abstains,
    assert_case,
    automatic,
    config,
    dist,
    judge,
    of_keras,
    passed,
    script,
    set_backend,
    setting,
    with_,
    without,
    world,
)

BOTH = with_(TENSORFLOW_STACK, *JAX)
OLD_BOTH = of_keras("2.2.5", *THEANO, dist("tensorflow", "1.14.0"))
NO_BLOCK = ()


def variable(value: str) -> dict[str, str]:
    return {"KERAS_BACKEND": value}


def export(name: str) -> tuple[str, str]:
    return ("set-env", f"export KERAS_BACKEND={name}")


UNSET = ("unset-env", "unset KERAS_BACKEND")
MOVED = {"KERAS_HOME": "/conf"}


def two_files(read: str, home: str) -> list[ConfigFile]:
    return [config(automatic(read), source="KERAS_HOME"), config(automatic(home))]


CASES = [
    Case(
        "the variable beats keras.json, which says what is wished",
        world(OLD_BOTH, variables=variable("theano"), keras_json=automatic(), wish="tensorflow"),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND says theano", "beats keras.json", "tensorflow"),
        (UNSET, export("tensorflow")),
        NO_BLOCK,
    ),
    Case(
        "the variable asks for another one",
        world(BOTH, variables=variable("tensorflow"), wish="jax"),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND asks for tensorflow", "you want jax"),
        (export("jax"),),
        NO_BLOCK,
    ),
    Case(
        "nothing asks for the wished one",
        world(BOTH, wish="jax"),
        "KERAS_BACKEND",
        "fatal",
        ("Nothing asks for jax", "Keras takes tensorflow"),
        (export("jax"),),
        NO_BLOCK,
    ),
    Case(
        "the wished one is not installed either",
        world(TENSORFLOW_STACK, wish="torch"),
        "KERAS_BACKEND",
        "fatal",
        ("Nothing asks for torch", "Keras takes tensorflow"),
        (export("torch"), ("install", "/env/bin/python -m pip install torch")),
        NO_BLOCK,
    ),
    Case(
        "keras.json asks for another one",
        world(BOTH, keras_json=automatic(), wish="jax"),
        "keras.json",
        "fatal",
        ("keras.json asks for tensorflow", "you want jax"),
        (("edit-config", KERAS_JSON), export("jax")),
        NO_BLOCK,
    ),
    Case(
        "the script asks for another one",
        world(BOTH, program=script(setting("tensorflow", line=4), "keras"), wish="jax"),
        "train.py",
        "fatal",
        ("train.py asks for tensorflow",),
        (("edit-code", f"{SCRIPT}:4"),),
        NO_BLOCK,
    ),
    Case(
        "the script beats the variable",
        world(
            BOTH,
            variables=variable("jax"),
            program=script(setting("tensorflow", line=4), "keras"),
            wish="jax",
        ),
        "train.py",
        "fatal",
        ("train.py says tensorflow", "beats KERAS_BACKEND", "jax"),
        (("edit-code", f"{SCRIPT}:4"),),
        NO_BLOCK,
    ),
    Case(
        "KERAS_HOME hides the file that says what is wished",
        world(BOTH, variables=MOVED, configs=two_files("tensorflow", "jax"), wish="jax"),
        "KERAS_HOME",
        "fatal",
        ("KERAS_HOME", "asks for tensorflow"),
        (
            ("unset-env", "unset KERAS_HOME"),
            ("edit-config", "/conf/keras.json"),
            export("jax"),
        ),
        NO_BLOCK,
    ),
    Case(
        "KERAS_HOME leads to a backend that is not there",
        world(variables=MOVED, configs=two_files("tensorflow", "jax")),
        "KERAS_HOME",
        "fatal",
        ("KERAS_HOME", "asks for tensorflow, which is not installed here"),
        (
            ("unset-env", "unset KERAS_HOME"),
            ("edit-config", "/conf/keras.json"),
            export("jax"),
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_conflict(case: Case) -> None:
    found = assert_case("KD103", "backend-source-conflict", case)
    (change,) = found.changes
    unset_home = Change(kind="unset-variable", name="KERAS_HOME", value=None)
    expected = unset_home if found.culprit == "KERAS_HOME" else set_backend(case.context.wish or "")
    assert change == expected


RISKS = [
    Case(
        "explicit settings disagree, and nobody complains",
        world(BOTH, variables=variable("tensorflow"), keras_json=automatic("jax")),
        "KERAS_BACKEND",
        "risk",
        ("KERAS_BACKEND says tensorflow", "beats keras.json, which says jax"),
        (UNSET, export("jax")),
        NO_BLOCK,
    ),
    Case(
        "the script and the variable disagree",
        world(BOTH, variables=variable("jax"), program=script(setting("tensorflow"), "keras")),
        "train.py",
        "risk",
        ("train.py says tensorflow", "beats KERAS_BACKEND"),
        (("edit-code", f"{SCRIPT}:2"),),
        NO_BLOCK,
    ),
    Case(
        "what is wished wins over another setting",
        world(
            BOTH, variables=variable("tensorflow"), keras_json=automatic("jax"), wish="tensorflow"
        ),
        "KERAS_BACKEND",
        "risk",
        ("KERAS_BACKEND says tensorflow",),
        (UNSET, export("jax")),
        NO_BLOCK,
    ),
    Case(
        "KERAS_HOME hides another file, and both backends are there",
        world(BOTH, variables=MOVED, configs=two_files("tensorflow", "jax")),
        "KERAS_HOME",
        "risk",
        ("KERAS_HOME",),
        (
            ("unset-env", "unset KERAS_HOME"),
            ("edit-config", "/conf/keras.json"),
            export("jax"),
        ),
        NO_BLOCK,
    ),
]


@pytest.mark.parametrize("case", RISKS, ids=lambda case: case.id)
def test_only_a_risk(case: Case) -> None:
    found = assert_case("KD103", "backend-source-conflict", case)
    assert found.signs == () or found.culprit == "KERAS_HOME"


NOTHING: dict[str, Context] = {
    "nothing is asked for": world(),
    "all agree": world(BOTH, variables=variable("jax"), keras_json=automatic("jax")),
    "keras.json was written by Keras": world(
        BOTH, variables=variable("jax"), keras_json=automatic()
    ),
    "keras.json was written by Keras 1": world(
        OLD_BOTH,
        variables=variable("tensorflow"),
        keras_json={"floatx": "float32", "epsilon": 1e-07, "backend": "theano"},
    ),
    "keras.json was written by Keras 1.2": world(
        OLD_BOTH,
        variables=variable("theano"),
        keras_json=automatic(image_dim_ordering="tf"),
    ),
    "the wish is met by the variable": world(
        BOTH, variables=variable("jax"), keras_json=automatic(), wish="jax"
    ),
    "the wish is met by default": world(TENSORFLOW_STACK, wish="tensorflow"),
    "the wish is met by keras.json": world(BOTH, keras_json=automatic("jax"), wish="jax"),
    "the wish is met by the script": world(
        BOTH, program=script(setting("jax"), "keras"), wish="jax"
    ),
    "one backend only": world(KERAS_210_STACK, variables=variable("theano"), wish="theano"),
    "an unknown wish": world(BOTH, wish="theano"),
    "what is selected is not there": world(wish="jax"),
    "no Keras": world(without(BOTH, "keras"), variables=variable("jax"), wish="tensorflow"),
    "malformed keras.json and no wish": world(BOTH, keras_json='{"backend": "jax",}'),
    "the file in the project counts for nothing": world(
        BOTH,
        variables=variable("tensorflow"),
        configs=[config(state="absent"), config(automatic("jax"), source="project")],
    ),
    "a late line of the script is another rule's": world(
        BOTH,
        variables=variable("tensorflow"),
        program=script("keras", setting("jax", before=False)),
    ),
    "KERAS_HOME with the same backend": world(
        BOTH,
        variables=MOVED,
        configs=two_files("jax", "jax"),
    ),
    "KERAS_HOME without a file, HOME with one": world(
        TENSORFLOW_STACK,
        variables=MOVED,
        configs=[config(source="KERAS_HOME", state="absent"), config(automatic("jax"))],
    ),
    "the program computes it": world(BOTH, program=script(setting(None), "keras"), wish="jax"),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD103", context).startswith(QUIET)


def test_the_evidence_lists_every_source_and_the_run() -> None:
    context = world(
        BOTH,
        variables=variable("tensorflow"),
        keras_json=automatic("jax"),
        wish="jax",
        outcomes=[passed("tensorflow")],
    )
    (found,) = judge("KD103", context)
    assert [(e.text, e.where) for e in found.evidence] == [
        ("KERAS_BACKEND says tensorflow: wins", "environment variable KERAS_BACKEND"),
        ("keras.json says jax: is overruled", KERAS_JSON),
        ("default says tensorflow: is overruled", "the default of Keras 3.8 and later"),
        ("Keras ran on tensorflow", "live run"),
    ]


def test_keras_0_3_0_reads_no_variable() -> None:
    stack = of_keras("0.3.0", *THEANO, TENSORFLOW[0])
    context = world(stack, variables=variable("tensorflow"), wish="tensorflow")
    assert judge("KD103", context) == []
    (found,) = judge("KD104", context)
    assert "KERAS_BACKEND" in found.title
    assert found.fixes[0].kind == "edit-config"


def test_jax_stack_is_what_the_name_says() -> None:
    assert world(JAX_STACK).installed_backends == ("jax", "numpy")
    assert world(BOTH).installed_backends == ("tensorflow", "jax", "numpy")
