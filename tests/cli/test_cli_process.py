"""The program as a process: entry points, pipes, help, what it imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_doctor import __version__
from keras_doctor.cli import COMMANDS
from keras_doctor.report.schemas import schema_text


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keras_doctor", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "80", **environ},
    )


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"keras-doctor {__version__}\n", "")


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"]])
def test_help_names_every_command(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command: str) -> None:
    by_word, by_option = run("help", command), run(command, "--help")
    assert by_word.returncode == by_option.returncode == 0
    assert by_word.stdout == by_option.stdout
    assert by_word.stdout.startswith("Usage: keras-doctor")
    assert by_word.stderr == ""


def test_schema() -> None:
    done = run("schema")
    assert done.stdout == schema_text()
    assert json.loads(done.stdout)["$schema"].endswith("2020-12/schema")


def test_a_reader_that_leaves_is_no_error() -> None:
    words = [sys.executable, "-m", "keras_doctor", "schema"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read()
        status = process.wait(timeout=60)
    assert complaint == b""
    assert status == 0


@pytest.mark.parametrize(
    ("redirection", "told"),
    [
        (">&-", "keras-doctor: Standard output is closed.\n"),
        (
            ">/dev/full",
            "keras-doctor: Standard output cannot be written: No space left on device.\n",
        ),
    ],
)
@pytest.mark.parametrize("words", ["schema", "--version", "help", "chek --format json"])
def test_a_stdout_that_takes_nothing_is_not_a_bug(words: str, redirection: str, told: str) -> None:
    line = f"{sys.executable} -m keras_doctor {words} {redirection}"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "json" in words or done.stderr == told
    assert done.stderr.count("\n") == 1


def test_a_closed_stderr_is_no_error() -> None:
    line = f'{sys.executable} -m keras_doctor chek 2>&-; echo "status $?"'
    done = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "status 2\n"


def test_the_program_names_itself_as_it_was_called() -> None:
    done = run("chek")
    assert " -m keras_doctor check`" in done.stderr


def test_bad_usage_imports_little() -> None:
    code = (
        "import sys; from keras_doctor.__main__ import main; main(['--version']);"
        "print(*sorted(m for m in sys.modules if m.startswith('keras_doctor.')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert set(done.stdout.splitlines()[1].split()) <= {
        "keras_doctor.__main__",
        "keras_doctor.cli",
        "keras_doctor.cli.errors",
        "keras_doctor.cli.output",
        "keras_doctor.cli.program",
    }


ENTRY = "import sys; from keras_doctor.__main__ import main; sys.exit(main())"
SHADOWS = ("types", "typing", "random", "json", "re", "argparse", "contextlib", "subprocess")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder of modules that end any program that imports them."""
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text("raise SystemExit('caught')\n")
    return tmp_path


def test_the_patients_path_is_not_ours(trap: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, "rules"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=trap,
        env={**os.environ, "PYTHONPATH": str(trap)},
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert "KD101" in done.stdout


def test_the_patients_path_is_examined(trap: Path) -> None:
    """PYTHONPATH stays what it is for the Python that is examined."""
    done = subprocess.run(
        [sys.executable, "-c", ENTRY, "check", "--no-live", "--format", "json"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=trap.parent,
        env={**os.environ, "PYTHONPATH": str(trap)},
    )
    assert done.stderr == ""
    assert str(trap) in done.stdout


def test_a_folder_that_holds_this_program_stays(tmp_path: Path) -> None:
    import keras_doctor

    source = Path(keras_doctor.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-S", "-m", "keras_doctor", "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(source)},
    )
    assert done.stdout == f"keras-doctor {__version__}\n"
