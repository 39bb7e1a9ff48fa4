"""What the files of a project ask for, and which of their lines clash with a repair."""

from __future__ import annotations

import os
import tempfile
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_doctor.cli.options import requirements
from keras_doctor.fixes.projectfiles import Wanted, clashing, specifier_of_poetry, wanted_by
from keras_doctor.fixes.requirementfiles import requirement_lines
from keras_doctor.model.plan import DistributionChange


def wanted(folder: Path, name: str, text: str) -> list[tuple[str, str, str]]:
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
    rows = wanted_by(str(folder))
    return [(one.name, one.specifier, os.path.basename(one.where)) for one in rows]


def test_requirements(tmp_path: Path) -> None:
    text = """\
        # numpy==9
        NumPy<2  # because
        scipy>=1.10,<2 --hash=sha256:abc
        keras
        tensorflow[and-cuda]==2.18.1 ; python_version > "3"
        -r other.txt
        --index-url https://example.invalid/simple
        -e .
        mine @ file:///home/ada/mine
        ./a.whl
        h5py==3.1 # x # y
        """
    assert wanted(tmp_path, "requirements.txt", text) == [
        ("numpy", "<2", "requirements.txt:2"),
        ("scipy", ">=1.10,<2", "requirements.txt:3"),
        ("tensorflow", "==2.18.1", "requirements.txt:5"),
        ("h5py", "==3.1", "requirements.txt:11"),
    ]


def test_lines_that_go_on(tmp_path: Path) -> None:
    """As pip-compile writes them."""
    text = """\
        numpy==1.26.4 \\
            --hash=sha256:aaa \\
            --hash=sha256:bbb
            # via keras
        scipy \\
          <2
        # a comment does not go on \\
        h5py<4
        last<1 \\"""
    assert wanted(tmp_path, "requirements.txt", text) == [
        ("numpy", "==1.26.4", "requirements.txt:1"),
        ("scipy", "<2", "requirements.txt:5"),
        ("h5py", "<4", "requirements.txt:8"),
        ("last", "<1", "requirements.txt:9"),
    ]
    assert wanted_by(str(tmp_path))[0].line == "numpy==1.26.4"


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("requirements.txt", True),
        ("requirements-dev.txt", True),
        ("requirements.in", True),
        ("Requirements_gpu.TXT", True),
        ("requirements.txt.bak", False),
        ("constraints.txt", False),
        ("my-requirements.md", False),
    ],
)
def test_which_files_are_requirements(tmp_path: Path, name: str, read: bool) -> None:
    assert bool(wanted(tmp_path, name, "numpy<2\n")) is read


def test_pyproject(tmp_path: Path) -> None:
    text = """\
        [project]
        name = "mine"
        dependencies = ["numpy<2", "keras", "torch>=2; sys_platform == 'win32'", "x @ file:///x"]
        [project.optional-dependencies]
        more = ["scipy<1"]
        """
    assert wanted(tmp_path, "pyproject.toml", text) == [
        ("numpy", "<2", "pyproject.toml"),
        ("torch", ">=2", "pyproject.toml"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[project",
        "project = 1",
        "[[project]]\ndependencies = ['numpy<2']",
        "[project]\ndependencies = 'numpy<2'",
        "[project]\ndependencies = [1, ['numpy<2'], {a = 1}]",
        "x = " + "[" * 50_000,
        "[project]\ndependencies = ['numpy<2']\nx = '\0'",
    ],
)
def test_a_pyproject_that_says_nothing(tmp_path: Path, text: str) -> None:
    assert wanted(tmp_path, "pyproject.toml", text) == []


@pytest.mark.parametrize("name", ["environment.yml", "environment.yaml"])
def test_environment(tmp_path: Path, name: str) -> None:
    text = """\
        name: mine
        channels:
          - conda-forge
        dependencies:
          - python=3.9
          - numpy=1.26
          - scipy=1.10.1=py39h1_0   # a build
          - h5py==3.1.0
          - "pandas>=1,<2"
          - six=1.*
          - pyyaml=5*
          - keras
          - absl-py =2.1
          - cudatoolkit[version='>=11']
          - odd>=1|<0.5
          - pip:
            - tensorflow==2.10.1
            - -r requirements.txt
            - --index-url=https://example.invalid
        """
    assert [row[:2] for row in wanted(tmp_path, name, text)] == [
        ("python", "==3.9.*"),
        ("numpy", "==1.26.*"),
        ("scipy", "==1.10.1.*"),
        ("h5py", "==3.1.0"),
        ("pandas", ">=1,<2"),
        ("six", "==1.*"),
        ("pyyaml", "==5.*"),
        ("absl-py", "==2.1.*"),
        ("tensorflow", "==2.10.1"),
    ]


def test_only_what_an_installer_reads(tmp_path: Path) -> None:
    """A line that no installer takes would make every install fail."""
    text = "numpy==1.26.*.*\nscipy=<2\nh5py>=abc\nsix<2,,\nkeras~=3\n"
    assert [row[0] for row in wanted(tmp_path, "requirements.txt", text)] == ["six"]


def test_what_does_not_apply_here_is_left_out(tmp_path: Path) -> None:
    text = 'numpy<1.20; python_version < "3.8"\nnumpy>=1.26; python_version >= "3.8"\nscipy<2\n'
    (tmp_path / "requirements.txt").write_text(text)
    found = wanted_by(str(tmp_path), {"python_version": "3.12"})
    assert [(one.name, one.specifier) for one in found] == [("numpy", ">=1.26"), ("scipy", "<2")]
    assert len(wanted_by(str(tmp_path))) == 3


# -- hostile folders


def test_no_folder_states_nothing(tmp_path: Path) -> None:
    assert wanted_by(str(tmp_path / "absent")) == ()


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "requirements.txt")
    (tmp_path / "requirements-a.txt").mkdir()
    (tmp_path / "requirements-b.txt").symlink_to("requirements-b.txt")
    (tmp_path / "requirements-c.txt").symlink_to("/dev/zero")
    (tmp_path / "requirements-d.txt").symlink_to("absent")
    (tmp_path / "environment.yml").mkdir()
    os.mkfifo(tmp_path / "pyproject.toml")
    assert wanted_by(str(tmp_path)) == ()


def test_other_encodings(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"\xef\xbb\xbfnumpy<2\r\n\xff\xfe\r\nscipy<2")
    assert [one.name for one in wanted_by(str(tmp_path))] == ["numpy", "scipy"]


def test_only_the_beginning_of_a_large_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy<2\n" + "# x\n" * 300_000 + "scipy<2\n")
    assert [one.name for one in wanted_by(str(tmp_path))] == ["numpy"]


LINES = st.text(st.sampled_from("numpy<>=!~*.,;[]()@#\\-:'\" \n\r\t\0é2{}=|")) | st.text()
FILES = st.sampled_from(
    ["requirements.txt", "requirements-x.in", "pyproject.toml", "environment.yml"]
)


@given(files=st.dictionaries(FILES, LINES | st.binary(), min_size=1))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_nothing_in_a_file_ends_in_an_error(files: dict[str, str | bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            Path(folder, name).write_bytes(data)
        change = DistributionChange(name="numpy", before="1", after="2.0", again=False)
        assert all(one.specifier for one in wanted_by(folder))
        clashing(wanted_by(folder), [change])


@given(st.lists(st.sampled_from(["numpy<2", "# x", "-r x", "", "scipy \\", "--hash=1"])))
def test_numbers_of_lines_are_those_of_the_file(lines: list[str]) -> None:
    for number, line in requirement_lines("\n".join(lines)):
        assert lines[number - 1].startswith(line[:5])


# -- clashes


def asked(name: str, specifier: str, line: str | None = None) -> Wanted:
    return Wanted(name=name, specifier=specifier, line=line or name + specifier, where="/p/r.txt:3")


@pytest.mark.parametrize(
    ("after", "specifier", "clashes"),
    [
        ("1.26.4", ">=2", True),
        ("1.26.4", "==2.0", True),
        ("1.26.4", "<2", False),
        ("1.26.4", "???", False),
        (None, ">=2", False),
    ],
)
def test_clashes(after: str | None, specifier: str, clashes: bool) -> None:
    change = DistributionChange(name="NumPy", before="2.2.1", after=after, again=False)
    found = clashing([asked("numpy", specifier), asked("scipy", ">=9")], [change])
    assert len(found) == clashes
    for sentence in found:
        assert f"/p/r.txt:3 asks for numpy{specifier}" in sentence
        assert "NumPy==1.26.4" in sentence


@pytest.mark.parametrize(
    ("text", "specifier"),
    [
        ("^2.3.1", ">=2.3.1,<3"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^2", ">=2,<3"),
        ("^0", ">=0,<1"),
        ("~2.3.1", ">=2.3.1,<2.4"),
        ("~2", ">=2,<3"),
        ("2.3.1", "==2.3.1"),
        ("2.*", "==2.*"),
        ("*", ""),
        (">=1.2, <2", ">=1.2,<2"),
        ("^1.2,!=1.5", ">=1.2,<2,!=1.5"),
        ("^1 || ^2", ""),
    ],
)
def test_the_constraints_of_poetry(text: str, specifier: str) -> None:
    assert specifier_of_poetry(text) == specifier


def test_groups_and_the_tables_of_poetry(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[dependency-groups]\n"
        'train = ["keras<3", {include-group = "other"}]\n'
        "[tool.poetry.dependencies]\n"
        'python = "^3.8"\n'
        'numpy = "~1.22"\n'
        'h5py = {version = "^2.10", optional = true}\n'
        'mine = {path = "../mine"}\n'
        "[tool.poetry.group.dev.dependencies]\n"
        'scipy = "1.7.3"\n'
    )
    assert [one.line for one in wanted_by(str(tmp_path))] == [
        "keras<3",
        "numpy>=1.22,<1.23",
        "h5py>=2.10,<3",
        "scipy==1.7.3",
    ]


def test_files_that_are_named_are_read_too_each_once(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "keras<3\n-r more/base.txt\n-c more/limits.txt\n-r absent.txt\n-r https://example.org/x\n"
    )
    (tmp_path / "more" / "base.txt").write_text(
        "numpy<2 # old\n--requirement=../requirements.txt\n"
    )
    (tmp_path / "more" / "limits.txt").write_text("scipy<1.8\n")
    found = wanted_by(str(tmp_path))
    assert [one.line for one in found] == ["keras<3", "numpy<2", "scipy<1.8"]
    assert found[1].where == f"{tmp_path / 'more' / 'base.txt'}:1"
    options = requirements("--requirements", [str(tmp_path / "requirements.txt")], "r")
    assert options == ["keras<3", "numpy<2"]
