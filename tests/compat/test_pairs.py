"""What is declared and what was seen of two releases."""

from __future__ import annotations

from typing import Any

import pytest

from compat.compat_builders import EDGES, PACKAGES, base, built, edge, rel
from keras_doctor.compat.declared import NOT_READ, declared
from keras_doctor.compat.family import family_of, subject_of
from keras_doctor.compat.pair import contradiction, pair
from keras_doctor.compat.seen import fails_alone, seen, were_measured
from keras_doctor.compat.where import Where
from keras_doctor.knowledge.measured import series

LINUX = Where("3.11", "linux", "x86_64")
WINDOWS = Where("3.11", "windows", "x86_64")


def test_names_of_one_package() -> None:
    assert "tensorflow-cpu" in family_of("TensorFlow")
    assert subject_of("tensorflow_cpu") == "tensorflow"
    assert family_of("jax") == ("jax",)
    assert family_of("jaxlib") == ("jaxlib",)
    assert family_of("Ml_Dtypes") == ("ml-dtypes",)


def test_declared_in_both_directions(build: Any) -> None:
    build(PACKAGES)
    found = declared("tensorflow", "2.10.1", "keras", LINUX)
    assert found.by == "tensorflow 2.10.1"
    assert found.accepts("2.10.0") is True
    assert found.accepts("2.15.0") is False
    assert declared("keras", "2.10.0", "tensorflow", LINUX).accepts("2.10.1") is None
    assert pair("keras", "2.15.0", "tensorflow", "2.10.1", LINUX).declared == "forbids"
    assert pair("tensorflow", "2.10.1", "keras", "2.10.0", LINUX).declared == "accepts"
    assert pair("tensorflow", "2.10.1", "six", "1.16.0", LINUX).declared == "silent"


def test_a_variant_speaks_and_is_spoken_of(build: Any) -> None:
    build(
        {
            "tensorflow": [rel("2.18.0", read=False)],
            "tensorflow-cpu": [rel("2.18.0", "keras>=3.5")],
            "tf-keras": [rel("2.18.0", "tensorflow<2.19,>=2.18")],
            "keras": [rel("3.4.0")],
        }
    )
    found = declared("tensorflow", "2.18.0", "keras", LINUX)
    assert (found.by, found.accepts("3.4.0")) == ("tensorflow-cpu 2.18.0", False)
    assert declared("tf-keras", "2.18.0", "tensorflow-cpu", LINUX).accepts("2.19.0") is False


def test_on_windows_another_name_holds_the_requirements(build: Any) -> None:
    on = (("windows-x86_64", ("tensorflow-intel==2.15.0",)),)
    build(
        {
            "tensorflow": [rel("2.15.0", "keras<2.16", on=on)],
            "tensorflow-intel": [rel("2.15.0", "keras<2.15.5,>=2.15")],
        }
    )
    assert declared("tensorflow", "2.15.0", "keras", LINUX).specifier == "<2.16"
    found = declared("tensorflow", "2.15.0", "keras", WINDOWS)
    assert (found.by, found.specifier) == ("tensorflow-intel 2.15.0", "<2.15.5,>=2.15")


def test_markers_and_extras(build: Any) -> None:
    lines = (
        "numpy<2 ; python_version < '3.11'",
        "numpy>=2 ; python_version >= '3.11'",
        "numpy==1.0 ; extra == 'old'",
        "pytest ; sys_platform == 'win32'",
    )
    build({"keras": [rel("3.0.0", *lines)]})
    assert declared("keras", "3.0.0", "numpy", LINUX).specifier == ">=2"
    assert declared("keras", "3.0.0", "numpy", LINUX._replace(python="3.9")).specifier == "<2"
    assert not declared("keras", "3.0.0", "pytest", LINUX).lines
    assert declared("keras", "3.0.0", "pytest", WINDOWS).lines


def test_what_was_not_read_is_said(build: Any) -> None:
    build({"keras": [rel("3.0.0", read=False)], "six": [rel("1.16.0")]})
    assert declared("keras", "3.0.0", "six", LINUX) == NOT_READ
    assert declared("keras", "99", "six", LINUX) == NOT_READ
    assert pair("keras", "3.0.0", "six", "1.16.0", LINUX).declared == "not-read"


def look(version: str, other: str, python: str = "3.11", dependency: str = "keras") -> bool | None:
    found = seen("tensorflow", version, dependency, other, python)
    return None if found is None else found.works


def test_seen_in_either_order(build: Any) -> None:
    build(PACKAGES, EDGES)
    assert were_measured("keras", "tensorflow-cpu")
    assert not were_measured("keras", "numpy")
    assert look("2.10.1", "2.10.0") is True
    assert look("2.10.0", "2.15.0") is False  # the same series
    assert look("2.11.0", "2.15.0") is None
    assert look("2.16.2", "2.15.0") is False
    turned = seen("keras", "3.5.0", "tensorflow-cpu", "2.16.1", "3.11")
    assert turned is not None
    assert (turned.works, turned.subject) == (True, "tensorflow 2.16.2")


def test_releases_before_one_stand_for_themselves(build: Any) -> None:
    assert series("0.4.35") != series("0.4.30")
    assert series("2.10.0") == series("2.10.1")
    build({}, [edge("jax 0.4.35", "jaxlib", ("0.4.34", "0.4.35"), older="0.4.33")])
    assert seen("jax", "0.4.35", "jaxlib", "0.4.33", "3.11") is not None
    assert seen("jax", "0.4.30", "jaxlib", "0.4.33", "3.11") is None


def test_one_failure_is_enough_and_an_import_tells_more(build: Any) -> None:
    saving = "save and load with tf.keras"
    rows = [
        edge("tensorflow 2.1.0", "h5py", ("2.10.0", "3.1.0")),
        edge("tensorflow 2.1.0", "h5py", ("2.10.0", "2.10.0"), newer="3.0.0", statement=saving),
    ]
    build({}, rows)
    found = seen("tensorflow", "2.1.0", "h5py", "3.0.0", "3.11")
    assert found is not None
    assert (found.works, found.statement, found.failure) == (False, saving, "TypeError")
    assert look("2.1.0", "2.10.0", dependency="h5py") is True


def test_this_python_first_then_the_nearest(build: Any) -> None:
    rows = [
        edge("tensorflow 2.5.0", "numpy", ("1.19.0", "1.20.0"), newer="1.21.0", python="3.6"),
        edge("tensorflow 2.5.0", "numpy", ("1.19.0", "1.23.0"), newer="1.24.0", python="3.9"),
    ]
    build({}, rows)
    assert look("2.5.0", "1.22.0", "3.9", "numpy") is True
    assert look("2.5.0", "1.22.0", "3.6", "numpy") is False
    assert look("2.5.0", "1.22.0", "3.8", "numpy") is True
    assert look("2.5.0", "1.22.0", "3.7", "numpy") is False


def test_what_an_environment_began_with_worked_too(build: Any) -> None:
    rows = [edge("tensorflow 2.5.0", "numpy", ("1.23.0", "1.23.0"))]
    build({}, rows, [base("tensorflow 2.5.0", numpy="1.19.5", h5py="3.1.0")])
    assert look("2.5.0", "1.21.0", dependency="numpy") is True
    assert look("2.5.0", "1.19.4", dependency="numpy") is None
    assert look("2.5.0", "3.1.0", dependency="h5py") is True
    assert look("2.5.0", "3.2.0", dependency="h5py") is None


def test_what_fails_alone_fails_on_newer_pythons(build: Any) -> None:
    bases = [base("theano 1.0.5", "3.8"), base("theano 1.0.5", "3.10", works=False)]
    build({}, [], bases)
    assert fails_alone("theano", "1.0.5", "3.8") is None
    assert fails_alone("theano", "1.0.5", "3.9") is None
    assert fails_alone("theano", "1.0.4", "3.10") is not None
    assert fails_alone("theano", "1.0.5", "3.13t") is not None
    assert fails_alone("theano", "0.9.0", "3.13") is not None  # it knew no more of that Python
    assert fails_alone("theano", "0.9.0", "3.9") is None
    assert fails_alone("theano", "1.1.0", "3.13") is None


@pytest.mark.parametrize(
    ("says", "works", "expected"),
    [
        ("accepts", False, "accepts-what-fails"),
        ("silent", False, "accepts-what-fails"),
        ("forbids", True, "forbids-what-works"),
        ("forbids", False, None),
        ("accepts", True, None),
        ("not-read", False, None),
        ("forbids", None, None),
    ],
)
def test_contradictions(says: str, works: bool | None, expected: str | None) -> None:
    assert contradiction(says, works) == expected


def test_built_says_what_it_means() -> None:
    assert built("3.9") == ("cp39-cp39-manylinux2014_x86_64",)


@pytest.mark.parametrize(
    ("keras", "backend", "known"),
    [
        ("3.10.0", "theano", False),
        ("2.3.1", "jax", False),
        ("2.15.0", "torch", False),
        ("3.5.0", "openvino", False),
        ("3.10.0", "openvino", True),
        ("3.10.0", "jax", True),
        ("2.3.1", "theano", True),
        ("1.0.3", "numpy", True),
    ],
)
def test_a_backend_that_keras_does_not_have_is_refused(
    keras: str, backend: str, known: bool
) -> None:
    found = declared("keras", keras, backend, LINUX)
    assert (found.accepts("1.0") is not False) is known
    assert (f"keras {keras}" == found.by) or known
