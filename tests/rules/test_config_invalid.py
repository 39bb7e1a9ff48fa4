"""KD105: a keras.json that is malformed, unreadable, or has invalid values."""

from __future__ import annotations

import json

import pytest

from keras_doctor.rules.context import Context
from rules.factory import (
    JAX,
    KERAS_210_STACK,
    KERAS_JSON,
    QUIET,
    TENSORFLOW,
    TENSORFLOW_STACK,
    THEANO,
    THEANO_STACK,
    Case,
    abstains,
    assert_case,
    automatic,
    config,
    judge,
    of_keras,
    with_,
    without,
    world,
)

BOTH = with_(TENSORFLOW_STACK, *JAX)
JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
TRAILING_COMMA = '{"floatx": "float32", "backend": "jax",}'
BOM = "\ufeff" + json.dumps(automatic("jax"))
REWRITE = (("edit-config", KERAS_JSON), ("delete", f"rm {KERAS_JSON}"))
EDIT = (("edit-config", KERAS_JSON),)

MALFORMED = [
    Case(
        "a trailing comma",
        world(keras_json=TRAILING_COMMA),
        "keras.json",
        "fatal",
        ("not valid JSON", "silently takes its default, tensorflow"),
        REWRITE,
    ),
    Case(
        "a byte order mark",
        world(keras_json=BOM),
        "keras.json",
        "fatal",
        ("not valid JSON", "tensorflow"),
        REWRITE,
    ),
    Case(
        "single quotes",
        world(keras_json="{'backend': 'jax'}"),
        "keras.json",
        "fatal",
        ("not valid JSON",),
        REWRITE,
    ),
    Case(
        "a comment",
        world(keras_json='{"backend": "jax"} // mine'),
        "keras.json",
        "fatal",
        ("not valid JSON",),
        REWRITE,
    ),
    Case(
        "cut off",
        world(keras_json='{"backend": "jax", "flo'),
        "keras.json",
        "fatal",
        ("not valid JSON",),
        REWRITE,
    ),
    Case(
        "the wish is lost though nothing fails",
        world(BOTH, keras_json=TRAILING_COMMA, wish="jax"),
        "keras.json",
        "fatal",
        ("takes its default, tensorflow",),
        REWRITE,
        (),
    ),
    Case(
        "Keras 2.0.2 stops",
        world(of_keras("2.0.2", *THEANO), keras_json='{"backend": "theano",}'),
        "keras.json",
        "fatal",
        ("not valid JSON, and Keras stops",),
        REWRITE,
    ),
    Case(
        "Keras 1.0 stops at an empty file",
        world(of_keras("1.0.8", *THEANO), keras_json=""),
        "keras.json",
        "fatal",
        ("and Keras stops",),
        REWRITE,
    ),
    Case(
        "Keras 0.3.0 stops",
        world(of_keras("0.3.0", *THEANO), keras_json="{"),
        "keras.json",
        "fatal",
        ("and Keras stops",),
        REWRITE,
    ),
    Case(
        "Keras 2.0.3 takes its default",
        world(of_keras("2.0.3", *THEANO), keras_json='{"backend": "theano",}'),
        "keras.json",
        "fatal",
        ("takes its default, tensorflow",),
        REWRITE,
    ),
    Case(
        "in KERAS_HOME",
        world(
            variables={"KERAS_HOME": "/conf"},
            configs=[config(TRAILING_COMMA, source="KERAS_HOME"), config(automatic("jax"))],
        ),
        "keras.json",
        "fatal",
        ("not valid JSON",),
        (("edit-config", "/conf/keras.json"), ("delete", "rm /conf/keras.json")),
    ),
]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.id)
def test_malformed(case: Case) -> None:
    found = assert_case("KD105", "keras-config-invalid", case)
    (change,) = found.changes
    assert change.kind == "config-text"
    assert change.name == found.fixes[0].name
    # What is written instead is what Keras would write, and can be read.
    assert set(json.loads(change.value or "")) == set(automatic())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOM, "byte order mark"),
        ("", "it is empty"),
        (" \n", "it is empty"),
        ('{\n"backend": "jax",\n}', "line 3, column 1"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_the_reason_is_said(text: str, reason: str) -> None:
    (found,) = judge("KD105", world(keras_json=text))
    assert reason in found.evidence[0].text
    assert found.evidence[0].where == KERAS_JSON


def test_what_was_meant_is_kept() -> None:
    (found,) = judge("KD105", world(keras_json=TRAILING_COMMA))
    assert "It was meant to select jax." in found.why
    assert json.loads(found.fixes[0].value or "")["backend"] == "jax"
    assert json.loads(found.changes[0].value or "")["backend"] == "jax"
    assert "backend-not-installed:tensorflow" in found.explains


def test_the_wish_beats_what_was_meant() -> None:
    (found,) = judge("KD105", world(keras_json='{"backend": "torch",}', wish="jax"))
    assert json.loads(found.changes[0].value or "")["backend"] == "jax"


INVALID = [
    Case(
        "epsilon is an integer",
        world(keras_json=automatic("jax", epsilon=1)),
        "keras.json",
        "fatal",
        ("epsilon is 1",),
        EDIT,
    ),
    Case(
        "epsilon is a text",
        world(keras_json=automatic("jax", epsilon="1e-7")),
        "keras.json",
        "fatal",
        ('epsilon is "1e-7"',),
        EDIT,
    ),
    Case(
        "floatx",
        world(keras_json=automatic("jax", floatx="float")),
        "keras.json",
        "fatal",
        ('floatx is "float"',),
        EDIT,
    ),
    Case(
        "bfloat16 is no floatx of keras.json",
        world(keras_json=automatic("jax", floatx="bfloat16")),
        "keras.json",
        "fatal",
        ('floatx is "bfloat16"',),
        EDIT,
    ),
    Case(
        "image_data_format misspelt",
        world(keras_json=automatic("jax", image_data_format="channel_last")),
        "keras.json",
        "fatal",
        ('image_data_format is "channel_last"',),
        EDIT,
    ),
    Case(
        "image_data_format of Keras 1",
        world(
            THEANO_STACK,
            variables={"KERAS_BACKEND": "theano"},
            keras_json=automatic(image_data_format="th"),
        ),
        "keras.json",
        "fatal",
        ('image_data_format is "th"',),
        EDIT,
    ),
    Case(
        "image_dim_ordering of Keras 1",
        world(
            of_keras("1.2.2", *THEANO),
            keras_json={"backend": "theano", "image_dim_ordering": "channels_last"},
        ),
        "keras.json",
        "fatal",
        ('image_dim_ordering is "channels_last"',),
        EDIT,
    ),
    Case(
        "two at once",
        world(keras_json=automatic("jax", epsilon=1, floatx="double")),
        "keras.json",
        "fatal",
        ("epsilon is 1",),
        EDIT + EDIT,
    ),
    Case(
        "Keras 2.10 reads the values too",
        world(KERAS_210_STACK, keras_json=automatic(epsilon=1)),
        "keras.json",
        "fatal",
        ("epsilon is 1",),
        EDIT,
    ),
    Case(
        "a list",
        world(keras_json="[]"),
        "keras.json",
        "fatal",
        ("the whole file is a list",),
        EDIT,
    ),
    Case(
        "a text",
        world(keras_json='"jax"'),
        "keras.json",
        "fatal",
        ("the whole file is a text",),
        EDIT,
    ),
    Case(
        "of a file in /tmp",
        world(
            configs=[
                config(state="absent", writable=False),
                config(automatic("jax", epsilon=0), source="tmp"),
            ]
        ),
        "keras.json",
        "fatal",
        ("epsilon is 0",),
        (("edit-config", "/tmp/.keras/keras.json"),),
    ),
]


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case.id)
def test_invalid(case: Case) -> None:
    found = assert_case("KD105", "keras-config-invalid", case)
    (change,) = found.changes
    assert change.kind == "config-text"


def test_the_backend_of_an_invalid_file_is_kept() -> None:
    (found,) = judge("KD105", world(keras_json=automatic("jax", epsilon=1)))
    assert json.loads(found.changes[0].value or "")["backend"] == "jax"


UNREADABLE = [
    Case(
        "mode 000",
        world(configs=[config(state="unreadable", mode=0)]),
        "keras.json",
        "fatal",
        ("keras.json may not be read (mode 000)",),
        (("chmod", f"chmod 644 {KERAS_JSON}"),),
    ),
    Case(
        "under Keras 2.10",
        world(KERAS_210_STACK, configs=[config(state="unreadable", mode=0o200)]),
        "keras.json",
        "fatal",
        ("mode 200",),
        (("chmod", f"chmod 644 {KERAS_JSON}"),),
    ),
    Case(
        "though the variable decides",
        world(variables=JAX_VARIABLE, configs=[config(state="unreadable", mode=0)]),
        "keras.json",
        "fatal",
        ("may not be read",),
        (("chmod", f"chmod 644 {KERAS_JSON}"),),
    ),
]


@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.id)
def test_unreadable(case: Case) -> None:
    assert_case("KD105", "keras-config-invalid", case)


RISKS: dict[str, Context] = {
    "malformed, and the default was meant": world(
        TENSORFLOW_STACK, keras_json='{"backend": "tensorflow",}'
    ),
    "malformed, and what is taken works": world(BOTH, keras_json=TRAILING_COMMA),
    "malformed, and another wish": world(BOTH, keras_json=TRAILING_COMMA, wish="tensorflow"),
    "malformed, and the variable decides": world(
        keras_json='{"backend": "torch",}', variables=JAX_VARIABLE
    ),
    "empty, and the default is there": world(TENSORFLOW_STACK, keras_json=""),
    "empty, and the default is missing for other reasons": world(keras_json=""),
}


@pytest.mark.parametrize("context", RISKS.values(), ids=RISKS.keys())
def test_only_a_risk(context: Context) -> None:
    (found,) = judge("KD105", context)
    assert found.weight == "risk"


NOTHING: dict[str, Context] = {
    "no file": world(),
    "what Keras writes": world(keras_json=automatic()),
    "another backend": world(keras_json=automatic("jax")),
    "an unknown backend is another rule's": world(keras_json=automatic("pytorch")),
    "no keys at all": world(keras_json="{}"),
    "float16": world(keras_json=automatic("jax", floatx="float16")),
    "float64": world(keras_json=automatic("jax", floatx="float64")),
    "channels first": world(keras_json=automatic("jax", image_data_format="channels_first")),
    "another epsilon": world(keras_json=automatic("jax", epsilon=1e-3)),
    "epsilon 1.0": world(keras_json=automatic("jax", epsilon=1.0)),
    "unknown keys": world(keras_json=automatic("jax", nnx_enabled=False, mine=[1])),
    "image_dim_ordering is ignored from 2.0 on": world(
        THEANO_STACK, keras_json=automatic(image_dim_ordering="nonsense")
    ),
    "image_data_format is unknown before 2.0": world(
        of_keras("1.2.2", *THEANO), keras_json={"backend": "theano", "image_data_format": "x"}
    ),
    "image_dim_ordering of Keras 1": world(
        of_keras("1.2.2", *THEANO), keras_json={"backend": "theano", "image_dim_ordering": "th"}
    ),
    "Keras 0.2 reads no file": world(of_keras("0.2.0", *THEANO), keras_json="{"),
    "nobody reads it in the project": world(
        configs=[config(state="absent"), config("{", source="project")]
    ),
    "KERAS_HOME moved it": world(
        variables={"KERAS_HOME": "/conf"},
        configs=[config(automatic("jax"), source="KERAS_HOME"), config("{")],
    ),
    "KERAS_HOME moved it, and nothing is there": world(
        variables={"KERAS_HOME": "/conf"},
        configs=[config(state="absent", source="KERAS_HOME"), config(state="unreadable", mode=0)],
    ),
    "KERAS_HOME is unknown to 2.1": world(
        of_keras("2.1.6", *THEANO),
        configs=[config("{", source="KERAS_HOME"), config(automatic("theano"))],
    ),
    "2.15 has no /tmp": world(
        of_keras("2.15.0", TENSORFLOW[0]),
        configs=[config(state="absent", writable=False), config("{", source="tmp")],
    ),
    "HOME can be written": world(configs=[config(state="absent"), config("{", source="tmp")]),
    "HOME has a file": world(
        configs=[config(automatic("jax"), writable=False), config("{", source="tmp")]
    ),
    "no Keras": world(without(BOTH, "keras"), keras_json="{"),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD105", context).startswith(QUIET)


def test_title_where_the_variable_decides() -> None:
    (found,) = judge("KD105", world(keras_json=TRAILING_COMMA, variables=JAX_VARIABLE))
    assert "its default, jax" not in found.title


def test_mending_keeps_what_was_meant() -> None:
    context = world(keras_json=TRAILING_COMMA, variables=JAX_VARIABLE)
    (found,) = judge("KD105", context)
    assert json.loads(found.fixes[0].value or "")["backend"] == "jax"


def test_nothing_is_lost_where_nothing_is_obeyed() -> None:
    context = world(of_keras("2.15.0"), keras_json=TRAILING_COMMA)
    (found,) = judge("KD105", context)
    assert found.weight == "risk"
    assert "backend-not-installed:tensorflow" not in found.explains


def test_a_folder_called_keras_json() -> None:
    (found,) = judge("KD105", world(configs=[config(state="folder", mode=0o755)]))
    assert all(fix.kind != "chmod" for fix in found.fixes)


def test_a_large_file_is_not_judged() -> None:
    assert judge("KD105", world(configs=[config(state="too-large")])) == []


def test_float16_before_it_existed() -> None:
    context = world(of_keras("0.3.1", *THEANO), keras_json={"floatx": "float16"})
    assert [f.weight for f in judge("KD105", context)] == ["fatal"]
