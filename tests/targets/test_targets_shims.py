"""Stand-ins of version managers: the real pyenv is the oracle where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from keras_doctor.targets import TargetError, shims
from targets.targets_help import Find, constructed_python, program

SHIM = '#!/usr/bin/env bash\nexport PYENV_ROOT="{root}"\nexec "{root}/libexec/pyenv" exec "$0"\n'
VERSIONS = ("2.7.18", "3.8.2", "3.8.18", "3.12.1", "3.13-dev", "pypy3.10-7.3.15", "mine")


@pytest.fixture
def pyenv(tmp_path: Path, world: dict[str, str]) -> Path:
    root = tmp_path / "pyenv"
    for name in VERSIONS:
        constructed_python(root / "versions" / name)
    shutil.copy(root / "versions" / "3.8.2" / "bin" / "python", root / "versions/3.8.2/bin/only")
    for name in ("python", "python3", "only"):
        program(root / "shims" / name, SHIM.format(root=root))
    world["PYENV_ROOT"] = str(root)
    world["PATH"] = f"{root / 'shims'}:{world['PATH']}"
    return root


CASES = [
    # (PYENV_VERSION, .python-version, global version)
    (None, None, None),
    (None, None, "3.12.1\n"),
    (None, "3.8.2\n", "3.12.1\n"),
    ("2.7.18", "3.8.2\n", "3.12.1\n"),
    (None, "# comment\n\n3.8.2 trailing\r\n", None),
    (None, "3.8\n", None),
    (None, "python-3.12.1\n", None),
    ("mine", None, None),
    ("system", None, "3.12.1\n"),
    ("3.12.1:3.8.2", None, None),
    (None, "3.12.1\n3.8.2\n", None),
    (None, "../../etc\n3.8.2\n", None),
    (None, "", "3.8.2"),
]


def configure(
    case: tuple[str | None, str | None, str | None],
    root: Path,
    folder: Path,
    world: dict[str, str],
) -> Path:
    version, local, global_ = case
    if version:
        world["PYENV_VERSION"] = version
    if local is not None:
        (folder / ".python-version").write_text(local)
    if global_ is not None:
        (root / "version").write_text(global_)
    inner = folder / "deep" / "er"
    inner.mkdir(parents=True)
    return inner


@pytest.mark.parametrize("name", ["python", "only"])
@pytest.mark.parametrize("case", CASES)
def test_resolving_agrees_with_pyenv(
    pyenv: Path,
    folder: Path,
    world: dict[str, str],
    case: tuple[str | None, str | None, str | None],
    name: str,
) -> None:
    real = shutil.which("pyenv")
    if real is None:
        pytest.skip("there is no pyenv here to ask")
    inner = configure(case, pyenv, folder, world)
    environ = {**world, "PATH": f"{world['PATH']}:{os.path.dirname(real)}"}
    said = subprocess.run(
        [real, "which", name], cwd=inner, env=environ, capture_output=True, text=True, timeout=60
    )
    shim = str(pyenv / "shims" / name)
    if said.returncode:
        with pytest.raises(TargetError):
            shims.resolve(shim, world, str(inner))
    else:
        assert shims.resolve(shim, world, str(inner)) == said.stdout.strip()


def test_resolving_needs_no_pyenv(
    pyenv: Path, find: Find, folder: Path, world: dict[str, str], venv: Path
) -> None:
    (folder / ".python-version").write_text("3.8\n")
    world["PATH"] = str(pyenv / "shims")
    found = find()
    assert found.target.python == str(pyenv / "versions" / "3.8.18" / "bin" / "python")
    assert (found.target.manager, found.target.environment) == ("pyenv", None)
    assert find("python", "x.py").target.python == found.target.python
    assert find(python=str(pyenv / "shims" / "python")).target.python == found.target.python
    world["PYENV_VERSION"] = "2.7.18"
    with pytest.raises(TargetError) as caught:
        find("only", "x")
    assert (
        "`only` is on PATH as pyenv's, but is in none of the versions that pyenv is told to use "
        "(2.7.18, by PYENV_VERSION)"
    ) in str(caught.value)


def test_a_version_that_is_not_installed(pyenv: Path, find: Find, world: dict[str, str]) -> None:
    world["PYENV_VERSION"] = "3.99"
    world["PATH"] = str(pyenv / "shims")
    with pytest.raises(TargetError, match="pyenv cannot say which program it stands for"):
        find("python", "x.py")
    with pytest.raises(TargetError, match="No Python was found"):
        find()
    with pytest.raises(TargetError, match=r"--python .*; give the interpreter itself"):
        find(python=str(pyenv / "shims" / "python"))


def test_a_version_manager_that_hangs_is_left(
    find: Find, world: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shims, "LIMIT", 0.3)
    program(tmp_path / "shims" / "python", "#!/bin/sh\nexec asdf exec python\n")
    program(tmp_path / "bin" / "asdf", "#!/bin/sh\nsleep 60\n")
    world["PATH"] = f"{tmp_path}/shims:{tmp_path}/bin:/usr/bin:/bin"
    with pytest.raises(TargetError, match="no answer within"):
        find("python x.py")


def test_another_version_manager_is_asked(
    find: Find, world: dict[str, str], tmp_path: Path, venv: Path
) -> None:
    program(tmp_path / "shims" / "python", "#!/bin/sh\nexec asdf exec python\n")
    program(tmp_path / "bin" / "asdf", f"#!/bin/sh\necho {venv}/bin/$2\n")
    world["PATH"] = f"{tmp_path}/shims:{tmp_path}/bin:/usr/bin:/bin"
    assert find().target.environment == str(venv)
