"""Records, capture and statements: the parts that need no child."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_doctor.live.judge import chain_of, edges_of, judge_imports, read_records
from keras_doctor.live.patient.exceptions import chain_of as patient_chain_of
from keras_doctor.live.patient.records import encode
from keras_doctor.live.process import HEAD_BYTES, TAIL_BYTES, Capture

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)


@given(VALUES)
def test_our_json_is_json(value: object) -> None:
    assert json.loads(encode(value)) == value


def test_lone_surrogates_and_long_strings() -> None:
    assert json.loads(encode("\udc80\U0001f600")) == "\udc80\U0001f600"
    assert len(json.loads(encode("x" * 1_000_000))) < 20_000


def framed(*records: object) -> bytes:
    texts = [json.dumps(record) for record in records]
    return b"".join(f"{len(text)}\n{text}\n".encode() for text in texts)


@pytest.mark.parametrize("cut", range(12))
def test_a_half_written_record_is_dropped(cut: int) -> None:
    whole = framed({"record": "start"})
    assert read_records(whole + framed({"record": "done"})[:cut]) == [{"record": "start"}]


@given(st.binary(max_size=200))
def test_any_bytes_are_records(data: bytes) -> None:
    assert all(isinstance(record, dict) for record in read_records(data))


def test_records_after_nonsense_are_not_believed() -> None:
    assert read_records(b"7\nnothing\n" + framed({"record": "done"})) == []
    assert read_records(framed([1]) + framed({"record": "done"})) == []


@pytest.mark.parametrize(
    ("records", "code", "status"),
    [
        ([{"record": "start"}, {"record": "done"}], -11, "passed"),  # it died after our question
        ([{"record": "start"}, {"record": "done"}], None, "passed"),
        ([{"record": "start"}], None, "hung"),
        ([{"record": "start"}], -11, "died"),
        ([{"record": "start"}], 3, "exited"),
        ([], 1, "not-started"),
        ([], -9, "died"),
    ],
)
def test_endings(records: list[dict[str, object]], code: int | None, status: str) -> None:
    assert judge_imports(records, code, "", "", "/p").status == status


def test_edges_take_the_file_that_was_found_later() -> None:
    records: list[dict[str, object]] = [
        {"record": "edge", "module": "a", "importer": "/p/x.py", "files": {}},
        {"record": "edge", "module": "b", "importer": None, "files": {"a": "/p/a.py"}},
    ]
    assert [(edge.module, edge.file) for edge in edges_of(records)] == [
        ("a", "/p/a.py"),
        ("b", None),
    ]


def test_a_chain_by_the_rules_of_printing() -> None:
    outer, cause, context = ValueError("o"), KeyError("c"), TypeError("t")
    outer.__context__ = context
    assert [link for _, link in patient_chain_of(outer)] == ["context", None]
    outer.__cause__ = cause
    assert [each for each, _ in patient_chain_of(outer)] == [cause, outer]
    outer.__cause__ = None
    outer.__suppress_context__ = True
    assert [each for each, _ in patient_chain_of(outer)] == [outer]
    assert chain_of([]) == ()


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_a_short_output_is_kept_whole(pieces: list[bytes]) -> None:
    capture = Capture()
    for piece in pieces:
        capture.add(piece)
    assert capture.text() == b"".join(pieces).decode("utf-8", "replace")


def test_a_long_output_keeps_both_ends() -> None:
    capture = Capture()
    data = b"".join(b"%09d\n" % number for number in range(400_000))
    for start in range(0, len(data), 70_000):
        capture.add(data[start : start + 70_000])
    text = capture.text()
    left_out = len(data) - HEAD_BYTES - TAIL_BYTES
    assert text.startswith("000000000\n")
    assert text.endswith("000399999\n")
    assert f"[... {left_out} bytes left out ...]" in text
    assert len(text) == HEAD_BYTES + TAIL_BYTES + len(f"\n[... {left_out} bytes left out ...]\n")
