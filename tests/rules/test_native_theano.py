"""KD506, KD703: what Theano compiles with, and where."""

from __future__ import annotations

import pytest

from keras_doctor.diagnosis import diagnose
from keras_doctor.rules.context import Context
from rules.factory import (
    HOME,
    JAX_STACK,
    QUIET,
    SITE,
    THEANO_STACK,
    abstains,
    config,
    failed,
    judge,
    passed,
    printed,
    raised,
    theano,
    world,
)

FLAGS = {"KERAS_BACKEND": "theano"}
WARNING = "WARNING (theano.configdefaults): g++ not detected ! Theano will be unable to execute"
LOCKED = failed(
    raised(
        "ValueError",
        f"Unable to create the compiledir directory '{HOME}/.theano/compiledir_Linux'. "
        "Check the permissions.",
        "theano/gof/compiledir.py",
    )
)


def chosen(flags: str | None = None, **fields: object) -> Context:
    """Keras 2.3 on Theano."""
    variables = {**FLAGS, **({"THEANO_FLAGS": flags} if flags is not None else {})}
    return world(THEANO_STACK, variables=variables, **fields)  # type: ignore[arg-type]


def causes(context: Context) -> list[tuple[str, str, str]]:
    return [(f.cause, f.culprit, f.confidence) for f in diagnose(context).causes]


# -- KD506

NONE = theano(compiler=None)


def test_a_compiler_that_is_not_there() -> None:
    facts = theano(cxx="/opt/g++", cxx_where="THEANO_FLAGS", compiler=None)
    context = chosen("device=cpu,cxx=/opt/g++", theano=facts)
    (found,) = judge("KD506", context)
    assert (found.culprit, found.weight) == ("THEANO_FLAGS", "fatal")
    assert found.fixes[0].command == "export THEANO_FLAGS=device=cpu"
    assert found.changes[0].value == "device=cpu"
    message = "[Errno 2] No such file or directory: '/opt/g++'"
    outcome = failed(raised("AssertionError", message, "theano/configdefaults.py"))
    seen = chosen("cxx=/opt/g++", theano=facts, outcomes=(outcome,))
    assert causes(seen) == [("compiler-missing", "THEANO_FLAGS", "certain")]
    assert judge("KD506", seen)[0].fixes[0].command == "unset THEANO_FLAGS"


def test_a_line_of_theanorc() -> None:
    where = f"{HOME}/.theanorc:2"
    (found,) = judge("KD506", chosen(theano=theano(cxx="/opt/g++", cxx_where=where, compiler=None)))
    assert (found.culprit, found.fixes[0].name) == (f"{HOME}/.theanorc", where)


def test_no_compiler_is_slow_and_no_cause() -> None:
    for outcomes in ((), (passed("theano"),)):
        context = chosen(theano=NONE, outcomes=outcomes)
        (found,) = judge("KD506", context)
        assert (found.culprit, found.weight) == ("g++", "risk")
        diagnosis = diagnose(context)
        assert diagnosis.causes == ()
        assert [f.cause for f in diagnosis.notes] == ["compiler-missing"]


def test_a_program_that_asks_for_the_compiler() -> None:
    failure = failed(
        raised("AssertionError", "", "/home/ada/project/train.py"),
        kind="command",
        output=f"{WARNING}\nTraceback (most recent call last):\nAssertionError\n",
    )
    context = chosen(theano=NONE, outcomes=(failure, passed("theano", output=WARNING)))
    assert causes(context) == [("compiler-missing", "g++", "likely")]
    silent = failure._replace(output="AssertionError\n")
    context = chosen(theano=NONE, outcomes=(silent, passed("theano")))
    assert [c[0] for c in causes(context)] == ["unknown"]


def test_an_import_that_fails_for_another_reason() -> None:
    failure = failed(raised("AttributeError", "x", "theano/a.py"), output=WARNING)
    assert [c[0] for c in causes(chosen(theano=NONE, outcomes=(failure,)))] == ["unknown"]


def test_theano_says_it_in_its_exception() -> None:
    failure = failed(raised("AssertionError", "g++ not available!", "theano/a.py"))
    assert causes(chosen(theano=NONE, outcomes=(failure,))) == [
        ("compiler-missing", "g++", "certain")
    ]


def test_an_empty_setting() -> None:
    facts = theano(cxx="", cxx_where="THEANO_FLAGS", compiler=None)
    (found,) = judge("KD506", chosen("cxx=", theano=facts))
    assert found.weight == "risk"
    assert "empty" in found.evidence[0].text


@pytest.mark.parametrize(
    "context",
    [
        chosen(),
        world(JAX_STACK, variables={"KERAS_BACKEND": "jax"}, theano=NONE),
        world(JAX_STACK, outcomes=(printed(WARNING),)),
    ],
    ids=["g++ is there", "Theano is not chosen", "nothing of Theano"],
)
def test_a_compiler_is_there_or_not_needed(context: Context) -> None:
    assert abstains("KD506", context).startswith(QUIET)


def test_theano_was_not_looked_at() -> None:
    assert abstains("KD506", chosen(theano=None)).startswith("Skip: ")


# -- KD703


def test_a_home_that_is_locked() -> None:
    locked = theano(compiledir_writable=False)
    context = chosen("device=cpu", theano=locked)
    (found,) = judge("KD703", context)
    assert (found.culprit, found.weight) == ("HOME", "likely")
    assert found.fixes[0].command == ("export THEANO_FLAGS=device=cpu,base_compiledir=/tmp/theano")
    assert causes(chosen(theano=locked, outcomes=(LOCKED,))) == [
        ("network-or-permission", "HOME", "certain")
    ]
    assert causes(chosen(theano=locked, outcomes=(passed("theano"),))) == []


def test_a_folder_that_somebody_chose() -> None:
    facts = theano(
        compiledir="/srv/theano", compiledir_where="THEANO_FLAGS", compiledir_writable=False
    )
    (found,) = judge("KD703", chosen("base_compiledir=/srv/theano", theano=facts))
    assert found.culprit == "THEANO_FLAGS"
    assert found.fixes[0].value == "base_compiledir=/tmp/theano"
    facts = facts._replace(compiledir_where=f"{HOME}/.theanorc:3")
    assert judge("KD703", chosen(theano=facts))[0].culprit == f"{HOME}/.theanorc"


def test_without_a_compiler_nothing_is_written() -> None:
    locked = theano(compiledir_writable=False, compiler=None)
    assert [f.weight for f in judge("KD703", chosen(theano=locked))] == ["risk"]


def refused(path: str, number: int = 13) -> Context:
    text = f"[Errno {number}] Permission denied: '{path}'"
    outcome = failed(raised("PermissionError", text, "matplotlib/__init__.py"))
    configs = [config(path="/conf/.keras/keras.json")]
    return world(variables={"KERAS_BACKEND": "jax"}, outcomes=(outcome,), configs=configs)


def test_a_run_was_refused() -> None:
    assert causes(refused(f"{HOME}/.cache/x")) == [("network-or-permission", "HOME", "certain")]
    assert causes(refused("/var/lib/x/y", 30)) == [
        ("network-or-permission", "/var/lib/x", "certain")
    ]


@pytest.mark.parametrize(
    "context",
    [
        chosen(),
        refused(f"{SITE}/keras/a.py"),
        refused("/conf/.keras/keras.json"),
        world(JAX_STACK, theano=theano(compiledir_writable=False)),
        chosen(outcomes=(failed(raised("FileNotFoundError", f"[Errno 2] No: '{HOME}/x'")),)),
    ],
    ids=["all is open", "a package's file", "the configuration", "not chosen", "not there"],
)
def test_nothing_was_refused(context: Context) -> None:
    assert abstains("KD703", context).startswith(QUIET)
