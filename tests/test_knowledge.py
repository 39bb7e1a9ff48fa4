"""The shipped knowledge is what the sources say, and has no holes."""

from __future__ import annotations

import itertools

import pytest

from keras_doctor.knowledge import selection
from tools.compile_knowledge import KNOWLEDGE, compile_source


@pytest.mark.parametrize(
    "source", sorted((KNOWLEDGE / "sources").glob("*.toml")), ids=lambda p: p.stem
)
def test_compiled_files_are_current(source: object) -> None:
    from pathlib import Path

    assert isinstance(source, Path)
    compiled = KNOWLEDGE / "compiled" / (source.stem + ".json")
    assert compiled.read_text(encoding="utf-8") == compile_source(source)


def test_generations_follow_each_other_without_a_gap() -> None:
    rows = selection.generations()
    assert rows[-1].before is None
    for earlier, later in itertools.pairwise(rows):
        assert earlier.before == later.since


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("0.2.0", "theano-only"),
        ("1.0.8", "0.3-1.0"),
        ("1.1.2", "1.1"),
        ("2.0.6", "2.0-2.1"),
        ("2.2.5", "2.2-2.3"),
        ("2.4.2", "2.4.0"),
        ("2.4.3", "tensorflow-only"),
        ("2.5.0rc0", "tensorflow-only"),
        ("2.15.0", "tensorflow-only"),
        ("3.0.0", "3.0-3.7"),
        ("3.0.0.dev20231103", "3.0-3.7"),
        ("3.8.0", "3.8"),
        ("3.15.1", "3.8"),
    ],
)
def test_generation_of(version: str, name: str) -> None:
    found = selection.generation_of(version)
    assert found is not None
    assert found.name == name


def test_every_name_that_a_generation_accepts_is_a_backend() -> None:
    for generation in selection.generations():
        assert set(generation.names) <= set(selection.backend_names())
        assert generation.default in generation.names


@pytest.mark.parametrize(
    ("written", "meant"),
    [("TensorFlow", "tensorflow"), ("numpy ", "numpy"), ("pytorch", "torch"), ("nonsense", None)],
)
def test_meant_by(written: str, meant: str | None) -> None:
    assert selection.meant_by(written) == meant
