"""What the user's program imports and sets, in the order in which it runs."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_doctor.model import Script
from keras_doctor.targets.script import read_script

QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(folder: Path, text: str | bytes, name: str = "train.py") -> Script:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return read_script(str(path), folder=str(folder))


def texts(script: Script) -> list[str]:
    return [one.text for one in script.imports]


def test_imports_come_one_by_one_as_statements_that_stand_alone(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "from __future__ import annotations\n"
        "import numpy as np, keras.layers\n"
        "from keras.layers import (\n    Dense,  # why\n    Input as In,\n)\n"
        "from tensorflow import *\n",
    )
    assert texts(script) == [
        "import numpy as np",
        "import keras.layers",
        "from keras.layers import Dense, Input as In",
        "from tensorflow import *",
    ]
    assert [one.module for one in script.imports] == [
        "numpy", "keras.layers", "keras.layers", "tensorflow",
    ]  # fmt: skip
    assert [one.names for one in script.imports] == [(), (), ("Dense", "Input"), ("*",)]
    assert [one.line for one in script.imports] == [2, 2, 3, 7]
    assert script.problem is None
    assert not any(one.guarded or one.local for one in script.imports)


@pytest.mark.parametrize(
    ("text", "guarded"),
    [
        ("try:\n    import keras\nexcept ImportError:\n    import tf_keras", [True, True]),
        ("try:\n    import keras\nfinally:\n    import jax", [False, False]),
        ("if x:\n    import keras\nelse:\n    import jax", [True, True]),
        ("for x in y:\n    import keras", [True]),
        ("while x:\n    import keras", [True]),
        ("with x:\n    import keras", [False]),
        ("class A:\n    import keras\n    def f(self):\n        import jax", [False, True]),
        ("def f():\n    import keras", [True]),
        ("def f():\n    import keras\nf()", [False]),
        ("def f():\n    import keras\nif x:\n    f()", [True]),
        ("async def f():\n    import keras", [True]),
        ("match x:\n    case 1:\n        import keras", [True]),
        ("if __name__ == '__main__':\n    import keras", [False]),
        ("def main():\n    import keras\nif __name__ == '__main__':\n    main()", [False]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import keras", [False]),
        ("import importlib\nimportlib.import_module('keras')", [False, False]),
        ("m = __import__('keras')", [False]),
    ],
)
def test_what_may_not_run_is_guarded(tmp_path: Path, text: str, guarded: list[bool]) -> None:
    assert [one.guarded for one in read(tmp_path, text).imports] == guarded


def test_functions_run_where_they_are_called_and_the_rest_last(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "def late():\n    import theano\ndef early():\n    import jax\n    early()\n"
        "import numpy\nearly()\nimport keras\n",
    )
    assert texts(script) == ["import numpy", "import jax", "import keras", "import theano"]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('os.environ["KERAS_BACKEND"] = "jax"', ("KERAS_BACKEND", "jax", False)),
        ("environ['KERAS_BACKEND'] = 'jax'", ("KERAS_BACKEND", "jax", False)),
        ("system.environ['KERAS_HOME'] = x", ("KERAS_HOME", None, False)),
        ("os.environ['KERAS_BACKEND'] = NAME", ("KERAS_BACKEND", "torch", False)),
        ("os.environ['KERAS_BACKEND'] = f'{x}'", ("KERAS_BACKEND", None, False)),
        ("os.environ.setdefault('KERAS_BACKEND', 'jax')", ("KERAS_BACKEND", "jax", True)),
        ("os.environ.update({'THEANO_FLAGS': 'cxx='})", ("THEANO_FLAGS", "cxx=", False)),
        ("os.environ.update(TF_USE_LEGACY_KERAS='1')", ("TF_USE_LEGACY_KERAS", "1", False)),
        ("environ.update(dict(KERAS_BACKEND='jax'))", ("KERAS_BACKEND", "jax", False)),
        ("os.environ |= {'CUDA_VISIBLE_DEVICES': '-1'}", ("CUDA_VISIBLE_DEVICES", "-1", False)),
        ("os.putenv('KERAS_BACKEND', 'jax')", ("KERAS_BACKEND", "jax", False)),
        ("os.environ.pop('KERAS_BACKEND', None)", ("KERAS_BACKEND", "", False)),
        ("del os.environ['KERAS_BACKEND']", ("KERAS_BACKEND", "", False)),
        ("keras.config.set_backend('jax')", ("KERAS_BACKEND", "jax", False)),
        ("keras.utils.set_backend('jax')", ("KERAS_BACKEND", "jax", False)),
        ("K.set_backend('theano')", ("KERAS_BACKEND", "theano", False)),
        ("a = os.environ['KERAS_BACKEND'] = 'jax'", ("KERAS_BACKEND", "jax", False)),
    ],
)
def test_settings(tmp_path: Path, statement: str, expected: tuple[str, str | None, bool]) -> None:
    script = read(
        tmp_path,
        "import os, os as system\nfrom os import environ\nfrom keras import backend as K\n"
        f"NAME = 'torch'\n{statement}\n",
    )
    (setting,) = script.settings
    assert (setting.variable, setting.value, setting.default_only) == expected
    assert setting.text == statement
    assert setting.line == 5


@pytest.mark.parametrize(
    "statement",
    [
        "x = os.environ['KERAS_BACKEND']",
        "os.environ.get('KERAS_BACKEND', 'jax')",
        "other['KERAS_BACKEND'] = 'jax'",
        "os.environ['PATH'] = 'x'",
        "environ['KERAS_BACKEND'] = 'jax'",
        "os.environ['KERAS_BACKEND'] == 'jax'",
        "os.environ.update(values)",
        "matplotlib.set_backend('x')",
        "'os.environ[\"KERAS_BACKEND\"] = 1'",
    ],
)
def test_what_is_no_setting(tmp_path: Path, statement: str) -> None:
    assert read(tmp_path, f"import os\n{statement}\n").settings == ()


@pytest.mark.parametrize(
    ("first", "variable", "before"),
    [
        ("import numpy", "KERAS_BACKEND", True),
        ("import keras", "KERAS_BACKEND", False),
        ("import tensorflow as tf", "KERAS_BACKEND", False),
        ("from tf_keras import layers", "KERAS_BACKEND", False),
        ("import torch, jax, theano", "KERAS_BACKEND", True),
        ("import keras_tuner", "KERAS_BACKEND", True),
        ("try:\n    import keras\nexcept ImportError:\n    pass", "KERAS_BACKEND", True),
        ("def f():\n    import keras", "KERAS_BACKEND", True),
        ("def f():\n    import keras\nf()", "KERAS_BACKEND", False),
        ("import theano", "THEANO_FLAGS", False),
        ("import tensorflow", "THEANO_FLAGS", True),
        ("import torch", "CUDA_VISIBLE_DEVICES", False),
        ("import google.protobuf", "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", False),
    ],
)
def test_before_or_after_the_import(
    tmp_path: Path, first: str, variable: str, before: bool
) -> None:
    script = read(tmp_path, f"import os\n{first}\nos.environ['{variable}'] = '1'\nimport keras\n")
    assert [one.before_import for one in script.settings] == [before]


def test_local_modules_are_followed_in_place(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "config.py").write_text(
        "import os\nos.environ['KERAS_BACKEND'] = 'jax'\n"
        "if __name__ == '__main__':\n    import cntk\n"
    )
    (tmp_path / "pkg" / "__init__.py").write_text("from . import model\nfrom .deep import x\n")
    (tmp_path / "pkg" / "model.py").write_text("import keras\n")
    (tmp_path / "pkg" / "deep.py").write_text(
        "import config\nfrom ..pkg import model\nimport jax\n"
    )
    script = read(tmp_path, "import config\nfrom pkg import model\nimport torch\nimport config\n")
    shown = [(one.text, one.local, Path(one.path).name) for one in script.imports]
    assert shown == [
        ("import config", True, "train.py"),
        ("import os", False, "config.py"),
        ("from pkg import model", True, "train.py"),
        ("from . import model", True, "__init__.py"),
        ("import keras", False, "model.py"),
        ("from .deep import x", True, "__init__.py"),
        ("import config", True, "deep.py"),
        ("from ..pkg import model", True, "deep.py"),
        ("import jax", False, "deep.py"),
        ("import torch", False, "train.py"),
        ("import config", True, "train.py"),
    ]
    (setting,) = script.settings
    assert (setting.path, setting.before_import) == (str(tmp_path / "config.py"), True)
    after = read(tmp_path, "import keras\nimport config\n")
    assert [one.before_import for one in after.settings] == [False]


def test_a_local_file_with_a_packages_name_is_a_shadow_and_not_followed(tmp_path: Path) -> None:
    for name in ("keras.py", "tensorflow.py", "random.py"):
        (tmp_path / name).write_text("import secret\n")
    script = read(tmp_path, "import random\nimport keras\nfrom tensorflow import x\n")
    assert texts(script) == ["import random", "import keras", "from tensorflow import x"]
    assert not any(one.local for one in script.imports)


def test_following_is_bounded_and_survives_circles(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"m{number}.py").write_text(f"import m{number + 1}\nimport train\n")
    (tmp_path / "m8.py").write_text("import keras")
    script = read(tmp_path, "import m0\n")
    assert "import m5" in texts(script)
    assert "import m6" not in texts(script)
    for number in range(60):
        (tmp_path / f"n{number}.py").write_text(f"import x{number}")
    script = read(tmp_path, "\n".join(f"import n{number}" for number in range(60)))
    assert texts(script).count("import x48") == 1
    assert texts(script).count("import x49") == 0


def test_modules_and_code(tmp_path: Path) -> None:
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    (tmp_path / "pkg" / "__init__.py").write_text("import os\nos.environ['KERAS_BACKEND'] = 'jax'")
    (tmp_path / "pkg" / "sub" / "run.py").write_text("from ..x import y\nimport keras")
    (tmp_path / "pkg" / "x.py").write_text("import torch")
    script = read_script(None, module="pkg.sub.run", folder=str(tmp_path))
    assert script.path == str(tmp_path / "pkg" / "sub" / "run.py")
    assert texts(script) == ["import os", "from ..x import y", "import torch", "import keras"]
    assert script.settings[0].before_import
    script = read_script(None, code="import config; import keras", folder=str(tmp_path))
    assert (script.path, texts(script)) == ("<string>", ["import config", "import keras"])
    script = read_script(None, module="pip", folder=str(tmp_path))
    assert script.imports == ()
    assert script.problem == "the module pip is not in the working folder: not the user's own"


@pytest.mark.parametrize(
    ("text", "problem", "imports"),
    [
        ("import keras\nprint 'hello'\n", "Python 2 syntax in line 2", 1),
        ("import keras\ntry:\n    pass\nexcept A, e:\n    pass\n", "Python 2 syntax in line 4", 1),
        ("import keras\nexec 'x'\n", "Python 2 syntax in line 2", 1),
        ("x = 0777\n", "Python 2 syntax in line 1", 0),
        ("import keras\nx = (\n", "syntax error in line 2: '(' was never closed", 1),
        ("import keras\n  x = 1\n", "syntax error in line 2: unexpected indent", 1),
        ("x\0y", "{path} is not a text file", 0),
        (b"# coding: nonsense\nimport keras", "syntax error|cannot be read as Python", 1),
        (b"x = '\xff'\nimport keras", "syntax error|cannot be read as Python", 1),
        ("import keras\nx = " + "(" * 5000, "syntax error|cannot be read as Python", 1),
        ("import keras\nx = " + "-" * 100000 + "1", "cannot be read as Python", 1),
        ("import keras\n" + "if x: pass\n" * 5000, "None", 1),
        ("if x: pass\n" + "elif x: pass\n" * 9000 + "import keras", ".", 1),
    ],
)
def test_what_is_not_python_3_says_so_and_gives_what_can_be_read(
    tmp_path: Path, text: str | bytes, problem: str, imports: int
) -> None:
    import re

    script = read(tmp_path, text)
    found = str(script.problem)
    path = str(tmp_path / "train.py")
    assert found == problem.replace("{path}", path) or re.search(problem, found)
    assert len(script.imports) == imports
    assert "\n" not in found


def test_missing_and_odd_files(tmp_path: Path) -> None:
    def problem(path: str) -> str | None:
        return read_script(path, folder=str(tmp_path)).problem

    assert problem(str(tmp_path / "no.py")) == f"there is no file {tmp_path}/no.py"
    assert problem(str(tmp_path)) == f"{tmp_path} is not a regular file"
    assert problem("-") == "the program comes from the standard input"
    assert problem("a\0b") == "there is no file a\0b"
    (tmp_path / "big.py").write_bytes(b"#" * (3 << 20))
    assert problem(str(tmp_path / "big.py")) == f"{tmp_path}/big.py is larger than 2 MiB: not read"
    assert problem("/dev/zero") == "/dev/zero is not a regular file"


def notebook(*cells: str | list[str]) -> str:
    code = [{"cell_type": "code", "source": cell} for cell in cells]
    return json.dumps({"cells": [{"cell_type": "markdown", "source": "import x"}, *code]})


def test_notebooks(tmp_path: Path) -> None:
    book = notebook(
        ["%env KERAS_BACKEND=jax\n", "!pip install keras\n", "%matplotlib inline\n", "?keras\n",
         "import keras\n", "files = !ls\n", "keras.layers?"],
        "%%bash\nimport wrong\nexport KERAS_BACKEND=theano",
        "%%time\nfrom keras import (\n    layers)\nif True:\n    %set_env TF_USE_LEGACY_KERAS 1\n",
        "x = (",
        "import os\nos.environ['KERAS_BACKEND'] = 'torch'",
    )  # fmt: skip
    script = read(tmp_path, book, "nb.ipynb")
    path = str(tmp_path / "nb.ipynb")
    assert texts(script) == ["import keras", "from keras import layers", "import os"]
    assert [(one.path, one.line) for one in script.imports] == [
        (f"{path} (cell 1)", 5), (f"{path} (cell 3)", 2), (f"{path} (cell 5)", 1),
    ]  # fmt: skip
    assert [(one.variable, one.value, one.before_import, one.text) for one in script.settings] == [
        ("KERAS_BACKEND", "jax", True, "%env KERAS_BACKEND=jax"),
        ("TF_USE_LEGACY_KERAS", "1", False, "%set_env TF_USE_LEGACY_KERAS 1"),
        ("KERAS_BACKEND", "torch", False, "os.environ['KERAS_BACKEND'] = 'torch'"),
    ]
    assert script.path == path
    assert script.problem == "syntax error in line 1 of cell 4: '(' was never closed"


def test_names_of_one_cell_hold_in_the_next(tmp_path: Path) -> None:
    book = notebook(
        "import os as o", "def f():\n    import keras", "f()\no.environ['KERAS_HOME']='x'"
    )
    script = read(tmp_path, book, "nb.ipynb")
    assert [one.before_import for one in script.settings] == [False]


def test_old_notebooks(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "input": ["import keras"]}]
    book = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]})
    assert texts(read(tmp_path, book, "nb.ipynb")) == ["import keras"]


@QUICK
@given(st.one_of(st.text(), st.binary()))
def test_any_text_is_survived(tmp_path: Path, text: str | bytes) -> None:
    script = read(tmp_path, text)
    assert script.problem is None or script.problem


FRAGMENTS = st.lists(
    st.sampled_from(
        ["import keras", "from . import x", "try:", "except:", "    ", "\n", "if x:", "def f():",
         "os.environ['KERAS_BACKEND']", " = ", "'jax'", "f()", "(", ")", "%env A=b", "print 'x'",
         "class A:", "\t", "import os", "from os import environ as e", ";", "#", '"""', "\\", "\r"]
    )
)  # fmt: skip


@QUICK
@given(FRAGMENTS)
def test_every_import_found_is_one_statement_that_compiles(
    tmp_path: Path, parts: list[str]
) -> None:
    script = read(tmp_path, "".join(parts))
    for one in script.imports:
        (node,) = ast.parse(one.text).body
        assert isinstance(node, ast.Import | ast.ImportFrom)
        assert "\n" not in one.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "cell_type", "source", "worksheets", "input"]) | st.text(),
            inner,
        )
    ),
    max_leaves=20,
)


@QUICK
@given(JSON)
def test_any_notebook_is_survived(tmp_path: Path, value: object) -> None:
    read(tmp_path, json.dumps(value), "nb.ipynb")
    read(tmp_path, json.dumps({"cells": value}), "nb.ipynb")
    read(tmp_path, json.dumps({"worksheets": value}), "nb.ipynb")
    read(tmp_path, json.dumps({"cells": [{"cell_type": "code", "source": value}]}), "nb.ipynb")


@QUICK
@given(FRAGMENTS)
def test_any_cell_is_survived(tmp_path: Path, parts: list[str]) -> None:
    read(tmp_path, notebook("".join(parts)), "nb.ipynb")


def test_a_notebook_that_nests_without_end(tmp_path: Path) -> None:
    script = read(tmp_path, "[" * 100_000, "nb.ipynb")
    assert "is not a notebook" in str(script.problem)
