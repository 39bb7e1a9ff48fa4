"""Real reports about the Python that runs the tests: they follow the schema, whatever they say."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from keras_doctor.__main__ import main
from keras_doctor.report.schemas import schema_text


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a program that imports Keras, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    (tmp_path / "train.py").write_text("import sys\nimport no_such_module_here\n")
    return tmp_path


def report(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    status = main([words[0], "--format", "json", *words[1:]])
    data: dict[str, Any] = json.loads(capfd.readouterr().out)
    errors = Draft202012Validator(json.loads(schema_text())).iter_errors(data)
    assert [f"{list(error.path)}: {error.message}" for error in errors] == []
    assert data["exit_code"] == status
    return data


def test_static(capfd: pytest.CaptureFixture[str]) -> None:
    data = report(capfd, "check", "--no-live", "--python", sys.executable)
    assert data["live"] is None
    assert data["healthy"] is None
    assert data["target"]["python"] == sys.executable
    assert data["crashed"] == []


def test_a_command_that_fails(capfd: pytest.CaptureFixture[str], own_folder: Path) -> None:
    data = report(capfd, "check", "--", sys.executable, "train.py")
    assert data["exit_code"] == 1
    assert data["healthy"] is False
    assert data["live"]["status"] == "raised"
    assert data["live"]["exception"]["type"] == "ModuleNotFoundError"
    assert data["target"]["command"] == [sys.executable, "train.py"]
    assert data["crashed"] == []

    assert main(["check", "--", sys.executable, "train.py"]) == 1
    out = capfd.readouterr().out
    assert "fails here" in out.splitlines()[0]
    assert "No module named 'no_such_module_here'" in out
    assert sorted(file.name for file in own_folder.iterdir()) == ["train.py"]


def test_backends(capfd: pytest.CaptureFixture[str]) -> None:
    data = report(capfd, "backends", "--no-live", "--python", sys.executable)
    assert data["exit_code"] == 0
    assert main(["backends", "--no-live", "--python", sys.executable]) == 0
    assert "Backends that this Keras knows" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--python", "/no/such/python"], "target"),
        (["--kernel", "no-such-kernel"], "target"),
        (["--project", "/no/such/folder"], "target"),
        (["--snapshot", __file__], "snapshot"),
    ],
)
def test_no_such_target(capfd: pytest.CaptureFixture[str], words: list[str], code: str) -> None:
    data = report(capfd, "check", *words)
    assert data["exit_code"] == 2
    assert data["errors"][0]["code"] == code
