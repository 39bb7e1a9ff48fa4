"""KD901: releases that are bad by themselves. The Windows worlds are constructed."""

from __future__ import annotations

import pytest

from keras_doctor.diagnosis import diagnose
from rules.factory import (
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    THEANO_STACK,
    abstains,
    dist,
    failed,
    judge,
    passed,
    raised,
    with_,
    world,
)

THEANO = {"KERAS_BACKEND": "theano"}
FAULT = raised(
    "RuntimeError",
    "The current Numpy installation ('C:\\\\numpy\\\\__init__.py') fails to pass a sanity check "
    "due to a bug in the windows runtime.",
    f"{SITE}/numpy/__init__.py",
)
BAD_NUMPY = with_(THEANO_STACK, dist("numpy", "1.19.4"))


def test_a_known_bad_release() -> None:
    context = world(BAD_NUMPY, outcomes=[failed(FAULT)], variables=THEANO, platform="win32")
    (cause,) = diagnose(context).causes
    assert (cause.cause, cause.culprit, cause.confidence) == ("upstream-bug", "numpy", "certain")
    assert "numpy==1.19.3" in (cause.fixes[0].command or "")


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_elsewhere_it_is_good(platform: str) -> None:
    context = world(BAD_NUMPY, outcomes=[failed(FAULT)], variables=THEANO, platform=platform)
    assert judge("KD901", context) == []


def test_a_withdrawn_release_is_the_cause_only_when_nothing_else_is() -> None:
    stack = with_(TENSORFLOW_STACK, dist("protobuf", "4.21.0", imports=("google",)))
    error = raised("RuntimeError", "something", f"{SITE}/google/protobuf/x.py")
    context = world(stack, outcomes=[failed(error)])
    (found,) = judge("KD901", context)
    assert (found.culprit, found.weight) == ("protobuf", "risk")
    assert all(one.weak for one in found.signs)
    assert "protobuf==4.21" in (found.fixes[0].command or "")


def test_after_no_failure_nothing_is_asked() -> None:
    assert abstains("KD901", world(BAD_NUMPY)).startswith("Skip: ")
    assert abstains("KD901", world(BAD_NUMPY, outcomes=[passed()])).startswith("NotApp")


def test_good_releases_are_ruled_out() -> None:
    error = raised("RuntimeError", "something", f"{SITE}/theano/x.py")
    context = world(THEANO_STACK, outcomes=[failed(error)], variables=THEANO)
    assert abstains("KD901", context).startswith(QUIET)
