"""The release of a backend that goes with the Keras that is there."""

from __future__ import annotations

import pytest

from keras_doctor.rules.compatibility.fitting import backend_requirement
from keras_doctor.versions import compare_key
from rules.factory import JAX_STACK, Stack, judge, of_keras, without, world


@pytest.mark.parametrize(
    ("keras", "python", "backend", "newest"),
    [
        ("2.3.1", "3.7.16", "tensorflow", "2.2"),  # from 2020, not the 2.11 that pip would take
        ("2.2.4", "3.6.15", "tensorflow", "1.15"),
        ("2.3.1", "3.7.16", "theano", "1.0.5"),
        ("3.8.0", "3.12.1", "jax", "0.5.3"),
        ("3.8.0", "3.12.1", "tensorflow", "2.21"),
    ],
)
def test_it_is_not_newer_than_what_keras_knows(
    keras: str, python: str, backend: str, newest: str
) -> None:
    context = world(of_keras(keras, python=python))
    name, _, version = backend_requirement(context, backend).partition("==")
    assert name.lower() == backend
    assert version, "no release was chosen"
    assert compare_key(version) < compare_key(newest + ".99")


def test_it_was_measured_where_that_is_known() -> None:
    context = world(of_keras("2.10.0", python="3.10.13"))
    assert backend_requirement(context, "tensorflow").startswith("tensorflow==2.1")


def test_where_nothing_fits_the_bare_name_is_offered() -> None:
    assert backend_requirement(world(of_keras("2.3.1", python="3.13.0")), "theano") in (
        "theano",
        "theano==1.0.4",
        "theano==1.0.5",  # its source installs anywhere, as far as its metadata says
    )
    assert backend_requirement(world(Stack("3.12.7", ())), "jax") == "jax"
    assert backend_requirement(world(interpreter=None), "jax") == "jax"


def test_the_rule_offers_it() -> None:
    stack = without(JAX_STACK, "jax", "jaxlib")
    (found,) = judge("KD102", world(stack, variables={"KERAS_BACKEND": "jax"}))
    assert any("jax==" in (fix.command or "") for fix in found.fixes)
