"""The set that is chosen, and what is said of what is impossible."""

from __future__ import annotations

import pytest

from keras_doctor.create.choose import as_specifier, choose
from keras_doctor.create.wanted import CreateError, Wanted
from keras_doctor.knowledge.selection import generation_of, generations
from keras_doctor.versions import compare_key, satisfies

PYTHONS = {f"3.{minor}": f"/pythons/3.{minor}" for minor in range(6, 14)}


def chosen_keras(wanted: Wanted) -> str:
    return choose(wanted, PYTHONS).keras.partition("==")[2]


@pytest.mark.parametrize(
    ("backend", "keras", "evidence"),
    [
        ("theano", "==2.3.1", "measured"),
        ("tensorflow", "==2.2.5", "measured"),
        ("tensorflow", "==2.10.0", "measured"),
        ("jax", "", "measured"),
        ("tensorflow", "", "measured"),
    ],
)
def test_what_was_measured_is_taken(backend: str, keras: str, evidence: str) -> None:
    found = choose(Wanted(backend=backend, keras=keras), PYTHONS)
    assert found.evidence == evidence
    assert found.interpreter == PYTHONS[found.python]
    assert satisfies(found.keras.partition("==")[2], keras) is not False


@pytest.mark.parametrize("backend", ["theano", "jax", "tensorflow", "openvino", "numpy"])
def test_the_chosen_keras_runs_on_the_backend(backend: str) -> None:
    generation = generation_of(chosen_keras(Wanted(backend=backend)))
    assert generation is not None
    assert generation.runs_on(backend)


def test_a_keras_that_leaves_half_of_itself_on_another_backend_is_not_chosen() -> None:
    half = [one for one in generations() if one.half]
    assert half
    assert generation_of(chosen_keras(Wanted(backend="theano"))) not in half


def test_an_old_keras_gets_a_backend_of_its_time() -> None:
    found = choose(Wanted(backend="tensorflow", keras="<2"), PYTHONS)
    (tensorflow,) = [one for one in found.requirements if one.startswith("tensorflow")]
    assert tensorflow.partition("==")[2].startswith("1.")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(backend="theano", python="3.13"), ("Python 3.13", "theano==", "on Python 3.8")),
        (Wanted(backend="jax", keras="==2.3.1"), ("does not run on jax", "Keras 3")),
        (Wanted(backend="openvino", keras="==3.0.*"), ("does not run on openvino", "3.8")),
        (Wanted(backend="tensorflow", keras="==2.2.5", python="3.12"), ("3.12", "on Python 3.7")),
    ],
)
def test_what_is_impossible_is_said_with_what_comes_nearest(
    wanted: Wanted, words: tuple[str, ...]
) -> None:
    with pytest.raises(CreateError) as raised:
        choose(wanted, PYTHONS)
    said = f"{raised.value} {raised.value.hint}"
    assert all(word in said for word in words), said


def test_a_python_that_is_not_here_is_named() -> None:
    with pytest.raises(CreateError) as raised:
        choose(Wanted(backend="theano"), {"3.13": "/pythons/3.13"})
    assert "which is not here" in (raised.value.hint or "")


def test_a_large_build_of_torch_is_taken_only_when_the_user_says_so() -> None:
    with pytest.raises(CreateError, match="several gigabytes"):
        choose(Wanted(backend="torch"), PYTHONS)
    large = choose(Wanted(backend="torch", large=True), PYTHONS)
    assert any(one.startswith("torch==") for one in large.requirements)
    small = choose(Wanted(backend="torch", small_torch=(("2.13.0+cpu", "3.11"),)), PYTHONS)
    assert small.python == "3.11"
    assert "torch==2.13.0+cpu" in small.requirements


def test_a_gpu_build_brings_its_libraries() -> None:
    found = choose(Wanted(backend="jax", accelerator="cuda12"), PYTHONS)
    assert any(one.startswith("jax[cuda12]==") for one in found.requirements)
    found = choose(Wanted(backend="tensorflow", accelerator="cuda12"), PYTHONS)
    assert any(one.startswith("tensorflow[and-cuda]==") for one in found.requirements)


def test_below_a_release_an_older_one_is_chosen() -> None:
    first = choose(Wanted(backend="jax"), PYTHONS).requirements[1].partition("==")[2]
    second = choose(Wanted(backend="jax", below=first), PYTHONS).requirements[1].partition("==")[2]
    assert compare_key(second) < compare_key(first)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("2.2.5", "==2.2.5"), ("2.2", "==2.2.*"), ("3", "==3.*"), ("<3", "<3"), ("", "")],
)
def test_releases_as_people_write_them(written: str, meant: str) -> None:
    assert as_specifier(written) == meant
