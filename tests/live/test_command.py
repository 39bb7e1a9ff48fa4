"""The user's command: run once, as typed, and read from outside."""

from __future__ import annotations

import os
import sys
import time

import pytest

from keras_doctor.live import run_command
from keras_doctor.live.command import judge_command
from keras_doctor.live.process import Ended
from keras_doctor.model import Outcome
from live.patients import Patient, listing

PYTHON = sys.executable
TRACE = (
    'Traceback (most recent call last):\n  File "t.py", line 1, in <module>\n    import keras\n'
    "ModuleNotFoundError: No module named 'keras'\n"
)


def run(patient: Patient, *argv: str, shell: bool = False, timeout: float = 20.0) -> Outcome:
    return run_command(
        list(argv), patient.environ, str(patient.project), shell=shell, timeout=timeout
    )


def test_passing_and_raising(patient: Patient) -> None:
    patient.module("ok", "print('fine')")
    patient.module("bad", "import sys\nprint('before')\nimport surely_missing\n")
    fine = run(patient, PYTHON, "ok.py")
    assert (fine.kind, fine.status, fine.exit_code, fine.output) == (
        "command",
        "passed",
        0,
        "fine\n",
    )
    bad = run(patient, PYTHON, "bad.py")
    assert (bad.status, bad.exit_code) == ("raised", 1)
    assert bad.chain[0].name == "surely_missing"
    assert bad.chain[0].frames[0].line == 3
    assert bad.output.startswith("before\nTraceback")
    assert bad.what == f"{PYTHON} bad.py"


def test_stdin_is_empty_and_the_folder_is_the_users(patient: Patient) -> None:
    patient.module("ask", "import os, sys; print(os.getcwd(), repr(sys.stdin.read()))")
    assert run(patient, PYTHON, "ask.py").output == f"{patient.project} ''\n"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("{python} bad.py; echo", "raised"),
        ("{python} bad.py; echo finished; exit 0", "raised"),
        ("{python} bad.py | cat", "raised"),
        ("{python} bad.py || true", "raised"),
        ("{python} bad.py", "raised"),
        ("{python} bad.py; exit 4", "raised"),
        ("{python} survives.py", "passed"),
        ("{python} survives.py; echo", "passed"),
        ("{python} survives.py; exit 4", "exited"),
        ("{python} -c 'import ctypes; ctypes.string_at(0)'", "died"),
        ("{python} -c 'import ctypes; ctypes.string_at(0)'; echo $?", "died"),
        ("{python} -c 'import os; os.kill(os.getpid(), 7)'; exit $?", "died"),
        ("{python} -c 'import sys; sys.exit(3)'", "exited"),
    ],
)
def test_lines_of_shell(line: str, status: str, patient: Patient) -> None:
    patient.module("bad", "import surely_missing")
    patient.module(
        "survives",
        "import traceback\ntry: import surely_missing\nexcept ImportError: traceback.print_exc()\n"
        "for number in range(5): print('step', number)\n",
    )
    outcome = run(patient, line.format(python=PYTHON), shell=True)  # noqa: S604
    assert outcome.status == status, outcome
    if status == "raised":
        assert outcome.chain[-1].name == "surely_missing"
    if status == "died":
        assert outcome.signal in ("SIGSEGV", "SIGBUS")
        assert outcome.crash_frames


def test_a_crash_leaves_its_frames(patient: Patient) -> None:
    patient.module("bad", "import ctypes\ndef f():\n    ctypes.string_at(0)\nf()\n")
    outcome = run(patient, PYTHON, "bad.py")
    assert (outcome.status, outcome.signal) == ("died", "SIGSEGV")
    assert [frame.function for frame in outcome.crash_frames] == ["<module>", "f", "string_at"]
    assert not list(patient.project.glob("core*"))


def test_the_time_limit_inside_and_after_the_import(patient: Patient) -> None:
    patient.module("keras.__init__", "import time\ndef fit(): time.sleep(60)\n")
    patient.module("slow", "import time; time.sleep(60)")
    patient.module("after", "import keras\nprint('Epoch 1/3', flush=True)\nkeras.fit()\n")
    patient.module("inside", "import slow\n")
    patient.module("early", "import time\ntime.sleep(60)\n")
    began = time.monotonic()
    after = run(patient, PYTHON, "after.py", timeout=1)
    inside = run(patient, PYTHON, "inside.py", timeout=1)
    early = run(patient, PYTHON, "early.py", timeout=1)
    assert time.monotonic() - began < 15
    assert (after.status, after.output) == ("stopped", "Epoch 1/3\n")
    assert after.crash_frames[-1].function == "fit"
    assert inside.status == "hung"
    assert inside.crash_frames[-1].file == str(patient.project / "slow.py")
    assert early.status == "hung"


def test_the_whole_group_ends_at_the_limit(patient: Patient) -> None:
    outcome = run(patient, "sleep 61.5 & sleep 61.5; echo never", shell=True, timeout=0.5)  # noqa: S604
    assert outcome.status == "hung"
    mark = str(patient.home).encode()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as stream:
                    assert b"61.5" not in stream.read(), mark
            except OSError:
                pass


def test_commands_that_cannot_start(patient: Patient) -> None:
    missing = run(patient, "surely-no-such-program")
    assert missing.status == "not-started"
    assert "surely-no-such-program" in missing.output
    assert run(patient).status == "not-started"
    (patient.project / "x").write_text("")
    assert run(patient, "./x").status == "not-started"


def test_output_that_is_not_utf8_and_a_flood(patient: Patient) -> None:
    patient.module(
        "bad",
        "import os\nos.write(1, b'\\xff\\xfe head')\n"
        "for _ in range(200): os.write(1, b'y' * 65536 + b'\\n')\nimport surely_missing\n",
    )
    outcome = run(patient, PYTHON, "bad.py")
    assert outcome.status == "raised"
    assert " head" in outcome.output[:10]
    assert len(outcome.output) < 1_300_000


def test_home_is_private_but_what_the_program_saves_is_kept(patient: Patient) -> None:
    patient.fake_keras()
    (patient.home / "data").mkdir()
    (patient.home / "notes.txt").write_text("old")
    patient.module(
        "saves",
        "import os, keras\nhome = os.path.expanduser('~')\n"
        "for name in ('model.h5', 'data/x', 'notes.txt'):\n"
        "    with open(os.path.join(home, name), 'w') as stream: stream.write('new')\n"
        "os.makedirs(os.path.join(home, '.theano'))\n",
    )
    before = listing(patient.project)
    outcome = run(patient, PYTHON, "saves.py")
    assert outcome.status == "passed", outcome.output
    assert f"file {patient.home}/.keras/keras.json" in outcome.output
    assert sorted(path.name for path in patient.home.iterdir()) == ["data", "model.h5", "notes.txt"]
    assert (patient.home / "data" / "x").read_text() == "new"
    assert (patient.home / "notes.txt").read_text() == "new"
    assert listing(patient.project) == before


@pytest.mark.parametrize(
    ("code", "output", "hides", "status"),
    [
        (0, TRACE, False, "passed"),  # a launcher that says all is well is believed
        (0, TRACE, True, "raised"),
        (0, TRACE + "1\n2\n3\n4\n", True, "passed"),
        (1, TRACE + "1\n2\n3\n4\n", False, "raised"),
        (2, TRACE + "1\n2\n3\n4\n", False, "exited"),
        (139, "", False, "exited"),
        (139, "", True, "died"),
        (-6, "", False, "died"),
        (0, "Bus error\n", False, "passed"),
        (1, "ImportError: DLL load failed\n", False, "raised"),
        (0, "Exception ignored in: <x>\n" + TRACE, True, "passed"),
    ],
)
def test_judging(code: int, output: str, hides: bool, status: str) -> None:
    ended = Ended(code=code, output=output, seconds=1.0)
    ending = judge_command(ended, hides=hides, line="python t.py; true", mapped=False)
    assert ending.status == status
