"""KD601: an import path that this Keras no longer has, or not yet."""

from __future__ import annotations

import pytest

from keras_doctor.diagnosis import diagnose
from keras_doctor.knowledge.paths import import_paths, latest
from keras_doctor.model import Script, ScriptImport
from keras_doctor.rules.context import Context
from keras_doctor.signs import matches
from rules.factory import (
    JAX,
    KERAS_210_STACK,
    QUIET,
    SCRIPT,
    SITE,
    TENSORFLOW_STACK,
    THEANO,
    Case,
    abstains,
    assert_case,
    failed,
    judge,
    of_keras,
    passed,
    raised,
    without,
    world,
)

PROGRAM = ("program",)


def program(*statements: str, guarded: bool = False) -> Script:
    """The user's program: ``from a import b, c`` and ``import a.b`` statements."""
    rows = []
    for line, text in enumerate(statements, 1):
        words = text.replace(",", "").split()
        names = tuple(words[3:]) if words[0] == "from" else ()
        rows.append(
            ScriptImport(
                path=SCRIPT, line=line, text=text, module=words[1], names=names, guarded=guarded
            )
        )
    return Script(path=SCRIPT, imports=tuple(rows), settings=(), problem=None)


def keras(version: str, *statements: str, **more: object) -> Context:
    return world(of_keras(version, *JAX), program=program(*statements), **more)  # type: ignore[arg-type]


NP_UTILS = "from keras.utils import np_utils"
CASES = [
    Case(
        "np_utils, gone after 2.12",
        keras("3.8.0", NP_UTILS),
        "train.py",
        "likely",
        ("train.py imports keras.utils.np_utils", "Keras 3.8.0 does not have"),
        (("edit-code", f"{SCRIPT}:1"), ("use-env", f"{SCRIPT}:1")),
        PROGRAM,
    ),
    Case(
        "a module",
        keras("3.8.0", "import numpy", "import keras.engine.topology"),
        "train.py",
        "likely",
        ("keras.engine.topology",),
        (("edit-code", f"{SCRIPT}:2"), ("use-env", f"{SCRIPT}:2")),
        PROGRAM,
    ),
    Case(
        "merge, gone after 2.8",
        keras("2.10.0", "from keras.layers.merge import concatenate"),
        "train.py",
        "likely",
        ("keras.layers.merge",),
        (("edit-code", f"{SCRIPT}:1"), ("use-env", f"{SCRIPT}:1")),
        PROGRAM,
    ),
    Case(
        "Adam, absent in 2.6 to 2.8",
        keras("2.7.0", "from keras.optimizers import Adam"),
        "train.py",
        "likely",
        ("keras.optimizers.Adam", "2.7.0"),
        (("edit-code", f"{SCRIPT}:1"), ("use-env", f"{SCRIPT}:1")),
        PROGRAM,
    ),
    Case(
        "keras.ops, not there yet",
        world(of_keras("2.15.0"), program=program("from keras import ops")),
        "train.py",
        "likely",
        ("keras.ops", "2.15.0"),
        (("use-env", f"{SCRIPT}:1"),),
        PROGRAM,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_moved(case: Case) -> None:
    found = judge("KD601", case.context)
    assert found, case.context.keras_version
    case = case._replace(fixes=tuple((f.kind, f.command or f.name) for f in found[0].fixes))
    assert found[0].fixes[-1].kind == "use-env"
    if len(found) == 1:
        assert_case("KD601", "api-removed-or-moved", case)
    assert any(word in f.title for f in found for word in case.words)


def cannot(name: str, place: str) -> Context:
    error = raised("ImportError", f"cannot import name '{name}' from '{place}' (x.py)", SCRIPT)
    return world(outcomes=[failed(error)])


OBSERVED = {
    "cannot import name": cannot("np_utils", "keras.utils"),
    "no module named": world(
        outcomes=[
            failed(
                raised(
                    "ModuleNotFoundError",
                    "No module named 'keras.layers.merge'",
                    SCRIPT,
                    name="keras.layers.merge",
                )
            )
        ]
    ),
}


@pytest.mark.parametrize("context", OBSERVED.values(), ids=OBSERVED.keys())
def test_seen_in_a_run(context: Context) -> None:
    (found,) = judge("KD601", context)
    assert found.culprit == "train.py"
    assert found.evidence[0].where == f"{SCRIPT}:1"
    assert any(matches(sign, context.outcomes[0]) for sign in found.signs)


NOTHING: dict[str, Context] = {
    "no program": world(),
    "plain": keras("3.8.0", "import keras"),
    "what every release has": keras("3.8.0", "from keras.models import Sequential"),
    "np_utils where it was": world(of_keras("2.3.1", *THEANO), program=program(NP_UTILS)),
    "np_utils in 2.12": world(of_keras("2.12.0"), program=program(NP_UTILS)),
    "Adam before": world(KERAS_210_STACK, program=program("from keras.optimizers import Adam")),
    "Adam again": keras("3.8.0", "from keras.optimizers import Adam"),
    "guarded": world(
        program=program(NP_UTILS)._replace(imports=program(NP_UTILS, guarded=True).imports)
    ),
    "of tensorflow": world(
        TENSORFLOW_STACK, program=program("from tensorflow.keras.utils import np_utils")
    ),
    "of the user's own": keras("3.8.0", "from kerasx.utils import np_utils"),
    "a path that nobody knows": keras("3.8.0", "from keras.nonsense import thing"),
    "no Keras": world(without(TENSORFLOW_STACK, "keras"), program=program(NP_UTILS)),
    "a release newer than the index": keras("99.0.0", "from keras.layers import Dense"),
    "another package failed": cannot("np_utils", "tensorflow.utils"),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD601", context).startswith(QUIET)


def test_it_is_a_cause_when_seen_and_a_note_when_it_works() -> None:
    variables = {"KERAS_BACKEND": "jax"}
    error = raised("ImportError", "cannot import name 'np_utils' from 'keras.utils'", SCRIPT)
    broken = keras("3.8.0", NP_UTILS, variables=variables, outcomes=[failed(error)])
    assert [f.cause for f in diagnose(broken).causes] == ["api-removed-or-moved"]
    fine = keras("3.8.0", NP_UTILS, variables=variables, outcomes=[passed("jax")])
    assert diagnose(fine).causes == ()


def test_the_index_is_whole() -> None:
    paths = import_paths()
    assert len(paths) > 200
    assert latest() == "3.15.1"
    for path, entries in paths.items():
        assert path.startswith("keras")
        for entry in entries:
            assert bool(entry.kind) is bool(entry.ranges)
            assert entry.ranges or entry.replacement
            assert all(entry.exists_in(end) for ends in entry.ranges for end in ends)
            assert entry.exists_in("99.0") is entry.exists_in(latest())


def test_what_never_existed_is_told_so_with_what_was_meant() -> None:
    message = "cannot import name 'Relu' from 'keras.layers' (/env/keras/layers/__init__.py)"
    error = raised("ImportError", message, SCRIPT)
    context = keras("3.8.0", "from keras.layers import Relu", outcomes=(failed(error),))
    (found,) = judge("KD602", context)
    assert (found.cause, found.culprit) == ("api-never-existed", "train.py")
    assert found.fixes[0].value == "keras.layers.ReLU"
    assert diagnose(context).causes[0].cause == "api-never-existed"


def test_what_a_line_takes_of_a_module_is_judged_like_an_import() -> None:
    for module in ("keras.backend", "keras.api.backend", "keras._tf_keras.keras.backend"):
        outcome = failed(
            raised(
                "AttributeError",
                f"module '{module}' has no attribute 'set_image_dim_ordering'",
                SCRIPT,
            )
        )
        context = world(variables={"KERAS_BACKEND": "jax"}, outcomes=(outcome,))
        (found,) = judge("KD601", context)
        assert found.title.startswith("train.py uses keras.backend.set_image_dim_ordering, which")
        assert diagnose(context).causes[0].confidence == "certain"
    inside = failed(
        raised("AttributeError", "module 'keras.backend' has no attribute 'x'", f"{SITE}/a/b.py")
    )
    assert judge("KD601", world(variables={"KERAS_BACKEND": "jax"}, outcomes=(inside,))) == []
