"""`knowledge` and `knowledge update` as a process, against an index on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from indexserver import FakeIndex, serve
from jsonschema import Draft202012Validator

from keras_doctor.knowledge import copies
from keras_doctor.report.schemas import schema_text


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as running:
        yield running


@pytest.fixture
def environ(index: FakeIndex, tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "PIP_INDEX_URL": index.url + "/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "COLUMNS": "80",
        "NO_PROXY": "127.0.0.1",
    }


def run(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keras_doctor", *words],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environ},
    )


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(done.stdout)
    errors = Draft202012Validator(json.loads(schema_text())).iter_errors(data)
    assert [error.message for error in errors] == []
    assert data["exit_code"] == done.returncode
    return data


def offer(index: FakeIndex, *versions: str, name: str = "namex") -> None:
    """What the shipped copy knows of a package, and these versions more."""
    package = copies.read_package(copies.shipped(), name)
    assert package is not None
    known = [
        {"filename": f"{name}-{row.version}.tar.gz", "url": "/x", "upload-time": "2024-01-01"}
        for row in package.releases
    ]
    index.add_project(name, known + [index.add_wheel(name, v, "six") for v in versions])


def test_what_is_shipped(environ: dict[str, str]) -> None:
    done = run(environ, "knowledge")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the one that came with keras-doctor" in done.stdout
    assert "tensorflow-cpu " in done.stdout
    assert "generations of Keras" in done.stdout
    assert "Gaps" in run(environ, "knowledge", "-v").stdout
    data = report(run(environ, "knowledge", "--format", "json"))
    assert data["copy"]["source"] == "shipped"
    assert data["copy"]["date"].startswith("20")
    assert data["update"] is None
    assert {file["name"] for file in data["files"]} >= {"selection", "imports", "import_paths"}
    numpy = next(row for row in data["packages"] if row["name"] == "numpy")
    assert numpy["releases"] > 100
    assert {row["name"] for row in data["missing"]}.isdisjoint(p["name"] for p in data["packages"])


def test_update(index: FakeIndex, environ: dict[str, str]) -> None:
    offer(index, "99.0", "99.1")
    done = run(environ, "knowledge", "update")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of them new" in done.stdout
    assert "namex 2" in done.stdout
    data = report(run(environ, "knowledge", "--format", "json"))
    assert data["copy"]["source"] == "user"
    assert data["copy"]["folder"].startswith(environ["XDG_DATA_HOME"])
    namex = next(row for row in data["packages"] if row["name"] == "namex")
    assert namex["last"] == "99.1"
    assert "your own" in run(environ, "knowledge").stdout
    # Other packages are refused by this index: what was known of them is kept.
    assert next(row for row in data["packages"] if row["name"] == "keras")["releases"] > 100
    asked = len(index.asked)
    again = report(run(environ, "knowledge", "update", "--format", "json"))
    assert again["update"]["new"] == []
    assert again["update"]["done"] is True
    assert len(index.asked) - asked == again["update"]["asked"]


def test_update_comes_to_nothing(index: FakeIndex, environ: dict[str, str]) -> None:
    done = run(environ, "knowledge", "update")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "The knowledge in use is as it was." in done.stderr
    index.pages["/simple/keras/"] = lambda _: (302, {"Location": "file:///etc/passwd"}, b"")
    data = report(run(environ, "knowledge", "update", "--format", "json"))
    assert data["update"]["done"] is False
    assert "off the web" in data["update"]["problem"]
    assert data["copy"]["source"] == "shipped"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PIP_INDEX_URL", "http://127.0.0.1:9/simple", "cannot be reached"),
        ("PIP_INDEX_URL", "file:///srv/simple", "no web address"),
        ("PIP_NO_INDEX", "1", "no index"),
        ("XDG_DATA_HOME", "/dev/null/data", "cannot be written"),
    ],
)
def test_reasons(
    index: FakeIndex, environ: dict[str, str], name: str, value: str, told: str
) -> None:
    offer(index, "99.0")
    done = run({**environ, name: value}, "knowledge", "update")
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_copy_is_told(index: FakeIndex, environ: dict[str, str]) -> None:
    offer(index, "99.0")
    assert run(environ, "knowledge", "update").returncode == 0
    folder = Path(environ["XDG_DATA_HOME"]) / "keras-doctor" / "releases"
    copy = folder / (folder / "current").read_text().strip()
    path = copy / "namex.json"
    path.write_bytes(path.read_bytes().replace(b"99.0", b"98.0"))
    data = report(run(environ, "knowledge", "--format", "json"))
    assert "namex.json" in data["copy"]["problem"]
    assert "checksum" in run(environ, "knowledge").stdout
    (copy / "index.json").unlink()
    data = report(run(environ, "knowledge", "--format", "json"))
    assert data["copy"]["source"] == "shipped"
    assert "index.json" in data["copy"]["problem"]
    assert "is not used" in run(environ, "knowledge").stdout
    assert run(environ, "knowledge", "update").returncode == 0
    assert report(run(environ, "knowledge", "--format", "json"))["copy"]["problem"] is None


@pytest.mark.parametrize("words", [["knowledge", "upgrade"], ["knowledge", "--", "python"]])
def test_bad_usage(environ: dict[str, str], words: list[str]) -> None:
    assert run(environ, *words).returncode == 2
