"""The loader's variables are the patient's: they must not break this program's own Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
from keras_doctor.__main__ import _leave_the_patients_libraries
_leave_the_patients_libraries()
import os
import zlib
print(os.environ.get("LD_LIBRARY_PATH"), "_KERAS_DOCTOR_LOADER" in os.environ)
"""


def started(program: str, value: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "LD_LIBRARY_PATH": value}
    argv = [sys.executable, "-I", "-c", program]
    return subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the variable is of Linux")
def test_a_broken_library_is_left_to_the_patient(tmp_path: Path) -> None:
    (tmp_path / "libz.so.1").write_text("INPUT(-lz)\n")
    folder = str(tmp_path)
    if started("import zlib, binascii", folder).returncode == 0:
        pytest.skip("this Python brings its own zlib")
    if started("", folder).returncode != 0:
        pytest.skip("this Python needs zlib to start at all")
    done = started(PROGRAM, folder)
    assert (done.returncode, done.stdout.split()) == (0, [folder, "False"]), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the variable is of Linux")
def test_without_need_nothing_is_started_again(tmp_path: Path) -> None:
    program = f"import os\nos.execve = None\n{PROGRAM}"
    done = started(program, str(tmp_path))
    assert (done.returncode, done.stdout.split()) == (0, [str(tmp_path), "False"]), done.stderr
