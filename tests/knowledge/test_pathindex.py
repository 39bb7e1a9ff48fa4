"""The index of import paths by release: facts that anybody can look up in the wheels."""

from __future__ import annotations

import os
import re

import pytest

from keras_doctor.knowledge import folder
from keras_doctor.knowledge.pathindex import PathIndex, path_index
from keras_doctor.knowledge.paths import import_paths, replacement_of
from keras_doctor.versions import compare_key

TOPS = ("keras", "tf_keras", "tensorflow", "keras_applications", "keras_preprocessing")


def index(top: str) -> PathIndex:
    found = path_index(top)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "there", "absent"),
    [
        ("keras.utils.np_utils", "1.0.0 2.3.1 2.6.0 2.12.0", "2.13.1 3.0.0 3.8.0"),
        ("keras.utils.np_utils.to_categorical", "1.2.2 2.12.0", "2.13.1"),
        ("keras.engine", "1.0.0 2.12.0", "2.13.1 2.15.0 3.0.0"),
        ("keras.engine.topology.Layer", "2.0.0 2.2.4", "2.6.0 3.5.0"),
        ("keras.wrappers.scikit_learn", "1.0.0 2.12.0", "2.13.1 3.5.0"),
        ("keras.layers.Dense", "1.0.0 2.2.4 2.6.0 2.13.1 3.0.0 3.3.3", ""),
        ("keras.models.load_model", "1.0.7 2.4.3 3.5.0", "1.0.6"),
        ("keras.optimizers.Adam", "2.3.1 2.9.0 3.0.0", "2.6.0 2.7.0 2.8.0"),
        ("keras.src", "2.13.1 3.8.0", "2.12.0"),
        ("keras.ops", "3.0.0 3.8.0", "2.15.0"),
        ("keras.preprocessing.text.Tokenizer", "2.2.4 2.15.0", "3.0.0"),
        ("keras.preprocessing.image", "1.0.0 2.15.0 3.0.0", ""),
        ("keras.layers.normalization.BatchNormalization", "2.3.1", "2.6.0 3.0.0"),
        ("keras.api.layers", "3.3.0 3.9.2", "2.3.1 3.0.0"),
        ("keras.legacy.interfaces", "2.0.0 2.3.1", "2.6.0 3.8.0"),
        ("keras.__version__", "1.0.0 3.8.0", ""),
    ],
)
def test_keras(path: str, there: str, absent: str) -> None:
    keras = index("keras")
    assert [v for v in there.split() if keras.exists_in(path, v) is not True] == []
    assert [v for v in absent.split() if keras.exists_in(path, v) is not False] == []


@pytest.mark.parametrize(
    ("path", "there", "absent"),
    [
        ("tensorflow.contrib", "1.4.0 1.15.0", "2.0.0 2.4.1 2.15.0"),
        ("tensorflow.contrib.layers", "1.13.1", "2.0.0"),
        ("tensorflow.contrib.layers.xavier_initializer", "", "2.4.1"),
        ("tensorflow.keras", "1.4.0 1.15.2 2.0.0 2.6.0 2.16.1 2.20.0", ""),
        ("tensorflow.keras.layers", "1.9.0 1.14.0 2.0.0 2.6.0 2.16.1 2.20.0", ""),
        ("tensorflow.keras.layers.Dense", "1.9.0 2.0.0 2.5.0 2.9.3 2.15.0 2.18.0", ""),
        ("tensorflow.keras.layers.experimental.preprocessing", "2.3.0 2.15.0", "1.15.0 2.16.1"),
        ("tensorflow.keras.wrappers.scikit_learn", "2.11.0", "2.13.0 2.17.0"),
        ("tensorflow.Session", "1.15.0", "2.0.0"),
        ("tensorflow.compat.v1.Session", "1.13.1 2.16.1", ""),
        ("tensorflow.estimator", "1.9.0 2.15.0", "2.16.1"),
        ("tensorflow.python.keras.layers.Dense", "1.4.0 2.15.0", ""),
        ("tensorflow.examples.tutorials.mnist", "1.15.0", "2.4.1 2.15.0"),
    ],
)
def test_tensorflow(path: str, there: str, absent: str) -> None:
    tensorflow = index("tensorflow")
    assert [v for v in there.split() if tensorflow.exists_in(path, v) is not True] == []
    assert [v for v in absent.split() if tensorflow.exists_in(path, v) is not False] == []


def test_small_packages() -> None:
    assert index("keras_applications").exists_in("keras_applications.vgg16.VGG16", "1.0.8")
    assert index("keras_preprocessing").exists_in("keras_preprocessing.image", "1.1.2")
    assert index("tf_keras").exists_in("tf_keras.layers.Dense", "2.16.0")
    assert index("tf_keras").exists_in("tf_keras.layers.Dance", "2.16.0") is False


def test_what_cannot_be_told_is_none() -> None:
    keras = index("keras")
    assert path_index("numpy") is None
    assert path_index("../keras") is None
    assert keras.exists_in("keras.layers", "0.3.3") is None  # older than the index
    assert keras.exists_in("keras.layers.Dense.build", "3.5.0") is None  # below a class
    assert keras.exists_in("keras.src.layers.core", "2.15.0") is True
    assert keras.exists_in("keras.src.layers.core.Thing", "2.15.0") is None  # not listed
    assert keras.exists_in("keras.layers._private", "3.5.0") is None
    assert keras.exists_in("keras.layers.core.np", "2.2.4") is None  # a tool of the module


def test_versions() -> None:
    keras = index("keras")
    newest = keras.newest
    assert keras.exists_in("keras.engine", "99.0") is keras.exists_in("keras.engine", newest)
    assert keras.exists_in("keras.utils.np_utils", "2.13.1rc0") is False  # as its final release
    assert keras.exists_in("keras.engine", "2.13.1.dev2023010100") is False
    assert keras.exists_in("keras.engine", "2.12") is True
    # 2.5.0 was never released; 2.4.3 and 2.6.0 agree on the one and not on the other.
    assert keras.exists_in("keras.layers.Dense", "2.5.0rc0") is True
    assert keras.exists_in("keras.objectives", "2.5.0rc0") is None
    # TensorFlow is read once for each minor, and some minors were not.
    assert index("tensorflow").exists_in("tensorflow.Session", "1.11.0") is True


def test_tensorflow_keras_is_the_keras_that_is_installed() -> None:
    tensorflow = index("tensorflow")
    path = "tensorflow.keras.quantizers"
    assert tensorflow.exists_in(path, "2.18.0", keras="3.8.0") is True
    assert tensorflow.exists_in(path, "2.18.0", keras="3.0.5") is False
    assert tensorflow.exists_in(path, "2.18.0", keras="2.15.0") is None
    assert tensorflow.exists_in(path, "2.18.0") is None  # not the same for all of Keras 3
    assert tensorflow.exists_in(path, "2.15.0", keras="3.8.0") is False


def test_ranges() -> None:
    keras = index("keras")
    assert keras.ranges("keras.utils.np_utils") == (("1.0.0", "2.12.0"),)
    assert keras.ranges("keras.layers.Dense") == (("1.0.0", keras.newest),)
    assert keras.ranges("keras.layers.Dance") == ()
    assert len(keras.ranges("keras.optimizers.Adam")) == 2
    tensorflow = index("tensorflow")
    assert tensorflow.ranges("tensorflow.contrib") == (("1.4", "1.15"),)
    assert tensorflow.ranges("tensorflow.keras.layers.Dense")[-1][1] == tensorflow.newest


def test_modules() -> None:
    keras = index("keras")
    assert keras.is_module("keras.layers")
    assert keras.is_module("keras.engine")
    assert not keras.is_module("keras.engine", "3.5.0")
    assert not keras.is_module("keras.layers.Dense")
    assert not keras.is_module("keras.*")
    assert not keras.is_module("")
    top = keras.top_level("3.5.0")
    assert {"keras.layers", "keras.ops", "keras.src"} <= set(top)
    assert "keras.engine" not in top
    assert all(row.count(".") == 1 for row in top)


@pytest.mark.parametrize(
    ("top", "path", "version", "first"),
    [
        ("keras", "keras.layers.core.Dense", "3.5.0", "keras.layers.Dense"),
        ("keras", "keras.utils.np_utils.to_categorical", "3.5.0", "keras.utils.to_categorical"),
        ("keras", "keras.layers.Dens", "3.5.0", "keras.layers.Dense"),
        ("keras", "keras.layres", "3.5.0", "keras.layers"),
        ("keras", "keras.layres.Dense", "3.5.0", "keras.layers.Dense"),
        (
            "tensorflow",
            "tensorflow.keras.layers.experimental.preprocessing.Rescaling",
            "2.17.0",
            "tensorflow.keras.layers.Rescaling",
        ),
        ("tensorflow", "tensorflow.keras.layers.Dens", "2.17.0", "tensorflow.keras.layers.Dense"),
        ("tensorflow", "tensorflow.Session", "2.10.0", "tensorflow.compat.v1.Session"),
    ],
)
def test_close_to(top: str, path: str, version: str, first: str) -> None:
    found = index(top).close_to(path, version)
    assert found[0] == first
    assert path not in found
    assert not any("src" in row.split(".") or "_impl" in row for row in found)
    assert all(index(top).exists_in(row, version, "3.5.0") for row in found)


def test_nothing_is_close() -> None:
    assert index("keras").close_to("keras.qqqqqqq", "3.5.0") == []
    assert index("keras").close_to("keras.layers.Dense", "0.1.0") == []


@pytest.mark.parametrize("top", TOPS)
def test_what_was_read_is_written_down(top: str) -> None:
    found = index(top)
    about = found.about
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["date"])
    assert about["how"]
    assert list(found.releases) == sorted(found.releases, key=compare_key)
    assert all(why for _, why in about["gaps"])
    for row in about["checked"]:
        for cell in (value for value in row.values() if isinstance(value, dict)):
            assert cell["agree"] + cell["not installed"] >= 0.97 * cell["asked"]


@pytest.mark.parametrize("top", TOPS)
def test_absence_is_never_claimed_wrongly_where_real_imports_were_tried(top: str) -> None:
    for row in index(top).about["checked"]:
        for kind in ("absent names", "absent modules"):
            cell = row.get(kind, {"asked": 0, "agree": 0})
            assert cell["asked"] == cell["agree"], row


def test_the_files_are_small() -> None:
    place = os.path.join(folder(), "paths")
    whole = sum(os.path.getsize(os.path.join(place, name)) for name in os.listdir(place))
    assert whole < 480_000


def test_the_hand_made_list_agrees() -> None:
    """Two readings of the same releases, made independently of each other."""
    keras = index("keras")
    differing, both = [], 0
    for path, entries in import_paths().items():
        if not path.startswith("keras."):
            continue
        for version in keras.releases:
            answer = keras.exists_in(path, version)
            if answer is None:
                continue
            both += 1
            if answer is not any(entry.exists_in(version) for entry in entries):
                differing.append((path, version))
    assert differing == []
    assert both > 20_000


def test_what_replaces_a_path() -> None:
    assert replacement_of("keras.models.load_model") is None
    whole = ("keras.utils.np_utils", "keras.utils")
    assert replacement_of("keras.utils.np_utils") == whole
    assert replacement_of("keras.utils.np_utils.normalize_all") == whole
    assert replacement_of("numpy.linalg") is None
