"""The questions that rules ask: what is installed, and what lies on the way of the import."""

from __future__ import annotations

import pytest

from keras_doctor.rules.context import Context, is_inside, same_path
from rules.factory import (
    BARE_STACK,
    JAX,
    JAX_STACK,
    KERAS_210_STACK,
    PROJECT,
    SITE,
    TENSORFLOW_STACK,
    THEANO_STACK,
    TORCH,
    Stack,
    copy,
    dist,
    failed,
    module,
    passed,
    remnant,
    script,
    set_backend,
    with_,
    without,
    world,
)

JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
BOTH = with_(TENSORFLOW_STACK, *JAX)


@pytest.mark.parametrize(
    ("context", "on_the_way", "off_the_way"),
    [
        (world(variables=JAX_VARIABLE), {"keras", "jax", "jaxlib", "scipy", "numpy"}, {"pip"}),
        (world(BOTH, variables=JAX_VARIABLE), {"jax", "scipy"}, {"tensorflow", "protobuf"}),
        (world(BOTH), {"tensorflow", "protobuf"}, {"jax", "scipy"}),
        (world(BOTH, wish="jax"), {"tensorflow", "jax"}, {"pip"}),
        (world(BOTH, program=script("keras", "jax")), {"tensorflow", "jax"}, {"pip"}),
        (
            world(BOTH, program=script("keras", "jax", guarded=("jax",))),
            {"tensorflow"},
            {"jax"},
        ),
        (world(THEANO_STACK, variables={"KERAS_BACKEND": "theano"}), {"theano", "six"}, {"pip"}),
        (world(KERAS_210_STACK), {"tensorflow", "tensorflow-estimator"}, {"pip"}),
        (world(without(JAX_STACK, "optree")), {"optree", "keras"}, {"jax"}),
        (world(without(BOTH, "keras"), program=script("tensorflow")), {"tensorflow"}, {"optree"}),
        (world(TENSORFLOW_STACK, variables={"TF_USE_LEGACY_KERAS": "1"}), {"tf-keras"}, {"pip"}),
        (world(Stack("3.12.7", ())), set(), {"keras"}),
    ],
)
def test_way(context: Context, on_the_way: set[str], off_the_way: set[str]) -> None:
    assert on_the_way <= set(context.way)
    assert not off_the_way & set(context.way)
    assert all(context.on_the_way(name.replace("-", "_").upper()) for name in on_the_way)


def test_the_way_knows_who_needs_what() -> None:
    way = world(variables=JAX_VARIABLE).way
    assert (way["keras"], way["jax"]) == ((), ())
    assert way["jaxlib"] == ("jax",)
    assert set(way["numpy"]) >= {"keras", "jax", "scipy"}


def test_a_circle_of_requirements_ends() -> None:
    stack = with_(JAX_STACK, dist("h5py", "3", "rich", "keras"), dist("rich", "1", "h5py"))
    assert set(world(stack).way["h5py"]) == {"keras", "rich"}


@pytest.mark.parametrize(
    ("line", "applies"),
    [
        ("x", True),
        ("x; python_version >= '3.12'", True),
        ("x; python_version < '3.10'", False),
        ("x; python_full_version >= '3.12.7'", True),
        ("x; sys_platform == 'linux' and platform_machine == 'x86_64'", True),
        ("x; sys_platform == 'darwin' or os_name == 'nt'", False),
        ("x; platform_system == 'Linux'", True),
        ("x; implementation_name == 'cpython'", True),
        ("x; platform_python_implementation == 'PyPy'", False),
        ("x; extra == 'all'", False),
        ("x; python_version >= '3.9' and extra == 'all'", False),
        ("x (>=1) ; python_version >= '3'", True),
        ("x; nonsense", True),
        ("!", False),
    ],
)
def test_requirements_that_apply(line: str, applies: bool) -> None:
    context = world()
    names = [name for name, _spec, _line in context.requirements(dist("a", "1", line))]
    assert names == (["x"] if applies else [])


def test_requirements_where_nothing_is_known_of_the_python() -> None:
    context = world(interpreter=None)
    rows = list(context.requirements(dist("a", "1", "x; python_version < '3'")))
    assert [name for name, _spec, _line in rows] == ["x"]


@pytest.mark.parametrize(
    ("backend", "context", "importable", "version"),
    [
        ("jax", world(), True, "0.5.0"),
        ("jax", world(without(JAX_STACK, "jaxlib")), False, "0.5.0"),
        ("jax", world(without(JAX_STACK, "jax")), False, "0.5.0"),
        ("torch", world(), False, None),
        ("torch", world(modules=[remnant("torch")]), False, None),
        ("torch", world(modules=[module("torch", copy("torch"))]), True, None),
        ("numpy", world(), True, "2.2.1"),
        ("numpy", world(BARE_STACK), False, "2.2.1"),
        ("tensorflow", world(TENSORFLOW_STACK), True, "2.18.1"),
        ("nonsense", world(), False, None),
    ],
)
def test_backends(backend: str, context: Context, importable: bool, version: str | None) -> None:
    assert context.backend_importable(backend) is importable
    found = context.backend_distribution(backend)
    assert (found.version if found else None) == version


def test_a_backend_that_was_not_looked_up_is_known_by_its_metadata() -> None:
    context = world(with_(JAX_STACK, *TORCH))
    blind = Context(context.snapshot._replace(modules=()))
    assert blind.backend_importable("torch")
    assert not blind.backend_importable("theano")


def test_installed_backends_are_those_that_keras_knows() -> None:
    assert world(with_(JAX_STACK, dist("theano", "1.0.5"))).installed_backends == ("jax", "numpy")
    assert world(THEANO_STACK).installed_backends == ("theano",)
    assert world(KERAS_210_STACK).installed_backends == ("tensorflow",)


def test_the_keras_that_is_found_is_the_one_whose_folder_wins() -> None:
    other = dist("keras", "2.3.1", site="/other")
    context = world(
        beside=[other], modules=[module("keras", copy("keras"), copy("keras", "/other"))]
    )
    assert context.keras_version == "3.8.0"
    assert world(beside=[other]).keras_version == "2.3.1"
    assert context.keras.path == f"{SITE}/keras/__init__.py"
    assert world(without(JAX_STACK, "keras")).keras_version is None


def test_a_local_file_does_not_change_which_keras_is_installed() -> None:
    local = module("keras", copy("keras", PROJECT, "module"), copy("keras"))
    assert world(modules=[local]).keras_version == "3.8.0"


@pytest.mark.parametrize(
    ("outcomes", "works", "seen"),
    [
        ((), None, None),
        ((passed("jax"),), True, "jax"),
        ((passed("jax", status="stopped"),), True, "jax"),
        ((failed(),), False, None),
        ((failed(kind="command"), passed("jax")), False, "jax"),
        ((passed("jax"), failed(changes=(set_backend("torch"),))), True, "jax"),
        ((failed(), passed("torch", changes=(set_backend("torch"),))), False, None),
        ((passed(None, kind="command"), passed("jax")), True, "jax"),
    ],
)
def test_what_was_run(outcomes: tuple[object, ...], works: bool | None, seen: str | None) -> None:
    context = world(outcomes=outcomes)  # type: ignore[arg-type]
    assert (context.works, context.backend_seen) == (works, seen)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"{PROJECT}/keras.json", "keras.json"),
        (f"{PROJECT}/a/b.py", "a/b.py"),
        ("/home/ada/.keras/keras.json", "~/.keras/keras.json"),
        ("/home/adam/x", "/home/adam/x"),
        (SITE, SITE),
    ],
)
def test_paths_are_shown_as_a_person_says_them(path: str, shown: str) -> None:
    assert world().shown(path) == shown


@pytest.mark.parametrize(
    ("path", "folder", "inside"),
    [
        ("/a/b", "/a", True),
        ("/a", "/a", True),
        ("/a/", "/a", True),
        ("/ab", "/a", False),
        ("/a/../b", "/a", False),
        ("/b", "/", True),
        ("/a/b/./c", "/a/b/", True),
    ],
)
def test_is_inside(path: str, folder: str, inside: bool) -> None:
    assert is_inside(path, folder) is inside


def test_same_path() -> None:
    assert same_path("/a/b/", "/a/./b")
    assert not same_path("/a/b", "/a/B")
