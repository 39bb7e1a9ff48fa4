"""KD206: the package, or something that it needs, is simply absent."""

from __future__ import annotations

import pytest

from keras_doctor.model import Outcome
from keras_doctor.rules.context import Context, Elsewhere
from rules.factory import (
    BARE_STACK,
    JAX_STACK,
    KERAS_210_STACK,
    PYTHON,
    QUIET,
    SCRIPT,
    TENSORFLOW_STACK,
    THEANO_STACK,
    Case,
    abstains,
    assert_case,
    copy,
    dist,
    failed,
    judge,
    missing,
    module,
    passed,
    raised,
    remnant,
    script,
    with_,
    without,
    world,
)

JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
NO_KERAS = without(JAX_STACK, "keras")


def install(*names: str) -> tuple[tuple[str, str | None], ...]:
    return (("install", f"{PYTHON} -m pip install {' '.join(names)}"),)


def lacking(*names: str, **more: object) -> Context:
    return world(without(JAX_STACK, *names), variables=JAX_VARIABLE, **more)  # type: ignore[arg-type]


KERAS_ITSELF = [
    Case(
        "beside JAX",
        world(NO_KERAS),
        "keras",
        "fatal",
        ("Keras is not installed",),
        install("keras"),
    ),
    Case(
        "and no backend",
        world(without(BARE_STACK, "keras")),
        "keras",
        "fatal",
        ("Keras is not installed",),
        install("keras", "tensorflow"),
    ),
    Case(
        "and not the wished backend",
        world(NO_KERAS, wish="torch"),
        "keras",
        "fatal",
        ("Keras is not installed",),
        install("keras", "torch"),
    ),
    Case(
        "the wished backend is there",
        world(NO_KERAS, wish="jax"),
        "keras",
        "fatal",
        ("Keras is not installed",),
        install("keras"),
    ),
    Case(
        "the program imports it",
        world(NO_KERAS, program=script("keras", "numpy")),
        "keras",
        "fatal",
        (),
        install("keras"),
    ),
    Case(
        "by uv where there is no pip",
        world(without(NO_KERAS, "pip")),
        "keras",
        "fatal",
        (),
        (("install", f"uv pip install --python {PYTHON} keras"),),
    ),
]


@pytest.mark.parametrize("case", KERAS_ITSELF, ids=lambda case: case.id)
def test_keras_itself(case: Case) -> None:
    found = assert_case("KD206", "not-installed", case)
    # What Keras would bring along is not missing by itself.
    assert {"not-installed:numpy", "not-installed:optree"} <= set(found.explains)
    assert "not-installed:keras" not in found.explains


def test_other_pythons_that_have_it_are_named() -> None:
    places = [
        Elsewhere("/a/python", ("keras 3.1.0", "jax 0.5.0")),
        Elsewhere("/b/python", ("keras-tuner 1.0",)),
    ]
    (found,) = judge("KD206", world(NO_KERAS, elsewhere=places))
    texts = [(e.text, e.where) for e in found.evidence]
    assert ("keras 3.1.0 is installed in another Python", "/a/python") in texts
    assert all(where != "/b/python" for _text, where in texts)


NEEDED = [
    Case(
        "optree",
        lacking("optree"),
        "optree",
        "likely",
        ("optree is not installed", "keras 3.8.0 needs it"),
        install("optree"),
    ),
    Case(
        "another spelling",
        lacking("ml_dtypes"),
        "ml-dtypes",
        "likely",
        ("ml-dtypes is not installed",),
        install("ml-dtypes"),
    ),
    Case(
        "an import name of its own",
        world(without(THEANO_STACK, "pyyaml"), variables={"KERAS_BACKEND": "theano"}),
        "pyyaml",
        "likely",
        ("pyyaml is not installed", "Keras 2.3.1 needs it"),
        install("pyyaml"),
    ),
    Case(
        "what the backend needs, in its version",
        world(without(TENSORFLOW_STACK, "protobuf")),
        "protobuf",
        "likely",
        ("protobuf is not installed", "tensorflow 2.18.1 needs it"),
        install("'protobuf<6,>=3.20.3'"),
    ),
    Case(
        "a folder without code is nothing",
        lacking("optree", modules=[remnant("optree")]),
        "optree",
        "likely",
        ("optree is not installed",),
        install("optree"),
    ),
    Case(
        "what an import was not seen to load",
        world(without(KERAS_210_STACK, "tensorflow-estimator")),
        "tensorflow-estimator",
        "risk",
        ("tensorflow-estimator is not installed",),
        install("'tensorflow-estimator<2.11,>=2.10.0'"),
    ),
    Case(
        "what only a requirement of a requirement needs",
        world(with_(JAX_STACK, dist("rich", "13.9.4", "pygments>=2.13")), variables=JAX_VARIABLE),
        "pygments",
        "risk",
        ("pygments is not installed", "rich 13.9.4 needs it"),
        install("'pygments>=2.13'"),
    ),
]


@pytest.mark.parametrize("case", NEEDED, ids=lambda case: case.id)
def test_needed(case: Case) -> None:
    assert_case("KD206", "not-installed", case)


def test_each_that_is_missing_is_told() -> None:
    found = judge("KD206", lacking("optree", "namex", "h5py"))
    assert [f.culprit for f in found] == ["namex", "h5py", "optree"]


def observed(*outcomes: Outcome, **more: object) -> Context:
    return world(variables=JAX_VARIABLE, outcomes=outcomes, **more)  # type: ignore[arg-type]


OBSERVED = [
    Case(
        "of the program",
        observed(failed(missing("pandas", SCRIPT))),
        "pandas",
        "risk",
        ("pandas is not installed", "your program imports it"),
        install("pandas"),
    ),
    Case(
        "of Keras, undeclared",
        observed(failed(missing("grain", "keras/src/trainers/x.py"))),
        "grain",
        "risk",
        ("grain is not installed", "keras 3.8.0 needs it"),
        install("grain"),
    ),
    Case(
        "under another name than the distribution's",
        observed(failed(missing("sklearn", "keras/src/wrappers.py"))),
        "scikit-learn",
        "risk",
        ("sklearn (distribution scikit-learn)",),
        install("scikit-learn"),
    ),
    Case(
        "first in a chain",
        observed(failed(missing("grain", "keras/a.py"), raised("RuntimeError", "no data"))),
        "grain",
        "risk",
        ("grain is not installed",),
        install("grain"),
    ),
    Case(
        "behind another cause",
        observed(passed(), failed(missing("pandas", SCRIPT))),
        "pandas",
        "risk",
        ("pandas is not installed",),
        install("pandas"),
    ),
]


@pytest.mark.parametrize("case", OBSERVED, ids=lambda case: case.id)
def test_observed(case: Case) -> None:
    assert_case("KD206", "not-installed", case)


def test_observed_and_declared_is_one_finding() -> None:
    context = lacking("optree", outcomes=[failed(missing("optree", "keras/src/tree.py"))])
    (found,) = judge("KD206", context)
    assert found.weight == "likely"


DEBIAN = "/usr/lib/python3/dist-packages"
NOTHING: dict[str, Context] = {
    "all is there": world(variables=JAX_VARIABLE),
    "TensorFlow": world(TENSORFLOW_STACK),
    "Theano": world(THEANO_STACK, variables={"KERAS_BACKEND": "theano"}),
    "Keras 2.10": world(KERAS_210_STACK),
    "an extra that nobody asked for": world(
        with_(JAX_STACK, dist("h5py", "3.12.1", "mpi4py; extra == 'mpi'")), variables=JAX_VARIABLE
    ),
    "for another Python": world(
        with_(JAX_STACK, dist("h5py", "3.12.1", 'typing-extensions; python_version < "3.11"')),
        variables=JAX_VARIABLE,
    ),
    "for another system": world(
        with_(JAX_STACK, dist("h5py", "3.12.1", 'pywin32; sys_platform == "win32"')),
        variables=JAX_VARIABLE,
    ),
    "for another processor": world(
        with_(JAX_STACK, dist("h5py", "3.12.1", 'nothing; platform_machine == "arm64"')),
        variables=JAX_VARIABLE,
    ),
    "needed by a package that nobody needs": world(
        with_(JAX_STACK, dist("pandas", "2.0", "pytz")), variables=JAX_VARIABLE
    ),
    "without metadata, as Debian may have it": lacking(
        "optree", modules=[module("optree", copy("optree", DEBIAN))]
    ),
    "an unreadable line": world(
        with_(JAX_STACK, dist("h5py", "3.12.1", "=broken=")), variables=JAX_VARIABLE
    ),
    "Keras without metadata": lacking("keras", modules=[module("keras", copy("keras", DEBIAN))]),
    "the program goes through tf_keras": world(NO_KERAS, program=script("tf_keras")),
    "a part of a package that is there": observed(failed(missing("keras.layers.merge", SCRIPT))),
    "a package that is there": observed(failed(missing("h5py", "keras/a.py"))),
    "another exception": observed(failed(raised("ImportError", "no", SCRIPT, name="pandas"))),
    "nobody knows what is missing": observed(failed(raised("ModuleNotFoundError", "x", SCRIPT))),
    "it passed": observed(passed()),
    "the files of an installed one are gone, another rule's": observed(
        failed(missing("optree", "keras/a.py")), modules=[module("optree")]
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD206", context).startswith(QUIET)
