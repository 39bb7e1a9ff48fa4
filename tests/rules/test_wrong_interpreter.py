"""KD202: Keras is there, in another Python."""

from __future__ import annotations

import pytest

from keras_doctor.rules.context import Context, Elsewhere
from rules.factory import (
    JAX_STACK,
    PROJECT,
    PYTHON,
    QUIET,
    Case,
    abstains,
    assert_case,
    copy,
    judge,
    module,
    pip_command,
    remnant,
    without,
    world,
)

NO_KERAS = without(JAX_STACK, "keras")
NO_PIP = without(NO_KERAS, "pip")
OTHER = "/usr/bin/python3.13"
FOREIGN = pip_command(path="/usr/bin/pip", interpreter=OTHER, same_environment=False, python="3.13")
HOLDS = ("keras 3.8.0", "jax 0.5.0")
INSTALL = ("install", f"{PYTHON} -m pip install keras")
VENV = f"{PROJECT}/.venv/bin/python"

CASES = [
    Case(
        "pip of a newer Python",
        world(NO_KERAS, commands=(FOREIGN,)),
        "pip",
        "fatal",
        ("`pip` installs into Python 3.13", "Python 3.12", "Keras is there, not here"),
        (INSTALL, ("use-env", OTHER)),
    ),
    Case(
        "and this Python has no pip",
        world(NO_PIP, commands=(FOREIGN,)),
        "pip",
        "fatal",
        ("`pip` installs into Python 3.13",),
        (("install", f"{PYTHON} -m ensurepip"), INSTALL, ("use-env", OTHER)),
    ),
    Case(
        "pip3, behind a pip that holds nothing",
        world(
            NO_KERAS,
            commands=(FOREIGN._replace(holds=()), FOREIGN._replace(name="pip3")),
        ),
        "pip",
        "fatal",
        ("Keras is there",),
        (INSTALL, ("use-env", OTHER)),
    ),
    Case(
        "a pip whose Python is not known",
        world(NO_KERAS, commands=(FOREIGN._replace(python=None, interpreter=None),)),
        "pip",
        "fatal",
        ("another Python",),
        (INSTALL,),
    ),
    Case(
        "the environment of the folder is not the active one",
        world(NO_KERAS, elsewhere=[Elsewhere(VENV, HOLDS)]),
        PYTHON,
        "fatal",
        (VENV, PYTHON, "Python 3.12"),
        (("use-env", VENV),),
    ),
    Case(
        "pip is asked before the folder",
        world(NO_KERAS, commands=(FOREIGN,), elsewhere=[Elsewhere(VENV, HOLDS)]),
        "pip",
        "fatal",
        ("`pip`",),
        (INSTALL, ("use-env", OTHER)),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_wrong(case: Case) -> None:
    found = assert_case("KD202", "wrong-interpreter", case)
    # Whatever is missing here is there.
    assert found.explains == ("not-installed:*",)
    assert found.changes == ()


NOTHING: dict[str, Context] = {
    "all is well": world(),
    "Keras is here, and pip is foreign": world(commands=(FOREIGN,)),
    "nothing anywhere": world(NO_KERAS, commands=()),
    "pip is our own": world(NO_KERAS, commands=(pip_command(),)),
    "nobody knows whose pip it is": world(
        NO_KERAS, commands=(FOREIGN._replace(same_environment=None),)
    ),
    "the foreign pip holds a backend only": world(
        NO_KERAS, commands=(FOREIGN._replace(holds=("tensorflow 2.18.1",)),)
    ),
    "the foreign pip holds something like Keras": world(
        NO_KERAS, commands=(FOREIGN._replace(holds=("keras-tuner 1.4",)),)
    ),
    "another command": world(NO_KERAS, commands=(FOREIGN._replace(name="jupyter"),)),
    "elsewhere, and not in this folder": world(
        NO_KERAS, elsewhere=[Elsewhere("/opt/envs/tf/bin/python", HOLDS)]
    ),
    "in this folder, without Keras": world(NO_KERAS, elsewhere=[Elsewhere(VENV, ("jax 0.5.0",))]),
    "a remnant answers": world(NO_KERAS, modules=[remnant("keras")], commands=(FOREIGN,)),
    "a file of the user's answers": world(
        NO_KERAS, modules=[module("keras", copy("keras", PROJECT, "module"))], commands=(FOREIGN,)
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD202", context).startswith(QUIET)


def test_a_folder_with_a_longer_name() -> None:
    place = Elsewhere(f"{PROJECT}-old/.venv/bin/python", HOLDS)
    assert judge("KD202", world(NO_KERAS, elsewhere=[place])) == []
