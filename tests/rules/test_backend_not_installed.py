"""KD102: the selected backend is not there."""

from __future__ import annotations

import pytest

from keras_doctor.rules.context import Context
from rules.factory import (
    BARE_STACK,
    JAX,
    JAX_STACK,
    KERAS_210_STACK,
    KERAS_JSON,
    PROJECT,
    QUIET,
    SCRIPT,
    TENSORFLOW,
    TENSORFLOW_STACK,
    THEANO,
    THEANO_STACK,
    TORCH,
    TORCH_STACK,
    Case,
    abstains,
    assert_case,
    automatic,
    config,
    copy,
    dist,
    judge,
    local,
    module,
    of_keras,
    remnant,
    script,
    set_backend,
    setting,
    with_,
    without,
    world,
)

PIP_INSTALL = "/env/bin/python -m pip install"


def variable(value: str) -> dict[str, str]:
    return {"KERAS_BACKEND": value}


def export(name: str) -> tuple[str, str]:
    return ("set-env", f"export KERAS_BACKEND={name}")


def install(name: str) -> tuple[str, str]:
    return ("install", f"{PIP_INSTALL} {name}")


CASES = [
    Case(
        "nothing is asked for and JAX is there",
        world(),
        "tensorflow",
        "fatal",
        ("Nothing asks for a backend", "takes tensorflow", "(jax is)"),
        (export("jax"), install("tensorflow")),
    ),
    Case(
        "nothing is asked for and torch is there",
        world(TORCH_STACK),
        "tensorflow",
        "fatal",
        ("takes tensorflow", "(torch is)"),
        (export("torch"), install("tensorflow")),
    ),
    Case(
        "two others are there",
        world(with_(JAX_STACK, *TORCH)),
        "tensorflow",
        "fatal",
        ("(jax and torch are)",),
        (export("jax"), install("tensorflow")),
    ),
    Case(
        "no backend at all",
        world(BARE_STACK),
        "tensorflow",
        "fatal",
        ("takes tensorflow, which is not installed here",),
        (install("tensorflow"),),
    ),
    Case(
        "OpenVINO cannot train, so it is no way out",
        world(of_keras("3.8.0", dist("openvino", "2025.0"))),
        "tensorflow",
        "fatal",
        ("takes tensorflow, which is not installed here",),
        (install("tensorflow"),),
    ),
    Case(
        "a stale variable",
        world(TENSORFLOW_STACK, variables=variable("jax"), keras_json=automatic()),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND asks for jax", "(tensorflow is)"),
        (("unset-env", "unset KERAS_BACKEND"), export("tensorflow"), install("jax")),
    ),
    Case(
        "a stale variable on Windows",
        world(TENSORFLOW_STACK, variables=variable("jax"), platform="win32"),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND asks for jax",),
        (
            ("unset-env", "set KERAS_BACKEND="),
            ("set-env", "set KERAS_BACKEND=tensorflow"),
            install("jax"),
        ),
    ),
    Case(
        "Theano for Keras 2.3 with TensorFlow",
        world(of_keras("2.3.1", dist("tensorflow", "1.15.0")), variables=variable("theano")),
        "KERAS_BACKEND",
        "fatal",
        ("asks for theano", "(tensorflow is)"),
        (("unset-env", "unset KERAS_BACKEND"), export("tensorflow"), install("theano")),
    ),
    Case(
        "CNTK",
        world(THEANO_STACK, variables=variable("cntk")),
        "KERAS_BACKEND",
        "fatal",
        ("asks for cntk", "(theano is)"),
        (export("theano"), install("cntk")),
    ),
    Case(
        "the variable asks for what is wished",
        world(variables=variable("torch"), wish="torch"),
        "torch",
        "fatal",
        ("KERAS_BACKEND asks for torch",),
        (install("torch"),),
    ),
    Case(
        "neither what is asked for nor what is wished",
        world(variables=variable("torch"), wish="tensorflow"),
        "KERAS_BACKEND",
        "fatal",
        ("asks for torch",),
        (
            ("unset-env", "unset KERAS_BACKEND"),
            export("tensorflow"),
            install("tensorflow"),
        ),
    ),
    Case(
        "keras.json",
        world(keras_json=automatic("torch")),
        "keras.json",
        "fatal",
        ("keras.json asks for torch", "(jax is)"),
        (("edit-config", KERAS_JSON), export("jax"), install("torch")),
    ),
    Case(
        "the file that Keras wrote by itself",
        world(keras_json=automatic()),
        "keras.json",
        "fatal",
        ("keras.json asks for tensorflow", "(jax is)"),
        (("edit-config", KERAS_JSON), export("jax"), install("tensorflow")),
    ),
    Case(
        "a line of the script",
        world(program=script(setting("torch", line=3), "keras")),
        "train.py",
        "fatal",
        ("train.py asks for torch",),
        (("edit-code", f"{SCRIPT}:3"), install("torch")),
    ),
    Case(
        "Keras 2.3 takes TensorFlow too",
        world(THEANO_STACK),
        "tensorflow",
        "fatal",
        ("takes tensorflow", "(theano is)"),
        (export("theano"), install("tensorflow")),
    ),
    Case(
        "Keras 2.4.0 obeys the variable",
        world(of_keras("2.4.0", TENSORFLOW[0]), variables=variable("theano")),
        "KERAS_BACKEND",
        "fatal",
        ("asks for theano",),
        (("unset-env", "unset KERAS_BACKEND"), export("tensorflow"), install("theano")),
    ),
    Case(
        "Keras 2.10 is nothing without TensorFlow",
        world(of_keras("2.10.0")),
        "tensorflow",
        "fatal",
        ("tensorflow, which is not installed here",),
        (install("tensorflow"),),
    ),
    Case(
        "Keras 2.15 does not run on JAX that is there",
        world(of_keras("2.15.0", *JAX)),
        "tensorflow",
        "fatal",
        ("tensorflow, which is not installed here",),
        (install("tensorflow"),),
    ),
    Case(
        "Keras 1.0 takes Theano",
        world(of_keras("1.0.8", dist("tensorflow", "1.0.0"))),
        "theano",
        "fatal",
        ("takes theano", "(tensorflow is)"),
        (export("tensorflow"), install("theano")),
    ),
    Case(
        "Keras 1.1.1 takes Theano on Windows",
        world(of_keras("1.1.1", dist("tensorflow", "1.0.0")), platform="win32"),
        "theano",
        "fatal",
        ("takes theano",),
        (("set-env", "set KERAS_BACKEND=tensorflow"), install("theano")),
    ),
    Case(
        "Keras 0.2 is Theano",
        world(of_keras("0.2.0")),
        "theano",
        "fatal",
        ("theano, which is not installed here",),
        (install("theano"),),
    ),
    Case(
        "jax without jaxlib",
        world(without(JAX_STACK, "jaxlib"), variables=variable("jax")),
        "KERAS_BACKEND",
        "fatal",
        ("asks for jax", "needs jaxlib"),
        (install("jaxlib"),),
    ),
    Case(
        "a folder of the user's has its name",
        world(
            without(JAX_STACK, "jax"),
            variables=variable("jax"),
            modules=[remnant("jax", PROJECT)],
            locals_=[local("jax", "namespace")],
            wish="jax",
        ),
        "jax",
        "fatal",
        ("asks for jax, which is not installed",),
        (install("jax"),),
    ),
    Case(
        "numpy is there, and what Keras needs for it is not",
        world(BARE_STACK, variables=variable("numpy")),
        "KERAS_BACKEND",
        "fatal",
        ("asks for numpy", "needs jax and scipy"),
        (install("jax scipy"),),
    ),
    Case(
        "KERAS_HOME leads to it",
        world(
            variables={"KERAS_HOME": "/conf"},
            configs=[config(automatic("torch"), source="KERAS_HOME"), config(automatic("jax"))],
        ),
        "keras.json",
        "fatal",
        ("keras.json asks for torch",),
        (("edit-config", "/conf/keras.json"), export("jax"), install("torch")),
    ),
    Case(
        "no pip here, so uv",
        world(without(JAX_STACK, "pip")),
        "tensorflow",
        "fatal",
        (),
        (
            export("jax"),
            ("install", "uv pip install --python /env/bin/python tensorflow"),
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_missing(case: Case) -> None:
    found = assert_case("KD102", "backend-not-installed", case)
    switched = [fix.value for fix in found.fixes if fix.kind == "set-env"]
    assert [change.value for change in found.changes] in ([], switched, ["jax"])


@pytest.mark.parametrize(
    ("context", "changes"),
    [
        (world(), (set_backend("jax"),)),
        (world(wish="torch"), (set_backend("torch"),)),
        (world(BARE_STACK), ()),
        (world(variables=variable("torch"), wish="torch"), ()),
        (world(of_keras("2.15.0", *JAX)), ()),
        (world(of_keras("2.15.0"), wish="jax"), ()),
    ],
)
def test_counterfactual(context: Context, changes: tuple[object, ...]) -> None:
    (found,) = judge("KD102", context)
    assert found.changes == changes


def test_it_explains_the_missing_requirement() -> None:
    (found,) = judge("KD102", world())
    assert {"not-installed:tensorflow", "not-installed:tensorflow-cpu"} <= set(found.explains)


NOTHING: dict[str, Context] = {
    "asked for and there": world(variables=variable("jax")),
    "the default and there": world(TENSORFLOW_STACK),
    "of tensorflow-cpu": world(
        of_keras("3.8.0", dist("tensorflow-cpu", "2.18.1", imports=("tensorflow",)))
    ),
    "of a package without metadata": world(
        BARE_STACK, modules=[module("tensorflow", copy("tensorflow", "/usr/lib/python3"))]
    ),
    "keras.json": world(keras_json=automatic("jax")),
    "the script": world(program=script(setting("jax"), "keras")),
    "the script beats the variable": world(
        variables=variable("torch"), program=script(setting("jax"), "keras")
    ),
    "the variable beats keras.json": world(
        variables=variable("jax"), keras_json=automatic("torch")
    ),
    "setdefault": world(program=script(setting("jax", default_only=True), "keras")),
    "numpy needs JAX and scipy": world(variables=variable("numpy")),
    "an unknown name is another rule's": world(variables=variable("theano")),
    "a name of another age": world(THEANO_STACK, variables=variable("torch")),
    "no Keras": world(without(BARE_STACK, "keras")),
    "Keras 2.10 ignores the variable": world(KERAS_210_STACK, variables=variable("theano")),
    "Keras 2.10 ignores keras.json": world(KERAS_210_STACK, keras_json=automatic("theano")),
    "Keras 2.3 with Theano": world(THEANO_STACK, variables=variable("theano")),
    "the default of 1.0": world(of_keras("1.0.8", *THEANO)),
    "the default of 1.1.1 on Windows": world(of_keras("1.1.1", *THEANO), platform="win32"),
    "a remnant is another rule's": world(BARE_STACK, modules=[remnant("tensorflow")]),
    "only a local file, which is another rule's": world(
        BARE_STACK, modules=[module("tensorflow", copy("tensorflow", kind="module"))]
    ),
    "installed, but its files are gone": world(TENSORFLOW_STACK, modules=[module("tensorflow")]),
    "the program computes it": world(program=script(setting(None), "keras")),
    "wished, and another is selected and there": world(TENSORFLOW_STACK, wish="jax"),
    "keras.json in KERAS_HOME": world(
        variables={"KERAS_HOME": "/conf"},
        configs=[config(automatic("jax"), source="KERAS_HOME"), config(automatic("torch"))],
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD102", context).startswith(QUIET)


def test_title_under_a_generation_that_ignores_the_variable() -> None:
    context = world(of_keras("2.10.0", *THEANO), variables=variable("theano"))
    (found,) = judge("KD102", context)
    assert "no KERAS_BACKEND" not in found.title


def test_a_keras_json_without_a_backend_asks_for_nothing() -> None:
    (found,) = judge("KD102", world(keras_json={"floatx": "float32"}))
    assert not found.title.startswith("keras.json asks for")
