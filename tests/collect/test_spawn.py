"""Running a program in our own folder without the module subprocess."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_doctor.collect import process, spawn

MARK = "MARK"
ENVIRON = {"PATH": os.defpath, "A": "b"}
pytestmark = pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="POSIX only")


def run(code: str, data: bytes = b"", timeout: float = 20.0) -> process.Completed:
    argv = [sys.executable, "-I", "-S", "-c", code]
    completed = spawn.spawn_program(argv, data, ENVIRON, timeout, MARK.encode())
    assert completed is not None
    return completed


def test_all_three_streams_and_the_status() -> None:
    data = os.urandom(1 << 20)
    code = (
        "import os, sys; data = sys.stdin.buffer.read(); sys.stdout.buffer.write(data);"
        "sys.stderr.write('e' * 100000 + os.environ['A']); sys.exit(7)"
    )
    assert run(code, data) == process.Completed(
        exit_code=7, output=data, errors=b"e" * (process.MOST_ERRORS - 1) + b"b", timed_out=False
    )


def test_both_ways_give_the_same(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import os; print('MARK', os.environ['A'], os.getsid(0) > 0)"]
    here = process.run_program(argv, b"", ENVIRON, os.getcwd(), 20, MARK)
    elsewhere = process.run_program(argv, b"", ENVIRON, str(tmp_path), 20, MARK)
    assert here == elsewhere
    assert here.output == b"MARK b True\n"


def test_a_signal() -> None:
    assert run("import os; os.kill(os.getpid(), 11)").exit_code == -11


def test_signals_that_python_ignores_are_not_ignored_there() -> None:
    if not os.path.exists("/proc/self/status"):
        pytest.skip("no /proc")
    argv = ["/bin/sh", "-c", "grep SigIgn /proc/self/status"]
    completed = spawn.spawn_program(argv, b"", ENVIRON, 20, b"MARK")
    assert completed is not None
    ignored = int(completed.output.split()[1], 16)
    assert not ignored & (1 << 12)  # SIGPIPE


def test_who_does_not_read_its_input() -> None:
    assert run("import os; os.close(0); print(1)", b"x" * (1 << 20)).output == b"1\n"


def test_a_program_that_hangs_is_ended_with_its_children() -> None:
    code = (
        "import subprocess, sys, time;"
        "print(subprocess.Popen(['sleep', '50']).pid, flush=True); time.sleep(50)"
    )
    begun = time.monotonic()
    completed = run(code, timeout=1.0)
    assert time.monotonic() - begun < 10
    assert (completed.exit_code, completed.timed_out) == (-9, True)
    time.sleep(0.2)
    with pytest.raises(ProcessLookupError):
        _kill_if_alive(int(completed.output))


def _kill_if_alive(pid: int) -> None:
    state = Path(f"/proc/{pid}/stat")
    if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
        raise ProcessLookupError
    os.kill(pid, 9)


def test_what_keeps_the_pipes_open_is_not_waited_for() -> None:
    code = "import os, subprocess; subprocess.Popen(['sleep', '50']); print('MARKxMARK')"
    begun = time.monotonic()
    completed = run(code)
    assert time.monotonic() - begun < 10
    assert (completed.exit_code, completed.output) == (0, b"MARKxMARK\n")


def test_who_does_not_end_after_its_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LINGER", 0.3)
    completed = run("import time; print('MARKxMARK', flush=True); time.sleep(50)")
    assert (completed.exit_code, completed.timed_out) == (-9, False)


def test_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MOST_OUTPUT", 1 << 20)
    completed = run("while True: print('x' * 65536)", timeout=1.0)
    assert completed.timed_out
    assert len(completed.output) < 1 << 21


def test_no_file_of_ours_reaches_it_and_none_is_left() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    before = sorted(os.listdir("/dev/fd"))
    code = "import os; print([n for n in os.listdir('/dev/fd')])"
    try:
        assert run(code).output == b"['0', '1', '2', '3']\n"
        assert sorted(os.listdir("/dev/fd")) == before
        with pytest.raises(FileNotFoundError):
            spawn.spawn_program(["/nowhere/x"], b"", ENVIRON, 1, b"MARK")
        assert sorted(os.listdir("/dev/fd")) == before
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("program", "folder", "expected"),
    [
        ("python3", ".", False),
        ("/bin/sh", ".", True),
        ("/bin/sh", "/", False),
        ("/bin/sh", None, True),
    ],
)
def test_what_it_is_for(program: str, folder: str | None, expected: bool) -> None:
    assert spawn.can_spawn([program], folder) is expected


def test_a_machine_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def full(*_: object, **__: object) -> int:
        asked.append(1)
        raise OSError(errno.EAGAIN, "full")

    monkeypatch.setattr(os, "posix_spawn", full)
    argv = [sys.executable, "-c", "print(1)"]
    assert process.run_program(argv, b"", ENVIRON, None, 20, MARK).output == b"1\n"
    assert asked


def test_closed_streams_of_ours(tmp_path: Path) -> None:
    code = (
        "import os, sys; from keras_doctor.collect.process import run_program; os.close(0);"
        "done = run_program([sys.executable, '-c', 'print(input())'], b'x', None, None, 20, 'M');"
        "sys.exit(done.output != b'x\\n')"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
