"""Whatever an import does, it is an outcome."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from keras_doctor.live import Statement, run_imports
from live.patients import EDGES, ORDER, Patient

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.model import Outcome

pytestmark = pytest.mark.pythons
EVERY = pytest.mark.parametrize("version", ORDER)
OLDEST_AND_NEWEST = pytest.mark.parametrize("version", EDGES)


def run(patient: Patient, *texts: str, timeout: float = 20.0, **options: object) -> Outcome:
    path = str(patient.project / "train.py")
    statements = [
        Statement(text=text, line=number + 3, path=path, setting=None)
        for number, text in enumerate(texts)
    ]
    return run_imports(
        patient.target,
        patient.environ,
        statements,
        timeout=timeout,
        **options,  # type: ignore[arg-type]
    )


@EVERY
def test_a_failing_chain_is_told_whole(version: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(version)
    patient.module("inner", "def f():\n    import surely_missing.part\n")
    patient.module(
        "outer",
        "import inner\ntry:\n    inner.f()\nexcept ImportError as error:\n"
        "    raise RuntimeError('outer \\u00e9') from error\n",
    )
    outcome = run(patient, "import json", "import outer", "import never")
    assert outcome.status == "raised"
    assert outcome.exit_code == 1
    assert (outcome.failed_statement, outcome.failed_line) == ("import outer", 4)
    first, last = outcome.chain
    assert (first.type, first.link, first.name) == (
        "ModuleNotFoundError",
        "cause",
        "surely_missing",
    )
    assert (last.type, last.message, last.link) == ("RuntimeError", "outer é", None)
    assert [frame.function for frame in first.frames] == ["<module>", "f"]
    assert first.frames[-1].text == "import surely_missing.part"
    assert first.frames[-1].file == str(patient.project / "inner.py")
    assert [frame.line for frame in last.frames] == [4, 5]
    edges = {edge.module: edge for edge in outcome.imports}
    assert edges["inner"].importer == str(patient.project / "outer.py")
    assert edges["inner"].file == str(patient.project / "inner.py")
    assert edges["outer"].importer == str(patient.project / "train.py")
    assert edges["surely_missing"].file is None
    assert "never" not in edges
    assert outcome.output.rstrip().endswith("RuntimeError: outer é")


@EVERY
def test_a_segmentation_fault(version: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(version)
    patient.module("bad", "import ctypes\ndef f():\n    ctypes.string_at(0)\nf()\n")
    outcome = run(patient, "import json", "import bad")
    assert (outcome.status, outcome.signal) == ("died", "SIGSEGV")
    assert outcome.failed_statement == "import bad"
    assert outcome.crash_frames[-1].function == "string_at"
    assert outcome.crash_frames[0].file == str(patient.project / "train.py")
    assert outcome.crash_frames[1].file == str(patient.project / "bad.py")
    assert "ctypes" in {edge.module for edge in outcome.imports}
    assert not list(patient.project.glob("core*"))


@OLDEST_AND_NEWEST
@pytest.mark.parametrize("name", ["SIGABRT", "SIGILL", "SIGBUS", "SIGKILL", "SIGTERM"])
def test_other_signals(version: str, name: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(version)
    patient.module("bad", f"import os, signal\nos.kill(os.getpid(), signal.{name})\n")
    outcome = run(patient, "import bad")
    assert (outcome.status, outcome.signal) == ("died", name)
    if name in ("SIGABRT", "SIGILL", "SIGBUS"):
        assert outcome.crash_frames[-1].file == str(patient.project / "bad.py")


@OLDEST_AND_NEWEST
@pytest.mark.parametrize(
    ("text", "line"),
    [("import time\ntime.sleep(60)", 2), ("x = 10 ** 10 ** 9", 1), ("while True: pass", 1)],
    ids=["sleep", "busy-C", "busy"],
)
def test_a_hang_tells_where(
    version: str, text: str, line: int, patient_of: Callable[[str], Patient]
) -> None:
    patient = patient_of(version)
    patient.module("bad", f"def f(): exec({text!r}, {{}})\nprint('before', flush=True)\nf()\n")
    began = time.monotonic()
    outcome = run(patient, "import bad", timeout=1.0)
    assert time.monotonic() - began < 8
    assert outcome.status == "hung"
    assert outcome.exit_code is None
    assert outcome.output == "before\n"
    assert outcome.failed_statement == "import bad"
    assert [frame.line for frame in outcome.crash_frames][-3:] == [3, 1, line]


@OLDEST_AND_NEWEST
@pytest.mark.parametrize(
    ("text", "code", "kinds"),
    [
        ("import os; os._exit(3)", 3, []),
        ("import sys; sys.exit('no licence')", 1, ["SystemExit"]),
        ("import sys; sys.exit(7)", 7, ["SystemExit"]),
        ("import sys; sys.exit()", 0, ["SystemExit"]),
    ],
)
def test_leaving(
    version: str,
    text: str,
    code: int,
    kinds: list[str],
    patient_of: Callable[[str], Patient],
) -> None:
    patient = patient_of(version)
    patient.module("bad", text)
    outcome = run(patient, "import bad")
    assert (outcome.status, outcome.exit_code) == ("exited", code)
    assert [raised.type for raised in outcome.chain] == kinds
    assert ("no licence" in outcome.output) == ("licence" in text)


@OLDEST_AND_NEWEST
def test_a_flood_is_bounded(version: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(version)
    patient.module(
        "bad",
        "import os\nos.write(1, b'the start\\n')\n"
        "for _ in range(300): os.write(1, b'\\xff' * 65536)\nos.write(2, b'the end')\n1/0\n",
    )
    outcome = run(patient, "import bad")
    assert outcome.status == "raised"
    assert outcome.output.startswith("the start\n")
    assert "bytes left out" in outcome.output
    assert "the end" in outcome.output
    assert len(outcome.output) < 1_300_000


def test_an_endless_flood_ends(patient: Patient) -> None:
    patient.module("bad", "import os\nwhile True: os.write(1, b'x' * 65536)\n")
    assert run(patient, "import bad", timeout=1.0).status == "hung"


@OLDEST_AND_NEWEST
@pytest.mark.parametrize("escape", ["", "os.setsid();"], ids=["group", "own-session"])
def test_a_forked_child_holds_the_output(
    version: str, escape: str, patient_of: Callable[[str], Patient]
) -> None:
    patient = patient_of(version)
    text = f"import os, time\nif os.fork() == 0:\n    {escape} time.sleep(77.25)\n"
    patient.module("bad", text)
    began = time.monotonic()
    outcome = run(patient, "import bad", "import json", timeout=30)
    assert outcome.status == "passed"
    assert time.monotonic() - began < 10
    wanted = str(patient.home).encode()
    time.sleep(0.1)
    assert not [pid for pid in living() if wanted in command_variables(pid)]


def living() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def command_variables(pid: str) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def test_a_forked_child_that_goes_on_reports_nothing(patient: Patient) -> None:
    patient.module("bad", "import os\nif os.fork(): os.wait()\n")
    patient.module("worse", "import os\nprint('once')\n")
    outcome = run(patient, "import bad", "import worse", "import surely_missing")
    assert outcome.status == "raised"
    assert len(outcome.chain) == 1


def test_a_daemon_that_closes_every_descriptor(patient: Patient) -> None:
    patient.module("bad", "import os\nos.closerange(3, 256)\n")
    outcome = run(patient, "import bad", "import surely_missing")
    assert outcome.status == "raised"
    assert outcome.chain[0].name == "surely_missing"


@OLDEST_AND_NEWEST
def test_hostile_exceptions(version: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(version)
    patient.module(
        "bad",
        "import sys\n"
        "class Str(str):\n"
        "    def __iter__(self): raise SystemExit(9)\n"
        "    def startswith(self, other): raise SystemExit(9)\n"
        "class Evil(ImportError):\n"
        "    def __str__(self): sys.exit(5)\n"
        "    __repr__ = __str__\n"
        "error = Evil(name=Str('x' * 100000), path=7)\n"
        "error.__notes__ = 5\n"
        "raise error\n",
    )
    outcome = run(patient, "import bad")
    assert outcome.status == "raised"
    (raised,) = outcome.chain
    assert raised.type == "bad.Evil"
    assert raised.message == "<exception str() failed>"
    assert raised.name is not None
    assert len(raised.name) < 20000
    assert raised.path is None


@OLDEST_AND_NEWEST
def test_a_deep_chain_and_a_huge_message_are_bounded(
    version: str, patient_of: Callable[[str], Patient]
) -> None:
    patient = patient_of(version)
    patient.module(
        "bad",
        "error = KeyError('first')\n"
        "for number in range(3000):\n"
        "    later = ValueError(str(number)); later.__context__ = error; error = later\n"
        "last = ValueError('x' * 1000000); last.__cause__ = error\n"
        "error.__cause__ = last\n"  # a circle, which is not walked twice
        "raise last\n",
    )
    outcome = run(patient, "import bad")
    assert outcome.status == "raised"
    assert 2 <= len(outcome.chain) <= 50
    assert outcome.chain[-1].message.startswith("xxx")
    assert len(outcome.chain[-1].message) < 20000
    assert outcome.chain[-1].link is None


@OLDEST_AND_NEWEST
def test_deep_recursion_keeps_both_ends(version: str, patient_of: Callable[[str], Patient]) -> None:
    patient = patient_of(version)
    patient.module("bad", "def f(): f()\nf()\n")
    outcome = run(patient, "import bad")
    assert outcome.chain[-1].type == "RecursionError"
    assert 10 < len(outcome.chain[-1].frames) <= 200
    assert outcome.chain[-1].frames[0].file == str(patient.project / "train.py")


def test_from_none_hides_all_but_import_errors(patient: Patient) -> None:
    patient.module(
        "bad",
        "try:\n    import surely_missing\nexcept ImportError:\n"
        "    raise ValueError('no backend') from None\n",
    )
    patient.module("quiet", "try: 1/0\nexcept Exception: raise ValueError('x') from None\n")
    outcome = run(patient, "import bad")
    assert [(each.type, each.link) for each in outcome.chain] == [
        ("ModuleNotFoundError", "context"),
        ("ValueError", None),
    ]
    assert [each.type for each in run(patient, "import quiet").chain] == ["ValueError"]


def test_notes_groups_and_syntax_errors(patient: Patient) -> None:
    patient.module("noted", "e = ImportError('a'); e.add_note('try b'); raise e\n")
    patient.module("group", "raise ExceptionGroup('both', [ImportError('x'), KeyError('y')])\n")
    patient.module("broken", "x = 1\ndef f(:\n")
    assert run(patient, "import noted").chain[0].message == "a\ntry b"
    message = run(patient, "import group").chain[0].message
    assert message.splitlines()[1:] == ["  ImportError: x", "  KeyError: 'y'"]
    (raised,) = run(patient, "import broken").chain
    assert raised.type == "SyntaxError"
    assert (raised.frames[-1].file, raised.frames[-1].line, raised.frames[-1].text) == (
        str(patient.project / "broken.py"),
        2,
        "def f(:",
    )


def test_an_interpreter_that_does_not_start(patient: Patient) -> None:
    assert run_imports(patient.target._replace(python=None), {}).status == "not-started"
    gone = run_imports(patient.target._replace(python="/no/such/python"), patient.environ)
    assert gone.status == "not-started"
    assert "/no/such/python" in gone.output
    not_python = run_imports(patient.target._replace(python="/bin/false"), patient.environ)
    assert (not_python.status, not_python.exit_code) == ("not-started", 1)
    folder = patient.target._replace(folder="/no/such/folder")
    assert run_imports(folder, patient.environ).status == "not-started"


def test_sitecustomize_that_fails(patient: Patient, tmp_path: object) -> None:
    # Python goes on after an exception in sitecustomize; after os._exit it cannot.
    patient.module("sitecustomize", "import os; os._exit(4)")
    environ = {**patient.environ, "PYTHONPATH": str(patient.project)}
    outcome = run_imports(patient.target, environ)
    assert (outcome.status, outcome.exit_code) == ("not-started", 4)


def test_interrupted_by_the_user_nothing_is_left(patient: Patient) -> None:
    patient.module("bad", "import time\ntime.sleep(60)\n")
    program = (
        # A shell's background job, as CI may be, starts its children with SIGINT ignored.
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from keras_doctor.live import run_imports, Statement\n"
        "from keras_doctor.model import Target\n"
        f"target = Target(**{patient.target._asdict()!r})\n"
        f"run_imports(target, {patient.environ!r}, [Statement('import bad', 1, None, None)])\n"
    )
    root = patient.root / "tmp"
    root.mkdir()
    process = subprocess.Popen(
        [patient.python, "-c", program],
        env={**os.environ, "TMPDIR": str(root)},
        stderr=subprocess.PIPE,
    )
    for _ in range(200):
        if list(root.glob("keras-doctor-*/results")):
            break
        time.sleep(0.05)
    else:
        pytest.fail("it did not start")
    process.send_signal(signal.SIGINT)
    try:
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert b"KeyboardInterrupt" in errors
    assert not list(root.iterdir())
    assert not [pid for pid in living() if str(patient.home).encode() in command_variables(pid)]
