"""KD104: a request that this Keras does not read."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from keras_doctor.model import ConfigFile
from keras_doctor.rules.context import Context
from rules.factory import (
    BARE_STACK,
    JAX,
    KERAS_210_STACK,
    KERAS_JSON,
    PROJECT,
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
    judge,
    of_keras,
    script,
    set_backend,
    setting,
    with_,
    without,
    world,
)

BOTH = with_(TENSORFLOW_STACK, *JAX)
KERAS_215 = of_keras("2.15.0", TENSORFLOW[0]._replace(version="2.15.1"))
HERE = f"{PROJECT}/keras.json"


def variable(value: str) -> dict[str, str]:
    return {"KERAS_BACKEND": value}


def in_project(backend: str, home: str = "absent") -> list[ConfigFile]:
    return [config(state=home), config(automatic(backend), source="project")]


def ignored(name: str) -> tuple[tuple[str, str], ...]:
    return (("unset-env", "unset KERAS_BACKEND"), ("use-env", name))


def export(name: str) -> tuple[str, str]:
    return ("set-env", f"export KERAS_BACKEND={name}")


TOO_LATE = script("keras", setting("jax", before=False, line=5))
FIXED = [
    Case(
        "the variable under Keras 2.10",
        world(KERAS_210_STACK, variables=variable("theano")),
        "keras",
        "fatal",
        ("Keras 2.10.0 ignores", "KERAS_BACKEND=theano", "theano is not installed"),
        ignored("theano"),
        (),
    ),
    Case(
        "the variable under Keras 2.15, and its backend is there",
        world(with_(KERAS_215, *JAX), variables=variable("jax"), wish="jax"),
        "keras",
        "fatal",
        ("Keras 2.15.0 ignores KERAS_BACKEND=jax: it runs on tensorflow only",),
        ignored("jax"),
        (),
    ),
    Case(
        "an alias of another backend",
        world(KERAS_215, variables=variable("pytorch")),
        "keras",
        "fatal",
        ("KERAS_BACKEND=torch",),
        ignored("torch"),
        (),
    ),
    Case(
        "2.4.3 is the first",
        world(of_keras("2.4.3", TENSORFLOW[0]), variables=variable("theano")),
        "keras",
        "fatal",
        ("Keras 2.4.3 ignores",),
        ignored("theano"),
        (),
    ),
    Case(
        "a line of the script",
        world(KERAS_215, program=script(setting("jax"), "keras")),
        "keras",
        "fatal",
        ("Keras 2.15.0 ignores", "jax"),
        (("edit-code", f"{SCRIPT}:2"), ("use-env", "jax")),
        (),
    ),
    Case(
        "keras.json says what is wished",
        world(KERAS_210_STACK, keras_json=automatic("theano"), wish="theano"),
        "keras",
        "fatal",
        ("theano",),
        (("edit-config", KERAS_JSON), ("use-env", "theano")),
        (),
    ),
    Case(
        "TensorFlow for Keras 0.2",
        world(of_keras("0.2.0", *THEANO), variables=variable("tensorflow")),
        "keras",
        "fatal",
        ("runs on theano only",),
        ignored("tensorflow"),
        (),
    ),
]
MISPLACED = [
    Case(
        "after the import",
        world(BOTH, program=TOO_LATE),
        "train.py",
        "fatal",
        ("train.py asks for jax after Keras was imported", "stays on tensorflow"),
        (("edit-code", f"{SCRIPT}:5"), export("jax")),
        (),
    ),
    Case(
        "after the import, which fails for it",
        world(program=TOO_LATE),
        "train.py",
        "fatal",
        ("train.py asks for jax after",),
        (("edit-code", f"{SCRIPT}:5"), export("jax")),
    ),
    Case(
        "an alias after the import",
        world(BOTH, program=script("keras", setting("jaxlib", before=False, line=5)), wish="jax"),
        "train.py",
        "fatal",
        ("asks for jax after",),
        (("edit-code", f"{SCRIPT}:5"), export("jax")),
        (),
    ),
    Case(
        "keras.json in the project",
        world(configs=in_project("jax")),
        HERE,
        "fatal",
        ("does not read keras.json", "takes tensorflow, not jax", "tensorflow is not installed"),
        (("rename-file", HERE), export("jax")),
    ),
    Case(
        "keras.json in the project, and the wish",
        world(BOTH, configs=in_project("jax"), wish="jax"),
        HERE,
        "fatal",
        ("does not read keras.json", "takes tensorflow, not jax"),
        (("rename-file", HERE), export("jax")),
        (),
    ),
    Case(
        "keras.json in the project asks for what is not there",
        world(BARE_STACK, configs=in_project("jax")),
        HERE,
        "fatal",
        ("takes tensorflow, not jax", "tensorflow is not installed"),
        (
            ("rename-file", HERE),
            export("jax"),
            ("install", "/env/bin/python -m pip install jax"),
        ),
    ),
    Case(
        "KERAS_HOME is not read by Keras 2.1",
        world(
            of_keras("2.1.6", *THEANO),
            variables={"KERAS_HOME": "/conf"},
            configs=[config(automatic("theano"), source="KERAS_HOME"), config(state="absent")],
        ),
        "/conf/keras.json",
        "fatal",
        ("does not read /conf/keras.json", "not theano", "tensorflow is not installed"),
        (("rename-file", "/conf/keras.json"), export("theano")),
    ),
]


@pytest.mark.parametrize("case", FIXED, ids=lambda case: case.id)
def test_one_backend_only(case: Case) -> None:
    found = assert_case("KD104", "backend-setting-ignored", case)
    # No counterfactual: no setting makes this Keras run on another backend.
    assert found.changes == ()


@pytest.mark.parametrize("case", MISPLACED, ids=lambda case: case.id)
def test_misplaced(case: Case) -> None:
    found = assert_case("KD104", "backend-setting-ignored", case)
    assert found.changes in ((set_backend("jax"),), (set_backend("theano"),))
    assert "backend-not-installed:tensorflow" in found.explains


def test_the_file_is_moved_to_where_it_is_read() -> None:
    (found,) = judge("KD104", world(configs=in_project("jax")))
    assert found.fixes[0].value == KERAS_JSON


RISKS: dict[str, Context] = {
    "keras.json may be meant for another environment": world(
        KERAS_210_STACK, keras_json=automatic("theano")
    ),
    "late in the script, and another wish": world(BOTH, program=TOO_LATE, wish="tensorflow"),
    "keras.json in the project, and the import works": world(BOTH, configs=in_project("jax")),
}


@pytest.mark.parametrize("context", RISKS.values(), ids=RISKS.keys())
def test_only_a_risk(context: Context) -> None:
    assert [f.weight for f in judge("KD104", context)] == ["risk"]


NOTHING: dict[str, Context] = {
    "nothing is asked for": world(),
    "Keras 2.10 and TensorFlow": world(KERAS_210_STACK, variables=variable("tensorflow")),
    "Keras 2.10 and an alias of TensorFlow": world(KERAS_210_STACK, variables=variable("tf")),
    "Keras 2.10 and an automatic file": world(KERAS_210_STACK, keras_json=automatic()),
    "Keras 2.10, and TensorFlow is wished": world(
        KERAS_210_STACK, variables=variable("theano"), wish="tensorflow"
    ),
    "Keras 2.10 and a file in the project": world(KERAS_210_STACK, configs=in_project("theano")),
    "Keras 2.4.2 obeys": world(of_keras("2.4.2", *THEANO), variables=variable("theano")),
    "Keras 2.3 obeys": world(of_keras("2.3.1", *THEANO), variables=variable("theano")),
    "Keras 3 obeys": world(variables=variable("jax")),
    "before the import": world(program=script(setting("jax"), "keras")),
    "late, but the same": world(
        variables=variable("jax"), program=script("keras", setting("jax", before=False))
    ),
    "set_backend may come later": world(
        BOTH,
        program=script(
            "keras", setting("jax", before=False, text='keras.config.set_backend("jax")')
        ),
    ),
    "setdefault of a set variable": world(
        BOTH,
        variables=variable("tensorflow"),
        program=script(setting("jax", default_only=True), "keras"),
    ),
    "the file in the project says the same": world(
        variables=variable("jax"), configs=in_project("jax")
    ),
    "the file in the project names nothing known": world(BOTH, configs=in_project("pytorch_")),
    "the file in the project, and another wish": world(
        BOTH, configs=in_project("jax"), wish="tensorflow"
    ),
    "KERAS_HOME hides the home file, which is another rule's": world(
        BOTH,
        variables={"KERAS_HOME": "/conf"},
        configs=[config(source="KERAS_HOME", state="absent"), config(automatic("jax"))],
    ),
    "no Keras": world(without(BARE_STACK, "keras"), variables=variable("jax")),
    "malformed, which is another rule's": world(BOTH, keras_json='{"backend": "jax",}'),
    "the program computes it": world(BOTH, program=script("keras", setting(None, before=False))),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD104", context).startswith(QUIET)


def test_the_fix_is_where_the_request_is() -> None:
    (found,) = judge("KD104", world(KERAS_215, program=script(setting("jax", line=4), "keras")))
    assert found.fixes[0].name == f"{SCRIPT}:4"


def test_a_file_in_tmp_is_not_why_tensorflow_is_missing() -> None:
    context = world(configs=[config(state="absent"), config(automatic("jax"), source="tmp")])
    assert all(f.weight == "risk" for f in judge("KD104", context))


def test_an_empty_variable_is_no_request() -> None:
    assert judge("KD104", world(KERAS_210_STACK, variables=variable(""))) == []


def test_a_late_line_where_the_backend_is_not_known() -> None:
    context = world(keras_json="[]", program=script("keras", setting("jax", before=False)))
    assert all("None" not in f.title for f in judge("KD104", context))


def unwritable(
    text: Mapping[str, object] | None, tmp: Mapping[str, object] | None = None
) -> list[ConfigFile]:
    """HOME with a keras.json that may be read, in a home folder that may not be written."""
    home = config(text) if text else config(state="absent")
    return [
        home._replace(base_writable=False),
        config(tmp, source="tmp") if tmp else config(state="absent", source="tmp"),
    ]


def test_a_home_that_may_not_be_written() -> None:
    """Keras tests the home folder, not the file, and takes /tmp/.keras instead."""
    context = world(BOTH, configs=unwritable(automatic("jax")), wish="jax")
    assert context.choice.backend == "tensorflow"
    (found,) = judge("KD104", context)
    assert (found.weight, found.culprit) == ("fatal", KERAS_JSON)
    assert "/tmp/.keras" in found.why
    assert [f.name for f in found.fixes] == ["KERAS_HOME", "KERAS_BACKEND"]


def test_what_somebody_left_in_tmp_is_obeyed() -> None:
    context = world(BOTH, configs=unwritable(None, automatic("jax")))
    assert context.choice.backend == "jax"
    assert context.choice.config is not None
    assert context.choice.config.where == "/tmp/.keras/keras.json"


@pytest.mark.parametrize("version", ["2.10.0", "2.15.0", "0.3.0"])
def test_no_way_to_tmp(version: str) -> None:
    """Keras 0.3.0 and 2.5 to 2.15 know no /tmp/.keras."""
    configs = unwritable(automatic("tensorflow"))
    context = world(of_keras(version, *THEANO, TENSORFLOW[0]), configs=configs)
    assert context.choice.config is not None
    assert context.choice.config.where == KERAS_JSON
