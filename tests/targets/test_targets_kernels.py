"""Jupyter kernelspecs, and notebooks that name one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from keras_doctor.targets import TargetError, kernels
from targets.targets_help import Find, make_venv, program


def spec(folder: Path, name: str, **fields: object) -> Path:
    place = folder / "kernels" / name
    place.mkdir(parents=True)
    given = {"argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
             "display_name": name, "language": "python", **fields}  # fmt: skip
    (place / "kernel.json").write_text(json.dumps(given))
    return place / "kernel.json"


def user_data(world: dict[str, str]) -> Path:
    return Path(world["HOME"]) / ".local" / "share" / "jupyter"


def test_a_kernel_brings_its_interpreter_and_variables(
    find: Find, world: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    env = make_venv(tmp_path / "env")
    world["LD_LIBRARY_PATH"] = "/x"
    path = spec(
        user_data(world), "Deep", argv=[f"{env}/bin/python", "-Xfrozen_modules=off", "-m", "x"],
        env={"KERAS_BACKEND": "jax", "LD_LIBRARY_PATH": "/y:${LD_LIBRARY_PATH}", "Z": "$NO/z"},
    )  # fmt: skip
    found = find(kernel="deep")
    assert found.target.environment == str(env)
    assert (found.target.start, found.target.path0) == ("notebook", os.path.realpath(folder))
    assert found.target.chosen == f"the Jupyter kernel deep ({path})"
    assert found.options == ("-X", "frozen_modules=off")
    assert found.environ["KERAS_BACKEND"] == "jax"
    assert found.environ["LD_LIBRARY_PATH"] == "/y:/x"
    assert found.set_by["KERAS_BACKEND"] == str(path)
    assert world["LD_LIBRARY_PATH"] == "/x"
    assert (found.module, found.run) == (None, ())


def test_places_are_searched_in_jupyters_order(
    find: Find, world: dict[str, str], tmp_path: Path
) -> None:
    for number, place in enumerate(("a", "b", "data")):
        spec(tmp_path / place, "same", env={"N": str(number)})
    world["JUPYTER_PATH"] = f"{tmp_path}/a{os.pathsep}{tmp_path}/b"
    world["JUPYTER_DATA_DIR"] = str(tmp_path / "data")
    assert find(kernel="same").environ["N"] == "0"
    world["JUPYTER_PATH"] = str(tmp_path / "b")
    assert find(kernel="SAME").environ["N"] == "1"
    del world["JUPYTER_PATH"]
    assert find(kernel="same").environ["N"] == "2"


def test_a_bare_python_is_the_one_of_the_environment_or_of_jupyter(
    find: Find, world: dict[str, str], tmp_path: Path, venv: Path
) -> None:
    env = make_venv(tmp_path / "env")
    spec(env / "share" / "jupyter", "python3")
    world["VIRTUAL_ENV"] = str(env)
    assert find(kernel="python3").target.environment == str(env)
    spec(user_data(world), "mine")
    assert find(kernel="mine").target.environment == str(venv)
    other = make_venv(tmp_path / "other")
    program(tmp_path / "bin" / "jupyter", f"#!{other}/bin/python\nimport sys\n")
    world["PATH"] = f"{tmp_path / 'bin'}:{world['PATH']}"
    assert find(kernel="mine").target.environment == str(other)


def test_a_kernel_may_start_through_other_commands(
    find: Find, world: dict[str, str], tmp_path: Path
) -> None:
    env = make_venv(tmp_path / "env")
    data = user_data(world)
    spec(data, "shell", argv=["bash", "-c", f". {env}/bin/activate && exec python -m ipykernel"])
    place = spec(data, "own", argv=["{resource_dir}/start.sh", "-f", "{connection_file}"])
    program(place.parent / "start.sh", f'#!/bin/sh\nA=b exec {env}/bin/python -m ipykernel "$@"\n')
    spec(data, "env", argv=["env", "A=b", f"{env}/bin/python", "-m", "ipykernel"])
    for name in ("shell", "own", "env"):
        found = find(kernel=name)
        assert found.target.environment == str(env), name
        assert found.environ.get("A", "b") == "b"


def test_what_is_no_kernel_is_said(find: Find, world: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="there is none at all"):
        find(kernel="python3")
    data = user_data(world)
    spec(data, "julia", language="julia", argv=["julia"])
    spec(data, "lost", argv=["/no/such/python", "-m", "ipykernel"])
    spec(data, "other", argv=["ls"])
    for name, text in (("broken", "{"), ("list", "[]"), ("empty", '{"argv": []}'),
                       ("odd", '{"argv": [1]}'), ("huge", "[" * 100000)):  # fmt: skip
        spec(data, name).write_text(text)
    with pytest.raises(TargetError, match=r"there are julia, lost, other; looked in .*jupyter"):
        find(kernel="deep")
    with pytest.raises(TargetError, match="runs julia, not Python; give another one"):
        find(kernel="julia")
    with pytest.raises(TargetError, match=r"/no/such/python does not exist; mend .*kernel.json"):
        find(kernel="lost")
    with pytest.raises(TargetError, match="it starts no Python"):
        find(kernel="other")
    with pytest.raises(TargetError, match="no such Jupyter kernel"):
        find(kernel="broken")


def test_a_command_may_run_in_a_kernel(find: Find, world: dict[str, str], tmp_path: Path) -> None:
    env = make_venv(tmp_path / "env")
    spec(user_data(world), "deep", argv=[f"{env}/bin/python"], env={"A": "1", "B": "1"})
    found = find("B=2", "python", "train.py", kernel="deep")
    assert found.target.environment == str(env)
    assert found.target.start == "script"
    assert (found.environ["A"], found.environ["B"]) == ("1", "2")


def test_notebooks_name_their_kernel(
    find: Find, world: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    env = make_venv(tmp_path / "env")
    venv = make_venv(folder / ".venv")
    program(venv / "bin" / "jupyter", f"#!{venv}/bin/python\nsys.exit(main())\n")
    path = spec(user_data(world), "deep", argv=[f"{env}/bin/python"], env={"A": "1"})
    (folder / "sub").mkdir()
    book = folder / "sub" / "nb.ipynb"
    book.write_text(json.dumps({"cells": [], "metadata": {"kernelspec": {"name": "deep"}}}))
    found = find(".venv/bin/jupyter nbconvert --to notebook --execute sub/nb.ipynb")
    assert found.target.environment == str(env)
    assert (found.target.start, found.target.script) == ("notebook", str(book))
    assert found.target.path0 == found.target.folder == os.path.realpath(folder / "sub")
    assert found.run_folder == str(folder)
    assert found.environ["A"] == "1"
    assert f"{book} wants the kernel deep: {path}" in found.considered
    for option in ("--ExecutePreprocessor.kernel_name=gone", "--kernel gone"):
        found = find(f".venv/bin/jupyter nbconvert --execute {option} sub/nb.ipynb")
        assert found.target.environment == str(venv)
        assert f"{book} wants the kernel gone, which is not there" in found.considered
    book.write_text("no json")
    assert find("python -m jupyter nbconvert --execute sub/nb.ipynb").target.script == str(book)
    assert kernels.of_notebook(str(book)) is None
