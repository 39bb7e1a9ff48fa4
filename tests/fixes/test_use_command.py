"""`keras-doctor use` as a program: what it prints, its exit status, and its JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fixes.using import WITH_JAX, User, install, state
from keras_doctor.report.schemas import schema_text


@pytest.fixture
def user(tmp_path: Path) -> User:
    made = User(tmp_path)
    install(made.site, *WITH_JAX)
    return made


def run(user: User, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keras_doctor", "use", *arguments],
        cwd=user.project,
        env={**user.environ, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def report(user: User, *arguments: str) -> dict[str, Any]:
    done = run(user, *arguments, "--format", "json")
    data: dict[str, Any] = json.loads(done.stdout)
    errors = Draft202012Validator(json.loads(schema_text())).iter_errors(data)
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []
    assert data["exit_code"] == done.returncode
    return data


def test_the_line_is_all_that_is_printed(user: User) -> None:
    user.environ["SHELL"] = "/usr/bin/fish"
    done = run(user, "jax", "--shell")
    assert (done.returncode, done.stdout, done.stderr) == (0, "set -gx KERAS_BACKEND jax\n", "")
    for words in (["--shell", "bash"], ["--shell=zsh"]):
        assert run(user, "jax", *words).stdout == "export KERAS_BACKEND=jax\n"
    data = report(user, "jax", "--shell", "cmd")
    assert data["where"] == {"kind": "shell", "path": None, "text": "set KERAS_BACKEND=jax"}
    assert not user.config.exists()


def test_eval_of_a_refusal_does_nothing(user: User) -> None:
    done = run(user, "torch", "--shell")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "keras-doctor: torch is not installed in this Python.\n"


def test_it_is_done_and_told(user: User) -> None:
    done = run(user, "jax", "--no-live")
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout.replace("\n", " ")
    assert text.startswith("jax is the selected backend now. Whether it works was not tried")
    assert str(user.config) in done.stdout
    assert "tensorflow \u2192 jax" in done.stdout
    assert " undo 2" in done.stdout
    again = run(user, "jax", "--no-live")
    assert again.returncode == 0
    assert again.stdout.startswith("Nothing to change: jax is the selected backend already")


def test_a_live_run_that_fails_leaves_everything(user: User) -> None:
    """The packages here have no content, so that `keras` has no layers."""
    user.write('{"backend": "tensorflow"}')
    before = state(user.config)
    done = run(user, "jax")
    assert done.returncode == 1
    assert done.stdout.startswith("Nothing was changed: jax does not work here: ")
    assert "fix --backend jax" in done.stdout
    assert state(user.config) == before


def test_what_is_not_in_effect_is_no_success(user: User) -> None:
    user.environ["KERAS_BACKEND"] = "tensorflow"
    done = run(user, "jax", "--no-live")
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert text.startswith(
        "jax is written down, but not in effect: KERAS_BACKEND=tensorflow is set in this shell"
    )
    assert "unset KERAS_BACKEND" in text
    assert run(user, "jax", "--no-live", "--quiet").stdout.count("\n") < 8


def test_a_default_that_a_variable_covers_is_not_called_written(user: User) -> None:
    install(user.site, "tensorflow-2.19.1")
    user.environ["KERAS_BACKEND"] = "jax"
    done = run(user, "tensorflow", "--no-live")
    assert done.returncode == 1
    assert done.stdout.startswith("tensorflow is not in effect: KERAS_BACKEND=jax is set in")
    assert not user.config.exists()


def test_the_others_are_named_with_what_they_would_get(user: User) -> None:
    other = user.other("keras-2.3.1", "theano-1.0.5")
    user.write('{"backend": "theano"}')
    done = run(user, "jax", "--no-live")
    assert done.returncode == 1
    text = " ".join(done.stdout.split())
    assert f"{other}/bin/python Keras 2.3.1 theano \u2192 jax, which it does not know" in text
    assert "use jax --yes" in text
    verbose = run(user, "jax", "--no-live", "--yes", "-v")
    assert verbose.returncode == 0
    assert "1 other environment switched by this file:" in verbose.stdout


@pytest.mark.parametrize("words", [["--dry-run"], [], ["--yes"]])
def test_json_of_each_ending(user: User, words: list[str]) -> None:
    user.other("keras-2.3.1", "theano-1.0.5")
    data = report(user, "jax", "--no-live", *words)
    assert data["backend"] == "jax"
    assert data["where"]["path"] == str(user.config)
    assert data["works"] is None
    assert data["changed"] is ("--yes" in words)
    assert (data["journal"] is None) == (not data["changed"])
    assert [(o["before"], o["after"]) for o in data["others"]] == [("tensorflow", "jax")]


def test_a_dry_run_shows_the_text(user: User) -> None:
    done = run(user, "jax", "--dry-run", "--no-live")
    assert done.returncode == 0
    assert done.stdout.startswith("jax would be the selected backend")
    assert '"backend": "jax"' in done.stdout
    assert not user.config.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Name the backend that you want."),
        (["pytorch"], "Did you mean torch?"),
        (["jax", "torch"], "'torch' is no option of use"),
        (["jax", "--conda", "--shell"], "choose one of them"),
        (["jax", "--yes", "--dry-run"], "--dry-run changes nothing"),
        (["jax", "--kernel", "nowhere"], "there is no such Jupyter kernel"),
        (["jax", "--shell=csh"], "--shell is bash, zsh"),
    ],
)
def test_bad_usage(user: User, words: list[str], told: str) -> None:
    done = run(user, *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""
