"""`use` where only one environment sees it: kernels, conda's variables, lines for a shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixes.using import WITH_JAX, User, install, state, words
from keras_doctor.fixes.use import places
from keras_doctor.fixes.use.result import CONDA, KERNEL, SHELL
from keras_doctor.fixes.use.shells import SHELLS, line_for, shell_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="repairs are applied on POSIX only")


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Keras 3.12 with JAX, and no other environment."""
    made = User(tmp_path)
    install(made.site, *WITH_JAX)
    return made


# -------------------------------------------------------------------------- kernels


def test_a_kernel_gets_a_variable_and_undo_brings_the_bytes_back(user: User) -> None:
    path = user.kernel("deep", env={"OTHER": "1"}, metadata={"debugger": True})
    before = state(path)
    spec = json.loads(before[0])
    used = user.use("jax", kernel="deep", where=KERNEL)
    assert (used.refusal, used.after, used.changed) == (None, "jax", True)
    assert json.loads(path.read_text()) == {**spec, "env": {"OTHER": "1", "KERAS_BACKEND": "jax"}}
    assert list(json.loads(path.read_text())) == list(spec)
    assert user.use("jax", kernel="deep", where=KERNEL).changed is False
    assert not user.config.exists()
    assert user.undo() is None
    assert state(path) == before


def test_a_kernel_of_the_system_is_refused_with_how_to_make_ones_own(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = user.kernel("deep")
    before = state(path)
    monkeypatch.setattr(places, "may_write", lambda _path: False)
    used = user.use("jax", kernel="deep", where=KERNEL)
    assert "you may not write the kernel deep" in (used.refusal or "")
    assert words(used) == [
        f"{user.env}/bin/python -m ipykernel install --user --name deep",
        "keras-doctor use jax --kernel deep",
    ]
    assert state(path) == before


def test_a_kernel_with_an_odd_env_is_left_alone(user: User) -> None:
    path = user.kernel("deep", env=["KERAS_BACKEND=tensorflow"])
    before = state(path)
    assert "is no JSON object" in (user.use("jax", kernel="deep", where=KERNEL).refusal or "")
    assert state(path) == before


# ---------------------------------------------------------------------------- conda


@pytest.mark.parametrize(
    "old", [None, '{"version": 1, "env_vars": {"A": "\u00e4"}}', '{"env_vars": null, "x": 1}']
)
def test_conda_keeps_it_among_its_variables(user: User, old: str | None) -> None:
    env = user.conda()
    path = env / "conda-meta" / "state"
    if old is not None:
        user.write(old, path)
    before = None if old is None else state(path)
    used = user.use("jax", where=CONDA)
    assert (used.refusal, used.after, used.changed) == (None, "jax", True)
    data = json.loads(path.read_text(encoding="utf-8"))
    kept: dict[str, Any] = json.loads(old) if old else {"version": 1}
    assert data == kept | {"env_vars": (kept.get("env_vars") or {}) | {"KERAS_BACKEND": "jax"}}
    assert words(used) == ["conda deactivate && conda activate deep"]
    assert user.undo() is None
    assert (state(path) if path.exists() else None) == before
    assert not (env / ".keras-doctor").exists()


def test_conda_variables_of_an_environment_that_is_not_active(user: User) -> None:
    env = user.conda()
    del user.environ["CONDA_PREFIX"]
    used = user.use("jax", python=str(env), where=CONDA, dry_run=True)
    assert words(used) == ["conda activate deep"]


def test_only_a_conda_environment_has_them(user: User) -> None:
    refused = user.use("jax", where=CONDA)
    assert (refused.refusal or "").endswith("is in no conda environment")
    env = user.conda()
    user.write("[1]", env / "conda-meta" / "state")
    assert "is damaged" in (user.use("jax", where=CONDA).refusal or "")


# --------------------------------------------------------------------------- shells


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_line_does_what_it_should_in_that_shell(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        [shell, "-c", f"{line_for(shell, 'jax')}\nenv"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert "KERAS_BACKEND=jax" in done.stdout.splitlines()


def test_the_lines_that_cannot_be_tried_here() -> None:
    assert line_for("powershell", "jax") == '$env:KERAS_BACKEND = "jax"'
    assert line_for("cmd", "jax") == "set KERAS_BACKEND=jax"
    assert line_for("fish", "jax") == "set -gx KERAS_BACKEND jax"
    assert set(SHELLS) == {"bash", "zsh", "fish", "powershell", "cmd"}


@pytest.mark.parametrize(
    ("shell", "platform", "expected"),
    [
        ("/bin/bash", "linux", "bash"),
        ("/usr/bin/zsh", "darwin", "zsh"),
        ("/opt/bin/fish", "linux", "fish"),
        ("/bin/dash", "linux", "bash"),
        ("/usr/bin/pwsh", "linux", "powershell"),
        ("C:\\Program Files\\Git\\bin\\bash.exe", "win32", "bash"),
        ("", "win32", "powershell"),
        ("", "linux", "bash"),
    ],
)
def test_the_shell_is_that_of_the_user(shell: str, platform: str, expected: str) -> None:
    assert shell_of({"SHELL": shell} if shell else {}, platform) == expected


def test_a_line_for_the_shell_changes_nothing(user: User) -> None:
    user.other("keras-2.3.1", "theano-1.0.5")
    user.write('{"backend": "theano"}')
    before = state(user.config)
    used = user.use("jax", where=SHELL, shell="fish")  # noqa: S604
    assert used.where is not None
    assert (used.where.text, used.changed, used.works) == ("set -gx KERAS_BACKEND jax", False, None)
    assert state(user.config) == before
