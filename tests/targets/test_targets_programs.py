"""Programs in the working folder that choose the backend themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from keras_doctor.targets.programs import choosing_program

if TYPE_CHECKING:
    from pathlib import Path

EARLY = 'import os\nos.environ["KERAS_BACKEND"] = "jax"\nimport keras\n'
LATE = 'import os\nimport keras\nos.environ["KERAS_BACKEND"] = "jax"\n'


def test_a_line_in_time_beats_one_that_is_late(tmp_path: Path) -> None:
    (tmp_path / "a_late.py").write_text(LATE)
    (tmp_path / "b_early.py").write_text(EARLY)
    found = choosing_program(str(tmp_path), "jax")
    assert found is not None
    assert os.path.basename(found.path) == "b_early.py"


def test_a_late_line_is_a_request_too(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(LATE)
    found = choosing_program(str(tmp_path), "jax")
    assert found is not None
    assert [s.before_import for s in found.settings] == [False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("train.py", "import keras\n"),
        ("train.py", EARLY.replace("jax", "torch")),
        ("notes.txt", EARLY),
        ("train.py", "# KERAS_BACKEND is jax\nimport keras\n"),
        ("broken.py", 'KERAS_BACKEND = "jax" (\n'),
    ],
)
def test_nothing_asks_for_it(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert choosing_program(str(tmp_path), "jax") is None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert choosing_program(str(tmp_path / "none"), "jax") is None
