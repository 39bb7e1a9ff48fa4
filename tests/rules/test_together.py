"""KD402, KD403, KD404, KD405, KD407: what was measured, and what a failure shows by itself."""

from __future__ import annotations

import pytest

from keras_doctor.diagnosis import diagnose
from keras_doctor.model import Distribution, Frame, Raised, Snapshot
from keras_doctor.rules.context import Context
from rules.factory import (
    JAX_STACK,
    KERAS_210_STACK,
    PROJECT,
    SITE,
    STDLIB,
    TENSORFLOW_STACK,
    THEANO_STACK,
    Stack,
    anomaly,
    dist,
    failed,
    files,
    frame,
    judge,
    local,
    of_keras,
    passed,
    raised,
    with_,
    world,
)

THEANO = {"KERAS_BACKEND": "theano"}
JAX = {"KERAS_BACKEND": "jax"}
OLD_TF = dist("tensorflow", "1.15.0", imports=("tensorflow", "tensorflow_core"))
NEW_TF = dist("tensorflow", "2.2.0")


def after(exception: Raised, stack: Stack, **more: object) -> Context:
    """The world of a stack in which the import raised this."""
    return world(stack, outcomes=[failed(exception)], **more)  # type: ignore[arg-type]


def causes(context: Context) -> list[tuple[str, str]]:
    return [(f.cause, f.culprit.lower()) for f in diagnose(context).causes]


def answered(exception: Raised, file: str) -> Raised:
    """The same, raised by the answering function of the module that was asked."""
    own = Frame(file=file, line=1, function="__getattr__", text=None)
    return exception._replace(frames=(*exception.frames, own))


SHOWN = {
    "numpy answers for itself": (
        after(
            answered(
                raised(
                    "AttributeError",
                    "module 'numpy' has no attribute 'bool'",
                    f"{SITE}/theano/t.py",
                ),
                f"{SITE}/numpy/__init__.py",
            ),
            with_(THEANO_STACK, dist("numpy", "1.24.4"))._replace(python="3.9.18"),
            variables=THEANO,
        ),
        ("undeclared-incompatibility", "numpy"),
    ),
    "Keras asks numpy, which is no backend": (
        after(
            raised(
                "ImportError", "cannot import name 'x' from 'numpy.y'", f"{SITE}/keras/src/a.py"
            ),
            TENSORFLOW_STACK,
        ),
        ("undeclared-incompatibility", "numpy"),
    ),
    "Keras asks its backend": (
        after(
            raised(
                "AttributeError",
                "module 'tensorflow' has no attribute 'get_default_graph'",
                f"{PROJECT}/train.py",
                f"{SITE}/keras/backend/tensorflow_backend.py",
            ),
            of_keras("2.2.4", NEW_TF),
        ),
        ("keras-backend-mismatch", "keras"),
    ),
    "Theano asks numpy": (
        after(
            raised(
                "AttributeError",
                "module 'numpy.distutils.__config__' has no attribute 'blas_opt_info'",
                f"{SITE}/theano/configdefaults.py",
                f"{STDLIB}/configparser.py",
            ),
            with_(THEANO_STACK, dist("numpy", "1.22.4")),
            variables=THEANO,
        ),
        ("undeclared-incompatibility", "numpy"),
    ),
    "jax asks jaxlib": (
        after(
            raised("ImportError", "cannot import name 'ffi' from 'jaxlib'", f"{SITE}/jax/x.py"),
            JAX_STACK,
            variables=JAX,
        ),
        ("tensorflow-variant-or-plugin-mismatch", "jaxlib"),
    ),
    "a module of numpy is gone": (
        after(
            raised(
                "ModuleNotFoundError",
                "No module named 'numpy.rec_old'",
                f"{SITE}/h5py/_hl/base.py",
                name="numpy.rec_old",
            ),
            TENSORFLOW_STACK,
        ),
        ("undeclared-incompatibility", "numpy"),
    ),
    "compiled for another numpy": (
        after(
            raised(
                "ValueError",
                "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from "
                "C header, got 88 from PyObject",
                f"{SITE}/h5py/__init__.py",
            ),
            TENSORFLOW_STACK,
        ),
        ("abi-mismatch", "h5py"),
    ),
    "compiled from Cython, whose frames name the source": (
        after(
            raised(
                "ValueError",
                "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from "
                "C header, got 88 from PyObject",
            )._replace(
                frames=(
                    frame(f"{SITE}/h5py/__init__.py"),
                    frame("")._replace(file="h5py/_errors.pyx"),
                    frame("")._replace(file="__init__.cython-30.pxd"),
                )
            ),
            JAX_STACK,
            variables=JAX,
        ),
        ("abi-mismatch", "h5py"),
    ),
    "a backend that was compiled for another numpy": (
        after(
            raised(
                "ImportError",
                "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from "
                "C header, got 88 from PyObject",
                f"{SITE}/theano/tensor/basic.py",
            ),
            THEANO_STACK,
            variables=THEANO,
        ),
        ("abi-mismatch", "numpy"),
    ),
    "Python's own module lost a name": (
        after(
            raised(
                "ImportError",
                "cannot import name 'Iterable' from 'collections'",
                f"{SITE}/keras/callbacks/callbacks.py",
            ),
            THEANO_STACK._replace(python="3.10.13"),
            variables=THEANO,
        ),
        ("python-unsupported", "python"),
    ),
    "Python lost a module": (
        after(
            raised(
                "ModuleNotFoundError",
                "No module named 'imp'",
                f"{SITE}/tensorflow/python/pywrap.py",
                name="imp",
            ),
            KERAS_210_STACK._replace(python="3.12.1"),
        ),
        ("python-unsupported", "python"),
    ),
}


@pytest.mark.parametrize(("context", "expected"), SHOWN.values(), ids=SHOWN.keys())
def test_a_failure_shows_who_does_not_go_with_whom(
    context: Context, expected: tuple[str, str]
) -> None:
    assert causes(context) == [expected]


def damaged(stack: Stack, name: str) -> tuple[object, ...]:
    (found,) = (d for d in stack.distributions if d.name == name)
    return (files(found, anomaly(f"{name}/core.py", "size")),)


QUIET = {
    "the user's own line": after(
        raised("AttributeError", "module 'tensorflow' has no attribute 'Session'", "/home/a/t.py"),
        of_keras("2.3.1", NEW_TF),
    ),
    "half loaded": after(
        raised(
            "ImportError",
            "cannot import name 'ffi' from partially initialized module 'jaxlib' (most likely due "
            "to a circular import)",
            f"{SITE}/jax/x.py",
        ),
        JAX_STACK,
        variables=JAX,
    ),
    "its own part": after(
        raised("ImportError", "cannot import name 'a' from 'jax.b'", f"{SITE}/jax/x.py"),
        JAX_STACK,
        variables=JAX,
    ),
    "its own part, whoever asked for the whole": after(
        raised(
            "ImportError",
            "No module named 'numpy._core._multiarray_umath'",
            f"{SITE}/keras/src/a.py",
            f"{SITE}/numpy/_core/multiarray.py",
        ),
        TENSORFLOW_STACK,
    ),
    "damaged files": after(
        raised("ImportError", "cannot import name 'ffi' from 'jaxlib'", f"{SITE}/jax/x.py"),
        JAX_STACK,
        variables=JAX,
        files=damaged(JAX_STACK, "jaxlib"),
    ),
    "something else": after(
        raised("ValueError", "x must not be negative", f"{SITE}/jax/x.py"),
        JAX_STACK,
        variables=JAX,
    ),
    "a file of the user's in the place of Python's module": after(
        raised(
            "ImportError",
            "cannot import name 'Random' from 'random' (/home/ada/project/random.py)",
            f"{SITE}/keras/src/utils/x.py",
        ),
        TENSORFLOW_STACK,
        locals_=(local("random"),),
    ),
    "Python's own code asked": after(
        raised(
            "ImportError",
            "cannot import name 'Random' from 'random'",
            f"{SITE}/keras/src/utils/x.py",
            f"{STDLIB}/tempfile.py",
        ),
        TENSORFLOW_STACK,
    ),
    "a Python that still has the module": after(
        raised(
            "ModuleNotFoundError", "No module named 'imp'", f"{SITE}/tensorflow/x.py", name="imp"
        ),
        KERAS_210_STACK._replace(python="3.9.18"),
    ),
}
CODES = ("KD402", "KD403", "KD404", "KD405", "KD407")


@pytest.mark.parametrize("context", QUIET.values(), ids=QUIET.keys())
def test_other_failures_show_nothing_of_the_kind(context: Context) -> None:
    assert [found.title for code in CODES for found in judge(code, context)] == []


def tensorflow_210(python: str, *changed: Distribution) -> Context:
    return world(with_(KERAS_210_STACK, *changed)._replace(python=python))


def test_a_measured_boundary_is_likely_without_a_run() -> None:
    context = tensorflow_210("3.10.13", dist("numpy", "2.1.0"))
    (found,) = judge("KD405", context)
    assert (found.culprit, found.weight) == ("numpy", "likely")
    assert "tensorflow 2.10.1" in found.title
    assert "numpy==1.26.4" in (found.fixes[0].command or "")
    assert any("measured on Python 3.10" in (e.where or "") for e in found.evidence)
    (cause,) = diagnose(context).causes
    assert cause.confidence == "likely"


def test_what_was_measured_on_another_python_makes_nothing_certain() -> None:
    message = "Unable to convert function return value to a Python type! The signature was"
    error = raised("TypeError", message, f"{SITE}/tensorflow/python/framework/dtypes.py")
    stack = with_(KERAS_210_STACK, dist("numpy", "2.0.2"))._replace(python="3.6.15")
    (found,) = judge("KD405", world(stack))
    assert all(one.weak for one in found.signs)
    assert causes(after(error, stack)) == [("abi-mismatch", "numpy")]


def test_a_measured_boundary_is_a_note_where_it_works() -> None:
    stack = with_(KERAS_210_STACK, dist("numpy", "2.1.0"))._replace(python="3.10.13")
    diagnosis = diagnose(world(stack, outcomes=[passed("tensorflow")]))
    assert diagnosis.causes == ()
    assert [f.cause for f in diagnosis.notes] == ["abi-mismatch"]


def test_within_the_boundaries_nothing_is_said() -> None:
    for version in ("1.23.5", "1.26.4"):
        assert judge("KD405", tensorflow_210("3.10.13", dist("numpy", version))) == []


def test_one_distribution_is_one_finding_whoever_complains() -> None:
    context = tensorflow_210("3.10.13", dist("protobuf", "4.21.12", imports=("google",)))
    (found,) = judge("KD401", context)
    assert found.weight == "likely"
    assert "needs protobuf<3.20" in found.title
    assert judge("KD402", context) == []


def test_facts_may_be_missing() -> None:
    context = world(Stack("3.12.7", ()))
    assert isinstance(context.snapshot, Snapshot)
    assert [judge(code, context) for code in CODES if code != "KD404"] == [[]] * 4
