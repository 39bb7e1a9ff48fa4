"""KD401, KD403, KD404, KD407: declared requirements that are violated."""

from __future__ import annotations

import pytest

from keras_doctor.knowledge import measured
from keras_doctor.model import Distribution
from keras_doctor.rules.context import Context
from keras_doctor.signs import matches
from rules.factory import (
    JAX_STACK,
    KERAS_210_STACK,
    PYTHON,
    QUIET,
    SITE,
    TENSORFLOW_STACK,
    THEANO_STACK,
    Case,
    Stack,
    abstains,
    assert_case,
    dist,
    failed,
    judge,
    missing,
    of_keras,
    raised,
    with_,
    without,
    world,
)


@pytest.fixture(autouse=True)
def _nothing_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "edges_of", lambda _subject, _version: ())
    monkeypatch.setattr(measured, "bases_of", lambda _subject, _version: ())


JAX_VARIABLE = {"KERAS_BACKEND": "jax"}


def jax(*distributions: Distribution) -> Context:
    return world(with_(JAX_STACK, *distributions), variables=JAX_VARIABLE)


def install(requirement: str) -> tuple[tuple[str, str | None], ...]:
    return (("install", f"{PYTHON} -m pip install {requirement}"),)


UNMET = [
    Case(
        "two who need it, and the tightest bounds",
        jax(
            dist("numpy", "1.21.0"),
            dist("h5py", "3.12.1", "numpy<2,>=1.19.3"),
            dist("scipy", "1.15.0", "numpy<2.5,>=1.23.5"),
        ),
        "numpy",
        "risk",
        ("numpy 1.21.0 is installed", "jax 0.5.0", "scipy 1.15.0"),
        install("numpy==1.26.0"),
    ),
    Case(
        "protobuf under TensorFlow",
        world(with_(TENSORFLOW_STACK, dist("protobuf", "6.30.0", imports=("google",)))),
        "protobuf",
        "risk",
        ("protobuf 6.30.0 is installed", "tensorflow 2.18.1 needs protobuf<6,>=3.20.3"),
        install("protobuf==5.29.6"),
    ),
    Case(
        "an exact pin",
        jax(dist("rich", "13.9.4", "pygments==2.13.0"), dist("pygments", "2.18.0")),
        "pygments",
        "risk",
        ("pygments 2.18.0 is installed", "rich 13.9.4 needs pygments==2.13.0"),
        install("pygments==2.13.0"),
    ),
]
COMPANIONS = [
    Case(
        "jaxlib",
        jax(dist("jaxlib", "0.4.26")),
        "jaxlib",
        "risk",
        ("jaxlib 0.4.26 is installed", "jax 0.5.0 needs jaxlib<=0.5.0,>=0.5.0"),
        install("jaxlib==0.5.0"),
    ),
]
PAIRS = [
    Case(
        "Keras too new for its TensorFlow",
        world(with_(KERAS_210_STACK, dist("keras", "2.11.0"))),
        "keras",
        "risk",
        ("keras 2.11.0 is installed", "tensorflow 2.10.1 needs keras<2.11,>=2.10.0"),
        install("keras==2.10.0"),
    ),
    Case(
        "Keras too old for its TensorFlow",
        world(with_(TENSORFLOW_STACK, dist("keras", "3.4.1"))),
        "keras",
        "risk",
        ("keras 3.4.1 is installed", "tensorflow 2.18.1 needs keras>=3.5.0"),
        install("keras==3.5.0"),
    ),
    Case(
        "tensorflow-cpu",
        world(
            of_keras(
                "2.7.0",
                dist("tensorflow-cpu", "2.6.5", "keras<2.7,>=2.6.0", imports=("tensorflow",)),
            )
        ),
        "keras",
        "risk",
        ("keras 2.7.0 is installed", "tensorflow-cpu 2.6.5 needs"),
        install("keras==2.6.0"),
    ),
    Case(
        "Keras 2.4.0 declares TensorFlow",
        world(
            with_(
                of_keras("2.4.0", dist("tensorflow", "1.15.0")),
                dist("Keras", "2.4.0", "tensorflow>=2.2.0"),
            )
        ),
        "Keras",
        "risk",
        ("tensorflow 1.15.0 is installed", "Keras 2.4.0 needs tensorflow>=2.2.0"),
        install("Keras==2.3.1") + install("tensorflow==2.2.0"),
    ),
]


@pytest.mark.parametrize("case", UNMET, ids=lambda case: case.id)
def test_unmet(case: Case) -> None:
    assert_case("KD401", "requirement-unmet", case)
    assert judge("KD403", case.context) == []


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case.id)
def test_pair(case: Case) -> None:
    assert_case("KD403", "keras-backend-mismatch", case)
    assert judge("KD401", case.context) == []


@pytest.mark.parametrize("case", COMPANIONS, ids=lambda case: case.id)
def test_companions(case: Case) -> None:
    assert_case("KD407", "tensorflow-variant-or-plugin-mismatch", case)
    assert judge("KD401", case.context) == []


def test_every_line_is_evidence() -> None:
    (found,) = judge("KD407", jax(dist("jaxlib", "0.4.26")))
    assert [(e.text, e.where) for e in found.evidence] == [
        ("jax 0.5.0 requires jaxlib<=0.5.0,>=0.5.0", f"{SITE}/jax-0.5.0.dist-info"),
        ("jaxlib 0.4.26", f"{SITE}/jaxlib-0.4.26.dist-info"),
    ]


def unrelated(*requires: str) -> Context:
    return jax(dist("pandas", "2.0", *requires))


MET: dict[str, Context] = {
    "all is met": world(variables=JAX_VARIABLE),
    "TensorFlow": world(TENSORFLOW_STACK),
    "Theano": world(THEANO_STACK, variables={"KERAS_BACKEND": "theano"}),
    "Keras 2.10": world(KERAS_210_STACK),
    "an unrelated package": unrelated("numpy<1", "nowhere"),
    "no bounds": jax(dist("h5py", "3.12.1", "numpy")),
    "an extra": jax(dist("h5py", "3.12.1", "numpy<1; extra == 'old'")),
    "another Python": jax(dist("h5py", "3.12.1", "numpy<1; python_version < '3.9'")),
    "another system": jax(dist("h5py", "3.12.1", "numpy<1; sys_platform == 'win32'")),
    "a pre-release that is new enough": jax(
        dist("numpy", "2.3.0rc1"), dist("h5py", "3.12.1", "numpy>=2.2")
    ),
    "a local version": jax(dist("numpy", "2.2.1+mine"), dist("h5py", "3.12.1", "numpy>=2.2")),
    "an unreadable specifier": jax(dist("h5py", "3.12.1", "numpy (nonsense)")),
    "an unreadable version": jax(dist("numpy", "unknown")),
    "a direct address": jax(dist("h5py", "3.12.1", "numpy @ https://example.org/numpy.whl")),
    "absent, another rule's": world(without(JAX_STACK, "optree"), variables=JAX_VARIABLE),
}


@pytest.mark.parametrize("context", MET.values(), ids=MET.keys())
@pytest.mark.parametrize("code", ["KD401", "KD403"])
def test_met(code: str, context: Context) -> None:
    assert abstains(code, context).startswith(QUIET)


@pytest.mark.parametrize("code", ["KD401", "KD403"])
def test_no_way_is_known(code: str) -> None:
    assert abstains(code, world(Stack("3.12.7", ()))).startswith("Skip: ")


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (raised("RuntimeError", "jaxlib version 0.4.26 is older than required"), True),
        (raised("AttributeError", "no attribute 'x'", f"{SITE}/jaxlib/xla.py"), True),
        (missing("jaxlib.mlir"), True),
        (raised("AttributeError", "no attribute 'x'", f"{SITE}/keras/src/x.py"), False),
        (raised("ImportError", "cannot import name 'x' from 'numpy'"), False),
        (missing("tensorflow"), False),
    ],
)
def test_signs(exception: object, expected: bool) -> None:
    """A failure is its doing only when it comes from that package, or speaks of it."""
    (found,) = judge("KD407", jax(dist("jaxlib", "0.4.26")))
    outcome = failed(exception)  # type: ignore[arg-type]
    assert any(matches(s, outcome) for s in found.signs if not s.weak) is expected


def python(version: str, **requires: str) -> Context:
    """The JAX world on another Python, where distributions require some Python."""
    changed = tuple(
        d._replace(requires_python=requires[d.name]) if d.name in requires else d
        for d in JAX_STACK.distributions
    )
    return world(Stack(version, changed), variables=JAX_VARIABLE)


def test_python_is_too_old() -> None:
    case = Case(
        "too old",
        python("3.9.18", keras=">=3.11"),
        "python",
        "risk",
        ("keras 3.8.0 needs Python >=3.11", "3.9.18"),
        (("use-env", "keras"),),
    )
    assert_case("KD404", "python-unsupported", case)


def test_python_is_too_new() -> None:
    case = Case(
        "too new",
        python("3.13.0", keras=">=3.9,<3.13"),
        "python",
        "risk",
        ("keras 3.8.0 needs Python >=3.9,<3.13", "this is 3.13.0"),
        (("use-env", "keras"),),
    )
    assert_case("KD404", "python-unsupported", case)


SUPPORTED: dict[str, Context] = {
    "nobody says": python("3.9.18", keras=">=3.9"),
    "exactly": python("3.11.0", keras=">=3.11"),
    "a release candidate": python("3.13.0rc2", keras=">=3.9"),
    "unreadable": python("3.12.7", keras="newer"),
    "of a package that nobody needs": jax(dist("pandas", "2.0", requires_python=">=3.14")),
    "excluded patch releases": python("3.12.7", keras="!=3.12.0,>=3.9"),
    "a wildcard": python("3.12.7", keras="==3.12.*"),
}


@pytest.mark.parametrize("context", SUPPORTED.values(), ids=SUPPORTED.keys())
def test_supported(context: Context) -> None:
    assert abstains("KD404", context).startswith(QUIET)


def test_python_is_not_known() -> None:
    assert abstains("KD404", world(interpreter=None)).startswith("Skip: ")
