"""Simple pages, right and wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from indexserver import JSON, html_page

from keras_doctor.registry import RegistryError
from keras_doctor.registry.listing import File
from keras_doctor.registry.pages import day, parse_page

URL = "http://127.0.0.1/simple/keras/"
ROWS: list[dict[str, Any]] = [
    {
        "filename": "keras-3.8.0-py3-none-any.whl",
        "url": "../../files/keras-3.8.0-py3-none-any.whl",
        "requires-python": ">=3.9,<4",
        "core-metadata": {"sha256": "0"},
        "upload-time": "2025-01-07T19:04:50.123Z",
    },
    {
        "filename": "keras-3.9.0.tar.gz",
        "url": "http://127.0.0.2/keras-3.9.0.tar.gz",
        "yanked": "broken",
    },
]
FIRST = File(
    filename="keras-3.8.0-py3-none-any.whl",
    url="http://127.0.0.1/files/keras-3.8.0-py3-none-any.whl",
    requires_python=">=3.9,<4",
    yanked=False,
    uploaded="2025-01-07",
    has_metadata=True,
)
SECOND = File(
    filename="keras-3.9.0.tar.gz",
    url="http://127.0.0.2/keras-3.9.0.tar.gz",
    requires_python=None,
    yanked=True,
    uploaded=None,
    has_metadata=False,
)


def page(rows: Any, version: Any = "1.1") -> bytes:
    return json.dumps({"meta": {"api-version": version}, "name": "keras", "files": rows}).encode()


def test_json() -> None:
    assert parse_page(page(ROWS), JSON, URL) == (FIRST, SECOND)
    assert parse_page(page(ROWS), "application/json; charset=utf-8", URL) == (FIRST, SECOND)


def test_html() -> None:
    found = parse_page(html_page(ROWS), "text/html", URL)
    assert found == (FIRST._replace(uploaded=None), SECOND)


def test_html_with_a_base() -> None:
    text = b'<base href="http://127.0.0.3/x/"><a href="a%2B1-1.0.tar.gz#sha256=1">a</a>'
    (file,) = parse_page(text, "text/html", URL)
    assert (file.filename, file.url) == ("a+1-1.0.tar.gz", "http://127.0.0.3/x/a%2B1-1.0.tar.gz")


@pytest.mark.parametrize("key", ["core-metadata", "dist-info-metadata"])
@pytest.mark.parametrize(
    ("value", "there"), [(True, True), (False, False), ({}, True), ({"sha256": "0"}, True)]
)
def test_metadata_beside_a_file(key: str, value: object, *, there: bool) -> None:
    rows = [{"filename": "a", "url": "a", key: value}]
    assert parse_page(page(rows), JSON, URL)[0].has_metadata is there


@pytest.mark.parametrize(
    ("value", "yanked"), [(False, False), (True, True), ("why", True), ("", True)]
)
def test_yanked(value: object, *, yanked: bool) -> None:
    rows = [{"filename": "a", "url": "a", "yanked": value}]
    assert parse_page(page(rows), JSON, URL)[0].yanked is yanked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        page(None),
        page("abc"),
        page([1]),
        page([{"filename": "a"}]),
        page([{"filename": 1, "url": "a"}]),
        page([{"filename": "a", "url": ["a"]}]),
        page([{"filename": "a", "url": "a", "requires-python": 3}]),
        page([{"filename": "a" * 5000, "url": "a"}]),
        page([], version="2.0"),
        page([], version=1),
        b'{"meta": {"api-version": "1.0"}, "files": [{"filename": "a", "url": "http://["}]}',
    ],
)
def test_wrong_json(body: bytes) -> None:
    with pytest.raises(RegistryError):
        parse_page(body, JSON, URL)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"plain words", "text/html"),
        (b"", "text/html"),
        (b"x", "text/plain"),
        (b"x", ""),
        (b'<meta name="pypi:repository-version" content="2.0">', "text/html"),
        (b'<a href="http://[">x</a>', "text/html"),
    ],
)
def test_wrong_html(body: bytes, kind: str) -> None:
    with pytest.raises(RegistryError):
        parse_page(body, kind, URL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29T00:00:00Z", "2024-02-29"),
        ("2024-02-29", "2024-02-29"),
        ("2023-02-29T00:00:00Z", None),
        ("0001-01-01", None),
        ("2024-13-01", None),
        ("yesterday", None),
        (20240229, None),
        (None, None),
    ],
)
def test_day(text: object, expected: str | None) -> None:
    assert day(text) == expected


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["filename", "url", "yanked", "upload-time", "core-metadata", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_any_rows(rows: object) -> None:
    try:
        found = parse_page(page(rows), JSON, URL)
    except RegistryError:
        return
    assert all(isinstance(file.url, str) for file in found)


@given(st.binary(max_size=300), st.sampled_from([JSON, "text/html"]))
def test_any_bytes(body: bytes, kind: str) -> None:
    try:
        parse_page(body, kind, URL)
    except RegistryError:
        return
