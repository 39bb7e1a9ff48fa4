"""Edits of lines that set a variable: too late, to the wrong value, or to no good."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from fixes.editing import (
    JAX,
    SCRIPT,
    TENSORFLOW,
    WORLDS,
    by_rule,
    carried_out,
    dist,
    of_keras,
    read,
    text,
    world,
)
from keras_doctor.model import Finding, ScriptImport
from keras_doctor.rules.base import finding
from keras_doctor.rules.context import Context
from keras_doctor.rules.remedies import edit

TUNER = dist("keras-tuner", "1.4.7", "keras", "numpy", imports=("keras_tuner",))
KERAS_3 = world(of_keras("3.8.0", *JAX, *TENSORFLOW), beside=(TUNER,))


class Case(NamedTuple):
    """A program and what it becomes; None: no edit is honest."""

    id: str
    before: str
    after: str | None
    line: int


def setting(cause: str, line: int, value: str | None = None) -> Finding:
    """A line of the program sets a variable, and something is wrong with that."""
    return finding(
        "KD100",
        cause,
        "train.py",
        title="The setting is wrong",
        why="",
        evidence=(),
        stage=0,
        weight="fatal",
        fixes=[edit("edit-code", f"{SCRIPT}:{line}", "Change it.", value)],
    )


SET = 'os.environ["KERAS_BACKEND"] = "jax"'
LATE = [
    Case(
        "os is there",
        f"import os\nimport keras\n{SET}  # mine\n\nkeras\n",
        f"import os\n{SET}  # mine\nimport keras\n\n\nkeras\n",
        3,
    ),
    Case(
        "os comes later",
        f"import numpy\nfrom keras import layers\nimport os\n{SET}\n",
        f"import numpy\nimport os\n{SET}\nfrom keras import layers\nimport os\n\n",
        4,
    ),
    Case(
        "os by another name",
        'import keras\nimport os as o\no.environ["KERAS_BACKEND"] = "jax"\n',
        'import os as o\no.environ["KERAS_BACKEND"] = "jax"\nimport keras\nimport os as o\n\n',
        3,
    ),
    Case(
        "environ itself, as a default",
        'import keras\nfrom os import environ\nenviron.setdefault("KERAS_BACKEND", "jax")\n',
        'from os import environ\nenviron.setdefault("KERAS_BACKEND", "jax")\nimport keras\n'
        "from os import environ\n\n",
        3,
    ),
    Case(
        "over several lines",
        """
        import os
        import tensorflow as tf
        os.environ.update({
            "KERAS_BACKEND": "jax",  # fast
        })  # so
        tf
        """,
        """
        import os
        os.environ.update({
            "KERAS_BACKEND": "jax",  # fast
        })  # so
        import tensorflow as tf



        tf
        """,
        3,
    ),
    Case(
        "an import in a block",
        f"import os\nif True:\n    try:\n        import keras\n    finally:\n        pass\n{SET}\n",
        f"import os\n{SET}\nif True:\n    try:\n        import keras\n    finally:\n"
        "        pass\n\n",
        7,
    ),
    Case(
        "an import in a function runs later",
        f"import os\ndef f():\n    import keras\nfrom tf_keras import layers\n{SET}\nf()\n",
        f"import os\ndef f():\n    import keras\n{SET}\nfrom tf_keras import layers\n\nf()\n",
        5,
    ),
    Case(
        "a package that needs Keras",
        f"import os\nimport numpy\nimport keras_tuner\nimport keras\n{SET}\n",
        f"import os\nimport numpy\n{SET}\nimport keras_tuner\nimport keras\n\n",
        5,
    ),
    Case(
        "the import after another statement",
        f"import os; import keras\n{SET}\n",
        f"import os; {SET}; import keras\n\n",
        2,
    ),
    Case(
        "both after other statements",
        f"import numpy, os; import keras; x = 1; {SET}; y = 1\n",
        f"import numpy, os; {SET}; import keras; x = 1; pass; y = 1\n",
        1,
    ),
    Case(
        "the switch of tf.keras",
        'import tensorflow\nimport os\nos.environ["TF_USE_LEGACY_KERAS"] = "1"\n',
        'import os\nos.environ["TF_USE_LEGACY_KERAS"] = "1"\nimport tensorflow\nimport os\n\n',
        3,
    ),
    Case(
        "Theano's flags, which TensorFlow does not read",
        "import os\nimport tensorflow\nimport theano\nos.environ['THEANO_FLAGS'] = 'a=b'\n",
        "import os\nimport tensorflow\nos.environ['THEANO_FLAGS'] = 'a=b'\nimport theano\n\n",
        4,
    ),
    Case("a value that is computed", f"import os\nimport keras\n{SET} + x\n", None, 3),
    Case("a key that is computed", "import os\nimport keras\nos.environ[KEY] = 'jax'\n", None, 3),
    Case("in a function", f"import os\nimport keras\ndef f():\n    {SET}\nf()\n", None, 4),
    Case("under a condition", f"import os\nimport keras\nif os.name:\n    {SET}\n", None, 4),
    Case("early enough", f"import os\n{SET}\nimport keras\n", None, 2),
    Case("taken away", 'import os\nimport keras\ndel os.environ["KERAS_BACKEND"]\n', None, 3),
    Case(
        "a class with a decorator",
        f"import os\n@f\nclass A:\n    import keras\n{SET}\n",
        None,
        5,
    ),
    Case("another variable", "import os\nimport keras\nos.environ['A'] = 'jax'\n", None, 3),
    Case("no statement", "import os\nimport keras\n# nothing\n", None, 3),
]


@pytest.mark.parametrize("case", LATE, ids=lambda case: case.id)
def test_too_late(case: Case) -> None:
    before = text(case.before)
    found = setting("backend-setting-ignored", case.line)
    after = carried_out(found, before, KERAS_3)
    assert after == (before if case.after is None else text(case.after))


def test_too_late_by_the_rule() -> None:
    before = f"import os\r\nimport keras\r\n{SET}\r\n"
    after = f"import os\r\n{SET}\r\nimport keras\r\n\r\n"
    assert by_rule("KD104", before, KERAS_3) == after


def test_a_module_of_the_users_own_that_imports_keras() -> None:
    before = f"import os\nimport numpy\nimport helpers\nimport keras\n{SET}\n"
    script = read(before)
    imports: list[ScriptImport] = []
    for one in script.imports:
        own = one.module == "helpers"
        imports.append(one._replace(local=own))
        if own:
            imports.append(
                one._replace(path="/home/ada/project/helpers.py", line=7, module="keras.layers")
            )
    snapshot = KERAS_3.snapshot._replace(script=script._replace(imports=tuple(imports)))
    found = setting("backend-setting-ignored", 5)
    after = carried_out(found, before, Context(snapshot))
    assert after == f"import os\nimport numpy\n{SET}\nimport helpers\nimport keras\n\n"


def test_a_keras_that_reads_no_setting() -> None:
    before = f"import os\nimport keras\n{SET}\n"
    found = setting("backend-setting-ignored", 3)
    assert carried_out(found, before, WORLDS["keras 2.10"]) == before


VALUES = [
    ('os.environ["KERAS_BACKEND"] = "pytorch"  # x', 'os.environ["KERAS_BACKEND"] = "torch"  # x'),
    ("os.environ['KERAS_BACKEND'] = 'pytorch'", "os.environ['KERAS_BACKEND'] = 'torch'"),
    ("x = 1; os.environ['KERAS_BACKEND'] = NAME", "x = 1; os.environ['KERAS_BACKEND'] = \"torch\""),
    (
        "os.environ.setdefault('KERAS_BACKEND', 'x')",
        "os.environ.setdefault('KERAS_BACKEND', 'torch')",
    ),
    (
        "os.environ.update({'A': 'b', 'KERAS_BACKEND': 'x'})",
        "os.environ.update({'A': 'b', 'KERAS_BACKEND': 'torch'})",
    ),
    (
        "os.environ.update(A='b', KERAS_BACKEND='x')",
        "os.environ.update(A='b', KERAS_BACKEND='torch')",
    ),
    (
        "os.environ.update(dict(A='b', KERAS_BACKEND='x'))",
        "os.environ.update(dict(A='b', KERAS_BACKEND='torch'))",
    ),
    ("os.environ |= {'KERAS_BACKEND': 'x'}", "os.environ |= {'KERAS_BACKEND': 'torch'}"),
    ("keras.config.set_backend('x')", "keras.config.set_backend('torch')"),
    ("os.environ['KERAS_BACKEND'] = f()", None),
    ("os.environ['KERAS_BACKEND'] = 'a' if x else 'b'", None),
    ("os.environ['OTHER'] = 'x'", None),
    ("print('x')", None),
]


@pytest.mark.parametrize(("before", "after"), VALUES)
def test_wrong_value(before: str, after: str | None) -> None:
    head = "import os, keras\nNAME = 'x'\n"
    found = setting("backend-unknown", 3, "torch")
    assert carried_out(found, head + before, KERAS_3) == head + (after or before)


def test_wrong_value_by_the_rule() -> None:
    before = "import os\nos.environ['KERAS_BACKEND'] = 'pytorch'\nimport keras\n"
    after = "import os\nos.environ['KERAS_BACKEND'] = 'torch'\nimport keras\n"
    assert by_rule("KD101", before, KERAS_3) == after


REMOVED = [
    (
        "os.environ['TF_USE_LEGACY_KERAS'] = '1'  # old\n",
        "# os.environ['TF_USE_LEGACY_KERAS'] = '1'  # old\n",
    ),
    (
        "if 1:\n    os.environ['TF_USE_LEGACY_KERAS'] = '1'\n",
        "if 1:\n    pass  # os.environ['TF_USE_LEGACY_KERAS'] = '1'\n",
    ),
    ("x = 1; os.environ['TF_USE_LEGACY_KERAS'] = '1'\n", "x = 1; pass\n"),
    ("os.environ.update(TF_USE_LEGACY_KERAS='1', KERAS_BACKEND='jax')\n", None),
]


@pytest.mark.parametrize(("before", "after"), REMOVED)
def test_to_no_good(before: str, after: str | None) -> None:
    head = "import os\n"
    line = (head + before).count("\n")
    found = setting("legacy-keras-switch", line)
    assert carried_out(found, head + before, KERAS_3) == head + (after or before)
