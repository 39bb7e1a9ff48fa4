"""A relayed command is as the bare one: bytes, status, signals, terminal, order."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

RUN = [sys.executable, "-m", "keras_doctor", "run", "--"]
PY = [sys.executable, "-c"]


def bare_and_run(code: str, **options: object) -> list[subprocess.CompletedProcess[bytes]]:
    return [
        subprocess.run([*way, *PY, code], check=False, timeout=60, **options)  # type: ignore[call-overload]
        for way in ([], RUN)
    ]


@pytest.mark.parametrize("status", [0, 1, 3, 77, 255])
def test_the_status_is_the_commands(status: int) -> None:
    bare, run = bare_and_run(f"raise SystemExit({status})", capture_output=True)
    assert (bare.returncode, run.returncode) == (status, status)
    assert (run.stdout, run.stderr) == (b"", b"")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGINT", "SIGPIPE"])
def test_a_death_by_signal_is_passed_on(name: str) -> None:
    code = (
        "import os, signal; signal.signal(signal.SIGINT, signal.SIG_DFL);"
        f"signal.signal(signal.SIGPIPE, signal.SIG_DFL); os.kill(os.getpid(), signal.{name})"
    )
    bare, run = bare_and_run(code, capture_output=True)
    assert bare.returncode == run.returncode == -getattr(signal, name)


def test_bytes_pass_unmodified_through_a_pipe() -> None:
    code = (
        "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read());"
        "sys.stderr.buffer.write(bytes(range(256)) * 20000)"
    )
    data = os.urandom(300_000)
    bare, run = bare_and_run(code, capture_output=True, input=data)
    assert (run.stdout, run.stderr) == (bare.stdout, bare.stderr)


def test_order_is_kept_where_both_are_one_file(tmp_path: Path) -> None:
    code = (
        "import os\n"
        "for i in range(2000):\n"
        "    os.write(1, b'out %d\\n' % i)\n    os.write(2, b'err %d\\n' % i)\n"
    )
    for number, way in enumerate(([], RUN)):
        with (tmp_path / str(number)).open("wb") as file:
            subprocess.run([*way, *PY, code], stdout=file, stderr=file, check=True, timeout=60)
    assert (tmp_path / "0").read_bytes() == (tmp_path / "1").read_bytes()


def test_sigpipe_is_as_without_us() -> None:
    line = f"{' '.join(RUN)} yes | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=False, timeout=60)
    assert done.stdout == b"y\n141\n"


def test_what_is_left_behind_can_still_write() -> None:
    code = "import os, time\nif not os.fork():\n  time.sleep(1); os.write(2, b'late')\n"
    done = subprocess.run([*RUN, *PY, code], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"late")


def test_a_command_that_is_not_there() -> None:
    done = subprocess.run([*RUN, "no-such-command-x"], capture_output=True, check=False)
    assert done.returncode == 127
    assert b"no-such-command-x cannot be run" in done.stderr


class Terminal:
    """A child in a terminal of its own."""

    def __init__(self, argv: list[str]) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execv(argv[0], argv)  # noqa: S606
        self.text = b""

    def until(self, word: bytes, seconds: float = 30.0) -> bytes:
        end = time.monotonic() + seconds
        while word not in self.text and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self.fd, 65536)
                except OSError:
                    break
        return self.text

    def size(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return status


def test_in_a_terminal_both_are_terminals_of_its_size() -> None:
    code = (
        "import os, sys, time; print(os.isatty(0), os.isatty(1), os.isatty(2), flush=True);"
        "sys.stdin.readline(); time.sleep(.3); print(os.get_terminal_size(2).columns, flush=True);"
        "os.write(2, b'one\\ntwo\\n'); sys.stdin.readline()"
    )
    terminal = Terminal([*RUN, *PY, code])
    assert b"True True True" in terminal.until(b"True True True")
    terminal.size(40, 123)
    os.write(terminal.fd, b"\n")
    assert b"123" in terminal.until(b"123")
    assert b"one\r\ntwo\r\n" in terminal.until(b"two\r\n")
    os.write(terminal.fd, b"\n")
    terminal.until(b"never", seconds=2)
    assert terminal.end() == 0


def test_ctrl_c_reaches_the_command_once_and_we_end_with_it() -> None:
    code = (
        "import time, sys\n"
        "n = 0\n"
        "print('ready', flush=True)\n"
        "end = time.monotonic() + 6\n"
        "while time.monotonic() < end:\n"
        "    try:\n        time.sleep(.1)\n"
        "    except KeyboardInterrupt:\n        n += 1; print('caught', n, flush=True)\n"
        "sys.exit(5)"
    )
    terminal = Terminal([*RUN, *PY, code])
    terminal.until(b"ready")
    time.sleep(0.5)  # until it is inside its `try`
    os.write(terminal.fd, b"\x03")
    terminal.until(b"caught 1")
    terminal.until(b"caught 2", seconds=3)
    assert terminal.text.count(b"caught") == 1
    assert os.waitstatus_to_exitcode(terminal.end()) == 5


def test_ctrl_z_stops_both_and_they_go_on_together() -> None:
    code = "import time; print('ready', flush=True); time.sleep(2); print('done', flush=True)"
    script = (
        f'set -m; {" ".join(RUN)} {sys.executable} -c "{code}"; echo stopped $?; fg; echo end $?'
    )
    terminal = Terminal(["/bin/bash", "-c", script])
    terminal.until(b"ready")
    time.sleep(0.3)
    os.write(terminal.fd, b"\x1a")
    assert b"stopped 1" in terminal.until(b"stopped")
    text = terminal.until(b"end 0")
    assert b"done" in text
    assert b"end 0" in text
    terminal.end()
