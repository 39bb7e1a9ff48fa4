"""What is read in programs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from keras_doctor.create.needs import is_standard, needs_of
from keras_doctor.create.wanted import CreateError
from keras_doctor.knowledge.compatibility import lost_in
from keras_doctor.knowledge.moved_paths import moved_paths


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def test_imports_of_the_users_own_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "helpers.py", "import pandas\n")
    program = write(tmp_path, "train.py", "import os\nimport keras\nfrom helpers import load\n")
    needs = needs_of(program)
    assert needs.local_modules == ("helpers",)
    assert [one.module for one in needs.imports] == ["os", "keras", "pandas"]


def test_a_folder_and_a_notebook_are_read(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "import theano\n")
    book = {"cells": [{"cell_type": "code", "source": "%matplotlib inline\nimport seaborn"}]}
    write(tmp_path, "deep/b.ipynb", json.dumps(book))
    needs = needs_of(str(tmp_path))
    assert {one.module for one in needs.imports} == {"theano", "seaborn"}
    assert (needs.backend, needs.backend_why) == ("theano", "a.py:1 imports it")
    assert not needs.backend_is_set


@pytest.mark.parametrize(
    ("text", "config", "backend", "why"),
    [
        ("import os\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras\n", None, "jax", "line:2"),
        ("import keras\n", {"backend": "theano"}, "theano", "keras.json says so"),
        ("import keras\n", {"backend": "unheard-of"}, None, None),
        ("import theano\nimport keras\n", None, "theano", "imports it"),
        ("try:\n    import theano\nexcept ImportError:\n    pass\n", None, None, None),
    ],
)
def test_the_backend_of_a_program(
    tmp_path: Path, text: str, config: dict[str, str] | None, backend: str | None, why: str | None
) -> None:
    program = write(tmp_path, "line", text)
    Path(program).rename(tmp_path / "line.py")
    if config:
        write(tmp_path, "keras.json", json.dumps(config))
    needs = needs_of(str(tmp_path / "line.py"))
    assert needs.backend == backend
    assert needs.backend_is_set is (why is not None and "imports" not in why)
    assert (why or "").replace("line:2", "line.py:2") in (needs.backend_why or "")


def test_python_2_is_recognised(tmp_path: Path) -> None:
    needs = needs_of(write(tmp_path, "old.py", "import keras\nprint 'hello'\n"))
    assert needs.python2 == "old.py: Python 2 syntax in line 2"
    needs = needs_of(write(tmp_path, "new.py", "import keras\nprint(('hello'\n"))
    assert needs.python2 is None
    assert needs.problems


def test_the_day_of_the_last_commit(tmp_path: Path) -> None:
    program = write(tmp_path, "train.py", "import keras\n")
    assert needs_of(program).date is None
    for words in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "x", "--date=2017-03-01"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, env={"PATH": "/usr/bin:/bin",
            "GIT_COMMITTER_DATE": "2017-03-01T12:00:00Z", "HOME": str(tmp_path)})  # fmt: skip
    assert needs_of(program).date == "2017-03-01"


@pytest.mark.parametrize("name", ["absent.py", "empty"])
def test_nothing_to_read_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CreateError):
        needs_of(str(tmp_path / name))


@pytest.mark.parametrize(
    ("module", "names", "since"),
    [
        ("StringIO", (), "3.0"),
        ("urllib", ("urlretrieve",), "3.0"),
        ("urllib", ("request",), None),
        ("imghdr", (), "3.13"),
        ("collections", ("Mapping", "deque"), "3.10"),
        ("os.path", (), None),
    ],
)
def test_what_the_standard_library_lost(
    module: str, names: tuple[str, ...], since: str | None
) -> None:
    assert lost_in(module, names) == since


def test_paths_that_are_gone_from_other_packages() -> None:
    assert [one.releases for one in moved_paths("sklearn.cross_validation")] == ["<0.20"]
    (moved,) = moved_paths("scipy.misc", ("imsave", "derivative"))
    assert (moved.distribution, moved.needs) == ("scipy", ("pillow",))
    assert moved_paths("scipy.linalg", ("inv",)) == ()
    assert moved_paths("sklearn", ("cross_validation",))


def test_the_standard_library() -> None:
    assert is_standard("os.path")
    assert is_standard("__future__")
    assert not is_standard("numpy")
