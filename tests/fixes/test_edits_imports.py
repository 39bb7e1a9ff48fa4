"""Edits of imports of what is not there: moved, misspelt, or not used."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from fixes.editing import SCRIPT, WORLDS, carried_out, not_there, text
from keras_doctor.fixes.edits import edits_for


class Case(NamedTuple):
    """A program, what is missing at which line, and what it becomes; None: no edit is honest."""

    id: str
    world: str
    subject: str
    before: str
    after: str | None
    line: int = 1
    never: bool = False


MOVED = [
    Case(
        "all names to one module",
        "keras 2.10",
        "keras.layers.merge",
        "from keras.layers.merge import concatenate, add  # join\nadd, concatenate\n",
        "from keras.layers import concatenate, add  # join\nadd, concatenate\n",
    ),
    Case(
        "an alias stays",
        "keras 3",
        "keras.utils.np_utils",
        "from keras.utils.np_utils import to_categorical as onehot\nonehot([1])\n",
        "from keras.utils import to_categorical as onehot\nonehot([1])\n",
    ),
    Case(
        "in parentheses, with comments, only the module changes",
        "keras 3",
        "keras.layers.convolutional",
        """
        from keras.layers.convolutional import (  # noqa
            Conv2D,  # the first
            UpSampling2D as Up,
        )  # end
        Conv2D(Up)
        """,
        """
        from keras.layers import (  # noqa
            Conv2D,  # the first
            UpSampling2D as Up,
        )  # end
        Conv2D(Up)
        """,
    ),
    Case(
        "after a backslash",
        "keras 3",
        "keras.layers.pooling",
        "from keras.layers.pooling \\\n    import MaxPooling2D\nMaxPooling2D()\n",
        "from keras.layers \\\n    import MaxPooling2D\nMaxPooling2D()\n",
    ),
    Case(
        "names that went to different modules, one of them not used",
        "keras 3",
        "keras.utils.generic_utils",
        """
        if True:
            from keras.engine import (  # old
                # the layer
                Layer,
                Network, Model as M,
            )  # all
            Layer(M)
        """,
        """
        if True:
            from keras import Layer, Model as M  # all  # old
            # the layer



            Layer(M)
        """,
        line=2,
    ),
    Case(
        "names that are in different modules now",
        "keras 3",
        "keras.objectives",
        "from keras.engine.saving import load_model, Progbar, Layer as L\nload_model(Progbar, L)\n",
        "from keras.saving import load_model\nfrom keras.utils import Progbar\n"
        "from keras import Layer as L\nload_model(Progbar, L)\n",
    ),
    Case(
        "some names are still there",
        "keras 3",
        "keras.utils.np_utils",
        "from keras.utils import np_utils, plot_model\nnp_utils.to_categorical(plot_model)\n",
        "from keras.utils import plot_model\nfrom keras import utils as np_utils\n"
        "np_utils.to_categorical(plot_model)\n",
    ),
    Case(
        "a module of which all that is used is elsewhere",
        "keras 2.13",
        "keras.utils.np_utils",
        "from keras.utils import np_utils\nx = np_utils.to_categorical(np_utils.normalize(1))\n",
        "from keras import utils as np_utils\nx = np_utils.to_categorical(np_utils.normalize(1))\n",
    ),
    Case(
        "import as",
        "keras 3",
        "keras.utils.np_utils",
        "import numpy as np, keras.utils.np_utils as u\nu.to_categorical(np)\n",
        "import numpy as np, keras.utils as u\nu.to_categorical(np)\n",
    ),
    Case(
        "import by the whole path, changed where it is used",
        "keras 3",
        "keras.utils.np_utils",
        """
        import keras.utils.np_utils
        def f(x):
            y = keras.utils.np_utils.to_categorical(x); return keras.utils.np_utils.to_categorical
        """,
        """
        import keras.utils
        def f(x):
            y = keras.utils.to_categorical(x); return keras.utils.to_categorical
        """,
    ),
    Case(
        "import by the whole path, of which nothing is used",
        "keras 3",
        "keras.engine.topology",
        "import keras.engine.topology\nkeras.Model\n",
        "import keras\nkeras.Model\n",
    ),
    Case(
        "classes of an inner module",
        "keras 3",
        "keras.engine.topology",
        "from keras.engine.topology import Layer, InputSpec\nLayer, InputSpec\n",
        "from keras.layers import Layer, InputSpec\nLayer, InputSpec\n",
    ),
    Case(
        "what TensorFlow's door to the same Keras still has",
        "keras 3 and tensorflow",
        "keras.preprocessing.text",
        "from keras.preprocessing.text import Tokenizer\nTokenizer()\n",
        "from tensorflow.keras.preprocessing.text import Tokenizer\nTokenizer()\n",
    ),
    Case(
        "two statements in one line",
        "keras 2.10",
        "keras.layers.merge",
        "import numpy; from keras.layers.merge import add; add()\n",
        "import numpy; from keras.layers import add; add()\n",
    ),
    Case(
        "a module among statements in one line",
        "keras 3",
        "keras.utils.np_utils",
        "x = 1; from keras.utils import np_utils, plot_model; np_utils.to_categorical(x)\n",
        "x = 1; from keras.utils import plot_model; from keras import utils as np_utils;"
        " np_utils.to_categorical(x)\n",
    ),
    Case(
        "below a condition on its line",
        "keras 2.10",
        "keras.layers.merge",
        "if 1: from keras.layers.merge import add\nadd()\n",
        "if 1: from keras.layers import add\nadd()\n",
    ),
    Case(
        "tabs, in a function",
        "keras 3",
        "keras.utils.np_utils",
        "def f():\n\tfrom keras.utils import np_utils, plot_model\t# x\n"
        "\tnp_utils.normalize(plot_model)\n",
        "def f():\n\tfrom keras.utils import plot_model\t# x\n\tfrom keras import utils as np_utils"
        "\n\tnp_utils.normalize(plot_model)\n",
        line=2,
    ),
    Case(
        "line ends of Windows and a byte order mark",
        "keras 3",
        "keras.utils.np_utils",
        "\ufefffrom keras.utils import np_utils, plot_model\r\nnp_utils.normalize(plot_model)\r\n",
        "\ufefffrom keras.utils import plot_model\r\nfrom keras import utils as np_utils\r\n"
        "np_utils.normalize(plot_model)\r\n",
    ),
    Case(
        "without a line end, behind letters of several bytes",
        "keras 2.10",
        "keras.layers.merge",
        "ü = 'ß€'; from keras.layers.merge import add; print(ü, add)",
        "ü = 'ß€'; from keras.layers import add; print(ü, add)",
    ),
    Case(
        "a module used as an object",
        "keras 3",
        "keras.utils.np_utils",
        "from keras.utils import np_utils\nprint(np_utils)\n",
        None,
    ),
    Case(
        "a module of which something used is nowhere",
        "keras 3",
        "keras.utils.np_utils",
        "from keras.utils import np_utils\nnp_utils.probas_to_classes(1)\n",
        None,
    ),
    Case(
        "functions of one name are not one function",
        "keras 3",
        "keras.backend.mean_of",
        "from keras.engine.topology import mean\nmean(1)\n",
        None,
    ),
    Case(
        "everything of a module",
        "keras 3",
        "keras.layers.core",
        "from keras.layers.core import *\nDense(1)\n",
        None,
    ),
    Case(
        "an index that knows the path to be there",
        "keras 3",
        "keras.models",
        "from keras.models import Sequential\nSequential()\n",
        None,
    ),
    Case(
        "no import on that line",
        "keras 3",
        "keras.utils.np_utils",
        "import keras\nkeras.utils.np_utils\n",
        None,
        line=2,
    ),
    Case("no Python", "keras 3", "keras.utils.np_utils", "print 1\n", None),
]


@pytest.mark.parametrize("case", MOVED, ids=lambda case: case.id)
def test_moved(case: Case) -> None:
    check(case)


MISSPELT = [
    Case(
        "other capitals",
        "keras 2.8",
        "keras.layers.Relu",
        "from keras.layers import Relu, Dropout\nRelu(), Dropout\n",
        "from keras.layers import ReLU as Relu, Dropout\nRelu(), Dropout\n",
        never=True,
    ),
    Case(
        "an alias that is what was meant",
        "keras 2.8",
        "keras.layers.Relu",
        "from keras.layers import (\n    Relu as ReLU,\n    Dropout)\nReLU, Dropout\n",
        "from keras.layers import (\n    ReLU,\n    Dropout)\nReLU, Dropout\n",
        never=True,
    ),
    Case(
        "a letter",
        "keras 3",
        "keras.layers.Flaten",
        "from keras.layers import Flaten as F\nF()\n",
        "from keras.layers import Flatten as F\nF()\n",
        never=True,
    ),
    Case(
        "another number is another thing",
        "keras 3",
        "keras.layers.Conv4D",
        "from keras.layers import Conv4D\nConv4D()\n",
        None,
        never=True,
    ),
    Case(
        "a slip is no move",
        "keras 3",
        "keras.layers.Flaten",
        "from keras.layers import Flaten\nFlaten()\n",
        None,
    ),
    Case(
        "through TensorFlow",
        "keras 3 and tensorflow",
        "tensorflow.keras.layers.dense",
        "from tensorflow.keras.layers import dense\ndense(1)\n",
        "from tensorflow.keras.layers import Dense as dense\ndense(1)\n",
        never=True,
    ),
]


@pytest.mark.parametrize("case", MISSPELT, ids=lambda case: case.id)
def test_misspelt(case: Case) -> None:
    check(case)


CONTRIB = (
    "# from tensorflow.contrib import rnn  (not used; tensorflow 2.2.0 has no tensorflow.contrib)"
)
UNUSED = [
    Case(
        "a comment in its place",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "import os\nfrom tensorflow.contrib import rnn\nos\n",
        f"import os\n{CONTRIB}\nos\n",
        line=2,
    ),
    Case(
        "its own comment stays",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "from tensorflow.contrib import rnn  # old\n",
        f"{CONTRIB}  # old\n",
    ),
    Case(
        "alone in a block",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "def f():\n\tfrom tensorflow.contrib import rnn\n",
        f"def f():\n\tpass  {CONTRIB}\n",
        line=2,
    ),
    Case(
        "only imports in a block",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "if 1:\n    import os\n    from tensorflow.contrib import rnn\n",
        f"if 1:\n    import os\n    pass  {CONTRIB}\n",
        line=3,
    ),
    Case(
        "not alone in a block",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "if 1:\n    x = 1\n    from tensorflow.contrib import rnn\n",
        f"if 1:\n    x = 1\n    {CONTRIB}\n",
        line=3,
    ),
    Case(
        "over several lines",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "from tensorflow.contrib import (\n    rnn,  # why\n)\nx = 1\n",
        f"{CONTRIB}\n    # why\n\nx = 1\n".replace("    # why", "# why"),
    ),
    Case(
        "with another statement on its line",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "from tensorflow.contrib import rnn; x = 1  # c\n",
        "pass; x = 1  # c\n",
    ),
    Case(
        "after a colon",
        "tensorflow 2.2",
        "tensorflow.contrib",
        "if 1: from tensorflow.contrib import rnn\n",
        "if 1: pass\n",
    ),
    Case(
        "only some of its names are gone",
        "keras 3",
        "keras.preprocessing.image.ImageDataGenerator",
        "from keras.preprocessing.image import ImageDataGenerator, load_img as li  # x\nli()\n",
        "from keras.preprocessing.image import load_img as li  # x\nli()\n",
    ),
    Case(
        "a module of which nothing is used",
        "keras 3",
        "keras.utils.np_utils",
        "from keras.utils import np_utils\nimport keras\n",
        "# from keras.utils import np_utils  (not used; keras 3.8.0 has no keras.utils.np_utils)\n"
        "import keras\n",
    ),
    Case(
        "a word in a docstring is no use",
        "tensorflow 2.2",
        "tensorflow.contrib",
        'def f():\n    """An rnn."""\nprint("rnn")\nfrom tensorflow.contrib import rnn\n',
        f'def f():\n    """An rnn."""\nprint("rnn")\n{CONTRIB}\n',
        line=4,
    ),
    Case(
        "a package that nobody indexed",
        "keras 3",
        "sklearn.externals.joblib",
        "from sklearn.externals import joblib, six\nsix\n",
        "from sklearn.externals import six\nsix\n",
    ),
    *(
        Case(
            f"used: {what}",
            "tensorflow 2.2",
            "tensorflow.contrib",
            f"from tensorflow.contrib import rnn\n{use}\n",
            None,
        )
        for what, use in {
            "called": "rnn.LSTMCell(1)",
            "in a function": "def f():\n    return rnn",
            "in __all__": "__all__ = ['rnn']",
            "added to __all__": "__all__ = []\n__all__ += ['rnn']",
            "by getattr": "import train\ngetattr(train, 'rnn')",
            "an annotation": "def f(x: 'rnn.Cell') -> None: ...",
            "a result's annotation": "def f() -> 'rnn.Cell': ...",
            "a variable's annotation": "x: 'rnn.Cell'",
            "bound again": "rnn = rnn or 1",
            "a parameter of that name": "def f(rnn): ...",
            "globals": "globals()[input()]",
            "eval": "eval(input())",
            "vars": "vars()['r' + 'nn']",
            "the module itself": "import sys\nsys.modules[__name__]",
            "a star import": "from os.path import *",
        }.items()
    ),
]


@pytest.mark.parametrize("case", UNUSED, ids=lambda case: case.id)
def test_unused(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("use", ["model.eval()", "vars(args)", "model.modules()", "rnns = 1"])
def test_what_is_no_use(use: str) -> None:
    before = f"from tensorflow.contrib import rnn\n{use}\n"
    found = not_there("tensorflow.contrib", 1)
    assert carried_out(found, before, WORLDS["tensorflow 2.2"]) == f"{CONTRIB}\n{use}\n"


@pytest.mark.parametrize(
    "name",
    ["train.ipynb (cell 1):1", "/p/train.ipynb:1", "train.py", "<string>:1", "/p/train.py:0", ""],
)
def test_what_is_no_line_of_a_file(name: str) -> None:
    found = not_there("tensorflow.contrib", 1)
    fix = found.fixes[0]._replace(name=name)
    program = "from tensorflow.contrib import rnn\n"
    assert edits_for(found, fix, program, WORLDS["tensorflow 2.2"]) == ()


def test_a_path_is_told_from_the_folder_of_the_program() -> None:
    found = not_there("tensorflow.contrib", 1)
    fix = found.fixes[0]._replace(name="train.py:1")
    program = "from tensorflow.contrib import rnn\n"
    (edit,) = edits_for(found, fix, program, WORLDS["tensorflow 2.2"])
    assert edit.path == SCRIPT
    assert "nothing here uses rnn" in edit.reason


def check(case: Case) -> None:
    """The edits of a case, by what they make of the program."""
    before = text(case.before)
    found = not_there(case.subject, case.line, never=case.never)
    after = carried_out(found, before, WORLDS[case.world])
    assert after == (before if case.after is None else text(case.after))
    assert after.count("\r\n") == after.count("\n") or "\r" not in before
