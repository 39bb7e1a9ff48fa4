"""KD408: a variable that asks a package for what is not there."""

from __future__ import annotations

import pytest

from keras_doctor.model import Change
from keras_doctor.rules.context import Context
from rules.factory import (
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    abstains,
    failed,
    judge,
    passed,
    printed,
    raised,
    world,
)

PROTO = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"
NO_CPP = failed(raised("ImportError", "cannot import name '_message' from 'google.protobuf.pyext'"))
NO_TPU = failed(raised("RuntimeError", "Unable to initialize backend 'tpu': none", f"{SITE}/jax/a"))
FLAGS = printed("F0000 parse_flags.cc] Unknown flag in XLA_FLAGS: --xla_new=1\n", status="died")


@pytest.mark.parametrize(
    ("context", "cause", "name"),
    [
        (
            world(TENSORFLOW_STACK, variables={PROTO: "cpp"}, outcomes=[NO_CPP]),
            "undeclared-incompatibility",
            PROTO,
        ),
        (
            world(variables={"JAX_PLATFORMS": "tpu"}, outcomes=[NO_TPU, NO_TPU]),
            "cuda-mismatch",
            "JAX_PLATFORMS",
        ),
        (
            world(variables={"XLA_FLAGS": "--xla_new=1"}, outcomes=[FLAGS]),
            "crash-on-import",
            "XLA_FLAGS",
        ),
    ],
)
def test_the_variable_is_named(context: Context, cause: str, name: str) -> None:
    (found,) = judge("KD408", context)
    assert (found.cause, found.culprit) == (cause, name)
    assert [fix.command for fix in found.fixes] == [f"unset {name}"]
    assert found.changes == (Change(kind="unset-variable", name=name, value=None),)


NOTHING = {
    "nothing failed": world(variables={PROTO: "cpp"}, outcomes=[passed()]),
    "not set": world(outcomes=[NO_TPU]),
    "empty": world(variables={"JAX_PLATFORMS": ""}, outcomes=[NO_TPU]),
    "another failure": world(
        variables={PROTO: "cpp", "JAX_PLATFORMS": "tpu"},
        outcomes=[failed(raised("ValueError", "no", f"{SITE}/jax/a.py"))],
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD408", context).startswith(QUIET)
