"""What a quoted failure means, by who asked for what: one text for each way to fail."""

from __future__ import annotations

import pytest

import keras_doctor

FIRST = [
    (
        "backend-not-installed",
        (
            "Using Theano backend.\n"
            "Traceback (most recent call last):\n"
            '  File "/usr/lib/python2.7/site-packages/keras/backend/theano_backend.py", l'
            "ine 1, in <module>\n"
            "    import theano\n"
            "ImportError: No module named theano"
        ),
    ),
    (
        "keras-backend-mismatch",
        (
            '  File "/home/u/.local/lib/python3.6/site-packages/keras/backend/tensorflow_'
            'backend.py", line 54, in <module>\n'
            "    get_graph = tf_keras_backend.get_graph\n"
            "AttributeError: module 'tensorflow.python.keras.backend' has no attribute 'g"
            "et_graph'"
        ),
    ),
    (
        "keras-backend-mismatch",
        (
            "ImportError: cannot import name 'dtensor' from 'tensorflow.compat.v2.experim"
            "ental' (unknown location)"
        ),
    ),
    (
        "keras-backend-mismatch",
        ("AttributeError: module 'tensorflow.compat.v2.__internal__' has no attribute 'dispatch'"),
    ),
    (
        "keras-backend-mismatch",
        "cannot import name 'get_config' from 'tensorflow.python.eager.context'",
    ),
    (
        "api-removed-or-moved",
        "ModuleNotFoundError: No module named 'tensorflow.contrib'",
    ),
    (
        "api-removed-or-moved",
        (
            "ImportError: cannot import name 'BatchNormalization' from 'keras.layers.norm"
            "alization' (C:\\Users\\u\\anaconda3\\lib\\site-packages\\keras\\layers\\normalizatio"
            "n\\__init__.py)"
        ),
    ),
    (
        "api-removed-or-moved",
        "ModuleNotFoundError: No module named 'keras.wrappers'",
    ),
    (
        "api-removed-or-moved",
        "ModuleNotFoundError: No module named 'keras.layers.core'",
    ),
    (
        "api-removed-or-moved",
        "AttributeError: module 'tensorflow' has no attribute 'placeholder'",
    ),
    (
        "undeclared-incompatibility",
        (
            '  File "/x/lib/python3.7/site-packages/h5py/__init__.py", line 36, in <modul'
            "e>\n"
            "FutureWarning: x\n"
            "AttributeError: module 'numpy' has no attribute 'typeDict'"
        ),
    ),
    (
        "undeclared-incompatibility",
        (
            "ImportError: cannot import name 'TypeIs' from 'typing_extensions' (/usr/lib/"
            "python3.10/site-packages/typing_extensions.py)"
        ),
    ),
    (
        "not-installed",
        "ModuleNotFoundError: No module named 'h5py'",
    ),
    (
        "wrong-interpreter",
        (
            "$ pip3 list | grep tensorflow\n"
            "tensorflow (1.4.0)\n"
            "$ python\n"
            ">>> import tensorflow\n"
            "ImportError: No module named tensorflow"
        ),
    ),
    (
        "shadowed-module",
        (
            "Traceback (most recent call last):\n"
            '  File "tensorflow.py", line 1, in <module>\n'
            "    import tensorflow as tf\n"
            '  File "/home/u/tensorflow.py", line 2, in <module>\n'
            "AttributeError: partially initialized module 'tensorflow' has no attribute '"
            "constant' (most likely due to a circular import)"
        ),
    ),
    (
        "shadowed-module",
        (
            "AttributeError: partially initialized module 'tensorflow' has no attribute '"
            "keras' (most likely due to a circular import)"
        ),
    ),
    (
        "shadowed-module",
        (
            "ImportError: cannot import name 'Sequential' from partially initialized modu"
            "le 'keras.models' (most likely due to a circular import) (/home/u/proj/keras"
            "/models.py)"
        ),
    ),
    (
        "windows-dll",
        (
            "ImportError: DLL load failed: The specified procedure could not be found.\n"
            "\n"
            "Failed to load the native TensorFlow runtime."
        ),
    ),
    (
        "cuda-mismatch",
        (
            "ImportError: Could not find 'cudart64_90.dll'. TensorFlow requires that this"
            " DLL be installed in a directory that is named in your %PATH%"
        ),
    ),
    (
        "no-matching-distribution",
        (
            "ERROR: Could not find a version that satisfies the requirement tensorflow==1"
            ".15 (from versions: 2.2.0)\n"
            "ERROR: No matching distribution found for tensorflow==1.15"
        ),
    ),
    (
        "legacy-keras-switch",
        (
            "RuntimeError: Failed to import transformers.models.bert.modeling_tf_bert bec"
            "ause of the following error: Your currently installed version of Keras is Ke"
            "ras 3, but this is not yet supported in Transformers. Please install the bac"
            "kwards-compatible tf-keras package with `pip install tf-keras`."
        ),
    ),
    (
        "tensorflow-variant-or-plugin-mismatch",
        (
            '  File "/x/site-packages/tensorflow_addons/utils/types.py", line 29, in <mod'
            "ule>\n"
            "    from keras.src.engine import keras_tensor\n"
            "ModuleNotFoundError: No module named 'keras.src.engine'"
        ),
    ),
    (
        "tensorflow-variant-or-plugin-mismatch",
        (
            "tensorflow.python.framework.errors_impl.NotFoundError: /x/tensorflow_text/py"
            "thon/metrics/_text_similarity_metric_ops.so: undefined symbol: _ZN10tensorfl"
            "ow0"
        ),
    ),
    (
        "crash-on-import",
        "The kernel appears to have died. It will restart automatically.",
    ),
    (
        "python-unsupported",
        (
            '  File "/x/lib/python3.7/site-packages/tensorflow/python/pywrap_tensorflow_i'
            'nternal.py", line 114\n'
            "    def TFE_ContextOptionsSetAsync(arg1, async):\n"
            "                                             ^\n"
            "SyntaxError: invalid syntax"
        ),
    ),
    (
        "python-unsupported",
        "ModuleNotFoundError: No module named 'distutils'",
    ),
    (
        "python-unsupported",
        "ModuleNotFoundError: No module named 'imp'",
    ),
    (
        "namespace-remnant",
        "ImportError: cannot import name 'keras' from 'tensorflow' (unknown location)",
    ),
    (
        "undeclared-incompatibility",
        "AttributeError: module 'gast' has no attribute 'Index'",
    ),
    (
        "undeclared-incompatibility",
        (
            '  File "/x/theano/tensor/x.py" in y\n'
            "AttributeError: module 'numpy.distutils.__config__' has no attribute 'blas_o"
            "pt_info'"
        ),
    ),
    (
        "missing-files",
        (
            "ImportError: cannot import name 'pywrap_tensorflow' from 'tensorflow.python'"
            " (/x/lib/python3.8/site-packages/tensorflow/python/__init__.py)"
        ),
    ),
    (
        "mixed-keras-and-tf-keras",
        (
            "ValueError: Could not interpret optimizer identifier: <tensorflow.python.ker"
            "as.optimizer_v2.adam.Adam object at 0x0>"
        ),
    ),
    (
        "not-installed",
        (
            "ImportError: Failed to import pydot. You must install pydot and graphviz for"
            " `pydotprint` to work."
        ),
    ),
    (
        "requirement-unmet",
        (
            "ERROR: pip's dependency resolver does not currently take into account all th"
            "e packages that are installed.\n"
            "tensorflow 2.10.0 requires protobuf<3.20,>=3.9.2, but you have protobuf 4.21"
            ".5 which is incompatible."
        ),
    ),
    (
        "backend-not-installed",
        (
            '  File "/x/lib/python3.11/site-packages/keras/src/backend/torch/__init__.py"'
            ", line 17, in <module>\n"
            "    import torch\n"
            "ModuleNotFoundError: No module named 'torch'"
        ),
    ),
    (
        "wrong-architecture",
        (
            "ImportError: dlopen(/x/_pywrap_tensorflow_internal.so, 6): mach-o file, but "
            "is an incompatible architecture (have 'arm64', need 'x86_64')"
        ),
    ),
    (
        "wrong-architecture",
        "zsh: illegal hardware instruction  python",
    ),
    (
        "network-or-permission",
        "PermissionError: [Errno 13] Permission denied: '/root/.keras'",
    ),
    (
        "keras-config-invalid",
        (
            '  File "/x/site-packages/keras/backend/common.py", line 1\n'
            "ValueError: Unknown floatx type: float46"
        ),
    ),
    (
        "toolchain-too-old",
        (
            "ImportError: /lib64/libstdc++.so.6: version `GLIBCXX_3.4.20' not found (requ"
            "ired by /x/_pywrap_tensorflow.so)"
        ),
    ),
    (
        "api-never-existed",
        (
            "ImportError: cannot import name 'Relu' from 'keras.layers' (/x/lib/python3.8"
            "/site-packages/keras/layers/__init__.py)"
        ),
    ),
    (
        "not-installed",
        "ImportError: `load_weights` requires h5py.",
    ),
    (
        "backend-unknown",
        "ValueError: Unable to import backend : theano",
    ),
    (
        "keras-backend-mismatch",
        (
            "ImportError: Keras requires TensorFlow 2.2 or higher. Install TensorFlow via"
            " `pip install tensorflow`"
        ),
    ),
]


@pytest.mark.parametrize(("cause", "text"), FIRST, ids=range(len(FIRST)))
def test_the_first_cause(cause: str, text: str) -> None:
    diagnosis = keras_doctor.explain(text).diagnosis
    assert [result.reason for result in diagnosis.results if result.state == "crashed"] == []
    assert diagnosis.causes[0].cause == cause
    assert all(one.title and one.why and one.evidence for one in diagnosis.causes)


def test_facts_change_what_the_same_words_mean() -> None:
    text = "ImportError: cannot import name 'np_utils' from 'keras.utils'"
    told = keras_doctor.explain(text, packages={"keras": "3.5.0"}).diagnosis.causes[0]
    assert "Keras 3.5.0 does not have keras.utils.np_utils" in told.title
    assert "1.0.0 to 2.12.0" in told.why


def test_a_nightly_is_told_to_be_one() -> None:
    text = "----> 1 import keras.backend\nModuleNotFoundError: No module named 'keras.backend'"
    packages = {"keras-nightly": "3.3.3.dev2024061903"}
    assert keras_doctor.explain(text, packages=packages).diagnosis.causes[0].cause == "upstream-bug"


def test_nothing_known_stays_unknown() -> None:
    causes = keras_doctor.explain("ValueError: the moon is full").diagnosis.causes
    assert [one.cause for one in causes] == ["unknown"]


def test_a_warning_beside_a_traceback_is_no_cause() -> None:
    warning = (
        "2021-05-01 10:00:00.123456: W tensorflow/dso_loader.cc:60] Could not load dynamic library "
        "'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file\n"
    )
    frame = 'Traceback (most recent call last):\n  File "a.py", line 2, in <module>\n'
    text = f"{warning}{frame}    from keras.utils import np_utils\n"
    text += "ImportError: cannot import name 'np_utils' from 'keras.utils'\n"
    causes = [one.cause for one in keras_doctor.explain(text).diagnosis.causes]
    assert causes[0] == "api-removed-or-moved"
    assert "cuda-mismatch" not in causes
    alone = keras_doctor.explain(warning).diagnosis.causes
    assert "cuda-mismatch" in [one.cause for one in alone]
