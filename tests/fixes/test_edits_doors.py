"""Edits of programs that use two Kerases, or a private copy: one of them throughout."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from rules.factory import SCRIPT, failed, judge, raised

from fixes.editing import (
    BOTH_KERASES,
    LEGACY,
    TENSORFLOW,
    TF_KERAS,
    by_rule,
    dist,
    of_keras,
    text,
    with_,
    world,
)
from keras_doctor.fixes.edits import edits_for
from keras_doctor.model import Script
from keras_doctor.rules.context import Context

BOTH = BOTH_KERASES
SWITCHED = world(with_(of_keras("3.8.0", *TENSORFLOW), TF_KERAS), variables=LEGACY)
OLD = world(of_keras("2.3.1", dist("tensorflow", "2.2.0")))
ADDED = failed(
    raised(
        "TypeError",
        "The added layer must be an instance of class Layer. Found: "
        "<tensorflow.python.keras.layers.core.Dense object at 0x7f>",
        "/env/lib/site-packages/keras/engine/sequential.py",
    )
)


class Case(NamedTuple):
    """A program of a world, and what it becomes by the first finding of a rule."""

    id: str
    rule: str
    world: Context
    before: str
    after: str | None


CASES = [
    Case(
        "names of tf_keras",
        "KD603",
        BOTH,
        """
        import keras
        from tf_keras.layers import (
            Dense,  # one
            Flatten as F,
        )
        keras.Sequential([Dense(1), F()])
        """,
        """
        import keras
        from keras.layers import (
            Dense,  # one
            Flatten as F,
        )
        keras.Sequential([Dense(1), F()])
        """,
    ),
    Case(
        "tf_keras itself, in all ways to write it",
        "KD603",
        BOTH,
        """
        import keras
        import tf_keras
        import tf_keras as k2, os
        import tf_keras.layers as L
        from tf_keras import layers, backend as K
        tf_keras.Sequential([k2.layers.Dense(1), L.Dense(1), layers.Dense(1)]); K.floatx()
        """,
        """
        import keras
        import keras as tf_keras
        import keras as k2, os
        import keras.layers as L
        from keras import layers, backend as K
        tf_keras.Sequential([k2.layers.Dense(1), L.Dense(1), layers.Dense(1)]); K.floatx()
        """,
    ),
    Case(
        "a module by its whole path",
        "KD603",
        BOTH,
        "from keras import Sequential\nimport tf_keras.layers\n"
        "Sequential([tf_keras.layers.Dense(1)])\n",
        "from keras import Sequential\nimport keras.layers\nimport keras as tf_keras\n"
        "Sequential([tf_keras.layers.Dense(1)])\n",
    ),
    Case(
        "a star",
        "KD603",
        BOTH,
        "import keras\nfrom tf_keras.layers import *\nkeras.Sequential([Dense(1)])\n",
        "import keras\nfrom keras.layers import *\nkeras.Sequential([Dense(1)])\n",
    ),
    Case(
        "a name that Keras 3 has elsewhere",
        "KD603",
        BOTH,
        "import keras\nfrom tf_keras.utils import Sequence\n"
        "from tf_keras.engine.training import Model\n"
        "keras, Sequence, Model\n",
        "import keras\nfrom keras.utils import Sequence\nfrom keras import Model\n"
        "keras, Sequence, Model\n",
    ),
    Case(
        "tensorflow.keras that the switch makes tf_keras",
        "KD603",
        SWITCHED,
        """
        import keras
        import tensorflow as tf
        from tensorflow.keras.layers import Dense
        from tensorflow import keras as tk, nn
        keras.Sequential([Dense(1), tf.keras.layers.Flatten(), tk.layers.Dense(1)]); nn, tf.nn
        """,
        """
        import keras
        import tensorflow as tf
        from keras.layers import Dense
        from tensorflow import nn
        import keras as tk
        keras.Sequential([Dense(1), keras.layers.Flatten(), tk.layers.Dense(1)]); nn, tf.nn
        """,
    ),
    Case(
        "tensorflow.keras beside Keras 2.3",
        "KD603",
        OLD,
        "from keras.models import Sequential\nimport tensorflow.keras.layers as L\n"
        "Sequential([L.Dense(1)])\n",
        "from keras.models import Sequential\nimport keras.layers as L\nSequential([L.Dense(1)])\n",
    ),
    Case(
        "attributes alone, Keras not imported by its name",
        "KD603",
        Context(OLD.snapshot, outcomes=(ADDED,)),
        """
        from keras.models import Sequential
        def build():
            import numpy, tensorflow as tf  # here
            return Sequential([tf.keras.layers.Dense(1), tf.nn.relu(numpy)])
        """,
        """
        from keras.models import Sequential
        def build():
            import numpy  # here
            import tensorflow as tf
            import keras
            return Sequential([keras.layers.Dense(1), tf.nn.relu(numpy)])
        """,
    ),
    Case(
        "something that Keras 3 has nowhere",
        "KD603",
        BOTH,
        "import keras\nfrom tf_keras.layers import Dense, LocallyConnected1D\n"
        "keras, Dense, LocallyConnected1D\n",
        None,
    ),
    Case(
        "an attribute that Keras 3 has not",
        "KD603",
        BOTH,
        "import keras\nimport tf_keras\ntf_keras.layers.LocallyConnected1D(keras)\n",
        None,
    ),
    Case(
        "the private copy, in a program of Keras",
        "KD605",
        BOTH,
        """
        import keras
        try:
            from tensorflow.python.keras.layers import Dense; from os import path
        except ImportError:
            raise
        from tensorflow.python.keras import backend as K, regularizers
        from tensorflow.python.keras.engine.training import Model
        keras, Dense, path, K.floatx, Model
        """,
        """
        import keras
        try:
            from keras.layers import Dense; from os import path
        except ImportError:
            raise
        from keras import backend as K, regularizers
        from keras import Model
        keras, Dense, path, K.floatx, Model
        """,
    ),
    Case(
        "the private copy, in a program of TensorFlow",
        "KD605",
        BOTH,
        """
        import tensorflow as tf
        from tensorflow.python.keras.layers import Dense
        import tensorflow.python.keras.utils as u
        tf.python.keras.layers.Flatten, Dense, u.to_categorical
        """,
        """
        import tensorflow as tf
        from tensorflow.keras.layers import Dense
        import tensorflow.keras.utils as u
        tf.keras.layers.Flatten, Dense, u.to_categorical
        """,
    ),
    Case(
        "an inner thing of the private copy that is used",
        "KD605",
        BOTH,
        "import keras\nfrom tensorflow.python.keras.utils import tf_utils\ntf_utils.x, keras\n",
        None,
    ),
    Case(
        "an inner thing of the private copy that nothing uses",
        "KD605",
        BOTH,
        "import keras\nfrom tensorflow.python.keras.utils import tf_utils\n",
        "import keras\n# from tensorflow.python.keras.utils import tf_utils"
        "  (not used; keras has no such thing)\n",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_one_keras(case: Case) -> None:
    before = text(case.before)
    expected = before if case.after is None else text(case.after)
    assert by_rule(case.rule, before, case.world) == expected


def of_files(**files: str) -> Context:
    """A program of several files, each with one line."""
    from fixes.editing import read

    folder = SCRIPT.rpartition("/")[0]
    rows = [
        one._replace(path=f"{folder}/{name}.py")
        for name, program in files.items()
        for one in read(program).imports
    ]
    script = Script(path=SCRIPT, imports=tuple(rows), settings=(), problem=None)
    return Context(BOTH.snapshot._replace(script=script))


def test_one_fix_for_each_file_that_needs_it() -> None:
    context = of_files(
        train="import keras\n", a="from tf_keras.layers import Dense\n", b="import tf_keras\n"
    )
    (found,) = judge("KD603", context)
    assert [(one.name, one.value, one.continues) for one in found.fixes] == [
        ("/home/ada/project/a.py:1", "keras", True),
        ("/home/ada/project/b.py:1", "keras", False),
    ]
    (edit,) = edits_for(found, found.fixes[1], "import tf_keras\n", context)
    assert (edit.path, edit.new) == ("/home/ada/project/b.py", "import keras as tf_keras")


def test_one_fix_for_each_file_of_the_private_copy() -> None:
    line = "from tensorflow.python.keras.layers import Dense\n"
    (found,) = judge("KD605", of_files(train=line + line.replace("Dense", "Flatten"), a=line))
    assert [(one.name, one.value, one.continues) for one in found.fixes] == [
        (SCRIPT + ":1", "tensorflow.keras", True),
        ("/home/ada/project/a.py:1", "tensorflow.keras", False),
    ]
    assert "layers import Dense and from tensorflow.keras.layers" in found.fixes[0].summary
