"""KD204: two distributions own one import name."""

from __future__ import annotations

import pytest

from keras_doctor.model import Distribution, FileCheck
from keras_doctor.rules.context import Context
from rules.factory import (
    JAX_STACK,
    PYTHON,
    QUIET,
    TENSORFLOW,
    TENSORFLOW_STACK,
    Case,
    Stack,
    abstains,
    anomaly,
    assert_case,
    dist,
    files,
    judge,
    with_,
    world,
)

TF = TENSORFLOW[0]
CPU = dist("tensorflow-cpu", "2.18.1", *TF.requires, imports=("tensorflow",))
NIGHTLY = dist("keras-nightly", "3.9.0.dev1", imports=("keras",))
KERAS = JAX_STACK.distributions[0]
CPU_ONLY = Stack(
    TENSORFLOW_STACK.python,
    tuple(CPU if d.name == "tensorflow" else d for d in TENSORFLOW_STACK.distributions),
)
BOTH = with_(TENSORFLOW_STACK, CPU)


def reinstall(distribution: Distribution) -> tuple[str, str]:
    wanted = f"{distribution.name}=={distribution.version}"
    return ("reinstall", f"{PYTHON} -m pip install --force-reinstall --no-deps {wanted}")


def checked(stack: Stack, *checks: FileCheck, **more: object) -> Context:
    done = {check.metadata: check for check in checks}
    return world(
        stack,
        files=tuple(done.get(d.metadata, files(d)) for d in stack.distributions),
        **more,  # type: ignore[arg-type]
    )


def gone(distribution: Distribution, share: float = 1.0) -> FileCheck:
    """Nearly all files are missing; the list in the snapshot holds at most 200."""
    total = round(1000 * share)
    listed = [anomaly(f"tensorflow/{n}.py") for n in range(min(total, 200))]
    return files(distribution, *listed, checked=1000, anomalies_total=total)


CASES = [
    Case(
        "tensorflow-cpu was removed",
        checked(TENSORFLOW_STACK, gone(TF)),
        "tensorflow",
        "fatal",
        ("The files of tensorflow 2.18.1 are gone", "tensorflow-cpu"),
        (reinstall(TF),),
    ),
    Case(
        "tensorflow was removed",
        checked(CPU_ONLY, gone(CPU, 0.95)),
        "tensorflow-cpu",
        "fatal",
        ("The files of tensorflow-cpu 2.18.1 are gone", "tensorflow"),
        (reinstall(CPU),),
    ),
    Case(
        "keras-nightly was removed",
        checked(
            JAX_STACK,
            files(KERAS, *[anomaly(f"keras/{n}.py") for n in range(50)], checked=50),
            variables={"KERAS_BACKEND": "jax"},
        ),
        "keras",
        "fatal",
        ("The files of keras 3.8.0 are gone", "keras-nightly"),
        (reinstall(KERAS),),
    ),
    Case(
        "one wrote over the other",
        checked(BOTH, files(TF, anomaly("tensorflow/__init__.py", "size", 100, 120))),
        "tensorflow-cpu",
        "likely",
        ("tensorflow 2.18.1 and tensorflow-cpu 2.18.1 write the same files",),
        (
            ("uninstall", f"{PYTHON} -m pip uninstall -y tensorflow-cpu"),
            reinstall(TF),
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_twins(case: Case) -> None:
    found = assert_case("KD204", "same-import-name", case)
    assert any(key.startswith("missing-files:") for key in found.explains)
    assert any(key.startswith("altered-files:") for key in found.explains)


NOTHING: dict[str, Context] = {
    "one, and it is whole": world(TENSORFLOW_STACK),
    "a single file is missing": checked(TENSORFLOW_STACK, files(TF, anomaly("tensorflow/a.py"))),
    "half is missing, which is damage": checked(TENSORFLOW_STACK, gone(TF, 0.5)),
    "nearly all are changed": checked(
        TENSORFLOW_STACK,
        files(TF, *[anomaly(f"tensorflow/{n}.py", "size") for n in range(100)], checked=100),
    ),
    "both, and every file is right": world(BOTH),
    "on another way than that of the import": checked(
        with_(JAX_STACK, TF), gone(TF), variables={"KERAS_BACKEND": "jax"}
    ),
    "both, on another way": checked(
        with_(JAX_STACK, TF, CPU),
        files(TF, anomaly("tensorflow/a.py", "size")),
        variables={"KERAS_BACKEND": "jax"},
    ),
    "a package without a twin": checked(
        JAX_STACK,
        files(JAX_STACK.distributions[4], anomaly("h5py/a.py"), checked=1),
        variables={"KERAS_BACKEND": "jax"},
    ),
    "nothing was compared": world(TENSORFLOW_STACK, files=()),
    "nothing to compare": checked(TENSORFLOW_STACK, files(TF, checked=0)),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD204", context).startswith(QUIET)


def test_the_tools_of_the_environment_are_used() -> None:
    stack = Stack("3.12.7", tuple(d for d in TENSORFLOW_STACK.distributions if d.name != "pip"))
    (found,) = judge("KD204", checked(stack, gone(TF)))
    assert found.fixes[0].command == (
        f"uv pip install --python {PYTHON} --reinstall-package tensorflow --no-deps "
        "tensorflow==2.18.1"
    )


def test_keras_nightly_counts_as_keras() -> None:
    stack = with_(JAX_STACK, NIGHTLY)
    context = checked(stack, files(KERAS, anomaly("keras/a.py", "size", 10, 20)))
    assert [f.culprit for f in judge("KD204", context)] == ["keras-nightly"]
