"""File names against packaging, the authority."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from keras_doctor.registry.filenames import FileName, parse_filename
from keras_doctor.versions import parse_version


@pytest.mark.parametrize(
    ("filename", "name", "expected"),
    [
        ("keras-3.8.0-py3-none-any.whl", "keras", FileName("3.8.0", "py3-none-any")),
        ("ml_dtypes-0.3.2.tar.gz", "ml-dtypes", FileName("0.3.2", None)),
        ("Keras-0.2.0.tar.gz", "keras", FileName("0.2.0", None)),
        ("absl-py-0.1.0.tar.gz", "absl-py", FileName("0.1.0", None)),
        ("Keras_Applications-1.0.8-py3-none-any.whl", "keras-applications",
         FileName("1.0.8", "py3-none-any")),
        ("openvino-2021.2-170-cp36-cp36m-win_amd64.whl", "openvino",
         FileName("2021.2", "cp36-cp36m-win_amd64")),
        ("protobuf-2.0.0beta.tar.gz", "protobuf", FileName("2.0.0beta", None)),
        ("setuptools-0.6b1.zip", "setuptools", FileName("0.6b1", None)),
        ("jax-0.4.1.dev20230101-py3-none-any.whl", "jax",
         FileName("0.4.1.dev20230101", "py3-none-any")),
        ("setuptools-0.6c9-py2.4.egg", "setuptools", None),
        ("numpy-1.0-win32.exe", "numpy", None),
        ("other-1.0.tar.gz", "keras", None),
        ("keras-extra-1.0.tar.gz", "keras", None),
        ("keras-.tar.gz", "keras", None),
        ("keras-1.0-py3-none-any-more-and-more.whl", "keras", None),
        ("keras-1.0-py3-none-a/ny.whl", "keras", None),
        ("keras-one-py3-none-any.whl", "keras", None),
        ("keras-1.0-py3-none-any.whl" + "x" * 400, "keras", None),
    ],
)  # fmt: skip
def test_parse_filename(filename: str, name: str, expected: FileName | None) -> None:
    assert parse_filename(filename, name) == expected


NAMES = st.sampled_from(["keras", "tf-keras", "ml-dtypes", "jax-cuda12-plugin"])
VERSIONS = st.sampled_from(["1.0", "2.16.0rc1", "1.0.post1", "0.6.dev3", "1!2.0", "1.0+cpu"])
TAGS = st.sampled_from(["py3-none-any", "cp39-cp39-manylinux_2_17_x86_64.manylinux2014_x86_64"])


@given(NAMES, VERSIONS, TAGS, st.sampled_from(["", "1-", "170a-"]))
def test_wheels_as_packaging_reads_them(name: str, version: str, tag: str, build: str) -> None:
    filename = f"{name.replace('-', '_')}-{version}-{build}{tag}.whl"
    mine = parse_filename(filename, name)
    try:
        _, theirs, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        assert mine is None
        return
    assert mine == FileName(version, tag)
    assert parse_version(mine.version) == parse_version(str(theirs))


@given(NAMES, VERSIONS, st.sampled_from([".tar.gz", ".zip"]))
def test_sdists_as_packaging_reads_them(name: str, version: str, ending: str) -> None:
    filename = f"{name}-{version}{ending}"
    try:
        theirs = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        return
    assert parse_filename(filename, theirs[0]) == FileName(version, None)


@given(st.text(max_size=60), NAMES)
def test_any_text(filename: str, name: str) -> None:
    for ending in ("", ".whl", ".tar.gz"):
        parse_filename(filename + ending, name)
