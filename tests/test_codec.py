"""The codec: round trips of every model type, and refusals that name the place."""

import contextlib
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import values

import keras_doctor.model as model
from keras_doctor import codec
from keras_doctor.codec import CodecError, decode, encode

TYPES = [getattr(model, name) for name in model.__all__]


@pytest.mark.parametrize("cls", TYPES, ids=lambda cls: cls.__name__)
def test_round_trip_through_real_json(cls: type) -> None:
    @settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
    @given(values(cls))
    def check(value: Any) -> None:
        text = json.dumps(encode(value))
        again: Any = decode(cls, json.loads(text))
        assert again == value
        assert type(again) is cls
        assert json.dumps(encode(again)) == text

    check()


class Inner(NamedTuple):
    name: str
    size: int | None


class Outer(NamedTuple):
    ok: bool
    share: float
    inner: Inner
    many: tuple[Inner, ...]
    note: str | None = None


GOOD: dict[str, Any] = {
    "ok": True,
    "share": 1,
    "inner": {"name": "a", "size": None},
    "many": [{"name": "b", "size": 2}, {"name": "c", "size": 3}],
}


def test_defaults_and_unknown_keys() -> None:
    value = decode(Outer, {**GOOD, "new": [[["?"]]]})
    assert value.note is None
    assert value.share == 1.0
    assert isinstance(value.share, float)
    assert value.many[1] == Inner(name="c", size=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ok": 1}, "thing.ok: expected true or false, found number"),
        ({"share": True}, "thing.share: expected number, found true or false"),
        ({"share": float("nan")}, "thing.share: a number out of range"),
        ({"inner": None}, "thing.inner: expected an object, found null"),
        ({"inner": {"name": "x"}}, "thing.inner.size: missing"),
        ({"inner": {"name": "x", "size": 2**64}}, "thing.inner.size: a number out of range"),
        (
            {"inner": {"name": "x", "size": 1.0}},
            "thing.inner.size: expected an integer, found number",
        ),
        ({"many": {}}, "thing.many: expected a list, found an object"),
        (
            {"many": [{"name": "b", "size": 2}, {"name": 5, "size": 2}]},
            "thing.many[1].name: expected text, found number",
        ),
        ({"many": [[]]}, "thing.many[0]: expected an object, found a list"),
        ({"note": 3}, "thing.note: expected text, found number"),
        ({"note": "x" * (codec.MAX_TEXT + 1)}, "thing.note: longer than 1048576 characters"),
        ({"many": [None] * (codec.MAX_ITEMS + 1)}, "thing.many: more than 100000 entries"),
    ],
)
def test_refusals_name_the_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CodecError) as caught:
        decode(Outer, {**GOOD, **change}, where="thing")
    assert str(caught.value) == message


def test_strangers_in_a_model_value_are_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="dict is not a value of the model"):
        encode(Inner(name={}, size=None))  # type: ignore[arg-type]


class Strange(NamedTuple):
    items: dict[str, str]


def test_unknown_annotations_are_refused() -> None:
    with pytest.raises(TypeError, match="does not know the annotation"):
        decode(Strange, {"items": {}})


JSONABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*model.Snapshot._fields, "name", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSONABLE)
def test_hostile_data_only_ever_raises_codec_error(data: Any) -> None:
    for cls in (model.Snapshot, model.Interpreter, model.PathEntry):
        with contextlib.suppress(CodecError):
            assert decode(cls, data) is not None
