"""What a program uses of its imports is looked up in its place; saving is tried where it saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from keras_doctor.live import run_imports
from keras_doctor.live.probe import statements_of
from keras_doctor.model import Outcome
from keras_doctor.targets.script import read_script
from keras_doctor.targets.tried import attributes_of, saves_models
from live.patients import EDGES, Patient

pytestmark = pytest.mark.pythons
LAZY = """\
import sys, types
class Lazy(types.ModuleType):
    def __getattr__(self, name):
        if name == "estimator":
            raise ImportError("the estimator of another release")
        raise AttributeError("module 'tensorflow' has no attribute %r" % name)
me = Lazy(__name__)
me.__dict__.update(__file__=__file__, __path__=[], __version__="1.14.0")
me.app = types.ModuleType("app")
class Flags:
    def __getattr__(self, name):
        raise RuntimeError("flags were read before they were parsed")
me.app.FLAGS = Flags()
sys.modules[__name__] = me
"""


def tried(patient: Patient, text: str) -> Outcome:
    program = patient.project / "train.py"
    program.write_text(text)
    script = read_script(str(program), folder=str(patient.project))
    statements = statements_of(script, attributes_of(script))
    return run_imports(patient.target, patient.environ, statements, timeout=20.0)


@pytest.mark.parametrize("version", EDGES)
def test_a_module_that_loads_late_fails_at_the_line_of_its_use(
    version: str, patient_of: Callable[[str], Patient]
) -> None:
    patient = patient_of(version)
    patient.module("tensorflow", LAZY)
    outcome = tried(patient, "import tensorflow as tf\n\nx = tf.estimator.Estimator\n")
    assert outcome.status == "raised"
    assert (outcome.failed_statement, outcome.failed_line) == ("tensorflow.estimator.Estimator", 3)
    assert outcome.chain[-1].message == "the estimator of another release"


@pytest.mark.parametrize(
    "text",
    [
        "import tensorflow as tf\nprint(tf.app.FLAGS.batch_size)\n",
        "import tensorflow as tf\ntry:\n    tf.contrib.x\nexcept AttributeError:\n    pass\n",
        "import tensorflow as tf\nif hasattr(tf, 'contrib'):\n    tf.contrib.layers.flatten\n",
        "import tensorflow as tf\nif tf.__version__ < '2':\n    tf.contrib.layers.flatten\n",
        "import tensorflow as tf\ny = tf.contrib.x if tf.__version__ < '2' else None\n",
        "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None\n",
    ],
)
def test_what_depends_on_the_run_is_not_looked_up(patient: Patient, text: str) -> None:
    patient.module("tensorflow", LAZY)
    patient.module("keras", "def backend():\n    return 'none'\n")
    outcome = tried(patient, text)
    assert "contrib" not in outcome.output
    assert "flags" not in outcome.output


def test_an_attribute_that_is_gone_is_found_without_running_the_program(patient: Patient) -> None:
    patient.module("tensorflow", LAZY)
    outcome = tried(patient, "import tensorflow as tf\ndef f():\n    return tf.contrib.layers.x\n")
    assert outcome.chain[-1].type == "AttributeError"
    assert outcome.failed_line == 3


@pytest.mark.parametrize(
    ("text", "saves"),
    [
        ("from keras.models import load_model\nload_model('a')\n", True),
        ("model.save_weights('a.h5')\n", True),
        ("model.fit(x, y)\n", False),
        ("this is no Python\n", False),
    ],
)
def test_whether_a_program_saves(tmp_path: Path, text: str, saves: bool) -> None:
    program = tmp_path / "train.py"
    program.write_text(text)
    assert saves_models(read_script(str(program), folder=str(tmp_path))) is saves
