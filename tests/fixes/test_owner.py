"""Who may change an environment, and what is left to its owner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rules.factory import PYTHON, dist, world

from fixes.repairing import a_step
from keras_doctor.fixes import owner
from keras_doctor.model import PathEntry, Snapshot
from keras_doctor.model.facts import Conda, CondaPackage
from keras_doctor.model.plan import DistributionChange

DEFAULT = world().snapshot


def placed(folder: Path, *, virtual: bool = True, **fields: Any) -> Snapshot:
    """The facts of an environment in a real folder, with a standard library beside it."""
    site, stdlib = folder / "env" / "site", folder / "stdlib"
    site.mkdir(parents=True, exist_ok=True)
    stdlib.mkdir(exist_ok=True)
    prefix = str(folder / "env")
    assert DEFAULT.interpreter is not None
    interpreter = DEFAULT.interpreter._replace(
        prefix=prefix, base_prefix="/usr" if virtual else prefix, stdlib=str(stdlib)
    )
    entry = PathEntry(
        path=str(site), origin="site-packages", where=None, kind="folder", python=None
    )
    target = DEFAULT.target._replace(
        environment=prefix if virtual else None, folder=str(folder / "project")
    )
    return DEFAULT._replace(interpreter=interpreter, target=target, path=(entry,), **fields)


# -- refusal


def test_a_virtual_environment_may_be_changed(tmp_path: Path) -> None:
    assert owner.refusal(placed(tmp_path)) is None


def test_what_does_not_start_may_not() -> None:
    assert "does not start" in (owner.refusal(DEFAULT._replace(interpreter=None)) or "")


def test_externally_managed(tmp_path: Path) -> None:
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "stdlib" / "EXTERNALLY-MANAGED").write_text("[externally-managed]\n")
    said = owner.refusal(placed(tmp_path, virtual=False)) or ""
    assert str(tmp_path / "stdlib" / "EXTERNALLY-MANAGED") in said
    assert "PEP 668" in said


def test_a_virtual_environment_of_an_externally_managed_python(tmp_path: Path) -> None:
    (tmp_path / "stdlib").mkdir()
    (tmp_path / "stdlib" / "EXTERNALLY-MANAGED").touch()
    assert owner.refusal(placed(tmp_path)) is None


@pytest.mark.parametrize(
    ("prefix", "refused"),
    [
        ("/usr", True),
        ("/usr/local", False),
        ("/opt/python", False),
        ("/System/Library/Frameworks/Python.framework/Versions/2.7", True),
        ("/Library/Developer/CommandLineTools/Library/Frameworks/Python3.framework", True),
        ("/Applications/Xcode.app/Contents/Developer/Library/Frameworks/P.framework", True),
    ],
)
def test_the_python_of_the_operating_system(tmp_path: Path, prefix: str, refused: bool) -> None:
    facts = placed(tmp_path, virtual=False)
    assert facts.interpreter is not None
    interpreter = facts.interpreter._replace(prefix=prefix, base_prefix=prefix)
    said = owner.refusal(facts._replace(interpreter=interpreter))
    assert (said is not None and prefix in said) is refused


@pytest.mark.parametrize("virtual", [True, False])
def test_frozen_by_conda(tmp_path: Path, virtual: bool) -> None:
    facts = placed(tmp_path, virtual=virtual)
    (tmp_path / "env" / "conda-meta").mkdir()
    assert owner.refusal(facts) is None
    (tmp_path / "env" / "conda-meta" / "frozen").touch()
    assert "frozen" in (owner.refusal(facts) or "")


def test_read_only_site_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = placed(tmp_path)
    site = str(tmp_path / "env" / "site")
    real = os.access
    monkeypatch.setattr(os, "access", lambda p, mode: p != site and real(p, mode))
    assert owner.refusal(facts) == f"you may not write to {site}"


def test_read_only_site_packages_of_another_python_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = placed(tmp_path)
    outside = facts.path[0]._replace(path="/usr/lib/python3/dist-packages")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert owner.refusal(facts._replace(path=(outside,))) is None


# -- project managers

LOCKS = [
    ("uv.lock", "uv", ("uv", "add"), ("uv", "remove")),
    ("poetry.lock", "Poetry", ("poetry", "add"), ("poetry", "remove")),
    ("pdm.lock", "PDM", ("pdm", "add"), ("pdm", "remove")),
    ("pixi.lock", "pixi", ("pixi", "add", "--pypi"), ("pixi", "remove", "--pypi")),
    ("Pipfile.lock", "Pipenv", ("pipenv", "install"), ("pipenv", "uninstall")),
]


def in_project(folder: Path, environment: Path, below: str = "") -> Snapshot:
    facts = placed(folder)
    (folder / "project" / below).mkdir(parents=True, exist_ok=True)
    environment.mkdir(parents=True, exist_ok=True)
    target = facts.target._replace(
        environment=str(environment), folder=str(folder / "project" / below)
    )
    return facts._replace(target=target)


@pytest.mark.parametrize(("lock", "name", "add", "remove"), LOCKS)
def test_an_environment_in_the_project_of_a_lock_file(
    tmp_path: Path, lock: str, name: str, add: tuple[str, ...], remove: tuple[str, ...]
) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv", "src/deep")
    assert owner.project_manager(facts) is None
    (tmp_path / "project" / lock).touch()
    found = owner.project_manager(facts)
    assert found == owner.ProjectManager(
        name=name, add=add, lock=str(tmp_path / "project" / lock), remove=remove
    )


@pytest.mark.parametrize(("lock", "name"), [row[:2] for row in LOCKS])
def test_an_environment_somewhere_else_is_not_of_the_project(
    tmp_path: Path, lock: str, name: str
) -> None:
    facts = in_project(tmp_path, tmp_path / "elsewhere" / name)
    (tmp_path / "project" / lock).touch()
    assert owner.project_manager(facts) is None


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
    assert owner.project_manager(facts) is not None
    (tmp_path / "project" / lock).unlink()
    (tmp_path / "project" / "uv.lock").touch()
    assert owner.project_manager(facts) is None


def test_a_link_into_the_project_is_in_the_project(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    (tmp_path / "link").symlink_to(tmp_path / "project")
    target = facts.target._replace(environment=str(tmp_path / "link" / ".venv"))
    assert owner.project_manager(facts._replace(target=target)) is not None


def test_a_folder_is_no_lock_file(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").mkdir()
    assert owner.project_manager(facts) is None


def test_without_an_environment_there_is_no_manager(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    target = facts.target._replace(environment=None)
    assert owner.project_manager(facts._replace(target=target)) is None


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
    facts: Snapshot, *changes: DistributionChange, steps: tuple[Any, ...] = (INSTALL,)
) -> list[str] | None:
    moved = [one for one in changes if not one.again]
    found = owner.steps_of_owner(facts, steps, moved, changes)
    if found is None:
        return None
    assert all(step.risk == "shown" for step in found)
    theirs = [step for step in found if step.kind == "run-command"]
    assert all(step.requirements == () for step in theirs)
    return [command.text for step in theirs for command in step.commands]


def test_an_environment_without_an_owner_is_changed_here(tmp_path: Path) -> None:
    assert commands(placed(tmp_path), NUMPY, AGAIN) is None


def test_a_project_manager_writes_what_moves_into_its_manifest(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    assert commands(facts, NUMPY, AGAIN) == ["uv add numpy==1.26.4"]
    assert commands(facts, NUMPY, EXTRA) == ["uv remove extra", "uv add numpy==1.26.4"]
    assert commands(facts, EXTRA) == ["uv remove extra"]
    assert commands(facts, AGAIN) is None
    assert commands(facts, NUMPY, steps=(a_step("delete", paths=("/x",)),)) is None


def test_what_the_owner_does_not_do_follows_as_steps_for_the_user(tmp_path: Path) -> None:
    facts = in_project(tmp_path, tmp_path / "project" / ".venv")
    (tmp_path / "project" / "uv.lock").touch()
    delete, again = a_step("delete", paths=("/x",)), a_step("reinstall", "scipy==1.15.0")
    found = owner.steps_of_owner(facts, (delete, INSTALL, again), [NUMPY], [NUMPY, AGAIN])
    assert found is not None
    assert [(step.kind, step.risk) for step in found] == [
        ("run-command", "shown"),
        ("delete", "shown"),
        ("reinstall", "shown"),
    ]


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
    assert owner.owned_by_conda(facts, names) == ("scipy", "torch")
    silent = in_conda(tmp_path, ("numpy", None), ("extra", None))
    assert owner.owned_by_conda(silent, names) == ("numpy", "scipy")
    assert owner.owned_by_conda(facts._replace(conda=None), names) == ()


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


# -- who uses it


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no /proc")
def test_who_has_files_of_an_environment_loaded(tmp_path: Path) -> None:
    library = tmp_path / "env" / "data"
    library.parent.mkdir()
    library.write_bytes(b"x" * 4096)
    code = (
        "import mmap, sys; f = open(sys.argv[1], 'rb');"
        "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); print(1, flush=True); input()"
    )
    argv = [sys.executable, "-I", "-S", "-c", code, str(library), "x" * 100]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (found,) = owner.users_of(str(tmp_path / "env"))
        assert owner.users_of(str(tmp_path / "en")) == ()
        process.communicate(b"\n")
    assert found.startswith(f"process {process.pid} (")
    assert found.endswith("…): start it again")
    assert owner.users_of(str(tmp_path / "env")) == ()


def test_kernels_are_called_kernels() -> None:
    words = [PYTHON, "-m", "ipykernel_launcher", "-f", "x.json"]
    assert owner._shown(12, words) == "the Jupyter kernel 12: restart it"
