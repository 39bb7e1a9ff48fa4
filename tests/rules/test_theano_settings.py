"""KD107: a setting of Theano that Theano refuses."""

from __future__ import annotations

import pytest

from keras_doctor.model import ConfigFile, Outcome
from keras_doctor.rules.context import Context
from rules.factory import (
    HOME,
    QUIET,
    SITE,
    THEANO_STACK,
    abstains,
    config,
    failed,
    judge,
    raised,
    world,
)

READER = f"{SITE}/theano/configdefaults.py"
RC = f"{HOME}/.theanorc"
OLD_GPU = "You are tring to use the old GPU back-end. Use device=cuda* now."


def rc(text: str) -> ConfigFile:
    return config(text, path=RC)._replace(kind=".theanorc")


def after(outcome: Outcome, flags: str | None = None, text: str | None = None) -> Context:
    variables = {"KERAS_BACKEND": "theano"} | ({"THEANO_FLAGS": flags} if flags else {})
    files = [rc(text)] if text is not None else []
    return world(THEANO_STACK, variables=variables, configs=files, outcomes=[outcome])


GPU = failed(raised("ValueError", OLD_GPU, READER))
FLOAT = failed(
    raised("ValueError", 'Invalid value ("float") for configuration variable "floatX".', READER)
)


@pytest.mark.parametrize(
    ("context", "cause", "culprit", "flags"),
    [
        (after(GPU, text="[global]\ndevice = gpu\n"), "cuda-mismatch", RC, "device=cpu"),
        (after(GPU, "a=1,device=gpu0"), "cuda-mismatch", "THEANO_FLAGS", "a=1,device=cpu"),
        (
            after(GPU, "device=gpu1", "[global]\ndevice = gpu\n"),
            "cuda-mismatch",
            "THEANO_FLAGS",
            "device=cpu",
        ),
        (
            after(FLOAT, "a=1", "[global]\nfloatX=float\n"),
            "keras-config-invalid",
            RC,
            "a=1,floatX=float32",
        ),
    ],
)
def test_a_refused_setting(context: Context, cause: str, culprit: str, flags: str) -> None:
    (found,) = judge("KD107", context)
    assert (found.cause, found.culprit) == (cause, culprit)
    assert [(fix.kind, fix.name, fix.value) for fix in found.fixes] == [
        ("set-env", "THEANO_FLAGS", flags)
    ]
    assert [(change.name, change.value) for change in found.changes] == [("THEANO_FLAGS", flags)]


def test_a_file_that_is_none() -> None:
    message = f"File contains no section headers.\nfile: {RC!r}, line: 1"
    outcome = failed(raised("configparser.MissingSectionHeaderError", message, READER))
    (found,) = judge("KD107", after(outcome, text="device cpu\n"))
    assert (found.cause, found.culprit) == ("keras-config-invalid", RC)
    assert (found.fixes[0].name, found.fixes[0].value) == ("THEANORC", "/dev/null")


NOTHING = {
    "nothing failed": world(THEANO_STACK),
    "not while the settings are read": after(
        failed(raised("ValueError", "device", f"{SITE}/theano/tensor/a.py")), "device=gpu"
    ),
    "a setting that nobody made": after(GPU, "floatX=float32"),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD107", context).startswith(QUIET)
