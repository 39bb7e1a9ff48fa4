"""Activating an environment sets the backend, in each real shell; leaving it gives the old back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from keras_doctor.fixes.activation import PTH, entrances, write_backend

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout")
SAY = {
    "bash": "echo ${KERAS_BACKEND-none}",
    "zsh": "echo ${KERAS_BACKEND-none}",
    "fish": "set -q KERAS_BACKEND; and echo $KERAS_BACKEND; or echo none",
    "tcsh": "printenv KERAS_BACKEND || echo none",
    "pwsh": "if ($env:KERAS_BACKEND) { $env:KERAS_BACKEND } else { 'none' }",
}
SCRIPTS = {"fish": "activate.fish", "tcsh": "activate.csh", "pwsh": "Activate.ps1"}


@pytest.fixture(scope="module", params=["venv", "uv"])
def environment(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An environment as each manager makes it."""
    with tempfile.TemporaryDirectory(prefix="keras-doctor-shells-") as place:
        folder = Path(place) / "new env"
        if request.param == "venv":
            argv = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
        else:
            uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
            argv = [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder)]
        subprocess.run(argv, check=True)
        (site,) = folder.glob("lib/python*/site-packages")
        write_backend(str(folder), str(site), "theano")
        yield folder


@pytest.mark.parametrize("before", [None, "jax"])
@pytest.mark.parametrize("shell", SAY)
def test_entering_sets_it_and_leaving_gives_it_back(
    environment: Path, shell: str, before: str | None
) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    script = environment / "bin" / SCRIPTS.get(shell, "activate")
    word = "." if shell == "pwsh" else "source"
    lines = [SAY[shell], f"{word} '{script}'", SAY[shell], "deactivate", SAY[shell]]
    if shell == "tcsh":  # its scripts look at the prompt
        lines.insert(0, 'set prompt="> "')
    variables = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    if before is not None:
        variables["KERAS_BACKEND"] = before
    argv = [program, "-f"] if shell in ("tcsh", "zsh") else [program]
    done = subprocess.run(
        argv, input="\n".join(lines) + "\n", env=variables, capture_output=True, text=True
    )
    said = [line for line in done.stdout.split() if line in ("none", "theano", "jax")]
    old = before or "none"
    assert said == [old, "theano", old], done.stdout + done.stderr


def test_without_activation_its_python_has_it(environment: Path) -> None:
    python = str(environment / "bin" / "python")
    say = [python, "-c", "import os; print(os.environ['KERAS_BACKEND'])"]
    variables = {"PATH": "/usr/bin:/bin"}
    assert subprocess.check_output(say, env=variables, text=True) == "theano\n"
    variables["KERAS_BACKEND"] = "jax"  # what the user has set counts
    assert subprocess.check_output(say, env=variables, text=True) == "jax\n"


def test_every_script_that_is_named_is_there(environment: Path) -> None:
    for shell, command in entrances(str(environment))[:3]:
        path = command.removeprefix("source ").strip("'")
        assert Path(path).is_file(), shell


def test_conda_keeps_it_among_its_variables_and_no_link_is_written_through(tmp_path: Path) -> None:
    theirs = tmp_path / "base" / "activate"
    theirs.parent.mkdir()
    theirs.write_text("deactivate () {\n}\n")
    folder = tmp_path / "env"
    for name in ("conda-meta", "bin", "site"):
        (folder / name).mkdir(parents=True)
    (folder / "bin" / "activate").symlink_to(theirs)
    write_backend(str(folder), str(folder / "site"), "jax")
    state = json.loads((folder / "conda-meta" / "state").read_text())
    assert state["env_vars"] == {"KERAS_BACKEND": "jax"}
    assert entrances(str(folder))[0][1] == f"conda activate {folder}"
    assert (folder / "site" / PTH).is_file()
    shutil.rmtree(folder / "conda-meta")
    write_backend(str(folder), str(folder / "site"), "jax")
    assert theirs.read_text() == "deactivate () {\n}\n"
