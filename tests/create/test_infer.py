"""From what programs import to a Python and a complete set."""

from __future__ import annotations

from pathlib import Path

import pytest

from keras_doctor.create.infer import Inferred, infer
from keras_doctor.create.needs import needs_of
from keras_doctor.create.wanted import CreateError, Wanted
from keras_doctor.knowledge.stacks import load_stack, stacks
from keras_doctor.versions import satisfies

PYTHONS = {f"3.{minor}": f"/pythons/3.{minor}" for minor in range(6, 14)}


def inferred(folder: Path, *lines: str, **wanted: str) -> Inferred:
    path = folder / "program.py"
    path.write_text("\n".join(lines) + "\n")
    return infer(needs_of(str(path)), Wanted(**{"backend": None, **wanted}), PYTHONS)  # type: ignore[arg-type]


def pins(found: Inferred) -> dict[str, str]:
    rows = [one.partition("==") for one in found.chosen.pins]
    assert len({name for name, _, _ in rows}) == len(rows)
    return {name: version for name, _, version in rows}


@pytest.mark.parametrize(
    ("lines", "name", "allowed"),
    [
        (("import tensorflow as tf", "import tensorflow.contrib.slim as slim"), "tensorflow", "<2"),
        (("import tensorflow as tf", "tf.placeholder"), "tensorflow", "<2"),
        (("import tensorflow as tf",), "tensorflow-cpu", ">=2.16"),
        (("from keras.models import Graph",), "keras", "<1.2"),
        (("from keras.layers import TimeDistributedDense",), "keras", "<2"),
        (("from keras.utils.vis_utils import plot_model",), "keras", "<3"),
        (("from sklearn.cross_validation import train_test_split", "import keras"),
         "scikit-learn", "<0.20"),
        (("from scipy.misc import imsave", "import tensorflow"), "pillow", ">0"),
        (("from scipy.misc import imsave", "import tensorflow"), "scipy", "<1.3"),
        (("import theano", "import lasagne"), "theano", "<0.9"),
        (("import cv2", "import keras"), "opencv-python", ">0"),
        (("from sklearn.datasets import load_boston",), "scikit-learn", "<1.2"),
        (("from sklearn.ensemble.forest import RandomForestClassifier",), "scikit-learn", "<0.24"),
        (("from scipy import interp",), "scipy", "<1.12"),
        (("from pandas import datetime", "import keras"), "pandas", "<2"),
        (("from keras.applications.imagenet_utils import _obtain_input_shape",), "keras", "<2.2.1"),
        (("from tensorflow.python.keras.layers import LSTM",), "tensorflow-cpu", "<2.13"),
        (("import tensorflow_probability", "import tensorflow"), "tf-keras", ">0"),
        (("import pandas_datareader", "import keras"), "pandas-datareader", ">0"),
        (("import medpy.io", "import keras"), "medpy", ">0"),
        (("from keras.utils.visualize_util import plot",), "pydot-ng", ">0"),
        (("from google.protobuf import text_format", "import tensorflow"), "protobuf", ">0"),
    ],
)  # fmt: skip
def test_the_releases_have_what_is_imported(
    tmp_path: Path, lines: tuple[str, ...], name: str, allowed: str
) -> None:
    found = inferred(tmp_path, *lines)
    assert satisfies(pins(found)[name], allowed), found.chosen.pins
    assert found.remarks == ()


def test_a_module_that_a_python_lost_keeps_the_python_old(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import imghdr", "import tensorflow")
    assert found.chosen.python != "3.13"
    found = inferred(tmp_path, "from collections import Mapping", "import tensorflow")
    assert found.chosen.python in ("3.6", "3.7", "3.8", "3.9")


def test_what_some_pythons_cannot_run_keeps_the_python_old(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import boto", "import keras")
    assert found.chosen.python not in ("3.12", "3.13")
    assert (found.remarks, "boto" in pins(found)) == ((), True)


def test_what_a_package_imports_and_does_not_require_comes_along(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import imutils", "import torchsummary", "import keras")
    assert {"opencv-python", "torch"} <= set(pins(found))


def test_what_only_python_2_has_is_said(tmp_path: Path) -> None:
    found = inferred(tmp_path, "from StringIO import StringIO", "import tensorflow")
    assert any("only Python 2 has StringIO" in remark for remark in found.remarks)
    with pytest.raises(CreateError, match="program for Python 2") as raised:
        inferred(tmp_path, "import keras", "print 'x'")
    assert "keras==" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("from tensorflow.models.rnn import rnn_cell", "tensorflow.models"),
        ("from lasagne.layers import batch_norm", "lasagne.layers.batch_norm"),
        ("import dicom", "dicom"),
    ],
)
def test_what_no_release_of_python_3_has_is_said_once(tmp_path: Path, line: str, path: str) -> None:
    found = inferred(tmp_path, "import keras", line)
    assert found.remarks == (f"no set has all of it; this one is without {path}",)


def test_a_known_distribution_that_is_in_no_set_is_named(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import keras", "import dlib")
    assert found.unknown == ()
    assert found.remarks == ("not known for that Python and backend: dlib",)


def test_an_unknown_name_is_reported_and_not_installed(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import keras", "import surely_nobodys_package")
    assert [one.module for one in found.unknown] == ["surely_nobodys_package"]
    assert not any("nobody" in name for name in pins(found))


@pytest.mark.parametrize("backend", ["jax", "torch", "openvino"])
def test_the_backend_of_the_program_is_taken(tmp_path: Path, backend: str) -> None:
    line = f"os.environ['KERAS_BACKEND'] = '{backend}'"
    found = inferred(tmp_path, "import os", line, "import keras")
    assert found.chosen.backend == backend
    assert backend in pins(found)
    assert any("sets it" in reason for reason in found.chosen.reasons)


def test_another_backend_is_looked_at_where_the_usual_lacks_something(tmp_path: Path) -> None:
    found = inferred(tmp_path, "from lasagne.layers import DenseLayer")
    assert (found.chosen.backend, found.remarks) == ("theano", ())
    assert {"lasagne", "theano"} <= set(pins(found))


def test_keras_beside_theano_can_be_imported_without_a_variable(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import theano", "import keras")
    assert found.chosen.backend == "theano"
    assert {"theano", "tensorflow"} <= set(pins(found))
    found = inferred(
        tmp_path, "import os", "os.environ['KERAS_BACKEND'] = 'theano'", "import keras"
    )
    assert found.chosen.backend == "theano"
    assert "tensorflow" not in pins(found)


def test_what_the_user_says_is_kept(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import keras", python="3.6", keras="==2.2.4")
    assert (found.chosen.python, pins(found)["keras"]) == ("3.6", "2.2.4")
    with pytest.raises(CreateError):
        infer(needs_of(str(tmp_path / "program.py")), Wanted(backend=None), {"3.5": "/p"})


def test_what_no_set_has_is_named(tmp_path: Path) -> None:
    found = inferred(
        tmp_path, "from keras.models import Graph", "from keras.layers import MultiHeadAttention"
    )
    assert any("no set has all of it" in remark for remark in found.remarks)


def test_all_that_is_named_is_needed_and_complete(tmp_path: Path) -> None:
    found = inferred(tmp_path, "import keras, numpy, pandas, matplotlib.pyplot")
    named = set(pins(found))
    (stack,) = [
        load_stack(one.id)
        for one in stacks()
        if f"Python {one.python} with {one.backend} {one.release}:" in found.chosen.reasons[0]
    ]
    named = {"tensorflow" if name == "tensorflow-cpu" else name for name in named}
    assert all(set(stack.pins[name].needs) <= named for name in named)
    assert {"numpy", "pandas", "matplotlib", "keras"} <= named
