"""The parsers of files that nobody vouches for."""

from __future__ import annotations

import csv
import email.parser
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_doctor.collect.patient import (
    codeversion,
    commands,
    conda,
    metadata,
    modules,
    record,
    startup,
)

LINES = st.text(st.characters(exclude_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))
WORDS = st.text("abcXYZ019.-_ <>=;()[]'\"", min_size=1, max_size=20)


@given(st.binary(max_size=400))
def test_headers_survive_any_bytes(data: bytes) -> None:
    found = metadata.parse_headers(data)
    assert set(found) == {"name", "version", "requires_python", "requires"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Name", "VERSION", "Requires-Dist", "requires-python", "Summary"]),
            WORDS.map(str.strip).filter(bool),
            st.sampled_from(["", "\n  folded", "\n\tfolded"]),
        ),
        max_size=8,
    ),
    st.text("abc:\n", max_size=30),
)
def test_headers_agree_with_email(rows: list[tuple[str, str, str]], body: str) -> None:
    text = "".join(f"{key}: {value}{fold}\n" for key, value, fold in rows) + "\n" + body
    message = email.parser.Parser().parsestr(text)
    found = metadata.parse_headers(text.encode())

    def plain(value: str) -> str:
        return " ".join(value.split())

    assert plain(found["name"] or "") == plain(message.get("Name", ""))
    assert plain(found["version"] or "") == plain(message.get("Version", ""))
    assert plain(found["requires_python"] or "") == plain(message.get("Requires-Python", ""))
    wanted = [plain(value) for value in message.get_all("Requires-Dist", [])]
    assert [plain(value) for value in found["requires"]] == wanted


def test_headers_with_carriage_returns_and_undecodable_bytes() -> None:
    found = metadata.parse_headers(b"Name: a\r\nVersion: 1\xff\r\n\r\nVersion: 2\r\n")
    assert found["name"] == "a"
    assert found["version"] == "1\udcff"


PARTS = st.text("ab.~ ,\"'é", min_size=1, max_size=6).filter(lambda part: part not in (".", ".."))
PATHS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


@given(
    st.dictionaries(
        st.tuples(PATHS, st.sampled_from([".py", ".so", ".so.2", ".h", ".pyc", ".dylib"])).map(
            "".join
        ),
        st.none() | st.integers(0, 10**9),
        max_size=8,
    )
)
def test_record_agrees_with_csv(files: dict[str, int | None]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for path, size in files.items():
        writer.writerow([path, "" if size is None else "sha256=x", "" if size is None else size])
    found = {
        f"{folder}/{name}" if folder else name: size
        for folder, names in record.parse_record(text.getvalue()).items()
        for name, size in names.items()
    }
    loadable = (".py", ".so", ".so.2", ".dylib")
    assert found == {
        path: size for path, size in files.items() if path.endswith(loadable) or ".so." in path
    }


@given(st.text(max_size=300))
def test_record_survives_any_text_and_never_leads_out(text: str) -> None:
    for folder, names in record.parse_record(text).items():
        assert ".." not in folder.split("/")
        assert not folder.startswith("/")
        assert all(size is None or size >= 0 for size in names.values())


def test_record_leaves_scripts_and_absolute_paths_out() -> None:
    text = "../../../bin/x.py,,1\n/etc/x.py,,1\nC:/x.py,,1\na/../../x.py,,1\na\\b\\c.py,,7\n"
    assert record.parse_record(text) == {"a/b": {"c.py": 7}}


@given(st.text(max_size=200))
def test_pth_survives_any_text(text: str) -> None:
    for line in startup.parse_pth(text, "/x/a.pth", "/x"):
        assert line["kind"] in ("code", "path", "missing")
        assert "\n" not in line["text"]


def test_pth_lines(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    text = "\ufeff# remark\n\nimport os; x()\nhere\nnowhere\nimportant\nimport\ttabs\n\x00\n"
    found = startup.parse_pth(text, "a.pth", str(tmp_path))
    assert [(line["line"], line["kind"]) for line in found] == [
        (3, "code"),
        (4, "path"),
        (5, "missing"),
        (6, "missing"),
        (7, "code"),
        (8, "missing"),
    ]
    assert found[1]["adds"] == str(tmp_path / "here")


@given(st.text(max_size=200))
def test_requires_txt_survives_any_text(text: str) -> None:
    assert all(metadata.required_name(line) != "" for line in metadata.parse_requires_txt(text))


def test_requires_txt_sections() -> None:
    text = "numpy>=1\n\n[:python_version < '3']\nenum34\n"
    text += "[test]\npytest\n[gpu:sys_platform=='linux']\ncupy\n"
    assert metadata.parse_requires_txt(text) == [
        "numpy>=1",
        "enum34; python_version < '3'",
        'pytest; extra == "test"',
        "cupy; (sys_platform=='linux') and extra == \"gpu\"",
    ]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("numpy", "numpy"),
        ("Ml_Dtypes >=0.5", "ml-dtypes"),
        ("a[b,c]>=1 ; python_version > '3'", "a"),
        ("keras.applications (==1.0)", "keras-applications"),
        ("x; extra == 'gpu'", None),
        ("x; python_version>'3' and extra=='gpu'", None),
        ("x @ https://host/x.whl", "x"),
        ("", None),
        (";", None),
    ],
)
def test_required_name(requirement: str, name: str | None) -> None:
    assert metadata.required_name(requirement) == name


@given(LINES)
def test_required_name_survives_any_text(text: str) -> None:
    name = metadata.required_name(text)
    assert name is None or name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/__init__.py,,\na/b/c.py,,\na-1.dist-info/METADATA,,\n", ["a"]),
        ("six.py,,\n_x.cpython-311-x86_64-linux-gnu.so,,\n", ["_x", "six"]),
        ("../../bin/x.py,,\nshare/doc.txt,,\n__pycache__/six.cpython-311.pyc,,\n", []),
        ("google/protobuf/x.py,,\n", ["google"]),
        ("", []),
    ],
)
def test_top_levels(text: str, expected: list[str]) -> None:
    assert metadata.top_levels(text) == expected


@given(st.text(max_size=200))
def test_top_levels_are_identifiers(text: str) -> None:
    assert all(name.isidentifier() for name in metadata.top_levels(text))


@pytest.mark.parametrize(
    ("text", "version", "line"),
    [
        ('__version__ = "3.8.0"\n', "3.8.0", 1),
        ("# version = '9'\n\n__version__: str = '1.0'  # x\n", "1.0", 3),
        ('short_version = "1.18"\nversion = "1.18.5"\nfull_version = version\n', "1.18.5", 2),
        ("__version__ = version = '25.1'\n", "25.1", 1),
        ('_version = "0.4.38"\n__version__ = _get()\n', "0.4.38", 1),
        ("version_json = '''\n{\n \"version\": \"1.22.4\"\n}\n'''\n", "1.22.4", 3),
        ("    __version__ = '1'\n", None, 0),
        ("if version == '1': pass\n", None, 0),
        ("__version__ = 'unknown'\n", None, 0),
        ("__version__ = 1.0\n", None, 0),
        ("version", None, 0),
    ],
)
def test_code_version(text: str, version: str | None, line: int) -> None:
    assert codeversion.parse_code_version(text) == (version, line)


@given(st.text("version= '\"\n_1.:", max_size=60))
def test_code_version_survives_any_text(text: str) -> None:
    version, line = codeversion.parse_code_version(text)
    assert (version is None) == (line == 0)


def test_finder_mapping_is_read_and_never_run(tmp_path: Path) -> None:
    text = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    text += "MAPPING: dict[str, str] = {'a': '/src/a'}\nMAPPING2 = {}\n"
    assert modules.parse_finder(text, "f") == {"a": "/src/a"}
    assert not list(tmp_path.iterdir())


@given(st.text("MAPPING = {}':,x(\n", max_size=40))
def test_finder_survives_any_text(text: str) -> None:
    assert isinstance(modules.parse_finder(text, "f"), dict)


def test_activation_script_exports() -> None:
    text = "#!/bin/sh\nexport KERAS_BACKEND=theano # x\n"
    text += "  KERAS_HOME='/a b'; export KERAS_HOME\nexport OTHER=1\n"
    assert conda.parse_exports(text, "a.sh", {"KERAS_BACKEND", "KERAS_HOME"}) == [
        {"name": "KERAS_BACKEND", "value": "theano", "set_by": "a.sh:2"},
        {"name": "KERAS_HOME", "value": "/a b", "set_by": "a.sh:3"},
    ]


@pytest.mark.parametrize(
    ("data", "interpreter"),
    [
        (b"#!/env/bin/python3.11\nimport x\n", "/env/bin/python3.11"),
        (b"#!/env/bin/python -sE\n", "/env/bin/python"),
        (
            b"#!/bin/sh\n'''exec' \"/long path/bin/python\" \"$0\" \"$@\"\n' '''\n",
            "/long path/bin/python",
        ),
        (b"#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n", "/long/bin/python"),
        (b"#!/usr/bin/env bash\n", None),
        (b"#!/bin/bash\n", None),
        (b"\x7fELF", None),
        (b"", None),
        (b"#!", None),
    ],
)
def test_script_interpreter(data: bytes, interpreter: str | None) -> None:
    assert commands.script_interpreter(data) == interpreter


@given(st.binary(max_size=80))
def test_script_interpreter_survives_any_bytes(data: bytes) -> None:
    found = commands.script_interpreter(b"#!" + data)
    assert found is None or found


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://me:secret@host/x.git", "https://<credentials>@host/x.git"),
        ("git+ssh://git@github.com/a/b", "git+ssh://git@github.com/a/b"),
        ("https://token@host", "https://<credentials>@host"),
        ("https://host/a@b", "https://host/a@b"),
        ("file:///src/x", "file:///src/x"),
        ("nonsense", "nonsense"),
    ],
)
def test_credentials_of_addresses(url: str, masked: str) -> None:
    assert metadata.without_credentials(url) == masked


def test_activation_of_normal_names() -> None:
    assert metadata.normal("A__b.-C") == "a-b-c"
