"""The tool that reads wheels for the index of import paths, on small constructed ones."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from keras_doctor.knowledge.pathindex import PathIndex
from tools.knowledge.archives import UnreadableError, place, read_files
from tools.knowledge.bindings import Facts, read_module
from tools.knowledge.checkpaths import judged, questions
from tools.knowledge.paths import Index, compiled, read_package, read_tensorflow
from tools.knowledge.pathsources import Sources, final_releases
from tools.knowledge.pathtree import runs
from tools.knowledge.publicpaths import is_read, roots_of, surface_of, wanted
from tools.knowledge.surface import Module, Reader, Surface


def wheel(path: Path, files: Mapping[str, str | bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def sdist(path: Path, files: Mapping[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def reader(**files: str) -> Reader:
    """``a__b="text"`` is the module a/b.py, ``a`` a package when there is more below it."""
    texts: dict[str, bytes | None] = {}
    for name, text in files.items():
        inner = name.replace("__", "/")
        package = any(other.startswith(name + "__") for other in files)
        texts[f"{inner}/__init__.py" if package else f"{inner}.py"] = text.encode()
    return Reader(texts)


def read(text: str, module: str = "m", *, is_package: bool = False) -> Facts:
    return read_module(text.encode(), module, is_package=is_package)


def test_bindings() -> None:
    facts = read(
        "import os, a.b, numpy as np\nfrom x import y as z\nX = 1\nY: int = 2\n(P, [Q, *R]) = f()\n"
        "def f(): inner = 1\nclass C: attribute = 1\nasync def g(): pass\n"
        "if a:\n    In = 1\nelse:\n    Else = 2\n"
        "try:\n    T = 1\nexcept E:\n    H = 1\nfinally:\n    F = 1\n"
        "with w as v:\n    W = 1\nfor i in j:\n    J = 1\nwhile k:\n    K = 1\n"
        "setattr(here, 'S', 1)\nglobals()['G'] = 1\ngone = 1\ndel gone\n"
    )
    expected = "os a np z X Y P Q R f C g In Else T H F v W i J K S G"
    assert facts.names == set(expected.split())
    assert not facts.is_open


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("def __getattr__(name): pass", True),
        ("import sys\nsys.modules[__name__] = Other()", True),
        ("import sys\nsys.modules[__name__] = Wrapper(sys.modules[__name__])", False),
        ("globals().update(more)", True),
        ("globals()[name] = 1", True),
        ("exec(text)", True),
        ("print(1)", False),
    ],
)
def test_modules_that_may_have_more_names(text: str, is_open: bool) -> None:
    assert read(text).is_open is is_open


def test_relative_imports() -> None:
    facts = read("from .. import k\nfrom ..other import *\nfrom . import *\n", "a.b.c")
    assert facts.stars == ["a.other", "a.b"]
    package = read("from .sub import thing\nimport a.deep.er\n", "a", is_package=True)
    assert package.names == {"sub", "thing", "a", "deep"}


def test_all_that_is_written_out_and_all_that_is_not() -> None:
    assert read("__all__ = ['a']\n__all__ += ['b']\n__all__.extend(['c'])").exports == list("abc")
    assert read("__all__ = ['a'] + other.__all__").exports is None
    assert read("__all__ = [n for n in dir()]").exports is None


@pytest.mark.parametrize(
    "text",
    [
        "print 'Python 2'\nclass A(object):\n    pass\nB = 1\nfrom x import c, d as e\n",
        "def f(:\nclass A:\nB = 1\nfrom x import c, d as e",
        "try:\n    x\nexcept E, e:\n    pass\nclass A: pass\nB = 1\nimport c, e\n",
    ],
)
def test_a_file_in_another_syntax_is_there_and_open(text: str) -> None:
    facts = read(text)
    assert facts.is_open
    assert {"A", "B", "c", "e"} <= facts.names


@pytest.mark.parametrize("text", [b"\0\0", b"x = (" + b"(" * 5000, b"\xff\xfe class A: pass", b""])
def test_what_is_no_text_does_no_harm(text: bytes) -> None:
    assert "A" not in read_module(text, "m", is_package=False).names or text


def test_star_imports_of_the_same_package() -> None:
    found = reader(
        p="from .a import *\nfrom p.b import *\n",
        p__a="X = 1\n_hidden = 1\nfrom .c import *\n",
        p__b="__all__ = ['Listed']\nListed = Unlisted = 1\n",
        p__c="Deep = 1\n",
    ).module("p")
    assert {"X", "Deep", "Listed"} <= found.names
    assert not {"_hidden", "Unlisted"} & found.names
    assert not found.is_open


def test_star_imports_in_a_circle_end() -> None:
    circle = reader(p="", p__a="from .b import *\nA = 1\n", p__b="from .a import *\nB = 1\n")
    assert circle.module("p.a").names == {"A", "B"}
    assert circle.module("p.b").names == {"A", "B"}


def test_star_imports_from_elsewhere_leave_a_module_open() -> None:
    text = {"p/__init__.py": b"from other import *\n"}
    assert Reader(text).module("p").is_open
    known = Reader(text, {"other": Module(frozenset({"O"}), is_open=False)}).module("p")
    assert known.names == {"O"}
    assert not known.is_open


def test_undocumented_names_are_removed_as_tensorflow_1_did() -> None:
    found = reader(
        p='"""Doc.\n\n@@kept\n"""\nfrom x import kept, gone, allowed, late\nfrom p import doc\n'
        "_allowed = ['allowed']\n_allowed.extend(['late'])\n"
        "remove_undocumented(__name__, _allowed, [doc])\nfrom y import other\n",
        p__doc='"""@@other"""',
    ).module("p")
    assert found.names == {"kept", "allowed", "late", "other"}


def test_tools_of_a_module_are_told_from_what_it_offers() -> None:
    found = reader(
        p="",
        p__a="import numpy as np\nfrom p import b\nfrom p.b import Thing\n",
        p__b="Thing = 1\n",
    ).module("p.a")
    assert found.names == {"np", "b", "Thing"}
    assert found.borrowed == {"np", "b"}


@pytest.mark.parametrize(
    ("raw", "put"),
    [
        ("keras/layers/core.py", "keras/layers/core.py"),
        ("x-1.0.data/purelib/keras/a.py", "keras/a.py"),
        ("x-1.0.data/platlib/keras/a.py", "keras/a.py"),
        ("../keras/a.py", None),
        ("keras/../../a.py", None),
        ("/keras/a.py", None),
        ("C:/keras/a.py", None),
        ("keras\\a.py", None),
        ("keras//a.py", None),
        ("keras/./a.py", None),
    ],
)
def test_names_in_archives_are_not_trusted(raw: str, put: str | None) -> None:
    assert place(raw) == put


def test_archives(tmp_path: Path) -> None:
    texts = {"keras/__init__.py": "A = 1", "keras/b.py": "B = 1", "other/__init__.py": ""}
    hostile = {"../keras/evil.py": "E = 1", "keras/../../evil.py": "E = 1", "keras/n.txt": "n"}
    binary = {"keras/fast.cpython-312-x86_64-linux-gnu.so": b"\x7fELF", "keras/libx.so": b"\x7fELF"}
    keras = wanted(["keras"])
    found = read_files(wheel(tmp_path / "w.whl", {**texts, **hostile, **binary}), keras)
    assert set(found) == {"keras/__init__.py", "keras/b.py", "keras/fast.so"}
    assert found["keras/fast.so"] is None
    inner = {f"keras-1.0/{name}": text for name, text in {**texts, **hostile}.items()}
    found = read_files(sdist(tmp_path / "s.tar.gz", inner), keras)
    assert set(found) == {"keras/__init__.py", "keras/b.py"}
    for name, text in texts.items():
        (tmp_path / "u" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "u" / name).write_text(text)
    assert set(read_files(tmp_path / "u", keras)) == set(found)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 and no more"])
def test_damaged_archives_are_told(tmp_path: Path, content: bytes) -> None:
    for name in ("a.whl", "a.tar.gz"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableError):
            read_files(tmp_path / name, is_read)


def test_what_is_not_read() -> None:
    assert is_read("keras/utils/test_utils.py")
    assert not is_read("keras/layers/core_test.py")
    assert not is_read("keras/tests/helper.py")
    assert not is_read("tensorflow/include/x/y.py")


def test_the_path_of_keras_3() -> None:
    init = "__path__.append(os.path.join(os.path.dirname(__file__), 'api'))\n"
    files = {"keras__api": "", "keras__api__layers": "class Dense: pass\n"}
    moved = surface_of(reader(keras=init, **files), "keras", roots_of("keras", 3))
    assert moved["keras.layers"].names == moved["keras.api.layers"].names == {"Dense"}
    assert "keras.layers" not in surface_of(
        reader(keras="", **files), "keras", roots_of("keras", 3)
    )


def test_the_path_of_tensorflow() -> None:
    surface = surface_of(
        Reader(
            {
                "tensorflow/__init__.py": b"__version__ = '2'\n",
                "tensorflow/_api/v2/__init__.py": b"",
                "tensorflow/_api/v2/nn/__init__.py": b"def relu(): pass\n",
                "tensorflow/python/__init__.py": b"x = 1\n",
                "keras/api/_v2/keras/__init__.py": b"Model = 1\n",
                "keras/api/_v1/keras/__init__.py": b"Old = 1\n",
            }
        ),
        "tensorflow",
        roots_of("tensorflow", 2),
    )
    assert surface["tensorflow.nn"].names == {"relu"}
    assert surface["tensorflow.keras"].names == {"Model"}
    assert surface["tensorflow.compat.v1.keras"].names == {"Old"}
    assert surface["tensorflow"].names == {"__version__"}
    assert surface["tensorflow.python"].is_open  # only its modules are listed
    assert not any("_api" in path or path.startswith("keras") for path in surface)


def test_runs() -> None:
    assert runs(frozenset({0, 1, 2, 5, 7, 8})) == "0-2 5 7-8"


def surface(**modules: str) -> Surface:
    return {
        name.replace("__", "."): Module(frozenset(text.replace("?", "").split()), "?" in text)
        for name, text in modules.items()
    }


def test_what_is_written_is_what_was_read() -> None:
    surfaces = [
        surface(p="a b", p__x="one two three four", p__q="?"),
        surface(p="a", p__x="one two three four", p__y="one two three four", p__q="?"),
        surface(p="a c", p__y="one two three four", p__y__z="deep ?", p__q="?"),
    ]
    data = compiled(Index("p", ["1.0", "1.1", "2.0"], [], surfaces, [("3", "why")]), [])
    index = PathIndex(json.loads(json.dumps(data)))
    for version, expected in zip(index.releases, surfaces, strict=True):
        for path in index.tree.modules():
            assert index.is_module(path, version) is (path in expected)
        for path, module in expected.items():
            assert index.exists_in(path, version) is True
            for name in ("a", "b", "c", "one", "deep", "nothing"):
                answer = index.exists_in(f"{path}.{name}", version)
                if name in module.names:
                    assert answer is True
                else:
                    assert answer is (None if module.is_open else False)
    assert index.ranges("p.x") == (("1.0", "1.1"),)
    assert index.ranges("p.b") == (("1.0", "1.0"),)
    assert index.exists_in("p.b", "1.0.5") is None  # its neighbours differ
    assert index.exists_in("p.x.one", "1.0.5") is True
    assert index.about["gaps"] == [["3", "why"]]


def test_releases_that_are_not_there_are_gaps(tmp_path: Path) -> None:
    wheel(
        tmp_path / "Keras_Applications-1.0.8-py3-none-any.whl", {"keras_applications/a.py": "A=1"}
    )
    wheel(tmp_path / "Keras_Applications-1.0.7-py3-none-any.whl", {"n": ""}).write_bytes(b"damaged")
    index = read_package(Sources(tmp_path, [], fetch=False), "keras_applications")
    assert index.releases == ["1.0.8"]
    gaps = dict(index.gaps)
    assert "1.0.7" in gaps["1.0.7"]
    assert set(gaps) == set(final_releases("keras-applications")) - {"1.0.8"}


def test_a_minor_of_tensorflow_with_the_packages_beside_it(tmp_path: Path) -> None:
    wheel(
        tmp_path / "tensorflow_cpu-2.6.5-cp38-cp38-linux.whl",
        {
            "tensorflow/__init__.py": "from tensorflow._api.v2 import nn\n",
            "tensorflow/_api/v2/__init__.py": "",
            "tensorflow/_api/v2/nn/__init__.py": "relu = 1",
        },
    )
    wheel(tmp_path / "keras-2.6.0-py3-none-any.whl", {"keras/api/_v2/keras/__init__.py": "M = 1"})
    wheel(
        tmp_path / "tensorflow-2.0.0-cp37-cp37m-linux.whl",
        {
            "tensorflow/__init__.py": 'names = ["tensorflow.keras"]\nfrom tensorflow_core import *',
            "tensorflow_core/__init__.py": "Variable = 1",
            "tensorflow_core/_api/v2/nn/__init__.py": "relu = 1",
            "tensorflow_core/_api/v2/__init__.py": "",
            "tensorflow_core/contrib/__init__.py": "",
            "tensorflow_core/python/keras/api/_v2/keras/__init__.py": "M = 1",
        },
    )
    index = read_tensorflow(Sources(tmp_path, [], fetch=False), ["2.0", "2.6", "2.7"])
    assert index.releases == ["2.0", "2.6"]
    assert index.read == ["2.0.0", "2.6.5"]
    old, new = index.surfaces
    assert old["tensorflow.keras"].names == new["tensorflow.keras"].names == {"M"}
    assert "tensorflow.contrib" not in old  # not among what the package forwards to
    assert old["tensorflow"].names == {"Variable"}
    assert new["tensorflow.nn"].names == {"relu"}
    assert ("2.7", "no wheel of it was there to be read") in index.gaps
    assert ("2.6", "of tensorboard was not there") in index.gaps


def test_comparing_with_real_imports() -> None:
    surfaces = [surface(p="a gone", p__x="one"), surface(p="a", p__y="two")]
    data = compiled(Index("p", ["1.0", "2.0"], [], surfaces, []), [])
    rows = questions(PathIndex(json.loads(json.dumps(data))), "2.0", 10)
    assert ("p.y", "module", True) in rows
    assert ("p.y.two", "name", True) in rows
    assert ("p.gone", "name", False) in rows
    assert ("p.x", "module", False) in rows
    answers = [None if expected else "ImportError: no" for _, _, expected in rows]
    assert all(cell["asked"] == cell["agree"] for cell in judged(rows, answers).values())
    wrong = judged([("p.y", "module", True)] * 2, ["ImportError: x (/a/b)", "No module named 'np'"])
    assert wrong["modules"]["other"] == ["p.y: ImportError: x"]
    assert wrong["modules"]["not installed"] == 1
