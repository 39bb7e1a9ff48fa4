"""Steps as commands to paste: for pip, uv, conda and the shell."""

from __future__ import annotations

import shlex
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.factory import PYTHON, world

from fixes.repairing import a_step
from keras_doctor.fixes.byhand import with_commands
from keras_doctor.model import Snapshot
from keras_doctor.model.plan import Command, DistributionChange, Step

LINUX = world().snapshot
WINDOWS = world(platform="win32").snapshot


def moved(name: str, after: str | None, before: str | None = "0") -> DistributionChange:
    return DistributionChange(name=name, before=before, after=after, again=False)


def lines(
    step: Step,
    snapshot: Snapshot = LINUX,
    *changes: DistributionChange,
    conda: bool = False,
) -> dict[str, str]:
    (done,) = with_commands([step], snapshot, changes, conda=conda)
    return {command.manager: command.text for command in done.commands}


class Case(NamedTuple):
    id: str
    step: Step
    pip: str
    uv: str
    conda: str


CASES = [
    Case(
        "install",
        a_step("install", "numpy<2", "scipy==1.14.0"),
        f"{PYTHON} -m pip install 'numpy<2' scipy==1.14.0",
        f"uv pip install --python {PYTHON} 'numpy<2' scipy==1.14.0",
        "conda install --prefix /env 'numpy<2' scipy=1.14.0",
    ),
    Case(
        "reinstall",
        a_step("reinstall", "numpy==2.2.1", "scipy"),
        f"{PYTHON} -m pip install --force-reinstall --no-deps numpy==2.2.1 scipy",
        f"uv pip install --python {PYTHON} --no-deps --reinstall-package numpy "
        "--reinstall-package scipy numpy==2.2.1 scipy",
        "conda install --prefix /env --force-reinstall numpy=2.2.1 scipy",
    ),
    Case(
        "uninstall",
        a_step("uninstall", "tensorflow-gpu"),
        f"{PYTHON} -m pip uninstall -y tensorflow-gpu",
        f"uv pip uninstall --python {PYTHON} tensorflow-gpu",
        "conda remove --prefix /env tensorflow-gpu",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_commands_of_the_managers(case: Case) -> None:
    assert lines(case.step) == {"pip": case.pip, "uv": case.uv}
    assert lines(case.step, conda=True) == {"conda": case.conda, "pip": case.pip, "uv": case.uv}


def test_the_command_of_a_conda_environment_comes_first() -> None:
    (done,) = with_commands([a_step("install", "numpy")], LINUX, conda=True)
    assert [command.manager for command in done.commands] == ["conda", "pip", "uv"]


@pytest.mark.parametrize(
    ("requirement", "exact"),
    [
        ("numpy", "numpy==1.26.4"),
        ("NumPy<2", "NumPy==1.26.4"),
        ("numpy==1.26.0", "numpy==1.26.0"),
        ("tensorflow[and-cuda]>=2", "tensorflow[and-cuda]==2.18.1"),
        ("other<2", "other<2"),
        ("gone", "gone"),
    ],
)
def test_a_range_becomes_the_release_that_was_rehearsed(requirement: str, exact: str) -> None:
    changes = [moved("numpy", "1.26.4"), moved("tensorflow", "2.18.1"), moved("gone", None)]
    text = lines(a_step("install", requirement), LINUX, *changes)["pip"]
    assert shlex.split(text)[-1] == exact


def test_what_is_reinstalled_is_named_without_its_release() -> None:
    step = a_step("reinstall", "tensorflow[and-cuda]>=2.16")
    words = shlex.split(lines(step, LINUX, moved("tensorflow", "2.18.1"))["uv"])
    assert words[words.index("--reinstall-package") + 1] == "tensorflow"


def test_what_goes_is_named_without_the_release_that_comes() -> None:
    step = a_step("uninstall", "keras")
    assert lines(step, LINUX, moved("keras", "2.10.0"), conda=True)["conda"].endswith(" keras")


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (a_step("delete", paths=("/env/a b", "/env/c")), "rm -r '/env/a b' /env/c"),
        (a_step("chmod", value="u+rX", paths=("/env/a",)), "chmod -R u+rX /env/a"),
        (a_step("chmod", value="0644", paths=("/env/a",)), "chmod 0644 /env/a"),
        (a_step("rename-file", path="/p/random.py", to="/p/my.py"), "mv /p/random.py /p/my.py"),
    ],
)
def test_commands_of_the_shell(step: Step, line: str) -> None:
    assert lines(step) == {"shell": line}
    assert lines(step, WINDOWS) == {}


@pytest.mark.parametrize("kind", ["set-env", "edit-code", "other", "use-env", "write-file"])
def test_the_rest_has_no_command(kind: str) -> None:
    assert lines(a_step(kind)) == {}


def test_a_command_that_is_there_stays() -> None:
    given_ = Command("shell", None, "export A=1")
    (done,) = with_commands([a_step("install", "numpy", commands=(given_,))], LINUX)
    assert done.commands == (given_,)


def test_windows_quotes_in_its_own_way() -> None:
    assert '"numpy<2"' in lines(a_step("install", "numpy<2"), WINDOWS)["pip"]


@given(st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1), min_size=1))
def test_a_shell_reads_what_was_meant(paths: list[str]) -> None:
    (done,) = with_commands([a_step("delete", paths=tuple(paths))], LINUX)
    (command,) = done.commands
    assert tuple(shlex.split(command.text)) == command.argv == ("rm", "-r", *paths)
