"""Snapshots from anybody."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.collect_builders import snapshot
from keras_doctor.codec import encode
from keras_doctor.collect import load
from keras_doctor.collect.load import SnapshotError, dumps_snapshot, loads_snapshot


def test_round_trip() -> None:
    value = snapshot(problems=("\x1b[31mred\x07", "\udcff", "é"))
    assert loads_snapshot(dumps_snapshot(value)) == value
    assert loads_snapshot(b"\xef\xbb\xbf" + dumps_snapshot(value).encode()) == value
    assert dumps_snapshot(value).isascii()


def test_a_frame_is_seen_through() -> None:
    marker = load.FRAME + "0123--"
    text = f"hello\n\n{marker}\n{dumps_snapshot(snapshot())}\n{marker}\nbye"
    assert loads_snapshot(text) == snapshot()


DATA = encode(snapshot())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON .Expecting value, line 1, column 1"),
        ("{", "not JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ("[]", "no schema_version"),
        ("null", "no schema_version"),
        (b"\xff\xfe", "not UTF-8"),
        ('{"schema_version": NaN}', "NaN is not a JSON number"),
        ('{"schema_version": ' + "9" * 5000 + "}", "not JSON"),
        ('{"schema_version": 2}', "schema version 2.*reads up to 1: update keras-doctor"),
        ('{"schema_version": true}', "no positive integer"),
        ('{"schema_version": 0}', "no positive integer"),
        ('{"schema_version": 1}', "damaged: snapshot.tool_version: missing"),
        (json.dumps({**DATA, "path": [{"path": 3}]}), r"snapshot.path\[0\].path: expected text"),
        (json.dumps({**DATA, "problems": "x"}), "snapshot.problems: expected a list, found text"),
    ],
)
def test_refusals(text: str | bytes, message: str) -> None:
    with pytest.raises(SnapshotError, match=message) as caught:
        loads_snapshot(text)
    assert "\n" not in str(caught.value)


def test_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_BYTES", 1 << 20)
    with pytest.raises(SnapshotError, match="larger than 1 MiB"):
        loads_snapshot(" " * (1 << 21))


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_is_refused_in_one_way(text: str | bytes) -> None:
    with pytest.raises(SnapshotError):
        loads_snapshot(text)
