"""KD201: the user's own file is found before what the import needs."""

from __future__ import annotations

import pytest

from keras_doctor.model import Change, LocalModule, Module, Start
from keras_doctor.rules.context import Context
from keras_doctor.signs import matches
from rules.factory import (
    JAX_STACK,
    PROJECT,
    QUIET,
    SITE,
    STDLIB,
    TENSORFLOW_STACK,
    THEANO_STACK,
    Case,
    Stack,
    abstains,
    assert_case,
    copy,
    dist,
    entry,
    failed,
    judge,
    local,
    module,
    raised,
    script,
    with_,
    without,
    world,
)

LIBRARY = "/home/ada/library"


def beside(own: LocalModule, *hidden: str, kind: str = "package") -> Module:
    """What an import finds: the user's own first, then the copies in other folders."""
    return module(
        own.name,
        copy(own.name, own.entry, own.kind),
        *(copy(own.name, place, kind) for place in hidden or (SITE,)),
    )


def shadowed(own: LocalModule, *hidden: str, stack: Stack = JAX_STACK, **more: object) -> Context:
    """A world in which `own` hides the packages of its name."""
    variables = {"KERAS_BACKEND": "theano" if stack is THEANO_STACK else "jax"}
    if stack is TENSORFLOW_STACK:
        variables = {}
    return world(
        stack,
        variables=variables,
        locals_=[own],
        modules=[beside(own, *hidden)],
        **more,  # type: ignore[arg-type]
    )


def standard(name: str, kind: str = "module", **more: object) -> Context:
    """A world in which a file of the user's hides a module of the standard library."""
    own = local(name, kind)
    return shadowed(own, STDLIB, **more)  # type: ignore[arg-type]


def renamed(name: str) -> tuple[tuple[str, str | None], ...]:
    return (("rename-file", f"mv {PROJECT}/{name} {PROJECT}/my_{name}"),)


IN_LIBRARY = local("keras", entry=LIBRARY, origin="pythonpath")
CASES = [
    Case(
        "keras.py",
        shadowed(local("keras")),
        f"{PROJECT}/keras.py",
        "fatal",
        ("Your file keras.py", "the package keras"),
        renamed("keras.py"),
    ),
    Case(
        "tensorflow.py under Keras on TensorFlow",
        shadowed(local("tensorflow"), stack=TENSORFLOW_STACK),
        f"{PROJECT}/tensorflow.py",
        "fatal",
        ("tensorflow.py",),
        renamed("tensorflow.py"),
    ),
    Case(
        "tensorflow.py, which the program imports",
        shadowed(
            local("tensorflow"),
            stack=with_(JAX_STACK, dist("tensorflow", "2.18.1")),
            program=script("keras", "tensorflow"),
        ),
        f"{PROJECT}/tensorflow.py",
        "fatal",
        ("tensorflow.py",),
        renamed("tensorflow.py"),
    ),
    Case(
        "a requirement of Keras",
        shadowed(local("h5py")),
        f"{PROJECT}/h5py.py",
        "likely",
        ("Your file h5py.py", "the package h5py"),
        renamed("h5py.py"),
    ),
    Case(
        "a requirement of a requirement",
        shadowed(local("scipy")),
        f"{PROJECT}/scipy.py",
        "likely",
        ("scipy.py",),
        renamed("scipy.py"),
    ),
    Case(
        "a distribution of another name",
        shadowed(local("yaml"), stack=THEANO_STACK),
        f"{PROJECT}/yaml.py",
        "likely",
        ("yaml.py",),
        renamed("yaml.py"),
    ),
    Case(
        "on PYTHONPATH",
        shadowed(IN_LIBRARY, entries=[entry(LIBRARY)]),
        f"{LIBRARY}/keras.py",
        "fatal",
        ("library/keras.py",),
        (("rename-file", f"mv {LIBRARY}/keras.py {LIBRARY}/my_keras.py"),),
    ),
    Case(
        "bytecode alone",
        shadowed(local("keras", "bytecode")),
        f"{PROJECT}/keras.py",
        "fatal",
        ("keras",),
        renamed("keras.py"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_package(case: Case) -> None:
    found = assert_case("KD201", "shadowed-module", case)
    assert found.changes == (Change(kind="hide-module", name=found.culprit, value=None),)
    assert any(e.text.startswith("hidden: ") for e in found.evidence)


FOLDERS = [
    Case(
        "a folder keras with code",
        shadowed(local("keras", "package")),
        f"{PROJECT}/keras",
        "fatal",
        ("Your folder keras",),
        renamed("keras"),
    ),
    Case(
        "the selected backend",
        shadowed(local("jax", "package")),
        f"{PROJECT}/jax",
        "fatal",
        ("Your folder jax", "the package jax"),
        renamed("jax"),
    ),
]


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.id)
def test_folder(case: Case) -> None:
    found = assert_case("KD201", "shadowed-module", case)
    init = f"{found.culprit}/__init__.py"
    assert found.changes == (Change(kind="hide-module", name=init, value=None),)


@pytest.mark.parametrize("name", ["random", "types", "json", "logging", "typing", "numbers"])
def test_standard_library_is_a_risk(name: str) -> None:
    """Many such files do no harm: Python had loaded the real one before, or nothing asks for it."""
    case = Case(
        name,
        standard(name),
        f"{PROJECT}/{name}.py",
        "risk",
        (f"Your file {name}.py", f"Python's own module {name}"),
        renamed(f"{name}.py"),
    )
    assert_case("KD201", "shadowed-module", case)


def test_it_keeps_python_from_starting() -> None:
    own = local("random", entry=LIBRARY, origin="pythonpath")
    failure = f'  File "{LIBRARY}/random.py", line 1\n    SEED 3\nSyntaxError: invalid syntax'
    context = shadowed(
        own,
        STDLIB,
        entries=[entry(LIBRARY)],
        start=Start(mode="isolated", failure=failure, exit_code=1),
    )
    (found,) = judge("KD201", context)
    assert (found.weight, found.blocks) == ("fatal", ("python",))
    assert found.changes == (Change(kind="drop-path-entry", name=LIBRARY, value=None),)


def test_each_is_told_apart() -> None:
    own = [local("keras"), local("random"), local("notes")]
    context = world(locals_=own, modules=[beside(own[0]), beside(own[1], STDLIB)])
    assert {f.culprit for f in judge("KD201", context)} == {
        f"{PROJECT}/keras.py",
        f"{PROJECT}/random.py",
    }


MATCHES = [
    raised("SyntaxError", "invalid syntax", "/x/other.py", f"{PROJECT}/keras.py"),
    raised("AttributeError", "module 'keras' has no attribute 'layers'"),
    raised("AttributeError", "partially initialized module 'keras' has no attribute 'x'"),
    raised("ImportError", "cannot import name 'layers' from 'keras' (unknown location)"),
    raised("ImportError", "cannot import name 'a' from partially initialized module 'keras'"),
    raised("ModuleNotFoundError", "No module named 'keras.models'; 'keras' is not a package"),
    raised("ValueError", f"bad magic number in {PROJECT}/keras.py"),
]
MISSES = [
    raised("ModuleNotFoundError", "No module named 'keras'", name="keras"),
    raised("AttributeError", "module 'kerasx' has no attribute 'layers'"),
    raised("ImportError", "cannot import name 'keras' from 'tensorflow'"),
    raised("SyntaxError", "invalid syntax", f"{PROJECT}/keras_notes.py"),
    raised("ModuleNotFoundError", "No module named 'tensorflow'", name="tensorflow"),
]


@pytest.mark.parametrize("exception", MATCHES, ids=lambda e: e.message)
def test_signs(exception: object) -> None:
    (found,) = judge("KD201", shadowed(local("keras")))
    outcome = failed(exception)  # type: ignore[arg-type]
    assert any(matches(sign, outcome) for sign in found.signs)


@pytest.mark.parametrize("exception", MISSES, ids=lambda e: e.message)
def test_no_sign(exception: object) -> None:
    (found,) = judge("KD201", shadowed(local("keras")))
    outcome = failed(exception)  # type: ignore[arg-type]
    assert not any(matches(sign, outcome) for sign in found.signs)


EDITABLE = local("keras", "package", entry=LIBRARY, origin="pythonpath")
NOTHING: dict[str, Context] = {
    "nothing local": world(),
    "a name that nobody needs": world(locals_=[local("notes"), local("train")]),
    "a module of the standard library that is not needed": standard("antigravity"),
    "a package that is not needed": shadowed(local("requests")),
    "another backend than the selected one": shadowed(
        local("torch"), stack=with_(JAX_STACK, dist("torch", "2.6.0"))
    ),
    "a folder without code": world(
        locals_=[local("keras", "namespace")],
        modules=[module("keras", copy("keras", PROJECT, "namespace"), copy("keras"))],
    ),
    "the folder jax with data, beside the real one": world(
        locals_=[local("jax", "namespace")],
        modules=[module("jax", copy("jax", PROJECT, "namespace"), copy("jax"))],
    ),
    "a builtin module comes before every file": world(
        locals_=[local("time")], modules=[module("time", kind="builtin")]
    ),
    "a frozen module comes before every file": world(
        locals_=[local("os")], modules=[module("os", kind="frozen")]
    ),
    "site-packages on PYTHONPATH is another rule's": world(
        beside=[dist("keras", "2.3.1", site=LIBRARY)],
        entries=[entry(LIBRARY)],
        locals_=[EDITABLE],
    ),
    "the program is called like nothing": world(locals_=[local("train")]),
    "h5py where nothing needs it": shadowed(local("h5py"), stack=without(JAX_STACK, "keras")),
    "python started without it": world(
        locals_=[local("notes")], start=Start(mode="isolated", failure="other.py", exit_code=1)
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD201", context).startswith(QUIET)


def test_keras_py_where_keras_is_not_installed() -> None:
    own = local("keras")
    context = world(
        without(JAX_STACK, "keras"),
        locals_=[own],
        modules=[module("keras", copy("keras", PROJECT, "module"))],
    )
    assert judge("KD201", context) or judge("KD206", context)
