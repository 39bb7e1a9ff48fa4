"""KD306: an install was stopped in the middle."""

from __future__ import annotations

import pytest

from keras_doctor.rules.context import Context
from rules.factory import (
    JAX_STACK,
    PYTHON,
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    Case,
    abstains,
    assert_case,
    judge,
    leftover,
    without,
    world,
)

NO_KERAS = without(JAX_STACK, "keras")
JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
METADATA = leftover("~eras-3.6.0.dist-info", "keras", "3.6.0")


def ways_out(requirement: str, *folders: str) -> tuple[tuple[str, str | None], ...]:
    removed = " ".join(f"'{SITE}/{folder}'" for folder in folders)
    return (
        ("delete", f"rm -r {removed}"),
        ("install", f"{PYTHON} -m pip install {requirement}"),
    )


CASES = [
    Case(
        "Keras, with its metadata",
        world(NO_KERAS, leftovers=(leftover("~eras"), METADATA)),
        "keras",
        "fatal",
        ("install of keras was interrupted", "~eras and ~eras-3.6.0.dist-info"),
        ways_out("keras==3.6.0", "~eras", "~eras-3.6.0.dist-info"),
    ),
    Case(
        "Keras, by the name of the folder",
        world(NO_KERAS, leftovers=(leftover("~eras"),)),
        "keras",
        "fatal",
        ("keras was interrupted",),
        ways_out("keras", "~eras"),
    ),
    Case(
        "the second time",
        world(NO_KERAS, leftovers=(leftover("~~ras"),)),
        "keras",
        "fatal",
        ("keras was interrupted",),
        ways_out("keras", "~~ras"),
    ),
    Case(
        "a requirement",
        world(without(JAX_STACK, "optree"), leftovers=(leftover("~ptree"),)),
        "optree",
        "fatal",
        ("optree was interrupted",),
        ways_out("optree", "~ptree"),
    ),
    Case(
        "a requirement with an underscore",
        world(without(JAX_STACK, "ml-dtypes"), leftovers=(leftover("~l_dtypes"),)),
        "ml-dtypes",
        "fatal",
        ("ml-dtypes was interrupted",),
        ways_out("ml-dtypes", "~l_dtypes"),
    ),
    Case(
        "the selected backend",
        world(
            without(JAX_STACK, "jaxlib"), variables=JAX_VARIABLE, leftovers=(leftover("~axlib"),)
        ),
        "jaxlib",
        "fatal",
        ("jaxlib was interrupted",),
        ways_out("jaxlib", "~axlib"),
    ),
    Case(
        "the wished backend",
        world(variables=JAX_VARIABLE, wish="torch", leftovers=(leftover("~orch"),)),
        "torch",
        "fatal",
        ("torch was interrupted",),
        ways_out("torch", "~orch"),
    ),
    Case(
        "another distribution of the backend",
        world(
            without(TENSORFLOW_STACK, "tensorflow"),
            leftovers=(leftover("~ensorflow_cpu-2.16.2.dist-info", "tensorflow-cpu", "2.16.2"),),
        ),
        "tensorflow-cpu",
        "fatal",
        ("tensorflow-cpu was interrupted",),
        ways_out("tensorflow-cpu==2.16.2", "~ensorflow_cpu-2.16.2.dist-info"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_interrupted(case: Case) -> None:
    found = assert_case("KD306", "interrupted-install", case)
    assert f"not-installed:{case.culprit}" in found.explains


NOTHING: dict[str, Context] = {
    "no leftovers": world(NO_KERAS),
    "beside a whole install": world(leftovers=(leftover("~eras"), METADATA)),
    "of a package that nobody needs": world(NO_KERAS, leftovers=(leftover("~andas"),)),
    "with metadata of a package that nobody needs": world(
        NO_KERAS, leftovers=(leftover("~eras", "pandas", "2.0"),)
    ),
    "of another backend": world(variables=JAX_VARIABLE, leftovers=(leftover("~orch"),)),
    "too little of a name": world(NO_KERAS, leftovers=(leftover("~as"),)),
    "nothing but a tilde": world(NO_KERAS, leftovers=(leftover("~"),)),
    "a longer name": world(NO_KERAS, leftovers=(leftover("~eras_tuner"),)),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD306", context).startswith(QUIET)


def test_two_packages_are_two_findings() -> None:
    stack = without(NO_KERAS, "optree")
    context = world(stack, leftovers=(leftover("~eras"), leftover("~umpy")), wish="jax")
    assert [f.culprit for f in judge("KD306", context)] == ["keras"]
