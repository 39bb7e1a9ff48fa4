"""KD207: a leftover folder without code."""

from __future__ import annotations

import pytest

from keras_doctor.rules.context import Context
from keras_doctor.signs import matches
from rules.factory import (
    BARE_STACK,
    JAX_STACK,
    PROJECT,
    PYTHON,
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    THEANO_STACK,
    Case,
    abstains,
    assert_case,
    copy,
    failed,
    judge,
    local,
    missing,
    module,
    raised,
    remnant,
    script,
    without,
    world,
)

NO_KERAS = without(JAX_STACK, "keras")
JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
LIBRARY = "/home/ada/library"


def ways_out(name: str, folder: str | None = None) -> tuple[tuple[str, str | None], ...]:
    return (
        ("delete", f"rm -r {folder or f'{SITE}/{name}'}"),
        ("install", f"{PYTHON} -m pip install {name}"),
    )


CASES = [
    Case(
        "Keras",
        world(NO_KERAS, modules=[remnant("keras")]),
        "keras",
        "fatal",
        ("keras", "leftover folder", "keras is not installed"),
        ways_out("keras"),
    ),
    Case(
        "the default backend",
        world(BARE_STACK, modules=[remnant("tensorflow")]),
        "tensorflow",
        "fatal",
        ("tensorflow is not installed",),
        ways_out("tensorflow"),
    ),
    Case(
        "the selected backend",
        world(without(JAX_STACK, "jax"), variables=JAX_VARIABLE, modules=[remnant("jax")]),
        "jax",
        "fatal",
        ("jax is not installed",),
        ways_out("jax"),
    ),
    Case(
        "a part of the selected backend",
        world(without(JAX_STACK, "jaxlib"), variables=JAX_VARIABLE, modules=[remnant("jaxlib")]),
        "jaxlib",
        "fatal",
        ("jaxlib is not installed",),
        ways_out("jaxlib"),
    ),
    Case(
        "the wished backend",
        world(variables=JAX_VARIABLE, modules=[remnant("torch")], wish="torch"),
        "torch",
        "fatal",
        ("torch is not installed",),
        ways_out("torch"),
    ),
    Case(
        "a backend that the program imports",
        world(
            variables=JAX_VARIABLE,
            modules=[remnant("tensorflow")],
            program=script("keras", "tensorflow"),
        ),
        "tensorflow",
        "fatal",
        ("tensorflow is not installed",),
        ways_out("tensorflow"),
    ),
    Case(
        "in a folder of PYTHONPATH",
        world(
            NO_KERAS,
            modules=[remnant("keras", LIBRARY)],
            locals_=[local("keras", "namespace", entry=LIBRARY, origin="pythonpath")],
        ),
        "keras",
        "fatal",
        ("keras is not installed",),
        ways_out("keras", f"{LIBRARY}/keras"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_remnant(case: Case) -> None:
    found = assert_case("KD207", "namespace-remnant", case)
    assert f"not-installed:{case.culprit}" in found.explains


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (raised("AttributeError", "module 'keras' has no attribute 'layers'"), True),
        (raised("ImportError", "cannot import name 'x' from 'keras' (unknown location)"), True),
        (
            raised("ModuleNotFoundError", "No module named 'keras.models'", name="keras.models"),
            True,
        ),
        (missing("tensorflow"), False),
        (raised("AttributeError", "module 'kerasx' has no attribute 'layers'"), False),
        (raised("ImportError", "cannot import name 'x' from 'tensorflow'"), False),
    ],
)
def test_signs(exception: object, expected: bool) -> None:
    (found,) = judge("KD207", world(NO_KERAS, modules=[remnant("keras")]))
    outcome = failed(exception)  # type: ignore[arg-type]
    assert any(matches(sign, outcome) for sign in found.signs) is expected


NOTHING: dict[str, Context] = {
    "all is there": world(variables=JAX_VARIABLE),
    "nothing is there": world(NO_KERAS),
    "metadata says that it is installed": world(modules=[remnant("keras")]),
    "a backend that nobody asks for": world(
        variables=JAX_VARIABLE, modules=[remnant("tensorflow")]
    ),
    "a folder of the user's, beside the program": world(
        NO_KERAS,
        modules=[remnant("keras", PROJECT)],
        locals_=[local("keras", "namespace")],
    ),
    "a package that nobody needs": world(modules=[remnant("pandas")]),
    "a namespace beside the real one": world(
        modules=[module("keras", copy("keras", PROJECT, "namespace"), copy("keras"))]
    ),
    "tf_keras that nobody imports": world(TENSORFLOW_STACK, modules=[remnant("tf_keras")]),
    "Theano beside TensorFlow": world(TENSORFLOW_STACK, modules=[remnant("theano")]),
    "a single file": world(NO_KERAS, modules=[module("keras", copy("keras", SITE, "module"))]),
    "guarded in the program": world(
        variables=JAX_VARIABLE,
        modules=[remnant("tensorflow")],
        program=script("keras", "tensorflow", guarded=("tensorflow",)),
    ),
    "Theano": world(THEANO_STACK, variables={"KERAS_BACKEND": "theano"}),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD207", context).startswith(QUIET)


def test_tf_keras_that_the_program_imports() -> None:
    context = world(TENSORFLOW_STACK, modules=[remnant("tf_keras")], program=script("tf_keras"))
    assert [f.culprit for f in judge("KD207", context)] == ["tf_keras"]
