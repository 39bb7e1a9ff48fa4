"""Which Python is taken when the user names one, or none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_doctor.targets import TargetError, find_target, named
from keras_doctor.targets.environments import environment_of, is_interpreter, python_in
from targets.targets_help import (
    BASE,
    Find,
    constructed_conda,
    constructed_python,
    interpreters,
    make_venv,
    program,
)


def test_the_active_virtual_environment_comes_first(
    find: Find, world: dict[str, str], folder: Path, tmp_path: Path, venv: Path
) -> None:
    make_venv(folder / ".venv")
    world["VIRTUAL_ENV"] = str(venv)
    found = find()
    assert found.target.python == str(venv / "bin" / "python")
    assert found.target.environment == str(venv)
    assert found.target.manager == "venv"
    assert found.target.chosen == "the active virtual environment (VIRTUAL_ENV)"
    assert found.considered == (f"VIRTUAL_ENV is set: {venv}, taken",)
    assert (found.target.start, found.target.path0) == ("interactive", os.path.realpath(folder))
    assert found.environ == world
    assert found.argv == found.run == ()


def test_an_active_environment_that_path_does_not_lead_to_is_taken_and_said(
    find: Find, world: dict[str, str], tmp_path: Path, venv: Path
) -> None:
    other = make_venv(tmp_path / "other")
    world["VIRTUAL_ENV"] = str(other)
    found = find()
    assert found.target.python == str(other / "bin" / "python")
    assert found.considered[1] == (
        f"but `python` on PATH is {venv}/bin/python: typing `python` does not start the "
        f"environment of VIRTUAL_ENV ({other})"
    )


def test_an_active_environment_that_is_gone_is_passed_over(
    find: Find, world: dict[str, str], venv: Path
) -> None:
    world["VIRTUAL_ENV"] = "/no/such/env"
    found = find()
    assert found.target.python == str(venv / "bin" / "python")
    assert "there is no Python in it: passed over" in found.considered[0]


def test_an_environment_whose_base_python_was_removed_is_still_meant(
    find: Find, world: dict[str, str], tmp_path: Path
) -> None:
    env = make_venv(tmp_path / "lost")
    for name in os.listdir(env / "bin"):
        if name.startswith("python"):
            (env / "bin" / name).unlink()
    (env / "bin" / "python").symlink_to("/no/such/python")
    world["VIRTUAL_ENV"] = str(env)
    assert find().target.python == str(env / "bin" / "python")
    del world["VIRTUAL_ENV"]
    assert find(python=str(env)).target.environment == str(env)
    assert find(python=str(env / "bin" / "python")).target.environment == str(env)


def test_conda_comes_after_virtual_environments_and_before_the_folder(
    find: Find, world: dict[str, str], folder: Path, tmp_path: Path, venv: Path
) -> None:
    prefix = constructed_conda(tmp_path / "conda" / "envs" / "tf")
    make_venv(folder / "venv")
    world["CONDA_PREFIX"] = str(prefix)
    found = find()
    assert found.target.python == str(prefix / "bin" / "python")
    assert (found.target.environment, found.target.manager) == (str(prefix), "conda")
    world["VIRTUAL_ENV"] = str(venv)
    assert find().target.environment == str(venv)


def test_dot_venv_then_venv_then_path(find: Find, folder: Path, venv: Path) -> None:
    found = find()
    assert found.target.chosen == "the first python on PATH"
    assert found.target.python == str(venv / "bin" / "python")
    make_venv(folder / "venv")
    assert find().target.environment == str(folder / "venv")
    make_venv(folder / ".venv")
    assert find().target.environment == str(folder / ".venv")
    assert find(project=str(folder)).target.folder == str(folder)


def test_python3_is_taken_when_there_is_no_python(
    find: Find, world: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").symlink_to(BASE)
    world["PATH"] = str(tmp_path / "bin")
    found = find()
    assert found.target.python == str(tmp_path / "bin" / "python3")
    assert found.target.chosen == "the first python3 on PATH"
    world["PATH"] = str(tmp_path)
    with pytest.raises(TargetError, match=r"No Python was found .* --python PATH"):
        find()


def test_the_tools_own_environment_is_not_meant_unless_asked_for(
    find: Find, world: dict[str, str], folder: Path, tmp_path: Path, venv: Path
) -> None:
    own = make_venv(tmp_path / "own")
    world["PATH"] = f"{own / 'bin'}:{world['PATH']}"
    found = find(own=str(own))
    assert found.target.python == str(venv / "bin" / "python")
    assert str(own) not in found.environ["PATH"]
    assert found.considered[0] == f"PATH holds {own}/bin, this tool's own environment: passed over"
    assert find("python", "x.py", own=str(own)).target.python == str(venv / "bin" / "python")
    # A program that lies only there can still be run, after the user's own ones.
    runner = own / "bin" / "runner"
    runner.write_text("#!/bin/sh\n")
    runner.chmod(0o755)
    entries = find("python", "x.py", own=str(own)).run_environ["PATH"].split(":")
    assert entries[0] != str(own / "bin")
    assert entries[-1] == str(own / "bin")
    named = find(python=str(own), own=str(own))
    assert named.target.environment == str(own)
    assert named.environ["PATH"] == world["PATH"]
    world["VIRTUAL_ENV"] = str(own)
    assert find(own=str(own)).target.environment == str(own)


def test_the_tools_own_environment_is_meant_when_people_work_in_it(
    find: Find, world: dict[str, str], folder: Path
) -> None:
    own = make_venv(folder / ".venv")
    assert find(own=str(own)).target.environment != str(own)
    package = next((own / "lib").glob("python*")) / "site-packages" / "keras"
    package.mkdir()
    assert find(own=str(own)).target.environment == str(own)


def test_by_default_the_own_environment_is_this_process(folder: Path, venv: Path) -> None:
    if sys.prefix == sys.base_prefix:
        pytest.skip("the tests run outside of a virtual environment")
    environ = {"PATH": f"{sys.prefix}/bin:{venv}/bin", "HOME": str(folder)}
    found = find_target(
        python=None, kernel=None, project=None, command=(), environ=environ, folder=str(folder)
    )
    assert found.target.environment == str(venv)


@pytest.mark.parametrize("form", ["", "bin", "bin/python", "bin/python3"])
def test_python_can_be_a_folder_or_a_file(find: Find, venv: Path, form: str) -> None:
    found = find(python=str(venv / form))
    assert found.target.environment == str(venv)
    assert found.target.python.startswith(str(venv / "bin" / "python"))  # type: ignore[union-attr]


def test_python_can_be_relative_and_below_home(
    find: Find, folder: Path, world: dict[str, str]
) -> None:
    make_venv(folder / "env")
    assert find(python="env").target.environment == str(folder / "env")
    assert find(python="env/bin/python").target.environment == str(folder / "env")
    make_venv(Path(world["HOME"]) / "mine")
    assert find(python="~/mine").target.environment == str(Path(world["HOME"]) / "mine")
    make_venv(folder / ".venv")
    assert find(python=str(folder)).target.environment == str(folder / ".venv")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("/no/such/python", "/no/such/python does not exist; give an interpreter"),
        ("{tmp}/notes.txt", "is not a program that may be started; give an interpreter"),
        ("/bin/ls", "/bin/ls is not a Python interpreter; give one, or an environment folder"),
        ("{tmp}/python", "is not a Python interpreter; give one"),
        ("{tmp}/train.py", "is a program, not an interpreter; give it as a command: -- python"),
        ("{tmp}/empty", r"holds no Python \(no bin/python in it\); give an environment's folder"),
        ("{tmp}/lost", "is a link to /no/such/file, which does not exist"),
        ("9.99", r"--python 9.99: no such Python is on PATH or among those of pyenv.*give the"),
        ("nonsense", "no such Python is on PATH"),
        ("python9.99", "no such Python is on PATH"),
    ],
)
def test_what_is_no_python_is_said_in_one_sentence(
    find: Find, tmp_path: Path, given: str, says: str
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "train.py").write_text("import keras")
    program(tmp_path / "python", "just text")
    (tmp_path / "empty").mkdir()
    (tmp_path / "lost").symlink_to("/no/such/file")
    with pytest.raises(TargetError, match=says) as caught:
        find(python=given.replace("{tmp}", str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_a_version_that_is_not_there_names_those_that_are(
    find: Find, world: dict[str, str], tmp_path: Path
) -> None:
    for name in ("3.6.15", "3.12.1"):
        constructed_python(tmp_path / "pyenv" / "versions" / name)
    world["PYENV_ROOT"] = str(tmp_path / "pyenv")
    world["PATH"] = "/no/such/folder"
    with pytest.raises(TargetError, match=r"there are 3\.6\.15, 3\.12\.1"):
        find(python="3.13")


def test_versions_are_found_on_path_in_pyenv_uv_and_conda(
    find: Find, world: dict[str, str], tmp_path: Path
) -> None:
    home = Path(world["HOME"])
    world["PATH"] = str(tmp_path / "bin")
    pyenv = home / ".pyenv" / "versions"
    for name in ("3.8.2", "3.8.18", "3.8.9"):
        constructed_python(pyenv / name)
    uv = home / ".local" / "share" / "uv" / "python" / "cpython-3.13.1-linux-x86_64-gnu"
    constructed_python(uv)
    conda = constructed_conda(home / "miniconda3" / "envs" / "old", "3.7.16")
    constructed_conda(home / "miniconda3", "3.12.4")
    assert find(python="3.8").target.python == str(pyenv / "3.8.18" / "bin" / "python")
    assert find(python="3.8.2").target.python == str(pyenv / "3.8.2" / "bin" / "python")
    assert find(python="3.8").target.manager == "pyenv"
    found = find(python="python3.13").target
    assert (found.python, found.manager) == (str(uv / "bin" / "python"), "uv")
    assert find(python="3.7").target.environment == str(conda)
    assert find(python="old").target.environment == str(conda)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.8").symlink_to(BASE)
    assert find(python="3.8").target.python == str(tmp_path / "bin" / "python3.8")
    assert find(python="3.8.2").target.python == str(pyenv / "3.8.2" / "bin" / "python")


def test_an_installed_python_comes_before_that_of_a_conda_environment(
    world: dict[str, str], folder: Path
) -> None:
    home = Path(world["HOME"])
    pyenv = constructed_python(home / ".pyenv" / "versions" / "3.8.2")
    constructed_conda(home / "miniconda3" / "envs" / "newer", "3.8.18")
    conda = constructed_conda(home / "miniconda3" / "envs" / "old", "3.7.16")
    found = named.interpreters(world, str(folder))
    assert found["3.8"] == str(pyenv / "bin" / "python")
    assert found["3.7"] == str(conda / "bin" / "python")
    assert named.by_version("3.8", {**world, "PATH": ""}, str(folder)) == found["3.8"]


def test_a_project_must_be_a_folder(find: Find, folder: Path) -> None:
    (folder / "file").write_text("")
    (folder / "sub").mkdir()
    found = find(project="sub")
    assert found.target.folder == found.run_folder == str(folder / "sub")
    for name, says in (("nope", "does not exist"), ("file", "is not a folder")):
        with pytest.raises(TargetError, match=f"--project {name}: .*{says}; name the folder"):
            find(project=name)


def test_two_pythons_are_refused(find: Find) -> None:
    with pytest.raises(TargetError, match="give one of them"):
        find(python="3.11", kernel="python3")


def test_a_folder_without_rights_is_said(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    make_venv(closed / "env")
    closed.chmod(0)
    code = (
        "from keras_doctor.targets import find_target, TargetError\n"
        f"for name in ('{closed}', '{closed}/env', '{closed}/env/bin/python'):\n"
        "    try: find_target(python=name, kernel=None, project=None, command=(), environ={},\n"
        "                     folder='/')\n"
        "    except TargetError as error: print(error)\n"
    )
    argv = [sys.executable, "-c", code]
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            closed.chmod(0o755)
            pytest.skip("root obeys no permissions and there is no setpriv")
        argv = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *argv]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    finally:
        closed.chmod(0o755)
    lines = done.stdout.splitlines()
    assert len(lines) == 3, done.stderr
    assert "cannot be read (Permission denied); run keras-doctor as a user who may" in lines[0]
    assert all("cannot be reached (Permission denied)" in line for line in lines[1:])


@pytest.mark.pythons
@pytest.mark.parametrize("python", interpreters())
def test_environments_of_every_python_are_known_from_files(python: str, tmp_path: Path) -> None:
    env = make_venv(tmp_path / "env", python)
    inside = python_in(str(env))
    assert inside is not None
    said = subprocess.run(
        [inside, "-c", "import sys, platform; print(sys.prefix, platform.python_version())"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout.split()  # fmt: skip
    environment = environment_of(inside, os.environ)
    assert [environment.folder, environment.version] == said
    assert environment.manager == "venv"
    assert is_interpreter(inside, os.environ)
    assert is_interpreter(python, os.environ)
    base = environment_of(python, os.environ)
    assert base.folder is None
    assert said[1].startswith(base.version or "nothing")


@pytest.mark.parametrize(
    ("config", "manager"),
    [("home = /x\nuv = 0.5\n", "uv"), ("home=/x\nvirtualenv = 20\n", "virtualenv"), ("", "venv")],
)
def test_the_maker_of_an_environment_is_in_its_pyvenv_cfg(
    tmp_path: Path, config: str, manager: str
) -> None:
    constructed_python(tmp_path)
    (tmp_path / "pyvenv.cfg").write_text(config)
    assert environment_of(str(tmp_path / "bin" / "python"), {}).manager == manager
