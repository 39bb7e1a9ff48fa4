"""KD501, KD502, KD505, KD508: what the loader does not find, or finds too old."""

from __future__ import annotations

import pytest

from keras_doctor.diagnosis import diagnose
from keras_doctor.model import Diagnosis, LibraryTaken, Native, NativeProblem, Outcome
from keras_doctor.rules.context import Context
from rules.factory import (
    JAX_STACK,
    PYTHON,
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    Stack,
    abstains,
    anomaly,
    died,
    dist,
    failed,
    files,
    judge,
    native,
    native_problem,
    passed,
    raised,
    with_,
    world,
)

JAXLIB = next(d for d in JAX_STACK.distributions if d.name == "jaxlib")
NUMPY = next(d for d in JAX_STACK.distributions if d.name == "numpy")
OLD = "/opt/old/libstdc++.so.6"
SYSTEM = "/lib/x86_64-linux-gnu/libstdc++.so.6"


def jax(*problems: NativeProblem, outcomes: tuple[Outcome, ...] = (), **fields: object) -> Context:
    """Keras on JAX, with what was read of its shared objects."""
    variables = fields.pop("variables", {})
    assert isinstance(variables, dict)
    return world(
        variables={"KERAS_BACKEND": "jax", **variables},
        outcomes=outcomes,
        native=fields.pop("facts", native(*problems)),
        **fields,  # type: ignore[arg-type]
    )


def causes(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    return [(f.cause, f.culprit, f.confidence) for f in diagnosis.causes]


def gone(library: str) -> Outcome:
    return failed(
        raised(
            "ImportError",
            f"{library}: cannot open shared object file: No such file or directory",
            "jaxlib/xla.py",
        )
    )


def lacks(library: str, version: str) -> Outcome:
    text = f"{library}: version `{version}' not found (required by {SITE}/jaxlib/_core.so)"
    return failed(raised("ImportError", text, "jaxlib/xla.py"))


# -- KD501


def test_a_library_of_the_system() -> None:
    context = jax(native_problem("missing", JAXLIB, "libgomp.so.1"))
    (found,) = judge("KD501", context)
    assert (found.culprit, found.weight) == ("libgomp.so.1", "likely")
    assert [fix.command for fix in found.fixes] == [
        "apt-get install libgomp1",
        "dnf install 'libgomp.so.1()(64bit)'",
    ]
    assert found.evidence[0].text == "_core.so needs libgomp.so.1"
    assert causes(diagnose(context)) == [("missing-shared-library", "libgomp.so.1", "likely")]


def test_no_package_is_invented() -> None:
    (found,) = judge("KD501", jax(native_problem("missing", JAXLIB, "libnosuch.so.7")))
    assert [(fix.kind, fix.command) for fix in found.fixes] == [
        ("system-package", None),
        ("system-package", "dnf install 'libnosuch.so.7()(64bit)'"),
    ]


def test_the_failure_makes_it_certain() -> None:
    problem = native_problem("missing", JAXLIB, "libgomp.so.1", modules=1)
    context = jax(problem, outcomes=(gone("libgomp.so.1"),))
    assert causes(diagnose(context)) == [("missing-shared-library", "libgomp.so.1", "certain")]


def test_only_the_failure_is_known() -> None:
    context = jax(outcomes=(gone("libGL.so.1"),))
    (found,) = judge("KD501", context)
    assert found.fixes[0].command == "apt-get install libgl1"
    assert causes(diagnose(context)) == [("missing-shared-library", "libGL.so.1", "certain")]
    assert causes(diagnose(world(outcomes=(gone("libGL.so.1"),), native=None)))[0][:2] == (
        "missing-shared-library",
        "libGL.so.1",
    )


def test_a_library_of_the_wheel() -> None:
    problem = native_problem("missing", NUMPY, "libopenblas-r0-34a18dc3.3.7.so")
    (found,) = judge("KD501", jax(problem))
    assert (found.culprit, found.key) == ("numpy", "missing-shared-library:numpy")
    assert found.fixes[0].command == (
        f"{PYTHON} -m pip install --force-reinstall --no-deps numpy==2.2.1"
    )


def test_a_damaged_distribution_explains_it() -> None:
    lost = files(NUMPY, anomaly("numpy.libs/libopenblas.so"))
    rest = tuple(files(d) for d in JAX_STACK.distributions if d.name != "numpy")
    problem = native_problem("missing", NUMPY, "libopenblas.so", recorded=True, modules=1)
    for outcomes in ((), (gone("libopenblas.so"),)):
        diagnosis = diagnose(jax(problem, files=(lost, *rest), outcomes=outcomes))
        assert [f.cause for f in diagnosis.causes] == ["missing-files"]
        assert [f.cause for f in diagnosis.consequences] == ["missing-shared-library"]


@pytest.mark.parametrize(
    "context",
    [
        jax(),
        jax(native_problem("missing", dist("tensorflow", "2.18.1"), "libgomp.so.1")),
        jax(outcomes=(gone(f"{SITE}/jaxlib/cpu_feature_guard.so"),)),
        jax(outcomes=(failed(raised("ImportError", "No module named 'libgomp.so.1'")),)),
        jax(outcomes=(passed(output="libGL.so.1: cannot open shared object file"),)),
        jax(native_problem("missing", JAXLIB, "libcublas.so.12")),
    ],
    ids=["whole", "off the way", "the object itself", "another text", "it works", "NVIDIA's"],
)
def test_no_library_is_missing(context: Context) -> None:
    assert abstains("KD501", context).startswith(QUIET)


def test_a_module_that_nothing_imports_is_a_note() -> None:
    problem = native_problem("missing", JAXLIB, "libgomp.so.1", modules=1, modules_total=10)
    diagnosis = diagnose(jax(problem))
    assert diagnosis.causes == ()
    assert [f.cause for f in diagnosis.notes] == ["missing-shared-library"]
    wide = native_problem("missing", JAXLIB, "libgomp.so.1")
    assert diagnose(jax(wide, outcomes=(passed(),))).causes == ()


# -- KD502


def test_the_system_is_too_old() -> None:
    problem = native_problem(
        "version",
        JAXLIB,
        "libc.so.6",
        versions=("GLIBC_2.9", "GLIBC_2.38"),
        found="/lib/x86_64-linux-gnu/libc.so.6",
        by="loaded",
        newest="GLIBC_2.31",
    )
    context = jax(problem)
    (found,) = judge("KD502", context)
    assert (found.culprit, found.weight) == ("glibc", "likely")
    assert "GLIBC_2.38" in found.title
    assert abstains("KD508", context).startswith(QUIET)
    outcome = lacks("/lib/x86_64-linux-gnu/libc.so.6", "GLIBC_2.38")
    assert causes(diagnose(jax(problem, outcomes=(outcome,)))) == [
        ("toolchain-too-old", "glibc", "certain")
    ]


def test_only_the_loader_says_that_it_is_too_old() -> None:
    outcome = lacks(SYSTEM, "GLIBCXX_3.4.32")
    assert causes(diagnose(jax(outcomes=(outcome,)))) == [
        ("toolchain-too-old", "libstdc++", "certain")
    ]


@pytest.mark.parametrize(
    "context",
    [
        jax(),
        jax(outcomes=(failed(raised("ImportError", "version 3.4 not found")),)),
        jax(outcomes=(passed(output=f"{SYSTEM}: version `GLIBCXX_3.4.32' not found"),)),
        jax(
            native_problem(
                "version", dist("tensorflow", "2.18.1"), "libc.so.6", versions=("GLIBC_2.38",)
            )
        ),
    ],
    ids=["whole", "another text", "it works", "off the way"],
)
def test_the_system_is_new_enough(context: Context) -> None:
    assert abstains("KD502", context).startswith(QUIET)


# -- KD508


def hidden(**changes: object) -> NativeProblem:
    return native_problem(
        "version",
        JAXLIB,
        "libstdc++.so.6",
        versions=("GLIBCXX_3.4.19",),
        found=OLD,
        by="LD_LIBRARY_PATH",
        newest="GLIBCXX_3.4.13",
        otherwise=SYSTEM,
    )._replace(**changes)  # type: ignore[arg-type]


def test_the_variable_hides_the_systems_library() -> None:
    other = hidden(distribution="numpy", metadata=NUMPY.metadata, modules=1)
    context = jax(hidden(), other, variables={"LD_LIBRARY_PATH": "/opt/old"})
    (found,) = judge("KD508", context)
    assert (found.culprit, found.weight) == ("LD_LIBRARY_PATH", "likely")
    assert [fix.command for fix in found.fixes] == ["unset LD_LIBRARY_PATH"]
    assert [(c.kind, c.name) for c in found.changes] == [("unset-variable", "LD_LIBRARY_PATH")]
    assert abstains("KD502", context).startswith(QUIET)


def test_the_rest_of_the_variable_stays() -> None:
    variables = {"LD_LIBRARY_PATH": "/opt/cuda/lib64:/opt/old/:/opt/mkl"}
    (found,) = judge("KD508", jax(hidden(), variables=variables))
    assert found.fixes[0].command == "export LD_LIBRARY_PATH=/opt/cuda/lib64:/opt/mkl"
    assert found.changes[0].value == "/opt/cuda/lib64:/opt/mkl"


def test_the_failure_and_its_proof() -> None:
    variables = {"LD_LIBRARY_PATH": "/opt/old"}
    outcome = lacks(OLD, "GLIBCXX_3.4.19")
    context = jax(hidden(), outcomes=(outcome,), variables=variables)
    assert causes(diagnose(context)) == [
        ("library-path-contaminated", "LD_LIBRARY_PATH", "certain")
    ]
    (found,) = judge("KD508", context)
    better = passed(changes=found.changes)
    context = jax(hidden(), outcomes=(outcome, better), variables=variables)
    assert causes(diagnose(context))[0][2] == "proven"
    only_told = jax(outcomes=(outcome,), variables=variables)
    assert causes(diagnose(only_told)) == [
        ("library-path-contaminated", "LD_LIBRARY_PATH", "certain")
    ]


@pytest.mark.parametrize("said", ["file too short", "invalid ELF header", "wrong ELF class: 32"])
def test_a_file_that_is_no_library(said: str) -> None:
    """Of Python's own modules, or of any other that nobody read."""
    outcome = failed(raised("ImportError", f"/opt/old/libz.so.1: {said}", "/usr/lib/zipfile.py"))
    context = jax(outcomes=(outcome,), variables={"LD_LIBRARY_PATH": "/opt/old"})
    assert causes(diagnose(context)) == [
        ("library-path-contaminated", "LD_LIBRARY_PATH", "certain")
    ]
    elsewhere = jax(outcomes=(outcome,), variables={"LD_LIBRARY_PATH": "/opt/new"})
    assert judge("KD508", elsewhere) == []


def test_an_environments_own_folder() -> None:
    path = "/opt/conda/lib/libstdc++.so.6"
    (found,) = judge("KD508", jax(hidden(found=path, by="rpath")))
    assert (found.culprit, found.changes) == (path, ())
    assert judge("KD502", jax(hidden(found=path, by="rpath"))) == []
    assert judge("KD508", jax(hidden(found=path, by="rpath", otherwise=None))) == []


def test_a_library_that_only_comes_from_elsewhere_is_a_suspect() -> None:
    taken = LibraryTaken(
        library="libz.so.1", path="/opt/old/libz.so.1", by="LD_LIBRARY_PATH", hides="/lib/libz.so.1"
    )
    facts = native(libraries=(taken,))
    variables = {"LD_LIBRARY_PATH": "/opt/old"}
    undefined = raised("ImportError", "/opt/x.so: undefined symbol: inflateValidate")
    for outcome in (died("SIGSEGV", "jaxlib/xla.py"), failed(undefined)):
        context = jax(facts=facts, variables=variables, outcomes=(outcome,))
        assert ("library-path-contaminated", "LD_LIBRARY_PATH") in [
            c[:2] for c in causes(diagnose(context))
        ]
    for outcomes in ((), (passed(),)):
        diagnosis = diagnose(jax(facts=facts, variables=variables, outcomes=outcomes))
        assert diagnosis.causes == ()
        assert [f.cause for f in diagnosis.notes] == ["library-path-contaminated"]


@pytest.mark.parametrize(
    "context",
    [
        jax(variables={"LD_LIBRARY_PATH": "/opt/cuda/lib64"}),
        jax(outcomes=(lacks(SYSTEM, "GLIBCXX_3.4.32"),)),
        jax(
            outcomes=(lacks(SYSTEM, "GLIBCXX_3.4.32"),),
            variables={"LD_LIBRARY_PATH": "/opt/cuda/lib64:"},
        ),
    ],
    ids=["only a variable", "the system's own", "the system's own, and a variable"],
)
def test_nothing_hides_the_systems_library(context: Context) -> None:
    assert abstains("KD508", context).startswith(QUIET)


# -- KD505


def test_cuda_libraries() -> None:
    tensorflow = next(d for d in TENSORFLOW_STACK.distributions if d.name == "tensorflow")
    problem = native_problem("missing", tensorflow, "libcublas.so.10.0")
    context = world(TENSORFLOW_STACK, native=native(problem))
    (found,) = judge("KD505", context)
    assert (found.culprit, found.weight) == ("tensorflow", "likely")
    outcome = gone("libcublas.so.10.0")
    only_told = world(TENSORFLOW_STACK, outcomes=(outcome,))
    assert causes(diagnose(only_told)) == [("cuda-mismatch", "tensorflow", "certain")]


def nvidia(
    driver: str | None, cuda: str = "12.6.77", name: str = "nvidia-cuda-runtime-cu12"
) -> tuple[Stack, Native]:
    wheel = dist(name, cuda, imports=("nvidia",))
    keras = JAX_STACK.distributions[0]
    needing = keras._replace(requires=(*keras.requires, name))
    said = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}.104.05  Sat"
    return with_(JAX_STACK, needing, wheel), native(driver=said if driver else None)


def test_an_old_driver_is_a_note() -> None:
    stack, facts = nvidia("470")
    context = world(stack, native=facts, variables={"KERAS_BACKEND": "jax"})
    (found,) = judge("KD505", context)
    assert (found.culprit, found.weight) == ("driver", "risk")
    assert "470 is older than CUDA 12 needs (525)" in found.title
    assert diagnose(context).causes == ()
    stack, facts = nvidia("535", "13.0.48", "nvidia-cuda-runtime")
    assert "CUDA 13 needs (580)" in judge("KD505", world(stack, native=facts))[0].title


@pytest.mark.parametrize("driver", [None, "525", "580"])
def test_a_driver_that_will_do(driver: str | None) -> None:
    stack, facts = nvidia(driver)
    assert abstains("KD505", world(stack, native=facts)).startswith(QUIET)


def test_cuda_that_is_not_on_the_way() -> None:
    wheel = dist("nvidia-cuda-runtime-cu12", "12.6.77", imports=("nvidia",))
    facts = native(driver="NVRM version: x  470.104.05  Sat")
    assert abstains("KD505", world(with_(JAX_STACK, wheel), native=facts)).startswith(QUIET)


@pytest.mark.parametrize("code", ["KD406", "KD501", "KD502", "KD504", "KD505", "KD508"])
def test_nothing_is_known(code: str) -> None:
    assert abstains(code, world(native=None)).startswith("Skip: ")
