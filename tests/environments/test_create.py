"""`create` and `lock` for real: environments that train, are made again, or leave nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from environments.builder import old_python

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
SAY = "import keras; print('on', keras.backend.backend())"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python that runs the tests: it is there."""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The variables of a user whose HOME is empty."""
    usual = Path.home()
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KERAS", "VIRTUAL_ENV", "PYTHON"))
    }
    (tmp_path / "home").mkdir()
    return variables | {
        "HOME": str(tmp_path / "home"),
        "PYENV_ROOT": os.environ.get("PYENV_ROOT", str(usual / ".pyenv")),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(usual / ".cache" / "uv")),
        "THEANO_FLAGS": "mode=FAST_COMPILE",
    }


def doctor(
    variables: dict[str, str], folder: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keras_doctor", *words],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )


def created(variables: dict[str, str], folder: Path, *words: str) -> dict[str, Any]:
    done = doctor(variables, folder, "create", *words, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def says(python: Path, variables: dict[str, str], program: str = SAY) -> str:
    done = subprocess.run(
        [str(python), "-c", program], env=variables, capture_output=True, text=True, timeout=300
    )
    return done.stdout.strip() or done.stderr


@pytest.fixture
def jax(home: dict[str, str], tmp_path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """An environment with JAX, and what was said of it."""
    data = created(home, tmp_path, "new", "--backend", "jax", "--python", HERE)
    yield data, tmp_path / "new"
    shutil.rmtree(tmp_path / "new")


def test_an_environment_trains_is_written_down_and_made_again(
    jax: tuple[dict[str, Any], Path], home: dict[str, str], tmp_path: Path
) -> None:
    data, folder = jax
    assert (data["made"], data["trained"], data["complete"]) == (True, True, True)
    assert data["verified"]["backend"] == "jax"
    assert data["verified"]["device"] == "cpu:0"
    assert not (tmp_path / "home" / ".keras").exists()
    python = folder / "bin" / "python"

    # Its Python needs no activation, and a variable of the user's wins.
    assert says(python, home) == "on jax"
    assert says(python, home | {"KERAS_BACKEND": "numpy"}, "import os; print(os.environ)").count(
        "'KERAS_BACKEND': 'numpy'"
    )

    # An activated shell has it, and gives back what was there.
    line = ". new/bin/activate; echo $KERAS_BACKEND; deactivate; echo ${KERAS_BACKEND-none}"
    for before, after in (({}, "none"), ({"KERAS_BACKEND": "torch"}, "torch")):
        done = subprocess.run(
            ["bash", "-c", line], env=home | before, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.stdout.split() == ["jax", after]

    lock = tomllib.loads((folder / "pylock.toml").read_text())
    assert lock["lock-version"] == "1.0"
    assert lock["tool"]["keras-doctor"] == {"python": HERE, "backend": "jax"}
    locked = {f"{row['name']}=={row['version']}" for row in lock["packages"]}
    assert locked == set(data["packages"])
    assert (folder / "requirements.txt").read_text().count("--hash=sha256:") >= len(locked)
    assert "source" in (folder / "ENVIRONMENT.md").read_text()

    for name in ("pylock.toml", "requirements.txt"):
        again = created(
            home,
            tmp_path,
            "again",
            *("--from-lock", str(folder / name), "--backend", "jax", "--python", HERE),
        )
        assert again["packages"] == data["packages"]
        shutil.rmtree(tmp_path / "again")


def test_what_works_is_locked_and_what_does_not_is_not(
    jax: tuple[dict[str, Any], Path], home: dict[str, str], tmp_path: Path
) -> None:
    _data, folder = jax
    (tmp_path / "locks").mkdir()
    words = ("lock", "locks", "--python", str(folder))
    assert doctor(home, tmp_path, *words).returncode == 0
    written = (tmp_path / "locks" / "pylock.toml").read_text()
    assert written == (folder / "pylock.toml").read_text()
    refused = doctor(home, tmp_path, *words)
    assert refused.returncode == 2
    assert "exists" in refused.stderr

    keras = next(folder.glob("lib/*/site-packages/keras/__init__.py"))
    keras.unlink()
    done = doctor(home, tmp_path, *words, "--replace")
    assert done.returncode == 1
    assert "Not locked" in done.stdout


def test_an_old_keras_gets_an_old_python(home: dict[str, str], tmp_path: Path) -> None:
    if old_python() is None:
        pytest.skip("no Python 3.8 or 3.7 on this machine (pyenv, PATH)")
    data = created(
        home, tmp_path, "old", "--backend", "theano", "--keras", "2.3.1", "--kernel", "o"
    )
    assert (data["trained"], data["keras"]) == (True, "keras==2.3.1")
    assert says(tmp_path / "old" / "bin" / "python", home).endswith("on theano")
    kernel = json.loads((tmp_path / "home/.local/share/jupyter/kernels/o/kernel.json").read_text())
    assert kernel["argv"][0] == str(tmp_path / "old" / "bin" / "python")
    assert any(one.startswith("ipykernel==") for one in data["packages"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--backend", "jax", "--with", "keras-doctor-absent-1"), "No environment was made"),
        (("--backend", "jax", "--keras", "2.3.1"), "does not run on jax"),
        (("--backend", "jax", "--with", "keras<2"), "No environment was made"),
        (("--backend", "jax", "--manager", "conda"), "there is no conda on PATH"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    home: dict[str, str], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = doctor(home, tmp_path, "create", "new", "--python", HERE, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "new").exists()


def test_without_a_network_and_a_cache_nothing_is_left(
    home: dict[str, str], tmp_path: Path
) -> None:
    offline = home | {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty")}
    offline.pop("UV_FIND_LINKS", None)
    done = doctor(offline, tmp_path, "create", "new", "--backend", "jax", "--python", HERE)
    assert done.returncode == 2
    assert "No environment was made" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_taken_is_left_alone(home: dict[str, str], tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    done = doctor(home, tmp_path, "create", "taken", "--backend", "jax")
    assert done.returncode == 2
    assert "exists and is not empty" in done.stderr
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]
    done = doctor(home, tmp_path, "create", "taken/mine.txt", "--backend", "jax")
    assert (done.returncode, "is a file" in done.stderr) == (2, True)


def test_a_dry_run_makes_nothing(home: dict[str, str], tmp_path: Path) -> None:
    offline = home | {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(tmp_path / "empty")}
    data = created(offline, tmp_path, "new", "--backend", "jax", "--dry-run")
    assert (data["made"], data["complete"]) == (False, False)
    assert data["reasons"]
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "empty").exists()


def unshared(variables: dict[str, str], folder: Path, options: str, script: str) -> str:
    """Run a script in namespaces of its own; what it printed.

    Skips where the kernel does not allow that.
    """
    argv = ["unshare", *options.split(), "sh", "-ec"]
    if shutil.which("unshare") is None or subprocess.run([*argv, "true"], check=False).returncode:
        pytest.skip("no namespaces here")
    program = f'doctor() {{ {sys.executable} -m keras_doctor create "$@" 2>&1; }}\n'
    done = subprocess.run(
        [*argv, program + script],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )
    return done.stdout + done.stderr


@pytest.mark.usefixtures("jax")
def test_siblings_managers_and_no_network(home: dict[str, str], tmp_path: Path) -> None:
    words = ("--like", "new", "--backend", "numpy", "--manager", "venv")
    data = created(home, tmp_path, "sibling", *words)
    assert (data["made"], data["trained"], data["verified"]["backend"]) == (True, False, "numpy")
    assert "uv" not in (tmp_path / "sibling" / "pyvenv.cfg").read_text().splitlines()[-1]
    shutil.rmtree(tmp_path / "sibling")

    # What the first environment needed lies in uv's cache.
    said = unshared(home, tmp_path, "-rn", f"doctor offline --backend jax --python {HERE}")
    assert "Made: Keras trained one step" in said, said
    shutil.rmtree(tmp_path / "offline")
    empty = home | {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_FIND_LINKS": ""}
    said = unshared(empty, tmp_path, "-rn", f"! doctor none --backend jax --python {HERE}")
    assert "No environment was made: the network cannot be reached" in said, said
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("jax")
def test_on_a_full_disk_nothing_is_left(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    script = (
        "mount -t tmpfs -o size=50m tmpfs small\n"
        f"! doctor small/env --backend jax --python {HERE}\n"
        'echo "left: $(ls -A small | wc -l)"'
    )
    said = unshared(home, tmp_path, "-rm", script)
    assert "No environment was made: the disk is full" in said, said
    assert "left: 0" in said


def test_as_of_a_day(home: dict[str, str], tmp_path: Path) -> None:
    words = ("--backend", "theano", "--exclude-newer", "2018-05-01", "--dry-run")
    data = created(home, tmp_path, *words)
    assert data["keras"] == "keras==2.1.6"
    refused = doctor(home, tmp_path, "create", *words[:3], "yesterday", "--dry-run")
    assert refused.returncode == 2
    assert "is no day" in refused.stderr
