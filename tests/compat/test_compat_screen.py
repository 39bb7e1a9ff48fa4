"""`compat` from words to the screen, the JSON and the exit status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from compat.compat_builders import EDGES, PACKAGES, base, rel
from keras_doctor.__main__ import main
from keras_doctor.report import json as report
from keras_doctor.report.schemas import schema_text

VALIDATOR = Draft202012Validator(json.loads(schema_text()))


@pytest.fixture(autouse=True)
def plain(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    bases = [base("tensorflow 2.16.2", "3.11", numpy="1.26.4")]
    packages = {**PACKAGES, "theano": [rel("1.0.5", read=False, wheels=(), sdist=True)]}
    build(packages, EDGES, bases, gaps=[("torchvision", "no page")])


def screen(capfd: pytest.CaptureFixture[str], words: str, status: int = 0) -> str:
    assert main(["compat", *words.split(), "--platform", "linux-x86_64"]) == status
    out, err = capfd.readouterr()
    assert err == ""
    return str(out)


def test_the_answer_comes_first(capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        screen(capfd, "keras tensorflow --python 3.11")
        == """\
keras 3.6.0 and tensorflow 2.16.2 go together on Python 3.11: they were run
together.

    pip install keras==3.6.0 tensorflow==2.16.2 "numpy<2.0.0"

  Python     3.11 (linux-x86_64)
  measured   keras with tensorflow: import and one training step work
             (tensorflow 2.16.2, Python 3.11, 2024-06-01)
  declared   tensorflow 2.16.2 requires keras>=3.0.0
  bound      numpy<2.0.0: tensorflow 2.16.2 fails with numpy 2.0.0 with
             TypeError (import tensorflow, Python 3.11), and its metadata lets
             that in
  not newer  tensorflow 2.17.0 was not measured with keras 3.6.0

Newer, with nothing known against it, but not measured:
    pip install keras==3.6.0 tensorflow==2.17.0

keras with tensorflow, newest first
  keras        tensorflow by metadata  tensorflow as measured
  3.0.0-3.6.0  2.16.2-2.17.0           works 2.15.1-2.16.2; ! metadata forbids
                                       2.15.1
  2.15.0       2.15.1                  works 2.15.1; 2.16.2 fails (TypeError)
  2.10.0       none                    2.16.2 fails (TypeError)

Metadata as of 2024-05-01; 7 runs on linux-x86_64, the last on 2024-06-01.
"""
    )


def test_nothing_goes_together(capfd: pytest.CaptureFixture[str]) -> None:
    out = screen(capfd, "tensorflow==2.10 keras --python 3.12 -q", status=1)
    assert out.startswith("No releases of tensorflow==2.10.* and keras go together on Python 3.12")
    assert "The nearest Python where there is something is 3.10:" in out
    assert "    pip install tensorflow==2.10.1 keras==2.10.0\n" in out
    assert "On Python 3.12, whatever version:" in out


def test_never_fine_without_a_run(capfd: pytest.CaptureFixture[str]) -> None:
    out = screen(capfd, "keras six")
    assert "not measured: keras with six" in out
    assert "Neither says anything about the other, and they were not measured." in out
    out = screen(capfd, "theano six --python 3.11")
    assert out.startswith("Nothing that is known speaks against theano 1.0.5 and six 1.17.0")
    assert "theano has no wheel: it is built when installed" in out
    assert "the requirements were not read" in out
    assert "?: the requirements of some releases were not read." in out


def test_runs_elsewhere_are_said_to_be_elsewhere(
    capfd: pytest.CaptureFixture[str], build: Any
) -> None:
    build({"keras": [rel("2.10.0")], "tensorflow": [rel("2.10.1")]}, EDGES)
    assert main(["compat", "keras", "tensorflow", "--platform", "macos", "--python", "3.9"]) == 0
    out = " ".join(capfd.readouterr().out.split())
    assert "they were run together on Python 3.10 on linux-x86_64." in out
    assert "(tensorflow 2.10.1, Python 3.10, not on this one, 2024-06-01)" in out


def test_long_requirements_are_cut(capfd: pytest.CaptureFixture[str], build: Any) -> None:
    line = "six>=1,!=2.1,!=2.2,!=2.3,<3"
    build({"keras": [rel("1.0", line)], "six": [rel("1.0")]})
    assert "keras 1.0 requires six>=1,<3 (and leaves out single releases)" in screen(
        capfd, "keras six --python 3.11"
    )


def test_one_package(capfd: pytest.CaptureFixture[str]) -> None:
    out = screen(capfd, "tensorflow")
    assert out.startswith("tensorflow 2.17.0 is the newest that installs on Python 3.12.")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "2.16.2 2024-01-01 3.10-3.12 on 3.11" in lines
    assert "2.17.0 2024-01-01 3.11-3.12 not measured" in lines
    assert any("numpy: works 1.26.4; fails from 2.0.0 (TypeError)" in line for line in lines)


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("words", ["keras tensorflow", "tensorflow", "tensorflow keras numpy -v"])
def test_no_line_is_too_wide(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, words: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    wide = [
        line
        for line in screen(capfd, words).splitlines()
        if len(line) > width and "pip install" not in line
    ]
    if width >= 80:
        assert wide == []


def test_many_rows_are_cut(capfd: pytest.CaptureFixture[str], build: Any) -> None:
    rows = [rel(f"1.{n}", f"six=={n}") for n in range(40)]
    build({"keras": rows, "six": [rel(str(n)) for n in range(1, 40)]})
    out = screen(capfd, "keras six")
    assert "15 older rows with --verbose" in out
    assert "older rows" not in screen(capfd, "keras six --verbose")


def of_json(capfd: pytest.CaptureFixture[str], words: str, status: int = 0) -> dict[str, Any]:
    assert main(["compat", *words.split(), "--format", "json"]) == status
    data: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []
    assert list(data)[6:] == list(report.OWN_KEYS["compat"])
    return data


def test_json(capfd: pytest.CaptureFixture[str]) -> None:
    data = of_json(capfd, "keras tensorflow --python 3.11 --platform linux-x86_64")
    assert data["asked"][0] == {"name": "keras", "specifier": ""}
    assert data["newest"]["argv"][:2] == ["pip", "install"]
    assert data["newest"]["evidence"] == "measured"
    (table,) = data["tables"]
    row = table["rows"][0]
    assert list(row["stretches"][0]) == [
        "first",
        "last",
        "declared",
        "measured",
        "failure",
        "message",
        "statement",
        "python",
        "subject",
        "contradiction",
    ]
    assert row["stretches"][0]["contradiction"] == "forbids-what-works"


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("tensorflow", 0),
        ("theano six", 0),
        ("tensorflow==2.10 keras --python 3.12 --platform linux", 1),
        ("kears", 2),
        ("", 2),
    ],
)
def test_json_of_every_ending(capfd: pytest.CaptureFixture[str], words: str, status: int) -> None:
    data = of_json(capfd, words, status)
    assert data["exit_code"] == status
    if status == 2:
        assert data["errors"][0]["code"] == "package"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("kears tensorflow", "Did you mean keras?"),
        ("torchvision", "torchvision are not known here: no page."),
        ("keras --pyhton 3.11", "Did you mean --python?"),
        ("keras --python", "--python wants a value"),
        ("keras -- python x.py", "takes no command"),
    ],
)
def test_bad_usage_is_one_line(capfd: pytest.CaptureFixture[str], words: str, told: str) -> None:
    assert main(["compat", *words.split()]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


def test_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["compat", "--help"]) == 0
    assert "PACKAGE [PACKAGE ...]" in capfd.readouterr().out
    assert main(["help"]) == 0
    assert "compat" in capfd.readouterr().out
