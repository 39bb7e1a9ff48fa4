"""What programs use of the Keras world, and where it exists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keras_doctor import api
from keras_doctor.__main__ import main
from keras_doctor.scan.judge import Scan

PROGRAM = """
import tensorflow as tf
from keras.utils import np_utils
from keras.layers import Dense, Relu
import keras.backend as K
try:
    from tensorflow.keras.layers.experimental import preprocessing
except ImportError:
    preprocessing = None
x = tf.contrib.layers.fully_connected(1)
def later():
    return tf.keras.layers.Dense(3), K.learning_phase(), tf.constant(1).shape
"""


def scanned(tmp_path: Path, **files: str) -> Scan:
    for name, text in files.items():
        path = tmp_path / name.replace("__", ".")
        path.write_text(text, encoding="utf-8")
    return api.scan([str(tmp_path)], compare=False)


def paths(found: Scan) -> dict[str, tuple[tuple[str, str], ...] | None]:
    return {row.path: row.ranges for row in found.judged}


def test_imports_and_attributes_with_their_releases(tmp_path: Path) -> None:
    found = scanned(tmp_path, a__py=PROGRAM)
    ranges = paths(found)
    assert ranges["keras.utils.np_utils"] == (("1.0.0", "2.12.0"),)
    assert ranges["keras.layers.Relu"] == ()
    contrib = ranges["tensorflow.contrib.layers"]  # what lies in it is not indexed
    assert contrib
    assert contrib[-1][1].startswith("1.")
    assert ranges["tensorflow.keras.layers.Dense"]
    np_utils = next(row for row in found.judged if row.path == "keras.utils.np_utils")
    assert np_utils.gone
    assert np_utils.instead
    assert (np_utils.uses[0].line, np_utils.uses[0].guarded) == (3, False)
    guarded = next(row for row in found.judged if row.path.endswith("experimental.preprocessing"))
    assert guarded.uses[0].guarded


def test_the_releases_in_which_all_of_it_works_at_once(tmp_path: Path) -> None:
    found = scanned(tmp_path, a__py="from keras.utils import np_utils\nfrom keras import Input\n")
    (keras,) = found.packages
    assert keras.together[-1][1] == "2.12.0"
    assert not found.is_broken
    both = "from keras.utils import np_utils\nfrom keras import ops\n"
    found = scanned(tmp_path, a__py=both)
    (keras,) = found.packages
    assert (keras.together, bool(keras.without)) == ((), True)
    assert found.is_broken


def test_notebooks_and_python_2_are_read(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "import keras.engine\n"]}
    book = json.dumps({"cells": [cell], "nbformat": 4, "metadata": {}})
    old = "from keras.models import Sequential\nprint 'x'\n"
    found = scanned(tmp_path, n__ipynb=book, o__py=old)
    assert set(paths(found)) == {"keras.engine", "keras.models.Sequential"}
    assert any("Python 2 syntax" in problem for problem in found.problems)


def test_environments_and_caches_are_left_out(tmp_path: Path) -> None:
    for folder in (".git", "env/lib", "node_modules"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text("import keras\n")
    (tmp_path / "env" / "pyvenv.cfg").write_text("")
    assert scanned(tmp_path, a__py="x = 1\n").judged == ()


def test_an_installed_release_decides(tmp_path: Path) -> None:
    from keras_doctor.scan.judge import judge

    found = scanned(tmp_path, a__py="from keras.utils import np_utils\n")
    uses = [use for row in found.judged for use in row.uses]
    here = judge(uses, {"keras": "3.5.0"}, files=1)
    assert [row.here for row in here.judged] == [False]
    assert here.is_broken
    assert not judge(uses, {"keras": "2.3.1"}, files=1).is_broken


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text(PROGRAM)
    assert main(["scan", str(tmp_path), "--no-env"]) == 0
    text = capsys.readouterr().out
    assert "keras.utils.np_utils: in 1.0.0 to 2.12.0" in text
    assert "All at once works with:" in text
    assert main(["scan", str(tmp_path), "--no-env", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["command"] == "scan"
    assert {row["path"] for row in report["paths"]} >= {"keras.utils.np_utils"}
    assert main(["scan", str(tmp_path / "none")]) == 2
    assert main(["scan"]) == 2
    assert main(["scan", str(tmp_path), "--python", "x", "--no-env"]) == 2
