"""How the process ends: at once, but not before others had their last word."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

RUN = "import sys; sys.argv[1:] = ['rule', 'nothing']; from keras_doctor.__main__ import main"


@pytest.mark.parametrize(
    ("before", "last"),
    [
        ("", ""),
        ("import atexit; atexit.register(print, 'bye')", "bye"),
        (
            "import threading; threading.Timer(0.2, print, ['late']).start()",
            "late",
        ),
    ],
)
def test_what_waits_for_the_end_is_still_called(before: str, last: str) -> None:
    code = f"{before}\n{RUN}\nprint('before')\nsys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stdout.split() == ["before", *last.split()]
    assert "nothing" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM of POSIX")
def test_a_terminated_live_run_leaves_nothing(tmp_path: Path) -> None:
    temporary, project = tmp_path / "tmp", tmp_path / "project"
    temporary.mkdir()
    project.mkdir()
    (project / "keras.py").write_text("import time\ntime.sleep(300)\n")
    started = subprocess.Popen(
        [sys.executable, "-m", "keras_doctor", "check", "--python", sys.executable],
        cwd=project,
        env={**os.environ, "TMPDIR": str(temporary), "HOME": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not list(temporary.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(temporary.iterdir())
        started.send_signal(signal.SIGTERM)
        assert started.wait(timeout=60) == 143
    finally:
        started.kill()
    assert list(temporary.iterdir()) == []
