"""After a failure of the wrapped command: when a diagnosis is printed, and which."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, "-m", "keras_doctor", "run"]


def run(tmp_path: Path, code: str, *options: str, merged: bool = False) -> tuple[int, str]:
    (tmp_path / "train.py").write_text(code)
    done = subprocess.run(
        [*RUN, *options, "--", sys.executable, "train.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        cwd=tmp_path,
        check=False,
        timeout=120,
        text=True,
    )
    return done.returncode, done.stdout if merged else done.stderr


@pytest.mark.parametrize("merged", [False, True], ids=["apart", "2>&1"])
def test_an_import_that_fails_is_diagnosed_after_it(tmp_path: Path, merged: bool) -> None:
    status, text = run(tmp_path, "import keras\n", merged=merged)
    assert status == 1
    before, _, after = text.partition("fails here")
    assert "No module named 'keras'" in before
    assert "Keras is not installed in this Python" in after


def test_a_shadowing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "keras.py").write_text("x = 1\n")
    status, text = run(tmp_path, "from keras.models import Sequential\n")
    assert status == 1
    assert "keras.py" in text.partition("fails here")[2]


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(3)",
        "1 / 0",
        "import sys; print('error: nothing of yours', file=sys.stderr); sys.exit(2)",
        "import no_such_module_of_mine",
        "raise KeyboardInterrupt",
    ],
)
@pytest.mark.parametrize("merged", [False, True], ids=["apart", "2>&1"])
def test_what_is_not_ours_gets_no_word(tmp_path: Path, code: str, merged: bool) -> None:
    status, text = run(tmp_path, code, merged=merged)
    assert status != 0
    assert "keras" not in text.lower()


def test_json_goes_to_a_file(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    status, text = run(
        tmp_path, "import keras\n", "--format", "json", "--output", str(report), "--no-live"
    )
    data = json.loads(report.read_text(encoding="utf-8"))
    assert (status, data["command"], data["exit_code"]) == (1, "run", 1)
    assert data["causes"][0]["cause"] in ("not-installed", "wrong-interpreter")
    assert "fails here" not in text


def test_nothing_to_run_is_refused() -> None:
    done = subprocess.run([*RUN, "--"], capture_output=True, check=False, text=True)
    assert done.returncode == 2
    assert "no command" in done.stderr


@pytest.mark.parametrize("merged", [False, True], ids=["apart", "2>&1"])
def test_a_test_session_that_cannot_collect_is_explained(tmp_path: Path, merged: bool) -> None:
    (tmp_path / "test_k.py").write_text("import keras\ndef test_x():\n    pass\n")
    done = subprocess.run(
        [*RUN, "--", sys.executable, "-m", "pytest", "-q", "test_k.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        cwd=tmp_path,
        check=False,
        timeout=120,
        text=True,
    )
    assert done.returncode == 2
    told = done.stdout if merged else done.stderr
    assert "Keras is not installed in this Python" in told
