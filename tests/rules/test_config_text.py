"""What a keras.json says, and what each generation of Keras makes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor.rules.selection.config_text import ConfigContent, read_config
from rules.factory import automatic, config


def read(text: str, version: str = "3.8.0") -> ConfigContent:
    return read_config(config(text), version)


@pytest.mark.parametrize(
    ("text", "backend", "meant"),
    [
        ('{"backend": "jax"}', "jax", "jax"),
        ('{"backend": "JAX "}', "JAX ", "JAX "),
        ("{}", None, None),
        ('{"backend": null}', "None", None),
        ('{"backend": 3}', "3", None),
        ("[]", None, None),
        ("null", None, None),
        ("NaN", None, None),
        ('{"backend": "jax",}', None, "jax"),
        ("{'backend': 'torch'}", None, "torch"),
        ("backend: jax", None, "jax"),
        ("backend = jax", None, "jax"),
        ("", None, None),
        ("nonsense", None, None),
    ],
)
def test_backend(text: str, backend: str | None, meant: str | None) -> None:
    content = read(text)
    assert (content.backend, content.meant) == (backend, meant)


@pytest.mark.parametrize(
    ("version", "default"),
    [("0.3.0", "theano"), ("1.0.8", "theano"), ("1.1.0", "tensorflow"), ("3.8.0", "tensorflow")],
)
def test_a_file_without_a_backend_means_the_default(version: str, default: str) -> None:
    from rules.factory import of_keras, world

    assert read("{}", version).backend is None
    choice = world(of_keras(version), keras_json="{}").choice
    assert choice.backend == default
    assert choice.source is not None
    assert choice.source.kind == "default"


@pytest.mark.parametrize(
    ("text", "is_automatic"),
    [
        (json.dumps(automatic()), True),
        (json.dumps(automatic(epsilon=1e-08)), True),
        ('{"floatx": "float32", "epsilon": 1e-07, "backend": "theano"}', True),
        (json.dumps(automatic("theano", image_dim_ordering="th")), True),
        ("{}", True),
        (json.dumps(automatic("jax")), False),
        (json.dumps(automatic("torch")), False),
        (json.dumps(automatic(floatx="float16")), False),
        (json.dumps(automatic(epsilon=1e-4)), False),
        (json.dumps(automatic(image_data_format="channels_first")), False),
        (json.dumps(automatic(mine=1)), False),
        ('{"backend": "tensorflow",}', False),
    ],
)
def test_what_keras_writes_by_itself(text: str, is_automatic: bool) -> None:
    assert read(text).automatic is is_automatic


@pytest.mark.parametrize(
    ("key", "value", "invalid", "valid"),
    [
        ("epsilon", 1, ["0.3.0", "1.0.8", "2.3.1", "2.15.0", "3.15.1"], []),
        ("epsilon", True, ["2.3.1", "3.8.0"], []),
        ("epsilon", None, ["2.3.1", "3.8.0"], []),
        ("epsilon", 0.5, [], ["0.3.0", "2.3.1", "3.8.0"]),
        ("floatx", "bfloat16", ["2.3.1", "3.8.0", "3.15.1"], []),
        ("floatx", "float16", [], ["0.3.3", "2.3.1", "3.8.0"]),
        ("floatx", ["float32"], ["3.8.0"], []),
        ("image_data_format", "th", ["2.0.0", "2.15.0", "3.8.0"], ["1.2.2", "0.3.0"]),
        ("image_dim_ordering", "x", ["1.0.6", "1.2.2"], ["2.0.0", "3.8.0", "1.0.3"]),
        ("image_dim_ordering", "tf", [], ["1.0.6", "1.2.2"]),
        ("nnx_enabled", "perhaps", [], ["3.8.0", "3.15.1"]),
    ],
)
def test_values(key: str, value: object, invalid: list[str], valid: list[str]) -> None:
    for version in [*invalid, *valid]:
        keys = [k for k, _value, _good in read(json.dumps({key: value}), version).invalid]
        assert keys == ([key] if version in invalid else []), version


@settings(max_examples=40, deadline=None)
@given(st.text() | st.recursive(st.none() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_content_is_read(data: object) -> None:
    text = data if isinstance(data, str) else json.dumps(data)
    for version in ("0.3.0", "1.2.2", "2.3.1", "2.15.0", "3.8.0"):
        content = read(text, version)
        assert content.malformed is None or content.backend is None


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(list(automatic())), st.integers() | st.none() | st.text()))
def test_any_object_is_read(data: dict[str, object]) -> None:
    content = read(json.dumps(data))
    assert content.malformed is None
    assert {key for key, _value, _good in content.invalid} <= set(data) - {"backend"}


def test_default_of_windows() -> None:
    """Keras 1.1.1 on Windows takes Theano for a keras.json that names no backend."""
    from rules.factory import of_keras, world

    assert world(of_keras("1.1.1"), keras_json="{}", platform="win32").choice.backend == "theano"


def test_image_dim_ordering_of_1_0_5() -> None:
    assert read('{"image_dim_ordering": "x"}', "1.0.5").invalid
