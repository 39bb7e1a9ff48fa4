"""`check` from words to exit status; the examination itself is hand-made here."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor import api
from keras_doctor.__main__ import main
from keras_doctor.cli import check
from keras_doctor.cli.errors import UsageError
from keras_doctor.collect.load import dumps_snapshot
from keras_doctor.model import Examination
from keras_doctor.targets import TargetError

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from report import report_samples as samples


class Recorder:
    """Stands in for api.check: keeps the arguments, gives back an examination or an error."""

    def __init__(self, result: Examination | BaseException) -> None:
        self.result = result
        self.arguments: dict[str, Any] = {}

    def __call__(self, **arguments: Any) -> tuple[Examination, tuple[str, ...]]:
        self.arguments = arguments
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result, ("PATH: /usr/bin/python: no Keras",)


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "KERAS_DOCTOR_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["/no/such/file"])


def examine(
    monkeypatch: pytest.MonkeyPatch, result: Examination | BaseException | None = None
) -> Recorder:
    recorder = Recorder(samples.healthy() if result is None else result)
    monkeypatch.setattr(api, "check", recorder)
    return recorder


@pytest.mark.parametrize(
    ("words", "status"),
    [([], 1), (["check"], 1), (["--exit-zero"], 0), (["-q"], 1), (["--format", "json"], 1)],
)
def test_causes_are_status_1(
    monkeypatch: pytest.MonkeyPatch, words: list[str], status: int
) -> None:
    examine(monkeypatch, samples.proven())
    assert main(words) == status


def test_healthy_is_status_0(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch)
    assert main([]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("Keras 3.8.0 works here with the jax backend (0.5.0).\n")
    assert err == ""


def test_words_reach_the_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = examine(monkeypatch)
    words = "check --python 3.11 --kernel k --project p --backend jax --train --timeout 7.5 -v"
    assert main([*words.split(), "--", "python", "train.py", "--", "--format", "json"]) == 0
    arguments = recorder.arguments
    assert callable(arguments.pop("progress"))
    assert callable(arguments.pop("share"))
    assert arguments == {
        "python": "3.11",
        "kernel": "k",
        "project": "p",
        "command": ("python", "train.py", "--", "--format", "json"),
        "wish": "jax",
        "live": True,
        "thorough": False,
        "verify": "no",
        "train": True,
        "timeout": 7.5,
        "snapshot": None,
    }


def test_no_live(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = examine(monkeypatch)
    main(["--no-live"])
    assert recorder.arguments["live"] is False


@pytest.mark.parametrize(
    ("words", "scope"), [("--verify", "way"), ("--verify=way", "way"), ("--verify=all", "all")]
)
def test_verify(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: str, scope: str
) -> None:
    recorder = examine(monkeypatch, samples.proven())
    main([words, "--no-live"])
    assert recorder.arguments["verify"] == scope
    again = "--verify" if scope == "way" else "--verify=all"
    assert f"keras-doctor check {again}\n" in capfd.readouterr().out


def test_the_command_to_verify_keeps_the_target(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch, samples.proven())
    main(["--python", "my env", "--backend", "jax", "--no-live", "-v", "--", "python", "a b.py"])
    expected = "keras-doctor check --python 'my env' --backend jax -- python 'a b.py'"
    assert expected in [line.strip() for line in capfd.readouterr().out.splitlines()]


def test_the_command_for_somebody_else_keeps_the_target(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch, samples.hung())
    main(["--python", "3.11", "--train", "--", "python", "x.py"])
    expected = "keras-doctor snapshot --python 3.11 --output snapshot.json -- python x.py"
    assert expected in [line.strip() for line in capfd.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["chek"], "There is no command 'chek'. Did you mean `keras-doctor check`?"),
        (["train.py"], "keras-doctor check -- python train.py"),
        (["python", "train.py"], "keras-doctor check -- python"),
        (["--pyhton", "x"], "check has no option --pyhton. Did you mean --python?"),
        (["check", "train.py"], "keras-doctor check -- python train.py"),
        (["--nolive"], "Did you mean --no-live?"),
        (["--timeout", "soon"], "'soon' is no number of seconds above 0"),
        (["--timeout", "-1"], "--timeout"),
        (["--timeout", "nan"], "no number of seconds"),
        (["--format", "xml"], "--format is text or json, not 'xml'."),
        (["--color=alway"], "--color is auto, always or never, not 'alway'. Did you mean always?"),
        (["--verbose=1"], "--verbose takes no value."),
        (["--output", "--verbose"], "--output wants a value: --output FILE."),
        (["--python"], "--python wants a value: --python PYTHON."),
        (["--backend", "pytorch"], "no Keras knows a backend 'pytorch'. Did you mean torch?"),
        (["--backend", "zzz"], "tensorflow, "),
        (["--"], "No command comes after --."),
        (["--no-live", "--train"], "--no-live"),
        (["-q", "-v"], "contradict each other"),
        (["--snapshot", "x", "--python", "3"], "--snapshot"),
        (["--snapshot", "x", "--", "python"], "--snapshot"),
        (["--snapshot", "x", "--verify"], "--verify would have to read the files"),
        (["--verify=every"], "--verify is way or all, not 'every'."),
        (["--verify", "all"], "'all' is no option of check."),
        (["--snapshot", "/no/such"], "The snapshot /no/such cannot be read"),
        (["--output", "/no/such/folder/x"], "the folder /no/such/folder does not exist."),
        (["--output", "/"], "is a folder"),
        (["schema", "--", "ls"], "takes no command"),
        (["help", "chekc"], "Did you mean check?"),
    ],
)
def test_bad_usage_is_one_sentence_and_status_2(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
) -> None:
    examine(monkeypatch, AssertionError("must not be reached"))
    assert main(words) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert told in err
    assert err.startswith("keras-doctor: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize("form", [["--format", "json"], ["--format=json"]])
def test_errors_in_json(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], form: list[str]
) -> None:
    examine(monkeypatch, TargetError("there is no Python at /x"))
    assert main(["check", *form]) == 2
    out, err = capfd.readouterr()
    report = json.loads(out)
    assert report["command"] == "check"
    assert report["exit_code"] == 2
    assert report["causes"] is None
    assert report["errors"] == [
        {"code": "target", "message": "There is no Python at /x.", "hint": None}
    ]
    assert err == "keras-doctor: There is no Python at /x.\n"


def test_unknown_command_in_json(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["chek", "--format", "json"]) == 2
    report = json.loads(capfd.readouterr().out)
    assert report["command"] is None
    assert report["errors"][0]["hint"] == "Did you mean `keras-doctor check`?"


def test_json_after_the_dashes_is_the_commands_own(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch, TargetError("there is none"))
    assert main(["--", "tool", "--format", "json"]) == 2
    assert capfd.readouterr().out == ""


def test_a_mistake_of_ours_is_status_3(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch, KeyError("\x1b[2Jx"))
    assert main([]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert "mistake of keras-doctor" in err
    assert "KERAS_DOCTOR_DEBUG=1" in err
    assert "Traceback" not in err
    assert "\x1b" not in err

    assert main(["--verbose"]) == 3
    assert "Traceback" in capfd.readouterr().err
    monkeypatch.setenv("KERAS_DOCTOR_DEBUG", "1")
    assert main(["--format", "json"]) == 3
    out, err = capfd.readouterr()
    assert "Traceback" in err
    assert json.loads(out)["exit_code"] == 3
    assert json.loads(out)["errors"][0]["code"] == "bug"


def test_interrupted_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    examine(monkeypatch, KeyboardInterrupt())
    assert main([]) == 130


def test_quiet_says_only_what_matters(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch, samples.proven())
    main(["--quiet"])
    assert capfd.readouterr().out.splitlines() == [
        "`python train.py` fails here, for one reason.",
        "- KERAS_BACKEND asks for torch, which is not installed here.",
        "    export KERAS_BACKEND=jax",
    ]


def test_verbose_says_what_was_considered(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    examine(monkeypatch)
    main(["-v"])
    assert "PATH: /usr/bin/python: no Keras" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "environ", "colored"),
    [
        ([], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    environ: dict[str, str],
    colored: bool,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    examine(monkeypatch)
    main(words)
    assert ("\x1b[" in capfd.readouterr().out) is colored


def test_output_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    examine(monkeypatch)
    file = tmp_path / "report.txt"
    file.write_text("old")
    file.chmod(0o640)
    assert main(["--output", str(file)]) == 0
    assert capfd.readouterr().out == ""
    assert file.read_text().startswith("Keras 3.8.0 works here")
    assert "\x1b" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["report.txt"]


def test_output_follows_a_link_and_keeps_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    examine(monkeypatch)
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    assert main(["--format", "json", "--output", str(link)]) == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["command"] == "check"


def test_output_never_replaces_a_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    examine(monkeypatch)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert main(["--output", str(pipe)]) == 0
        assert os.read(reader, 1000).startswith(b"Keras 3.8.0 works here")
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


def test_a_failed_write_leaves_the_old_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    examine(monkeypatch)
    file = tmp_path / "report.txt"
    file.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["--output", str(file)]) == 2
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.txt"]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("by", ["file", "stdin"])
def test_snapshot_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, by: str, wrapped: bool
) -> None:
    recorder = examine(monkeypatch)
    text = dumps_snapshot(samples.snapshot())
    if wrapped:
        from keras_doctor.report import json as report

        text = report.dumps(report.snapshot(samples.snapshot()))
    path = "-"
    if by == "stdin":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    else:
        path = str(tmp_path / "snapshot.json")
        Path(path).write_text(text)
    assert main(["--snapshot", path]) == 0
    assert recorder.arguments["snapshot"] == samples.snapshot()
    assert recorder.arguments["live"] is False


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"snapshot": {}}',
        '{"snapshot": {"schema_version": 99}}',
        '{"schema_version": 99}',
        '{"schema_version": 1, "x": "\x1b[2J"}',
    ],
)
def test_bad_snapshots(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    text: str,
) -> None:
    examine(monkeypatch, AssertionError("must not be reached"))
    path = tmp_path / "s.json"
    path.write_text(text)
    assert main(["--snapshot", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "\x1b" not in err


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_snapshot(data: bytes) -> None:
    import tempfile

    from keras_doctor.collect.load import SnapshotError

    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with pytest.raises((SnapshotError, UsageError)):
            check.load(file.name)


class Ascii(io.TextIOWrapper):
    """A stdout as of an old console."""

    def __init__(self, encoding: str) -> None:
        self.sink = io.BytesIO()
        super().__init__(self.sink, encoding=encoding)


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "caf\\xe9"), ("utf-8", "caf\u00e9")])
def test_encodings(monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str) -> None:
    stream = Ascii(encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    example = samples.healthy()
    folder = samples.target(folder="/caf\u00e9")
    examine(monkeypatch, example._replace(snapshot=samples.snapshot(target=folder)))
    assert main([]) == 0
    text = stream.sink.getvalue().decode(encoding)
    assert f"/{shown}" in text


def test_json_is_utf8_whatever_the_locale_says(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Ascii("latin-1")
    monkeypatch.setattr(sys, "stdout", stream)
    folder = samples.target(folder="/caf\u00e9/\u65e5")
    examine(monkeypatch, samples.healthy()._replace(snapshot=samples.snapshot(target=folder)))
    assert main(["--format", "json"]) == 0
    assert json.loads(stream.sink.getvalue().decode("utf-8"))["target"]["folder"] == folder.folder
