"""KD303 and KD304: two sets of metadata, and the files of two releases."""

from __future__ import annotations

import pytest

from keras_doctor.model import FileAnomaly, FileCheck
from keras_doctor.rules.context import Context
from keras_doctor.signs import matches
from rules.factory import (
    JAX_STACK,
    PYTHON,
    QUIET,
    SITE,
    Case,
    abstains,
    anomaly,
    assert_case,
    dist,
    failed,
    files,
    judge,
    raised,
    with_,
    world,
)

NUMPY = dist("numpy", "2.2.1")
OLDER = dist("numpy", "1.26.4")
BOTH_GONE = f"rm -r {SITE}/numpy {SITE}/numpy-2.2.1.dist-info {SITE}/numpy-1.26.4.dist-info"


def changed(number: int, by: int = 30) -> list[FileAnomaly]:
    """Files of numpy with another size than recorded."""
    return [anomaly(f"numpy/a{n}.py", "size", 100, 100 + by) for n in range(number)]


def checked(*checks: FileCheck, **more: object) -> Context:
    done = {check.metadata: check for check in checks}
    rows = tuple(done.pop(d.metadata, files(d)) for d in JAX_STACK.distributions)
    return world(variables={"KERAS_BACKEND": "jax"}, files=(*rows, *done.values()), **more)  # type: ignore[arg-type]


def numpy(*anomalies: FileAnomaly, **changes: object) -> Context:
    return checked(files(NUMPY, *anomalies, **changes))  # type: ignore[arg-type]


TWICE = [
    Case(
        "the files are those of the newer",
        checked(files(OLDER, *changed(9), code_version="2.2.1"), beside=[OLDER]),
        "numpy",
        "risk",
        ("numpy is recorded twice", "2.2.1 and 1.26.4", "the files are those of 2.2.1"),
        (("delete", BOTH_GONE), ("install", f"{PYTHON} -m pip install numpy==2.2.1")),
    ),
    Case(
        "the files are those of the older",
        checked(
            files(NUMPY, *changed(9), code_version="1.26.4"),
            files(OLDER, code_version="1.26.4"),
            beside=[OLDER],
        ),
        "numpy",
        "risk",
        ("the files are those of 1.26.4",),
        (("delete", BOTH_GONE), ("install", f"{PYTHON} -m pip install numpy==2.2.1")),
    ),
    Case(
        "the code does not say, and the sizes do",
        checked(
            files(NUMPY, *changed(9), code_version=None),
            files(OLDER, code_version=None),
            beside=[OLDER],
        ),
        "numpy",
        "risk",
        ("the files are those of 1.26.4",),
        (("delete", BOTH_GONE), ("install", f"{PYTHON} -m pip install numpy==2.2.1")),
    ),
    Case(
        "what the others need decides which to keep",
        world(
            with_(JAX_STACK, dist("h5py", "3.12.1", "numpy<2")),
            beside=[OLDER],
            variables={"KERAS_BACKEND": "jax"},
        ),
        "numpy",
        "risk",
        ("recorded twice",),
        (("delete", BOTH_GONE), ("install", f"{PYTHON} -m pip install numpy==1.26.4")),
    ),
]


@pytest.mark.parametrize("case", TWICE, ids=lambda case: case.id)
def test_recorded_twice(case: Case) -> None:
    found = assert_case("KD303", "duplicate-metadata", case)
    assert {"mixed-version-files:numpy", "altered-files:numpy+"} <= set(found.explains)


def test_three_times() -> None:
    third = dist("numpy", "1.21.0")
    (found,) = judge("KD303", checked(beside=[OLDER, third]))
    assert "2.2.1, 1.26.4 and 1.21.0" in found.title


NOT_TWICE: dict[str, Context] = {
    "once": checked(),
    "the same version twice": checked(
        beside=[NUMPY._replace(metadata=f"{SITE}/NumPy-2.2.1.egg-info")]
    ),
    "in another folder, another rule's": checked(
        beside=[OLDER._replace(location="/elsewhere", metadata="/elsewhere/numpy-1.26.4.dist-info")]
    ),
    "of a package that nobody needs": checked(
        beside=[dist("pandas", "1.0"), dist("pandas", "2.0")]
    ),
    "a package with a similar name": checked(beside=[dist("numpy-financial", "1.0")]),
}


@pytest.mark.parametrize("context", NOT_TWICE.values(), ids=NOT_TWICE.keys())
def test_recorded_once(context: Context) -> None:
    assert abstains("KD303", context).startswith(QUIET)


REMOVE = (
    ("delete", f"rm -r {SITE}/numpy"),
    ("reinstall", f"{PYTHON} -m pip install --force-reinstall --no-deps numpy==2.2.1"),
)
MIXED = [
    Case(
        "the code says another release",
        numpy(*changed(8), code_version="1.26.4"),
        "numpy",
        "likely",
        ("numpy 2.2.1", "files of two releases"),
        REMOVE,
    ),
    Case(
        "files have grown, and there are others",
        numpy(*changed(8), unrecorded=(f"{SITE}/numpy/x.py",), unrecorded_total=20),
        "numpy",
        "likely",
        ("numpy 2.2.1",),
        REMOVE,
    ),
    Case(
        "smaller and larger, and the code says another release",
        numpy(*changed(4), *changed(4, -30), code_version="2.3.0"),
        "numpy",
        "likely",
        ("numpy 2.2.1",),
        REMOVE,
    ),
]


@pytest.mark.parametrize("case", MIXED, ids=lambda case: case.id)
def test_mixed(case: Case) -> None:
    found = assert_case("KD304", "mixed-version-files", case)
    assert {"altered-files:numpy", "missing-files:numpy"} <= set(found.explains)


def test_the_evidence_of_a_mixture() -> None:
    context = numpy(
        *changed(8),
        code_version="1.26.4",
        unrecorded=(f"{SITE}/numpy/x.py", f"{SITE}/numpy/y.py", f"{SITE}/numpy/z.py"),
        unrecorded_total=21,
    )
    (found,) = judge("KD304", context)
    texts = [e.text for e in found.evidence]
    assert texts[:3] == [
        "the metadata says 2.2.1, the code says 1.26.4",
        "8 files with another size than shipped",
        "21 files that no record knows",
    ]
    assert [e.where for e in found.evidence[3:]] == [f"{SITE}/numpy/x.py", f"{SITE}/numpy/y.py"]


NOT_MIXED: dict[str, Context] = {
    "nothing is odd": checked(),
    "a few edited files": numpy(*changed(4), unrecorded_total=3),
    "many edited files, and nothing else": numpy(*changed(50)),
    "many unrecorded files, and nothing else": numpy(unrecorded_total=100),
    "the code says another version, and nothing else": numpy(code_version="1.0"),
    "a few edited files, and another version": numpy(*changed(4), code_version="1.0"),
    "emptied files are damage": numpy(*changed(9, -100), unrecorded_total=1, code_version="1.0"),
    "cut files are damage": numpy(*changed(9, -30), unrecorded_total=1),
    "missing files are damage": numpy(*[anomaly(f"numpy/{n}.py") for n in range(9)]),
    "a local version of the same release": numpy(*changed(9), code_version="2.2.1+cpu"),
    "a shorter version of the same release": numpy(*changed(9), code_version="2.2"),
    "edited tests": numpy(
        *[anomaly(f"numpy/tests/a{n}.py", "size", 100, 130) for n in range(9)],
        code_version="1.0",
    ),
    "of a distribution that is gone": checked(
        files(dist("old", "1"), *changed(9), code_version="2")
    ),
}


@pytest.mark.parametrize("context", NOT_MIXED.values(), ids=NOT_MIXED.keys())
def test_not_mixed(context: Context) -> None:
    assert abstains("KD304", context).startswith(QUIET)


@pytest.mark.parametrize(
    ("message", "file", "expected"),
    [
        ("cannot import name 'a' from 'numpy.core'", f"{SITE}/numpy/core/x.py", True),
        ("numpy.core.multiarray failed to import", f"{SITE}/h5py/__init__.py", True),
        ("no such option", f"{SITE}/h5py/__init__.py", False),
        ("numpyro is missing", f"{SITE}/h5py/__init__.py", False),
    ],
)
def test_signs_of_double_metadata(message: str, file: str, expected: bool) -> None:
    (found,) = judge("KD303", checked(beside=[OLDER]))
    outcome = failed(raised("ImportError", message, file))
    assert any(matches(s, outcome) for s in found.signs if not s.weak) is expected
