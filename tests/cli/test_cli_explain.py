"""`explain` on the command line: what it reads, how it ends, what it refuses."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from keras_doctor.__main__ import main

TEXT = "ModuleNotFoundError: No module named 'tensorflow.python'\n"
OWN = '  File "/e/lib/python3.8/site-packages/tensorflow/__init__.py", line 2, in <module>\n' + TEXT


def explain(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, *options: str
) -> tuple[int, str, str]:
    path = tmp_path / "log.txt"
    path.write_text(text, encoding="utf-8")
    status = main(["explain", str(path), *options])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_a_cause_is_named_and_the_status_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, _ = explain(capsys, tmp_path, OWN)
    assert status == 1
    assert out.startswith("Most likely: Files of tensorflow are missing")
    assert "Python 3.8" in out


def test_a_text_without_a_failure_is_said_to_hold_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, out, _ = explain(capsys, tmp_path, "all is well\n")
    assert "No known cause" in out or "No failure" in out


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stdin:
        buffer = io.BytesIO(OWN.encode("utf-16"))

        def isatty(self) -> bool:
            return False

    monkeypatch.setattr("sys.stdin", Stdin())
    assert main(["explain", "-"]) == 1
    assert "Files of tensorflow" in capsys.readouterr().out


def test_facts_are_read_and_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    facts = tmp_path / "list.txt"
    facts.write_text("tensorflow==2.7.1\nprotobuf==4.21.0\n")
    text = "TypeError: Descriptors cannot not be created directly.\n"
    status, out, _ = explain(capsys, tmp_path, text, "--facts", str(facts), "--format", "json")
    report = json.loads(out)
    assert status == 1
    assert report["command"] == "explain"
    assert report["facts"]["packages"] == {"tensorflow": "2.7.1", "protobuf": "4.21.0"}
    assert report["causes"][0]["cause"] == "undeclared-incompatibility"
    assert report["causes"][0]["culprit"] == "protobuf"
    assert report["failures"][0]["exception"]["type"] == "TypeError"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", "/no/such/file"], "/no/such/file cannot be read"),
        (["explain", "{empty}"], "no text to explain"),
        (["explain", "{log}", "--facts", "/no/such"], "The facts /no/such cannot be read"),
        (["explain", "{log}", "--", "x"], "takes no command"),
    ],
)
def test_bad_input_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], words: str
) -> None:
    places = {"{empty}": "", "{log}": TEXT}
    for name, text in places.items():
        (tmp_path / name.strip("{}")).write_text(text)
    argv = [str(tmp_path / a.strip("{}")) if a in places else a for a in arguments]
    assert main(argv) == 2
    assert words in capsys.readouterr().err


def test_exit_zero(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert explain(capsys, tmp_path, OWN, "--exit-zero")[0] == 0
    assert explain(capsys, tmp_path, OWN, "--quiet")[1].count("\n") <= 8


def test_no_control_character_reaches_the_terminal(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    _, out, _ = explain(capsys, tmp_path, "ImportError: \x1b]0;title\x07\x1b[2Jkeras \x9b31m\n")
    assert all(c == "\n" or c.isprintable() for c in out)


@pytest.mark.parametrize("facts", ["", "{}", '{"packages": {}, "python": null, "env": {}}', "x"])
def test_without_facts_the_text_is_judged_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, facts: str
) -> None:
    (tmp_path / "facts").write_text(facts)
    status, out, err = explain(capsys, tmp_path, OWN, "--facts", str(tmp_path / "facts"))
    assert status == 1
    assert "Files of tensorflow are missing" in out
    assert "the text alone is judged" in err


def test_the_report_fits_its_schema_and_frames_name_their_package(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from importlib.resources import files

    import jsonschema

    schema = files("keras_doctor.report") / "schemas" / "report.json"
    _, out, _ = explain(capsys, tmp_path, OWN, "--format", "json")
    report = json.loads(out)
    jsonschema.validate(report, json.loads(schema.read_text(encoding="utf-8")))
    (frame,) = report["failures"][0]["exception"]["chain"][0]["frames"]
    assert frame["package"] == "tensorflow"
    assert report["facts"]["python"] == "3.8"


def test_a_snapshot_may_be_the_facts(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import sys

    snapshot = tmp_path / "snapshot.json"
    assert main(["snapshot", "--python", sys.executable, "--output", str(snapshot)]) == 0
    text = "ModuleNotFoundError: No module named 'keras'\n"
    status, out, _ = explain(capsys, tmp_path, text, "--facts", str(snapshot), "--format", "json")
    report = json.loads(out)
    assert status == 1
    assert report["facts"] is None
    assert report["causes"][0]["cause"] in ("not-installed", "wrong-interpreter")
    assert main(["explain", str(snapshot), "--facts", str(snapshot), "--python", "x"]) == 2
