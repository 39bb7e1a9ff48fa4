"""KD406, KD503, KD504, KD507, KD509: the processor, the names, crashes, Windows."""

from __future__ import annotations

import pytest

from keras_doctor.diagnosis import diagnose
from keras_doctor.model import Machine
from keras_doctor.rules.context import Context
from rules.factory import (
    JAX_STACK,
    PYTHON,
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    abstains,
    anomaly,
    died,
    dist,
    failed,
    files,
    foreign_names,
    judge,
    missing,
    native,
    native_problem,
    passed,
    printed,
    raised,
    with_,
    world,
)

JAXLIB = next(d for d in JAX_STACK.distributions if d.name == "jaxlib")
NUMPY = next(d for d in JAX_STACK.distributions if d.name == "numpy")
JAX = {"KERAS_BACKEND": "jax"}


def causes(context: Context) -> list[tuple[str, str, str]]:
    return [(f.cause, f.culprit, f.confidence) for f in diagnose(context).causes]


# -- KD504

ARM = native_problem("machine", JAXLIB, versions=("aarch64, 64 bit",), modules=19, modules_total=19)
LIKE_ABSENT = failed(
    raised(
        "ImportError",
        f"{SITE}/jaxlib/cpu_feature_guard.so: cannot open shared object file: No such file",
        "jax/_src/lib/__init__.py",
    )
)


def test_all_modules_are_for_another_processor() -> None:
    context = world(variables=JAX, native=native(ARM))
    (found,) = judge("KD504", context)
    assert (found.culprit, found.weight) == ("jaxlib", "fatal")
    assert found.fixes[0].command == (
        f"{PYTHON} -m pip install --force-reinstall --no-deps jaxlib==0.5.0"
    )
    assert causes(context) == [("wrong-architecture", "jaxlib", "certain")]
    assert causes(world(variables=JAX, native=native(ARM), outcomes=(LIKE_ABSENT,))) == [
        ("wrong-architecture", "jaxlib", "certain")
    ]


def test_numpy_for_another_processor_is_no_module() -> None:
    problem = ARM._replace(distribution="numpy", metadata=NUMPY.metadata, modules_total=40)
    outcome = failed(missing("numpy._core._multiarray_umath", "numpy/__init__.py"))
    assert causes(world(variables=JAX, native=native(problem), outcomes=(outcome,))) == [
        ("wrong-architecture", "numpy", "certain")
    ]


def test_one_module_for_another_processor_is_a_note() -> None:
    problem = ARM._replace(modules=1)
    assert causes(world(variables=JAX, native=native(problem))) == []
    assert causes(world(variables=JAX, native=native(ARM), outcomes=(passed(),))) == []


def test_rosetta() -> None:
    """Constructed: as macOS says it."""
    file = f"{SITE}/numpy/_core/_multiarray_umath.cpython-312-darwin.so"
    text = (
        f"dlopen({file}, 0x0002): tried: '{file}' (mach-o file, but is an incompatible "
        "architecture (have 'arm64', need 'x86_64'))"
    )
    outcome = failed(raised("ImportError", text, "numpy/__init__.py"))
    context = world(variables=JAX, platform="darwin", outcomes=(outcome,))
    (found,) = judge("KD504", context)
    assert found.title == (
        "_multiarray_umath.cpython-312-darwin.so is for arm64, this Python is x86_64"
    )
    assert [fix.kind for fix in found.fixes] == ["reinstall", "use-env"]
    assert causes(context) == [("wrong-architecture", "numpy", "certain")]


@pytest.mark.parametrize(
    "context",
    [
        world(variables=JAX),
        world(variables=JAX, outcomes=(LIKE_ABSENT,)),
        world(native=native(ARM._replace(distribution="torch"))),
        world(outcomes=(failed(raised("ImportError", "incompatible architecture")),)),
    ],
    ids=["whole", "the file itself is gone", "off the way", "another text"],
)
def test_the_processor_is_the_right_one(context: Context) -> None:
    assert abstains("KD504", context).startswith(QUIET)


# -- KD406


def test_modules_of_another_python() -> None:
    tagged = NUMPY._replace(tags=("cp310-cp310-manylinux_2_17_x86_64",))
    stack = with_(JAX_STACK, tagged)
    names = foreign_names(tagged, "cpython-310-x86_64-linux-gnu")
    context = world(stack, variables=JAX, native=native(named=(names,)))
    (found,) = judge("KD406", context)
    assert (found.cause, found.culprit, found.weight) == ("abi-mismatch", "numpy", "likely")
    shown = " ".join(e.text for e in found.evidence)
    assert "cpython-310-x86_64-linux-gnu" in shown
    assert "cp310-cp310-manylinux_2_17_x86_64" in shown
    outcome = failed(missing("numpy._core._multiarray_umath", "numpy/__init__.py"))
    seen = world(stack, variables=JAX, native=native(named=(names,)), outcomes=(outcome,))
    assert causes(seen) == [("abi-mismatch", "numpy", "certain")]


def test_a_foreign_python_and_processor_are_one_cause() -> None:
    names = foreign_names(JAXLIB, "cpython-312-aarch64-linux-gnu")
    context = world(variables=JAX, native=native(ARM, named=(names,)))
    assert [c[0] for c in causes(context)] == ["wrong-architecture"]


@pytest.mark.parametrize(
    "context",
    [
        world(),
        world(native=native(named=(foreign_names(NUMPY, "cpython-310-x", own=3),))),
        world(native=native(named=(foreign_names(dist("torch", "2.6.0"), "cpython-310-x"),))),
    ],
    ids=["none", "of both Pythons", "off the way"],
)
def test_modules_of_this_python(context: Context) -> None:
    assert abstains("KD406", context).startswith(QUIET)


# -- KD503


def machine(*flags: str) -> Machine:
    whole = world().snapshot.machine
    assert whole is not None
    return whole._replace(cpu_flags=flags)


OLD_CPU = machine("fpu", "sse2")


def test_tensorflow_without_avx() -> None:
    context = world(TENSORFLOW_STACK, machine=OLD_CPU)
    (found,) = judge("KD503", context)
    assert (found.culprit, found.weight) == ("tensorflow", "likely")
    assert found.title == (
        "tensorflow 2.18.1 needs AVX instructions, which this processor does not have"
    )
    assert "RELEASE.md" in found.evidence[-1].text
    dead = world(TENSORFLOW_STACK, machine=OLD_CPU, outcomes=(died("SIGILL", "tensorflow/a.py"),))
    assert causes(dead) == [("cpu-instruction-missing", "tensorflow", "certain")]


def test_jaxlib_without_avx() -> None:
    assert [f.culprit for f in judge("KD503", world(variables=JAX, machine=OLD_CPU))] == ["jaxlib"]


REFUSED = [
    (
        "tensorflow",
        died(
            "SIGABRT",
            output="F tensorflow/core/platform/cpu_feature_guard.cc:37] The TensorFlow library was "
            "compiled to use AVX instructions, but these aren't available on your machine.",
        ),
    ),
    (
        "jaxlib",
        failed(
            raised(
                "RuntimeError",
                "This version of jaxlib was built using AVX instructions, which your CPU and/or "
                "operating system do not support.",
            )
        ),
    ),
    (
        "numpy",
        failed(
            raised(
                "RuntimeError",
                "NumPy was built with baseline optimizations: \n(X86_V2) but your machine "
                "doesn't support:\n(X86_V2).",
            )
        ),
    ),
]


@pytest.mark.parametrize(("name", "outcome"), REFUSED, ids=[row[0] for row in REFUSED])
def test_their_own_words(name: str, outcome: object) -> None:
    stack = TENSORFLOW_STACK if name == "tensorflow" else JAX_STACK
    backend = "tensorflow" if name == "tensorflow" else "jax"
    context = world(stack, variables={"KERAS_BACKEND": backend}, outcomes=(outcome,))  # type: ignore[arg-type]
    assert causes(context) == [("cpu-instruction-missing", name, "certain")]


def test_an_illegal_instruction_of_another_package() -> None:
    flags = machine("sse4_2", "avx")
    context = world(
        variables=JAX, machine=flags, outcomes=(died("SIGILL", "keras/a.py", "optree/b.py"),)
    )
    assert causes(context) == [("cpu-instruction-missing", "optree", "certain")]


@pytest.mark.parametrize(
    "context",
    [
        world(TENSORFLOW_STACK),
        world(with_(TENSORFLOW_STACK, dist("tensorflow", "1.5.0")), machine=OLD_CPU),
        world(
            with_(TENSORFLOW_STACK, dist("tensorflow", "2.18.1", installer="conda")),
            machine=OLD_CPU,
        ),
        world(variables={"KERAS_BACKEND": "jax"}, outcomes=(died("SIGILL", "jaxlib/a.py"),)),
    ],
    ids=["it has all", "an old release", "another builder", "nothing is missing"],
)
def test_no_instruction_is_missing(context: Context) -> None:
    assert abstains("KD503", context).startswith(QUIET)


def test_the_processor_is_not_known() -> None:
    assert abstains("KD503", world(machine=machine())).startswith("Skip: ")


def test_what_works_needs_no_instruction() -> None:
    context = world(variables=JAX, machine=OLD_CPU, outcomes=(passed(),))
    assert diagnose(context).causes == ()


# -- KD507


def test_a_crash() -> None:
    context = world(
        variables=JAX, outcomes=(died("SIGSEGV", "keras/__init__.py", "jaxlib/xla_client.py"),)
    )
    (found,) = judge("KD507", context)
    assert found.culprit == "jaxlib"
    assert "SIGSEGV while jaxlib 0.5.0 was loaded" in found.title
    assert causes(context) == [("crash-on-import", "jaxlib", "likely")]


def test_a_crash_without_a_trace() -> None:
    context = world(variables=JAX, outcomes=(died("SIGBUS", output="loading\n"),))
    assert causes(context) == [("crash-on-import", "native code", "likely")]


def test_a_crash_that_something_explains() -> None:
    cut = files(JAXLIB, anomaly("jaxlib/xla_extension.so", "size", 100, 50))
    rest = tuple(files(d) for d in JAX_STACK.distributions if d.name != "jaxlib")
    outcome = died("SIGBUS", "jaxlib/xla_client.py")
    context = world(variables=JAX, files=(cut, *rest), outcomes=(outcome,))
    assert [c[0] for c in causes(context)] == ["altered-files"]
    avx = world(variables=JAX, machine=OLD_CPU, outcomes=(died("SIGILL", "jaxlib/a.py"),))
    assert [c[0] for c in causes(avx)] == ["cpu-instruction-missing"]


def test_two_openmp_run_times() -> None:
    text = (
        "OMP: Error #15: Initializing libiomp5.so, but found libomp.so already initialized.\n"
        "OMP: Hint This means that multiple copies of the OpenMP runtime have been linked."
    )
    context = world(variables=JAX, outcomes=(died("SIGABRT", "jaxlib/a.py", output=text),))
    (found,) = judge("KD507", context)
    assert found.culprit == "libiomp5.so"
    assert found.fixes[0].command == "export KMP_DUPLICATE_LIB_OK=TRUE"
    assert causes(context) == [("crash-on-import", "libiomp5.so", "certain")]


@pytest.mark.parametrize(
    "context",
    [
        world(),
        world(outcomes=(passed(),)),
        world(outcomes=(failed(raised("ImportError", "Segmentation fault")),)),
        world(outcomes=(died("SIGKILL"),)),
        world(outcomes=(printed("OMP: Error #15: Initializing"),)),
    ],
    ids=["nothing was run", "it works", "an exception", "killed from outside", "half a text"],
)
def test_no_crash(context: Context) -> None:
    assert abstains("KD507", context).startswith(QUIET)


# -- KD509, constructed

FAILED = failed(
    raised(
        "ImportError",
        "DLL load failed while importing _pywrap_tensorflow_internal: The specified module could "
        "not be found.",
        "tensorflow/python/pywrap_tensorflow.py",
    )
)


def test_dll_load_failed() -> None:
    context = world(TENSORFLOW_STACK, platform="win32", outcomes=(FAILED,))
    (found,) = judge("KD509", context)
    assert found.culprit == "tensorflow"
    assert "_pywrap_tensorflow_internal" in found.title
    assert "Redistributable" in found.fixes[0].summary
    assert causes(context) == [("windows-dll", "tensorflow", "certain")]
    old = failed(raised("ImportError", "DLL load failed: The specified module could not be found."))
    assert judge("KD509", world(platform="win32", outcomes=(old,)))[0].culprit == "DLL"


def test_long_paths() -> None:
    long = anomaly("tensorflow/include/" + "x" * 260 + "/a.py")
    tensorflow = next(d for d in TENSORFLOW_STACK.distributions if d.name == "tensorflow")
    rest = tuple(files(d) for d in TENSORFLOW_STACK.distributions if d.name != "tensorflow")
    context = world(TENSORFLOW_STACK, platform="win32", files=(files(tensorflow, long), *rest))
    assert [c[:2] for c in causes(context)] == [("windows-dll", "long paths")]


@pytest.mark.parametrize(
    "context",
    [
        world(TENSORFLOW_STACK, outcomes=(FAILED,)),
        world(platform="win32"),
        world(platform="win32", outcomes=(passed(),)),
        world(platform="win32", outcomes=(failed(missing("tensorflow")),)),
    ],
    ids=["not Windows", "nothing was run", "it works", "another failure"],
)
def test_no_dll_failed(context: Context) -> None:
    assert abstains("KD509", context).startswith(QUIET)
