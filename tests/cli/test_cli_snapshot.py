"""`snapshot` to a file and back, masked, here and through stand-ins of ssh and docker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from keras_doctor.__main__ import main
from keras_doctor.collect.load import loads_snapshot
from keras_doctor.report.schemas import schema_text


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user with a telling name, a home of their own, and a command that stands in for ssh."""
    home = tmp_path / "home" / "augustaking"
    bin_folder = tmp_path / "bin"
    home.mkdir(parents=True)
    bin_folder.mkdir()
    for name in ("ssh", "docker"):
        program = bin_folder / name
        program.write_text(f'#!/bin/sh\nfor last; do :; done\nexec "{sys.executable}" "$last"\n')
        program.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USER", "augustaking")
    monkeypatch.setenv("PATH", str(bin_folder), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    return home


@pytest.mark.parametrize("words", [[], ["--format", "json"]])
def test_there_and_back(
    person: Path, words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "snapshot.json"
    assert main(["snapshot", "--python", sys.executable, "--output", str(file), *words]) == 0
    assert capfd.readouterr().out == ""
    text = file.read_text(encoding="utf-8")
    assert "augustaking" not in text
    assert main(["check", "--snapshot", str(file), "--format", "json"]) in (0, 1)
    report = json.loads(capfd.readouterr().out)
    assert report["live"] is None
    assert report["healthy"] is None
    if words:
        errors = Draft202012Validator(json.loads(schema_text())).iter_errors(json.loads(text))
        assert [error.message for error in errors] == []
    else:
        assert loads_snapshot(text).interpreter is not None


def test_unmasked(person: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "--python", sys.executable, "--no-mask"]) == 0
    snapshot = loads_snapshot(capfd.readouterr().out)
    assert str(person) in {variable.value for variable in snapshot.variables}


@pytest.mark.parametrize("words", [["--ssh", "ada@server"], ["--docker", "box"]])
@pytest.mark.usefixtures("person")
def test_elsewhere(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", *words]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    snapshot = loads_snapshot(out)
    assert snapshot.interpreter is not None


@pytest.mark.usefixtures("person")
def test_a_host_that_does_not_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\necho no route to host >&2\nexit 255\n")
    assert main(["snapshot", "--ssh", "server", "--format", "json"]) == 2
    out, err = capfd.readouterr()
    assert "no route to host" in err
    assert json.loads(out)["snapshot"] is None


def test_the_collector_runs_by_hand(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "--print-collector"]) == 0
    source = capfd.readouterr().out
    done = subprocess.run(
        [sys.executable, "-"],
        input=source,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=True,
    )
    file = tmp_path / "snapshot.json"
    file.write_text(done.stdout, encoding="utf-8")
    assert main(["check", "--snapshot", str(file), "--quiet"]) in (0, 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--ssh", "a", "--docker", "b"], "contradict"),
        (["--ssh", "a", "--print-collector"], "contradict"),
        (["--ssh", "a", "--kernel", "k"], "--kernel"),
        (["--ssh", "a", "--", "python", "x.py"], "command"),
        (["--ssh=-oProxyCommand=x"], "no name of a host"),
        (["--python", "/no/such/python"], "/no/such/python"),
        (["--output", "/no/such/folder/x"], "does not exist"),
    ],
)
def test_bad_usage(capfd: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    assert main(["snapshot", *words]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1
