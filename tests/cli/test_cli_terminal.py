"""What depends on a real terminal, tried on a pseudo-terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_doctor.cli import program
from keras_doctor.cli.progress import Progress

pty = pytest.importorskip("pty")

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from report import report_samples as samples
from keras_doctor import api
from keras_doctor.__main__ import main
api.check = lambda **k: (samples.healthy(), ())
sys.exit(main(sys.argv[2:]))
"""


def on_terminal(*words: str, columns: int = 60, **environ: str) -> str:
    """What a terminal of that width receives."""
    import fcntl
    import struct
    import termios

    here = os.path.join(os.path.dirname(__file__), "..")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, here, *words],
        stdout=slave,
        stderr=subprocess.DEVNULL,
        env={**clean, "TERM": "xterm", **environ},
    )
    os.close(slave)
    data = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        data += piece
    os.close(master)
    assert process.wait(timeout=60) == 0
    return data.decode().replace("\r\n", "\n")


def test_colour_and_width_of_a_terminal() -> None:
    text = on_terminal()
    assert text.startswith("\x1b[1;32mKeras 3.8.0 works here")
    assert "\x1b[2mPython\x1b[0m" in text


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour(environ: dict[str, str]) -> None:
    text = on_terminal(columns=44, **environ)
    assert "\x1b" not in text
    assert all(len(line) <= 44 or "/" in line for line in text.splitlines())
    assert any(len(line) > 36 for line in text.splitlines())


def test_ascii_console() -> None:
    assert on_terminal(PYTHONIOENCODING="ascii").isascii()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_waits_speaks_and_erases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "42")
    monkeypatch.setattr("keras_doctor.cli.progress.DELAY", 0.05)
    stream = Terminal()
    with Progress(stream=stream, limit=7.5) as progress:
        progress("short")
        progress("Importing keras\n\x1b[2J in /a/very/long/path")
        deadline = time.monotonic() + 10
        while not stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
    text = stream.getvalue()
    assert text.startswith("\r\x1b[KImporting keras \\x1b[2J ... (up to 7.5 s)")
    assert text.endswith("\r\x1b[K")
    assert "short" not in text
    assert len(text.split("\x1b[K")[1].rstrip("\r")) <= 41


def test_progress_is_silent_when_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with Progress(stream=stream) as progress:
        progress("quick")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("enabled", [True, False])
def test_progress_needs_a_terminal(monkeypatch: pytest.MonkeyPatch, enabled: bool) -> None:
    monkeypatch.setattr("keras_doctor.cli.progress.DELAY", 0.0)
    stream = io.StringIO() if enabled else Terminal()
    with Progress(enabled=enabled, stream=stream) as progress:
        progress("hello")
        time.sleep(0.05)
    assert stream.getvalue() == ""


def test_progress_of_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    with Progress(stream=stream, limit=7.5) as progress:
        progress.share(0, 2_000_000_000)
        assert stream.getvalue() == ""
        monkeypatch.setattr("keras_doctor.cli.progress.DELAY", 0.0)
        progress.share(500_000_000, 2_000_000_000)
        progress.share(3_000_000_000, 2_000_000_000)
        progress.share(0, 0)
    first, last = stream.getvalue().split("\r\x1b[K")[1:3]
    assert first == "Hashing the installed files [######..................]  25% of 2,000 MB"
    assert last == "Hashing the installed files [########################] 100% of 2,000 MB"
    assert stream.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("columns", [1, 30])
def test_progress_of_hashing_fits(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("keras_doctor.cli.progress.DELAY", 0.0)
    stream, silent = Terminal(), io.StringIO()
    for place in (stream, silent):
        with Progress(stream=place) as progress:
            progress.share(1, 2)
    assert len(stream.getvalue().split("\x1b[K")[1].rstrip("\r")) <= max(columns - 1, 10)
    assert silent.getvalue() == ""


@pytest.mark.parametrize(
    ("prefix", "argv0", "name"),
    [
        ("/home/a/.cache/uv/archive-v0/Xy1", "/x/bin/keras-doctor", "uvx keras-doctor"),
        ("/home/a/.local/pipx/.cache/0a1b2c", "/x/bin/keras-doctor", "pipx run keras-doctor"),
        ("/home/a/.cache/pipx/0a1b2c", "/x/bin/keras-doctor", "pipx run keras-doctor"),
        ("/home/a/.local/share/pipx/venvs/keras-doctor", "{bin}/keras-doctor", "keras-doctor"),
        ("/home/a/.venv", "{bin}/keras-doctor", "keras-doctor"),
        ("/home/a/.venv", "/home/a/my venv/bin/keras-doctor", "'/home/a/my venv/bin/keras-doctor'"),
        ("/home/a/.venv", "/usr/bin/pytest", "keras-doctor"),
    ],
)
def test_program_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, prefix: str, argv0: str, name: str
) -> None:
    """What is named can be pasted: found by its name, or named by its path."""
    (tmp_path / "keras-doctor").write_text("")
    monkeypatch.setenv("PATH", f"/no/such{os.pathsep}{tmp_path}")
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "argv", [argv0.replace("{bin}", str(tmp_path))])
    assert program.program_name() == name
