"""What an environment's owner, conda or a project manager, would run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from rules.factory import dist

from fixes.owning import DEFAULT, placed
from fixes.repairing import a_step
from keras_doctor.fixes import managers
from keras_doctor.model import Snapshot
from keras_doctor.model.facts import Conda, CondaPackage
from keras_doctor.model.plan import DistributionChange

# -- project managers

PYPROJECT = ("pyproject.toml",)
PIXI = ("pixi.toml", *PYPROJECT)
LOCKS = [
    ("uv.lock", "uv", ("uv", "add"), ("uv", "remove"), PYPROJECT),
    ("poetry.lock", "Poetry", ("poetry", "add"), ("poetry", "remove"), PYPROJECT),
    ("pdm.lock", "PDM", ("pdm", "add"), ("pdm", "remove"), PYPROJECT),
    ("pixi.lock", "pixi", ("pixi", "add", "--pypi"), ("pixi", "remove", "--pypi"), PIXI),
    ("Pipfile.lock", "Pipenv", ("pipenv", "install"), ("pipenv", "uninstall"), ("Pipfile",)),
]


def in_project(folder: Path, environment: Path, below: str = "") -> Snapshot:
    facts = placed(folder)
    (folder / "project" / below).mkdir(parents=True, exist_ok=True)
    environment.mkdir(parents=True, exist_ok=True)
    target = facts.target._replace(
        environment=str(environment), folder=str(folder / "project" / below)
    )
    return facts._replace(target=target)


@pytest.mark.parametrize(("lock", "name", "add", "remove", "manifests"), LOCKS)
def test_an_environment_in_the_project_of_a_lock_file(
    tmp_path: Path,
    lock: str,
    name: str,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    manifests: tuple[str, ...],
) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv", "src/deep")
    assert managers.project_manager(facts) is None
    (tmp_path / "project" / lock).touch()
    found = managers.project_manager(facts)
    assert found == managers.ProjectManager(
        name=name,
        add=add,
        lock=str(tmp_path / "project" / lock),
        remove=remove,
        manifests=tuple(str(tmp_path / "project" / one) for one in manifests),
    )


@pytest.mark.parametrize(("lock", "name"), [row[:2] for row in LOCKS])
def test_an_environment_somewhere_else_is_not_of_the_project(
    tmp_path: Path, lock: str, name: str
) -> None:
    facts = in_project(tmp_path, tmp_path / "elsewhere" / name)
    (tmp_path / "project" / lock).touch()
    assert managers.project_manager(facts) is None


@pytest.mark.parametrize(
    ("lock", "place"),
    [
        ("poetry.lock", "cache/pypoetry/virtualenvs/p-1-py3.11"),
        ("Pipfile.lock", "share/virtualenvs/p-1"),
        ("pdm.lock", "share/pdm/venvs/p-1"),
    ],
)
def test_managers_keep_environments_elsewhere(tmp_path: Path, lock: str, place: str) -> None:
    facts = in_project(tmp_path, tmp_path / place)
    (tmp_path / "project" / lock).touch()
    assert managers.project_manager(facts) is not None
    (tmp_path / "project" / lock).unlink()
    (tmp_path / "project" / "uv.lock").touch()
    assert managers.project_manager(facts) is None


def test_a_link_into_the_project_is_in_the_project(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    (tmp_path / "link").symlink_to(tmp_path / "project")
    target = facts.target._replace(environment=str(tmp_path / "link" / ".venv"))
    assert managers.project_manager(facts._replace(target=target)) is not None


def test_a_folder_is_no_lock_file(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").mkdir()
    assert managers.project_manager(facts) is None


def test_without_an_environment_there_is_no_manager(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    target = facts.target._replace(environment=None)
    assert managers.project_manager(facts._replace(target=target)) is None


# -- what is left to the owner


def change(
    name: str, before: str | None, after: str | None, *, again: bool = False
) -> DistributionChange:
    return DistributionChange(name=name, before=before, after=after, again=again)


NUMPY = change("numpy", "2.2.1", "1.26.4")
EXTRA = change("extra", "1.0", None)
AGAIN = change("scipy", "1.15.0", "1.15.0", again=True)
INSTALL = a_step("install", "numpy<2")


def commands(
    facts: Snapshot,
    *changes: DistributionChange,
    steps: tuple[Any, ...] = (INSTALL,),
    wide: bool = False,
) -> list[str] | None:
    moved = [one for one in changes if not one.again]
    work = managers.work_of_owner(facts, steps, moved, changes, wide=wide)
    if work is None:
        return None
    assert all(step.kind == "run-command" and step.risk == "shown" for step in work.steps)
    assert all(step.requirements == () for step in work.steps)
    return [command.text for step in work.steps for command in step.commands]


def test_an_environment_without_an_owner_is_changed_here(tmp_path: Path) -> None:
    assert commands(placed(tmp_path), NUMPY, AGAIN) is None


def test_a_project_manager_writes_what_moves_into_its_manifest(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    assert commands(facts, NUMPY, AGAIN) == ["uv add numpy==1.26.4"]
    assert commands(facts, NUMPY, EXTRA) == ["uv remove extra", "uv add numpy==1.26.4"]
    assert commands(facts, EXTRA) == ["uv remove extra"]
    along = change("new", None, "1.0")
    assert commands(facts, NUMPY, along) == ["uv add numpy==1.26.4"]
    named = (a_step("install", "new"),)
    assert commands(facts, along, steps=named) == ["uv add new==1.0"]
    assert commands(facts, AGAIN) is None
    assert commands(facts, NUMPY, steps=(a_step("delete", paths=("/x",)),)) is None


def test_what_the_owner_does_not_do_follows_as_steps_for_the_user(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    delete, again = a_step("delete", paths=("/x",)), a_step("reinstall", "scipy==1.15.0")
    work = managers.work_of_owner(facts, (delete, INSTALL, again), [NUMPY], [NUMPY, AGAIN])
    assert work is not None
    assert work.rest == (delete, again)
    assert work.names == {"numpy"}
    assert (work.program, work.folder) == ("uv", str(tmp_path / "project"))
    names = ("pyproject.toml", "uv.lock")
    assert work.steps[0].paths == tuple(str(tmp_path / "project" / name) for name in names)


def in_conda(folder: Path, *installers: tuple[str, str | None]) -> Snapshot:
    """A conda environment: its records name numpy and scipy; what the distributions say."""
    facts = placed(folder, virtual=False)
    packages = tuple(
        CondaPackage(name=name, version="1", build="0", channel=None)
        for name in ("numpy", "scipy", "pytorch")
    )
    conda = Conda(prefix=str(folder / "env"), packages=packages, variables=())
    rows = tuple(dist(name, "1", installer=installer) for name, installer in installers)
    return facts._replace(conda=conda, distributions=rows)


def test_whose_files_are_in_a_conda_environment(tmp_path: Path) -> None:
    facts = in_conda(
        tmp_path, ("numpy", "pip"), ("scipy", "conda"), ("torch", "conda"), ("extra", "uv")
    )
    names = ["numpy", "scipy", "torch", "extra", "absent"]
    assert managers.owned_by_conda(facts, names) == ("scipy", "torch")
    silent = in_conda(tmp_path, ("numpy", None), ("extra", None))
    assert managers.owned_by_conda(silent, names) == ("numpy", "scipy")
    assert managers.owned_by_conda(facts._replace(conda=None), names) == ()


def test_what_pip_installed_in_a_conda_environment_is_changed_here(tmp_path: Path) -> None:
    facts = in_conda(tmp_path, ("numpy", "pip"), ("scipy", "conda"))
    assert commands(facts, NUMPY) is None


def test_what_conda_installed_is_left_to_conda(tmp_path: Path) -> None:
    facts = in_conda(tmp_path, ("numpy", "conda"), ("scipy", "conda"), ("extra", "conda"))
    prefix = tmp_path / "env"
    assert commands(facts, NUMPY) == [f"conda install --prefix {prefix} numpy=1.26.4"]
    assert commands(facts, EXTRA) == [f"conda remove --prefix {prefix} extra"]
    assert commands(facts, AGAIN) == [
        f"conda install --prefix {prefix} --force-reinstall scipy=1.15.0"
    ]
    assert len(commands(facts, NUMPY, EXTRA, AGAIN) or ()) == 3


def test_conda_may_choose_the_release_as_far_as_the_plan_allows(tmp_path: Path) -> None:
    facts = in_conda(tmp_path, ("numpy", "conda"), ("scipy", "conda"))
    prefix = tmp_path / "env"
    moved = change("scipy", "1.15.0", "1.14.0")
    assert commands(facts, NUMPY, moved, wide=True) == [
        f"conda install --prefix {prefix} 'numpy<2' 'scipy<=1.14.0'"
    ]
    pinned = (a_step("install", "numpy==1.26.4"),)
    assert commands(facts, NUMPY, steps=pinned, wide=True) == [
        f"conda install --prefix {prefix} 'numpy<=1.26.4'"
    ]
    newer = change("numpy", "1.21.0", "1.26.4")
    assert commands(facts, newer, steps=pinned, wide=True) == [
        f"conda install --prefix {prefix} 'numpy>=1.26.4'"
    ]


def test_the_package_of_a_distribution_by_another_name(tmp_path: Path) -> None:
    facts = in_conda(tmp_path, ("torch", "conda"))
    records = tmp_path / "env" / "conda-meta"
    records.mkdir(parents=True)
    assert managers.conda_name(facts, "torch") == "torch"
    folder = os.path.basename(facts.distributions[0].metadata)
    (records / "numpy-1-0.json").write_text('{"files": ["lib/site-packages/x.py"]}')
    (records / "pytorch-1-0.json").write_text(f'{{"files": ["lib/{folder}/METADATA"]}}')
    assert managers.conda_name(facts, "torch") == "pytorch"
    assert managers.conda_name(facts, "numpy") == "numpy"
    prefix = tmp_path / "env"
    assert commands(facts, change("torch", "1", "2")) == [
        f"conda install --prefix {prefix} pytorch=2"
    ]


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_where_conda_is_found(tmp_path: Path) -> None:
    prefix = tmp_path / "base" / "envs" / "mine"
    facts = in_conda(tmp_path)
    assert facts.conda is not None
    facts = facts._replace(conda=facts.conda._replace(prefix=str(prefix)))
    environ = {"PATH": str(tmp_path / "path")}
    assert managers.find_program("conda", facts, environ) is None
    beside = program(tmp_path / "base" / "condabin" / "conda")
    assert managers.find_program("conda", facts, environ) == beside
    mamba = program(tmp_path / "path" / "micromamba")
    assert managers.find_program("conda", facts, environ) == mamba
    named = program(tmp_path / "named" / "conda")
    assert managers.find_program("conda", facts, {**environ, "CONDA_EXE": named}) == named
    assert managers.find_program("conda", facts, {**environ, "CONDA_EXE": "/no/conda"}) == mamba


def test_where_a_project_manager_is_found(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path / "path")}
    assert managers.find_program("poetry", DEFAULT, environ) is None
    found = program(tmp_path / "path" / "poetry")
    assert managers.find_program("poetry", DEFAULT, environ) == found
