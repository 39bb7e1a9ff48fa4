"""KD101: a name that this Keras does not know."""

from __future__ import annotations

import pytest

from keras_doctor.rules.context import Context
from rules.factory import (
    HOME,
    JAX,
    KERAS_JSON,
    QUIET,
    SCRIPT,
    TENSORFLOW,
    TENSORFLOW_STACK,
    THEANO,
    TORCH_STACK,
    Case,
    abstains,
    assert_case,
    automatic,
    config,
    dist,
    judge,
    of_keras,
    script,
    set_backend,
    setting,
    without,
    world,
)

KERAS_1 = of_keras("1.2.2", *THEANO)
KERAS_23 = of_keras("2.3.1", *THEANO)
UNSET_TO_TF = ("unset-env", "unset KERAS_BACKEND")


def variable(value: str) -> dict[str, str]:
    return {"KERAS_BACKEND": value}


def export(name: str) -> tuple[str, str]:
    return ("set-env", f"export KERAS_BACKEND={name}")


CASES = [
    Case(
        "an alias",
        world(TORCH_STACK, variables=variable("pytorch")),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND", '"pytorch"', "Keras 3.8.0"),
        (export("torch"),),
    ),
    Case(
        "quotation marks of a file of variables",
        world(TORCH_STACK, variables=variable('"torch"')),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND says torch with quotation marks around it",),
        (export("torch"),),
    ),
    Case(
        "a tab at the end",
        world(TORCH_STACK, variables=variable("torch\t")),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND says torch with white space around it",),
        (export("torch"),),
    ),
    Case(
        "capitals in keras.json",
        world(TENSORFLOW_STACK, keras_json=automatic("TensorFlow")),
        "keras.json",
        "fatal",
        ("keras.json", '"TensorFlow"'),
        (("edit-config", KERAS_JSON), export("tensorflow")),
    ),
    Case(
        "capitals in the script",
        world(program=script(setting("Jax", line=7), "keras")),
        "train.py",
        "fatal",
        ("train.py", '"Jax"'),
        (("edit-code", f"{SCRIPT}:7"),),
    ),
    Case(
        "a space at the end, set by conda",
        world(variables=variable("jax "), set_by={"KERAS_BACKEND": "/env/etc/activate.d/x.sh"}),
        "KERAS_BACKEND",
        "fatal",
        ("says jax with white space around it",),
        (export("jax"), ("edit-config", "/env/etc/activate.d/x.sh")),
    ),
    Case(
        "a typo that unsetting would mend too",
        world(TENSORFLOW_STACK, variables=variable("tensrflow")),
        "KERAS_BACKEND",
        "fatal",
        ('"tensrflow"',),
        (UNSET_TO_TF, export("tensorflow")),
    ),
    Case(
        "a typo on Windows",
        world(variables=variable("jaxx"), platform="win32"),
        "KERAS_BACKEND",
        "fatal",
        ('"jaxx"',),
        (("set-env", "set KERAS_BACKEND=jax"),),
    ),
    Case(
        "Theano died with Keras 2.3",
        world(variables=variable("theano")),
        "KERAS_BACKEND",
        "fatal",
        ('"theano"', "3.8.0"),
        (export("jax"),),
    ),
    Case(
        "Theano in a keras.json of old",
        world(keras_json=automatic("theano")),
        "keras.json",
        "fatal",
        ('"theano"',),
        (("edit-config", KERAS_JSON), export("jax")),
    ),
    Case(
        "CNTK under Keras 3",
        world(variables=variable("cntk")),
        "KERAS_BACKEND",
        "fatal",
        ('"cntk"',),
        (export("jax"),),
    ),
    Case(
        "OpenVINO came with 3.8",
        world(of_keras("3.7.0", *JAX), variables=variable("openvino")),
        "KERAS_BACKEND",
        "fatal",
        ('"openvino"', "3.7.0"),
        (export("jax"),),
    ),
    Case(
        "JAX under Keras 2",
        world(KERAS_23, variables=variable("jax")),
        "KERAS_BACKEND",
        "fatal",
        ('"jax"', "2.3.1"),
        (export("theano"),),
    ),
    Case(
        "CNTK came with 2.0.5",
        world(of_keras("2.0.4", *THEANO), variables=variable("cntk")),
        "KERAS_BACKEND",
        "fatal",
        ('"cntk"', "2.0.4"),
        (export("theano"),),
    ),
    Case(
        "an external backend came with 2.2",
        world(
            of_keras("2.1.6", *THEANO, dist("plaidml-keras", "0.3.5", imports=("plaidml",))),
            variables=variable("plaidml.keras.backend"),
        ),
        "KERAS_BACKEND",
        "fatal",
        ('"plaidml.keras.backend"',),
        (export("theano"),),
    ),
    Case(
        "an external backend that is not there",
        world(KERAS_23, variables=variable("plaidml.keras.backend")),
        "KERAS_BACKEND",
        "fatal",
        ('"plaidml.keras.backend"',),
        (export("theano"),),
    ),
    Case(
        "empty before 2.2.1",
        world(of_keras("2.2.0", *THEANO), variables=variable("")),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND is empty", "2.2.0"),
        (export("theano"),),
    ),
    Case(
        "empty under Keras 1",
        world(KERAS_1, variables=variable("")),
        "KERAS_BACKEND",
        "fatal",
        ("KERAS_BACKEND is empty",),
        (export("theano"),),
    ),
    Case(
        "null in keras.json",
        world(keras_json=automatic() | {"backend": None}),
        "keras.json",
        "fatal",
        ("keras.json",),
        (("edit-config", KERAS_JSON), export("jax")),
    ),
    Case(
        "the wish decides what to offer",
        world(TENSORFLOW_STACK, variables=variable("pytorch"), wish="tensorflow"),
        "KERAS_BACKEND",
        "fatal",
        ('"pytorch"',),
        (UNSET_TO_TF, export("tensorflow")),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_unknown(case: Case) -> None:
    found = assert_case("KD101", "backend-unknown", case)
    # The counterfactual asks for what the fixes ask for.
    name = found.changes[0].value
    assert found.changes == (set_backend(name or ""),)
    assert all(fix.value in (name, None) for fix in found.fixes)


def test_nothing_is_offered_where_nothing_is_installed() -> None:
    (found,) = judge("KD101", world(of_keras("3.8.0"), variables=variable("nonsense")))
    assert found.fixes == ()
    assert found.changes == ()


WISHES = [
    Case(
        "Theano is wished of Keras 3",
        world(wish="theano"),
        "keras",
        "fatal",
        ("Keras 3.8.0 has no theano backend",),
        (("use-env", "theano"),),
        (),
    ),
    Case(
        "JAX is wished of Keras 2.3",
        world(KERAS_23, variables=variable("theano"), wish="jax"),
        "keras",
        "fatal",
        ("Keras 2.3.1 has no jax backend",),
        (("use-env", "jax"),),
        (),
    ),
    Case(
        "OpenVINO is wished of Keras 3.7",
        world(of_keras("3.7.0", *JAX), wish="openvino"),
        "keras",
        "fatal",
        ("has no openvino backend",),
        (("use-env", "openvino"),),
        (),
    ),
]


@pytest.mark.parametrize("case", WISHES, ids=lambda case: case.id)
def test_the_wish_is_unknown(case: Case) -> None:
    """No import fails for it, and no setting can mend it."""
    found = assert_case("KD101", "backend-unknown", case)
    assert found.changes == ()


EXTERNAL = dist("plaidml-keras", "0.7.0", imports=("plaidml",))
NOTHING: dict[str, Context] = {
    "nothing is asked for": world(),
    "a known name": world(variables=variable("jax")),
    "a known name that is not installed": world(variables=variable("torch")),
    "the script mends the variable": world(
        variables=variable("pytorch"), program=script(setting("jax"), "keras")
    ),
    "the variable beats keras.json": world(
        variables=variable("jax"), keras_json=automatic("theano")
    ),
    "too late in the script": world(
        variables=variable("jax"), program=script(setting("pytorch", before=False), "keras")
    ),
    "setdefault of a variable that is set": world(
        variables=variable("jax"), program=script(setting("pytorch", default_only=True), "keras")
    ),
    "another variable of the script": world(
        program=script(setting("nonsense", variable="TF_USE_LEGACY_KERAS"), "keras")
    ),
    "empty is no name for Keras 3": world(variables=variable("")),
    "empty is no name for 2.2.1": world(of_keras("2.2.1", *THEANO), variables=variable("")),
    "empty and unread in 0.3.0": world(of_keras("0.3.0", *THEANO), variables=variable("")),
    "0.3.0 reads no variable": world(of_keras("0.3.0", *THEANO), variables=variable("pytorch")),
    "0.2.0 reads nothing": world(
        of_keras("0.2.0", *THEANO), variables=variable("x"), keras_json=automatic("x")
    ),
    "2.4.3 reads nothing": world(
        of_keras("2.4.3", TENSORFLOW[0]), variables=variable("pytorch"), keras_json=automatic("x")
    ),
    "2.15 reads nothing": world(of_keras("2.15.0", TENSORFLOW[0]), variables=variable("jax")),
    "2.4.0 still knows Theano": world(of_keras("2.4.0", *THEANO), variables=variable("theano")),
    "2.4.2 still reads keras.json": world(
        of_keras("2.4.2", *THEANO), keras_json=automatic("theano")
    ),
    "CNTK in 2.0.5": world(of_keras("2.0.5", *THEANO), variables=variable("cntk")),
    "OpenVINO in 3.8": world(variables=variable("openvino")),
    "an external backend": world(
        of_keras("2.2.4", *THEANO, EXTERNAL), variables=variable("plaidml.keras.backend")
    ),
    "an external backend in keras.json": world(
        of_keras("2.3.1", *THEANO, EXTERNAL), keras_json=automatic("plaidml.keras.backend")
    ),
    "malformed, so no name is taken": world(keras_json='{"backend": "pytorch",}'),
    "a list has no names": world(keras_json="[]"),
    "nobody reads it there": world(configs=[config(automatic("pytorch"), source="project")]),
    "KERAS_HOME moved it": world(
        variables={"KERAS_HOME": "/conf"},
        configs=[config(automatic("jax"), source="KERAS_HOME"), config(automatic("pytorch"))],
    ),
    "KERAS_HOME is not read by 2.1": world(
        of_keras("2.1.6", *THEANO),
        variables={"KERAS_HOME": "/conf"},
        configs=[config(automatic("x"), source="KERAS_HOME"), config(automatic("theano"))],
    ),
    "HOME can be written, so /tmp is not read": world(
        configs=[config(state="absent"), config(automatic("pytorch"), source="tmp")]
    ),
    "the wish is known": world(wish="torch"),
    "another rule tells that the wish is ignored": world(
        of_keras("2.15.0", TENSORFLOW[0]), variables=variable("jax"), wish="jax"
    ),
    "no Keras": world(without(TENSORFLOW_STACK, "keras"), variables=variable("pytorch")),
    "the program computes it": world(program=script(setting(None), "keras")),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD101", context).startswith(QUIET)


def test_a_line_of_the_script_that_empties_the_variable() -> None:
    context = world(variables=variable("jax"), program=script(setting(""), "keras"))
    assert judge("KD101", context) == []


def test_an_empty_name_in_keras_json() -> None:
    (found,) = judge("KD101", world(keras_json=automatic("")))
    assert "keras.json is empty" not in found.title


def test_the_offer_works() -> None:
    """Only JAX is there: asking for torch gives the next ImportError."""
    (found,) = judge("KD101", world(variables=variable("pytorch")))
    commands = [fix.command or "" for fix in found.fixes]
    assert found.changes == (set_backend("jax"),) or any("install torch" in c for c in commands)


def test_unwritable_home_means_tmp() -> None:
    context = world(
        configs=[
            config(state="absent", writable=False),
            config(automatic("pytorch"), source="tmp"),
        ]
    )
    (found,) = judge("KD101", context)
    assert found.fixes[0].name == "/tmp/.keras/keras.json"
    assert HOME not in found.evidence[0].text


def test_a_file_for_another_release_under_a_good_variable() -> None:
    """Keras 3 wrote jax into the shared keras.json; Keras 2.0 stops although KERAS_BACKEND wins."""
    context = world(
        of_keras("2.0.8", *THEANO), variables=variable("theano"), keras_json=automatic("jax")
    )
    assert [f.culprit for f in judge("KD101", context)] == ["keras.json"]
    later = world(
        of_keras("2.2.0", *THEANO), variables=variable("theano"), keras_json=automatic("jax")
    )
    assert judge("KD101", later) == []
