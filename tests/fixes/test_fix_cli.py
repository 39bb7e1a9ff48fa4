"""`fix`, `undo` and `history` from words to exit status; the repair itself is hand-made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fixes import repairs
from fixes.repairs import JOURNAL
from keras_doctor import api
from keras_doctor.__main__ import main
from keras_doctor.fixes.search import Options
from keras_doctor.fixes.transaction.errors import HeldError
from keras_doctor.fixes.transaction.journal import APPLIED, Store, planned
from keras_doctor.model.plan import Repair
from keras_doctor.targets import TargetError

TESTS = str(Path(__file__).parents[1])


class Recorder:
    """Stands in for api.fix: keeps the arguments, asks for consent, gives back a repair."""

    def __init__(self, plan: Repair, end: Repair | None = None) -> None:
        self.plan = plan
        self.end = end or plan
        self.arguments: dict[str, Any] = {}
        self.consents: list[Any] = []
        self.raises: Exception | None = None

    def __call__(self, **arguments: Any) -> Repair:
        self.arguments = arguments
        if self.raises is not None:
            raise self.raises
        said = arguments["agree"](self.plan)
        self.consents.append(said)
        return self.end if said.apply else self.plan


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "KERAS_DOCTOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(sys, "argv", ["/no/such/file"])


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    plan = repairs.planned()._replace(manual=(repairs.RENAME,))
    made = Recorder(plan, repairs.works_now())
    monkeypatch.setattr(api, "fix", made)
    return made


# -- options


def test_every_option_reaches_the_repair(recorder: Recorder, tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("# mine\nnumpy<2  # old\n\n-r other.txt\nscipy==1.14.0 \\\n  --hash=sha256:a\n")
    two.write_text("h5py<4\n")
    argv = ["fix", "--python", "3.11", "--kernel", "k", "--project", "p", "--backend", "jax"]
    argv += ["--keep", "numpy==1.26.4", "--keep=pandas", "--prefer", "change-versions"]
    argv += ["--constraint", str(one), "--constraint", str(two), "--timeout", "5", "--dry-run"]
    assert main([*argv, "--", "python", "train.py", "--yes"]) == 1
    wanted = {
        "python": "3.11",
        "kernel": "k",
        "project": "p",
        "wish": "jax",
        "timeout": 5.0,
        "command": ("python", "train.py", "--yes"),
        "options": Options(
            prefer="change-versions",
            keep=("numpy==1.26.4", "pandas"),
            constraints=("numpy<2", "scipy==1.14.0", "h5py<4"),
        ),
    }
    assert {name: recorder.arguments[name] for name in wanted} == wanted


def test_nothing_is_asked_for(recorder: Recorder) -> None:
    main(["fix"])
    assert recorder.arguments["options"] == Options()
    assert recorder.arguments["command"] == ()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--dry-run", "--yes"], "--dry-run changes nothing, and --yes says that it may."),
        (["-y", "--dry-run"], "--dry-run changes nothing"),
        (["--prefer", "magic"], "--prefer is switch-backend, change-versions or new-env"),
        (["--keep"], "--keep wants a value"),
        (["--constraint", "{tmp}/absent.txt"], "absent.txt cannot be read: No such file"),
        (["--constraint", "{tmp}"], "cannot be read: Is a directory"),
        (["--constraint", "{tmp}/odd.txt"], "cannot be read: it is no UTF-8 text"),
        (["--backend", "tensorflw"], "Did you mean tensorflow?"),
        (["now"], "'now' is no option of fix"),
        (["--"], "No command comes after --"),
        (["--output", "{tmp}/no/such/folder"], "no/such"),
    ],
)
def test_bad_usage(
    recorder: Recorder,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
    says: str,
) -> None:
    (tmp_path / "odd.txt").write_bytes(b"\xff\xfe")
    assert main(["fix", *(word.replace("{tmp}", str(tmp_path)) for word in words)]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""
    assert recorder.arguments == {}


@pytest.mark.parametrize("error", [TargetError("there is no such Python"), HeldError("it is held")])
def test_what_the_user_can_put_right(
    recorder: Recorder, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    recorder.raises = error
    assert main(["fix", "--format", "json"]) == 2
    captured = capsys.readouterr()
    assert str(error)[1:] in captured.err
    assert json.loads(captured.out)["command"] == "fix"


# -- consent without a terminal


@pytest.mark.parametrize(
    ("words", "apply"),
    [([], False), (["--dry-run"], False), (["--yes"], True), (["-y", "--format", "json"], True)],
)
def test_consent_by_options(
    recorder: Recorder, capsys: pytest.CaptureFixture[str], words: list[str], apply: bool
) -> None:
    assert main(["fix", *words]) == (0 if apply else 1)
    (said,) = recorder.consents
    assert (said.apply, said.moves) == (apply, ())
    out = capsys.readouterr().out
    if "--format" in words:
        assert json.loads(out)["verified"] is True
    else:
        assert out.startswith("It works now" if apply else "A repair was found")


def test_a_file_of_the_users_moves_only_when_it_is_named(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = str(tmp_path / "random.py")
    recorder.plan = recorder.plan._replace(manual=(repairs.RENAME._replace(path=mine),))
    main(["fix", "--yes", "--move", "other.py", "--move", "random.py"])
    main(["fix", "--yes", "--move", "other.py"])
    main(["fix", "--move", "random.py"])
    assert [(said.apply, said.moves) for said in recorder.consents] == [
        (True, (mine,)),
        (True, ()),
        (False, ()),
    ]


def test_the_line_that_applies_it_is_the_one_that_was_typed(
    recorder: Recorder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "my constraints.txt"
    file.write_text("")
    argv = ["fix", "--keep", "numpy<2", "--move", "a.py", "--backend", "jax", "--dry-run"]
    main([*argv, "--constraint", str(file), "--", "python", "my train.py"])
    line = capsys.readouterr().out.splitlines()[-1].strip()
    assert line == (
        f"keras-doctor fix --backend jax --keep 'numpy<2' --constraint '{file}' --move a.py "
        "--yes -- python 'my train.py'"
    )


def test_a_report_in_a_file(recorder: Recorder, tmp_path: Path) -> None:
    assert main(["fix", "--yes", "--format=json", "--output", str(tmp_path / "r.json")]) == 0
    assert json.loads((tmp_path / "r.json").read_text())["journal"] == JOURNAL


# -- consent at a terminal

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from fixes import repairs
from keras_doctor import api
from keras_doctor.__main__ import main

def fix(**arguments):
    step = repairs.RENAME
    plan = repairs.planned()._replace(manual=(step,) if sys.argv[2] == "rename" else ())
    if sys.argv[2] == "nothing":
        plan = plan._replace(steps=())
    said = arguments["agree"](plan)
    print("SAID", said.apply, *said.moves)
    return repairs.works_now() if said.apply else plan

api.fix = fix
sys.exit(main(["fix", *sys.argv[3:]]))
"""


def at_a_terminal(kind: str, typed: str, *words: str) -> tuple[int, str]:
    """The exit status and what the terminal has received at the end."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, TESTS, kind, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", "COLUMNS": "90"},
        start_new_session=True,
    )
    os.close(slave)
    data, answers = b"", typed.splitlines(keepends=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        data += piece
        if data.endswith(b"[y/N] "):
            os.write(master, (answers.pop(0) if answers else "\x04").encode())
    os.close(master)
    return process.wait(30), data.decode().replace("\r\n", "\n")


def test_no_is_no() -> None:
    status, text = at_a_terminal("plain", "n\n")
    assert status == 1
    before, _, after = text.partition("Apply this plan? [y/N] n")
    assert "Install numpy below 2, which fits." in before
    assert "2.2.1 → 1.26.4" in before
    assert "SAID False" in after
    assert "nothing was changed yet" in after
    assert "It works now" not in text


@pytest.mark.parametrize("typed", ["y\n", "YES\n", " yes \n"])
def test_yes_is_yes(typed: str) -> None:
    status, text = at_a_terminal("plain", typed)
    assert status == 0
    assert "SAID True" in text
    assert "It works now" in text


@pytest.mark.parametrize("typed", ["\n", "\x04", "yep\n"])
def test_all_else_is_no(typed: str) -> None:
    status, text = at_a_terminal("plain", typed)
    assert status == 1
    assert "SAID False" in text


def test_each_file_of_the_users_is_asked_for() -> None:
    question = "Give /home/ada/project/random.py the name /home/ada/project/my_random.py? [y/N] "
    _, text = at_a_terminal("rename", "y\ny\n")
    assert question in text
    assert "SAID True /home/ada/project/random.py\n" in text
    _, text = at_a_terminal("rename", "n\ny\n")
    assert question in text
    assert "SAID True\n" in text
    _, text = at_a_terminal("rename", "y\n", "--move", "/home/ada/project/random.py")
    assert question not in text
    assert "SAID True /home/ada/project/random.py\n" in text


@pytest.mark.parametrize("words", [["--yes"], ["--dry-run"], ["--format", "json"]])
def test_who_has_said_it_already_is_not_asked(words: list[str]) -> None:
    _, text = at_a_terminal("plain", "y\n", *words)
    assert "[y/N]" not in text
    assert f"SAID {words == ['--yes']}" in text


def test_where_nothing_would_be_done_nothing_is_asked() -> None:
    _, text = at_a_terminal("nothing", "y\n")
    assert "[y/N]" not in text
    assert "SAID False" in text


# -- undo and history


def test_an_empty_history(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["history"]) == 0
    assert capsys.readouterr().out == "No repair was made here.\n"
    assert main(["history", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["repairs"], data["problems"], data["dropped"]) == ([], [], None)
    # To look leaves no trace.
    assert os.listdir(tmp_path) == []


def test_there_is_nothing_to_undo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["undo"]) == 1
    assert "There is no repair to undo." in capsys.readouterr().out
    assert main(["undo", "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["refusal"] == "There is no repair to undo."
    assert (data["undone"], data["recovered"], data["exit_code"]) == (None, [], 1)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("word", [JOURNAL, "../../etc/passwd", "x" * 100, "A", "a\nb"])
def test_an_unknown_id(capsys: pytest.CaptureFixture[str], tmp_path: Path, word: str) -> None:
    assert main(["undo", word]) == 1
    assert capsys.readouterr().out.startswith("Not undone: everything is as it was.\n")
    assert main(["history", "--drop", word]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("keras-doctor: ")
    assert captured.err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_no_command_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("undo", "history"):
        assert main([name, "--", "python"]) == 2
        assert f"`{name}` takes no command" in capsys.readouterr().err


def test_repairs_are_listed_and_dropped(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = Store(str(tmp_path / "state" / "keras-doctor"))
    environment = tmp_path / "env"
    environment.mkdir()
    made = planned(
        environment=str(environment),
        roots=[str(environment)],
        changes=(),
        tool_version="0",
        summary=["Install numpy<2."],
    )
    store.save(made._replace(status=APPLIED))
    (Path(store.folder) / "broken.json").write_text("{")
    assert main(["history"]) == 0
    out = capsys.readouterr().out
    assert f"{made.id}  {made.created}  applied\n    {environment}\n    Install numpy<2.\n" in out
    assert "Not read:" in out
    assert "undo ID" in out
    assert main(["history", "--drop", made.id, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["repairs"], data["dropped"]) == ([], made.id)
    assert len(data["problems"]) == 1


def test_an_environment_that_is_gone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store = Store(str(tmp_path / "state" / "keras-doctor"))
    gone = str(tmp_path / "gone")
    made = planned(environment=gone, roots=[gone], changes=(), tool_version="0")
    store.save(made._replace(status=APPLIED))
    assert main(["undo"]) == 1
    assert "is not there any more" in " ".join(capsys.readouterr().out.split())


def test_one_that_was_not_written_by_us_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "state" / "keras-doctor" / "journals"
    folder.mkdir(parents=True)
    (folder / f"{JOURNAL}.json").write_text('{"id": "x"}')
    assert main(["undo", JOURNAL]) == 1
    assert "is no journal" in " ".join(capsys.readouterr().out.split())
    assert main(["undo"]) == 1
    assert "There is no repair to undo." in capsys.readouterr().out
