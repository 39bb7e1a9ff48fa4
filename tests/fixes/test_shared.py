"""Whom a change of a shared keras.json would switch, by generation and by text."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from rules.factory import KERAS_231, Stack, config, dist, of_keras, world
from targets.targets_help import make_venv

from keras_doctor.fixes.shared import (
    Reader,
    Switched,
    clause_of,
    environments_of_user,
    is_shared,
    readers_of,
    refusal_to_share,
    selected_by,
    switched_by,
)
from keras_doctor.knowledge.selection import generation_of, generations
from keras_doctor.model.plan import Step
from keras_doctor.rules.selection.explain import explain
from keras_doctor.targets.inventory import EnvironmentFound
from keras_doctor.targets.packages import PackageFound

HOME_FILE = "/home/ada/.keras/keras.json"
VERSIONS = (
    *("0.2.0", "0.3.0", "1.0.3", "1.1.0", "1.1.2", "1.2.2", "2.0.4", "2.1.6", "2.2.0", "2.3.1"),
    *("2.4.1", "2.4.3", "2.15.0", "3.5.0", "3.12.0"),
)
IGNORES = {"0.2.0": "theano", "2.4.3": "tensorflow", "2.15.0": "tensorflow"}
"""Those that run on one backend, whatever the file says."""
STRICT = {"0.3.0", "1.0.3", "1.1.0", "1.1.2", "1.2.2"}
"""Those whose import ends in an error when the file is no JSON."""
THEANO_FIRST = {"0.3.0", "1.0.3"}
TEXTS: dict[str, str | None] = {
    "absent": None,
    "theano": '{"backend": "theano"}',
    "jax": '{"backend": "jax", "floatx": "float32"}',
    "no backend": "{}",
    "no JSON": '{"backend": "theano",}',
    "byte order mark": '\ufeff{"backend": "theano"}',
    "empty": "",
    "a list": "[]",
    "epsilon": '{"epsilon": 1, "backend": "theano"}',
    "null": '{"backend": null}',
    "empty name": '{"backend": ""}',
}


def default_of(version: str) -> str:
    return "theano" if version in THEANO_FIRST else "tensorflow"


def expected(version: str, name: str) -> str | None:
    if version in IGNORES:
        return IGNORES[version]
    if name in ("a list", "epsilon"):
        return None
    if name in ("no JSON", "byte order mark", "empty"):
        return None if version in STRICT else default_of(version)
    named = {"theano": "theano", "jax": "jax", "null": "None", "empty name": ""}
    return named.get(name, default_of(version))


def select(version: str, text: str | None, platform: str = "linux") -> str | None:
    generation = generation_of(version)
    assert generation is not None
    return selected_by(text, version, generation, platform)


def found(
    python: str, *packages: str, folder: str | None = None, problem: str | None = None
) -> EnvironmentFound:
    """An environment with packages like ``keras 2.3.1``."""
    return EnvironmentFound(
        python=python,
        folder=folder,
        manager="venv",
        version="3.8",
        found=("PATH",),
        packages=tuple(
            PackageFound(name=name, version=version, location="/site")
            for name, version in (each.split() for each in packages)
        ),
        active=False,
        pip=(),
        problem=problem,
    )


def content(backend: str) -> str:
    return json.dumps({"backend": backend})


def test_the_table_holds_every_generation() -> None:
    met = {generation.name for v in VERSIONS if (generation := generation_of(v))}
    assert met == {generation.name for generation in generations()}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", TEXTS)
def test_what_each_generation_takes_from_each_text(version: str, name: str) -> None:
    assert select(version, TEXTS[name]) == expected(version, name)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", [name for name in TEXTS if expected("3.12.0", name) is not None])
def test_it_agrees_with_the_explanation_of_the_selection(version: str, name: str) -> None:
    """Where the import does not end in an error, both tell the same of the same facts."""
    if (took := select(version, TEXTS[name])) is None:
        return
    context = world(of_keras(version), keras_json=TEXTS[name])
    assert explain(context.snapshot, generation_of(version)).backend == took


def test_the_default_of_windows_is_that_of_the_release() -> None:
    assert select("1.1.2", None, "win32") == "theano"
    assert select("1.1.2", None, "darwin") == select("1.1.0", None, "win32") == "tensorflow"


@pytest.mark.parametrize("version", VERSIONS)
def test_switched_is_whoever_gets_another_one(version: str) -> None:
    there = [found("/old/bin/python", f"keras {version}")]
    for old, new in itertools.product(TEXTS, repeat=2):
        before, after = expected(version, old), expected(version, new)
        switched = switched_by(HOME_FILE, TEXTS[old], TEXTS[new], there, None, "linux")
        if before in (None, after):
            assert switched == (), (old, new)
        else:
            assert switched == (Switched("/old/bin/python", version, before, after),), (old, new)


def test_only_those_with_a_keras_that_can_start_count() -> None:
    there = [
        found("/a/bin/python", "keras 2.3.1", "theano 1.0.5"),
        found("/b/bin/python", "theano 1.0.5"),
        found("/c/bin/python", "keras 2.15.0"),
        found("/d/bin/python", "keras 3.12.0", problem="its interpreter is gone"),
        found("/e/bin/python", "keras-nightly 3.12.0.dev2025080103"),
        found("/f/bin/python", "keras-core 0.1.7"),
        found("/g/bin/python", "keras nonsense"),
        found("/here/bin/python", "keras 3.12.0"),
    ]
    switched = switched_by(HOME_FILE, content("theano"), content("jax"), there, "/here/bin/python")
    assert [one.python for one in switched] == ["/a/bin/python", "/e/bin/python"]
    assert readers_of(HOME_FILE, there, "/here/bin/python") == (
        Reader("/a/bin/python", "2.3.1", obeys=True),
        Reader("/c/bin/python", "2.15.0", obeys=False),
        Reader("/e/bin/python", "3.12.0.dev2025080103", obeys=True),
    )


def test_the_target_is_known_by_any_of_its_names(tmp_path: Path) -> None:
    venv = make_venv(tmp_path / "env")
    (tmp_path / "link").symlink_to(venv)
    there = [found(f"{venv}/bin/python3", "keras 3.12.0", folder=str(venv))]
    for here in (f"{venv}/bin/python", f"{tmp_path}/link/bin/python"):
        assert readers_of(HOME_FILE, there, here) == ()
    base = os.path.realpath(venv / "bin" / "python")
    assert readers_of(HOME_FILE, there, base) != ()
    assert readers_of(HOME_FILE, [found(base, "keras 3.12.0")], f"{venv}/bin/python") != ()


def test_the_file_in_tmp_is_read_by_those_that_fall_back_to_it() -> None:
    there = [found("/a/bin/python", "keras 0.3.0"), found("/b/bin/python", "keras 2.3.1")]
    switched = switched_by(
        "/tmp/.keras/keras.json", content("theano"), content("cntk"), there, None
    )
    assert [one.python for one in switched] == ["/b/bin/python"]


def test_which_files_are_shared(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".keras").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "same").symlink_to(home / ".keras")
    environ = {"HOME": str(home)}
    shared = [f"{home}/.keras/keras.json", f"{tmp_path}/same/keras.json", "/tmp/.keras/keras.json"]
    for path in shared:
        assert is_shared(path, environ)
    for path in (f"{tmp_path}/mine/keras.json", f"{home}/.keras/other.json", f"{home}/keras.json"):
        assert not is_shared(path, environ)


def test_the_clause_names_two_and_counts_the_rest() -> None:
    many = [Switched(f"/{name}/bin/python", "2.3.1", "theano", "jax") for name in "abcd"]
    assert clause_of(many[:1]) == (
        "it would also switch /a/bin/python (Keras 2.3.1) from theano to jax, "
        "as all your environments read this file"
    )
    assert "/a/bin/python (Keras 2.3.1) from theano to jax, /b/bin/python" in clause_of(many)
    assert " and 2 more, as" in clause_of(many)
    assert "/c/bin" not in clause_of(many)
    assert "from theano to an import that fails" in clause_of([many[0]._replace(after=None)])


# ------------------------------------------------------------------ asked by the plan


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """Another environment of the user, below HOME in another project."""
    venv = make_venv(tmp_path / "home" / "work" / "old" / ".venv")
    (site,) = (venv / "lib").glob("python3*/site-packages")
    (site / "Keras-2.3.1.dist-info").mkdir()
    (tmp_path / "home" / "new").mkdir()
    return venv


def variables(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}


def writing(path: object, text: str, kind: str = "write-file") -> Step:
    step = Step(kind=kind, risk="safe", summary="", code="", cause="", culprit="")
    return step._replace(path=str(path), value=text)


def refusal(tmp_path: Path, step: Step, old: str | Mapping[str, object] | None) -> str | None:
    path = f"{tmp_path}/home/.keras/keras.json"
    configs = () if old is None else (config(old, path=path),)
    stack = Stack("3.8.18", (*KERAS_231, dist("Theano", "1.0.5")))
    context = world(stack, configs=configs)
    return refusal_to_share(step, context, variables(tmp_path), f"{tmp_path}/home/new")


def test_other_projects_below_home_are_found(other: Path, tmp_path: Path) -> None:
    there = environments_of_user(variables(tmp_path), f"{tmp_path}/home/new")
    assert f"{other}/bin/python" in [one.python for one in there]
    assert len({one.python for one in there}) == len(there)


def test_a_step_that_switches_another_environment_is_refused(other: Path, tmp_path: Path) -> None:
    path = tmp_path / "home" / ".keras" / "keras.json"
    told = refusal(tmp_path, writing(path, content("jax")), {"backend": "theano"})
    assert told == (
        f"it would also switch {other}/bin/python (Keras 2.3.1) from theano to jax, as all your "
        "environments read this file"
    )
    told = refusal(tmp_path, writing(path, content("theano")), None)
    assert told is not None
    assert "from tensorflow to theano" in told


def test_a_step_that_switches_nobody_is_not(other: Path, tmp_path: Path) -> None:
    path = tmp_path / "home" / ".keras" / "keras.json"
    same = content("theano")
    assert refusal(tmp_path, writing(path, same), {"backend": "theano", "epsilon": 1}) is None
    assert refusal(tmp_path, writing(path, content("tensorflow")), None) is None
    elsewhere = writing(tmp_path / "kh" / "keras.json", content("jax"))
    assert refusal(tmp_path, elsewhere, {"backend": "theano"}) is None
    other_kind = writing(path, content("jax"), kind="delete")
    assert refusal(tmp_path, other_kind, {"backend": "theano"}) is None
