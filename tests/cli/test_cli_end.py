"""How the process ends: at once, but not before others had their last word."""

from __future__ import annotations

import subprocess
import sys

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
