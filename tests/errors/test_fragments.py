"""Failures as people quote them: fragments, IPython, prefixes, several in one text."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_doctor.errors.facts import Given, facts_of_file, facts_of_text
from keras_doctor.errors.given import given_outcomes, told
from keras_doctor.errors.lists import packages_in
from keras_doctor.errors.reading import MAX_WHOLE, read_text
from keras_doctor.errors.traceback import read_failures
from keras_doctor.model import Raised

KNOWN = frozenset({"keras", "tensorflow", "numpy", "tensorflow-gpu"})


def last(text: str) -> Raised:
    return read_failures(text)[-1][-1]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("ModuleNotFoundError: No module named 'keras'", "ModuleNotFoundError", "No module"),
        ("No module named 'keras.engine'", "ModuleNotFoundError", "No module named 'keras.engine'"),
        ("> E   ImportError: cannot import name 'x'", "ImportError", "cannot import name 'x'"),
        (
            "\u201cImportError: Keras requires TensorFlow 2.2\u201d",
            "ImportError",
            "Keras requires",
        ),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left",
            "OSError",
            "[Errno 28]",
        ),
        ("AttributeError: 'tuple' object has no attribute 'layer'", "AttributeError", "'tuple'"),
        (
            "it says module 'tensorflow' has no attribute 'Session'",
            "AttributeError",
            "module 'tensorflow' has",
        ),
        ("DLL load failed: The specified module could not be found.", "ImportError", "DLL load"),
        ("google.protobuf.message.DecodeError: x", "google.protobuf.message.DecodeError", "x"),
    ],
)
def test_a_lone_message(text: str, kind: str, message: str) -> None:
    raised = last(text)
    assert raised.type == kind
    assert raised.message.startswith(message)


@pytest.mark.parametrize(
    "text",
    [
        "DeprecationWarning: np.bool is deprecated",
        "Error",
        "The docs say that an ImportError may come.",
        "INFO: all is well",
        "",
        "\x00\xff",
    ],
)
def test_no_failure_is_seen_where_there_is_none(text: str) -> None:
    assert read_failures(text) == ()


FRAMES = [
    '  File "/e/lib/python3.8/site-packages/keras/a.py", line 7, in f\n    import x\n',
    "File /e/lib/python3.8/site-packages/keras/a.py:7, in f(y)\n      6 \n----> 7 import x\n",
    "/e/lib/python3.8/site-packages/keras/a.py in f(y)\n      6 a\n----> 7 import x\n      8 b\n",
    "    /e/lib/python3.8/site-packages/keras/a.py:7 f  *\n        import x\n",
    "/e/lib/python3.8/site-packages/keras/a.py:7: in f\n    import x\n",
]


@pytest.mark.parametrize("frames", FRAMES)
def test_every_layout_of_a_frame(frames: str) -> None:
    raised = last(frames + "ModuleNotFoundError: No module named 'x'\n")
    frame = raised.frames[-1]
    assert (frame.file, frame.line, frame.function, frame.text) == (
        "/e/lib/python3.8/site-packages/keras/a.py",
        7,
        "f",
        "import x",
    )


def test_ipython_with_a_chain() -> None:
    text = (
        "-----------------------------------------------------------------\n"
        "ModuleNotFoundError                       Traceback (most recent call last)\n"
        "~/keras/backend.py in <module>\n      1 try:\n----> 2     import theano\n\n"
        "ModuleNotFoundError: No module named 'theano'\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "ImportError                               Traceback (most recent call last)\n"
        "Cell In[3], line 1\n----> 1 import keras\n\n"
        "ImportError: no backend\n"
    )
    (chain,) = read_failures(text)
    assert [(r.type, r.link) for r in chain] == [
        ("ModuleNotFoundError", "context"),
        ("ImportError", None),
    ]
    assert chain[0].frames[0].text == "import theano"
    assert chain[1].frames[0].file == "<cell 3>"


def test_a_chain_whose_beginning_was_cut_off() -> None:
    text = (
        '  File "/x/json/decoder.py", line 5, in f\nValueError: no JSON\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n'
        "    import keras\nRuntimeError: late\n"
    )
    (chain,) = read_failures(text)
    assert [r.type for r in chain] == ["ValueError", "RuntimeError"]
    assert chain[0].link == "context"


@pytest.mark.parametrize(
    "prefix", ["web_1  | ", "2024-05-06T07:08:09.123Z ", "#12 3.456 ", "> ", "[stderr] "]
)
def test_prefixes_of_logs(prefix: str) -> None:
    text = FRAMES[1] + "ModuleNotFoundError: No module named 'x'"
    quoted = "\n".join(prefix + line for line in text.splitlines())
    assert last(quoted).frames[-1].function == "f"
    assert last(quoted).name == "x"


def test_several_failures_are_all_there_in_their_order() -> None:
    text = "ImportError: one\n\nsome words\n\nValueError: two\nIllegal instruction (core dumped)"
    outcomes = given_outcomes(text)
    assert [o.chain[-1].message for o in outcomes[:2]] == ["one", "two"]
    assert outcomes[2].signal == "SIGILL"


FACTS = [
    ('File "C:\\Users\\u\\Anaconda3\\envs\\t\\lib\\site-packages\\k.py"', None, "windows", "conda"),
    ('File "/home/u/e/lib/python3.7/site-packages/k.py"', "3.7", "linux", None),
    ("/Users/u/miniforge3/lib/python3.10/site-packages/k.py", "3.10", "macos", "conda"),
    ("Python 3.6.8 |Anaconda, Inc.| (default)", "3.6.8", None, "conda"),
    ("C:\\Python37\\lib\\site-packages", "3.7", "windows", None),
    ("x.cpython-312-x86_64-linux-gnu.so: undefined symbol", "3.12", "linux", None),
]


@pytest.mark.parametrize(("text", "python", "system", "manager"), FACTS)
def test_what_paths_give_away(
    text: str, python: str | None, system: str | None, manager: str | None
) -> None:
    found = facts_of_text(text, KNOWN)
    assert (found.python, found.system, found.manager) == (python, system, manager)


LISTS = [
    "keras==2.3.1\nnumpy==1.16.4\n",
    "Package    Version\n---------- -------\nKeras      2.3.1\nnumpy      1.16.4  /src/numpy\n",
    "# Name   Version   Build  Channel\nkeras  2.3.1  py37_0  conda-forge\nnumpy  1.16.4  py37\n",
    "dependencies:\n  - keras=2.3.1=py37_0\n  - numpy=1.16.4\n",
    "Name: Keras\nVersion: 2.3.1\nName: numpy\nVersion: 1.16.4\n",
    "Successfully installed keras-2.3.1 numpy-1.16.4",
    "Requirement already satisfied: keras in . (2.3.1)\n"  # noqa: ISC004 -- one text of two lines
    "Requirement already satisfied: numpy>=1.9 in ./e (from keras) (1.16.4)",
    "[pip3] numpy==1.16.4\n[conda] keras==2.3.1",
    "Keras (2.3.1)\nnumpy (1.16.4, /src)",
    "I use Keras 2.3.1 and numpy version: 1.16.4",
    json.dumps([{"name": "Keras", "version": "2.3.1"}, {"name": "numpy", "version": "1.16.4"}]),
    json.dumps(
        {
            "installed": [
                {"metadata": {"name": "keras", "version": "2.3.1"}},
                {"metadata": {"name": "numpy", "version": "1.16.4"}},
            ]
        }
    ),
    json.dumps({"packages": {"keras": "2.3.1", "numpy": "v1.16.4"}}),
    json.dumps({"packages": ["keras==2.3.1", "numpy 1.16.4"]}),
]


@pytest.mark.parametrize("text", LISTS, ids=range(len(LISTS)))
def test_lists_of_packages(text: str) -> None:
    assert dict(facts_of_file(text, KNOWN).packages) == {"keras": "2.3.1", "numpy": "1.16.4"}


@pytest.mark.parametrize(
    "text",
    [
        "ImportError: Keras requires TensorFlow 2.2 or higher",
        "1. Downgrade the protobuf package to 3.20.x or lower.",
        "pip install tensorflow 2.2",
    ],
)
def test_a_demand_is_no_fact(text: str) -> None:
    assert packages_in(text, KNOWN) == {}


def test_facts_as_json_and_what_is_stated_counts_first() -> None:
    stated = {"python": "3.8", "os": "Ubuntu 20.04", "env": {"KERAS_BACKEND": "jax", "X": 1}}
    given_facts = facts_of_file(json.dumps({**stated, "command": "import keras"}), KNOWN)
    assert given_facts == Given(
        python="3.8",
        system="linux",
        variables=(("KERAS_BACKEND", "jax"),),
        command="import keras",
    )
    snapshot = told("/e/lib/python3.6/site-packages/x.py", given_facts)
    assert snapshot.interpreter is not None
    assert snapshot.interpreter.version == "3.8"


TEXT = "Umlaut \u00e4\nImportError: no\u00e9 module\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings(encoding: str) -> None:
    assert "ImportError: no\u00e9 module" in read_text(io.BytesIO(TEXT.encode(encoding)))


def test_a_notebook_is_its_outputs() -> None:
    cells = [
        {"outputs": [{"output_type": "stream", "text": ["Collecting keras\n"]}]},
        {
            "outputs": [
                {
                    "output_type": "error",
                    "ename": "ImportError",
                    "evalue": "no",
                    "traceback": ["\x1b[0;31mImportError\x1b[0m: no"],
                }
            ]
        },
        {"cell_type": "markdown"},
        None,
    ]
    data = {"cells": cells, "nbformat": 4, "metadata": {"language_info": {"version": "3.8.1"}}}
    text = read_text(io.BytesIO(json.dumps(data).encode()))
    assert last(text).type == "ImportError"
    assert facts_of_text(text, KNOWN).python == "3.8.1"


class Endless(io.RawIOBase):
    """A log of a size, made while it is read."""

    def __init__(self, size: int) -> None:
        self.left = size
        line = b"2024-01-01 00:00:00 step 17 loss 0.12345 accuracy 0.9876 lr 1e-3 samples 128\n"
        self.block = line * 2000
        self.end = (
            b'\nTraceback (most recent call last):\n  File "a.py", line 1, in <module>\n'
            b"    import keras\nModuleNotFoundError: No module named 'keras'\n"
        )

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self.left <= 0:
            end, self.end = self.end, b""
            return end
        piece = (self.block * (size // len(self.block) + 1))[:size]
        self.left -= len(piece)
        return piece


def test_a_long_log_is_read_in_bounded_memory() -> None:
    import tracemalloc

    tracemalloc.start()
    text = read_text(Endless(200_000_000))  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert last(text).name == "keras"
    assert len(text) <= MAX_WHOLE
    assert peak < 40_000_000


PIECES = st.sampled_from(
    [
        *("Traceback (most recent call last):", '  File "a.py", line 1, in f', "    import keras"),
        *("ImportError: x", "During handling of the above exception, another exception occurred:"),
        *("-> 3 x", "Cell In[1], line 2", "\x1b[31m", "E   ", "No module named", "| ", "\r", ""),
        *("Illegal instruction", "Name: x", "Version: 1", "==", "keras==2.3.1", "{", '"cells"'),
    ]
)


@given(st.lists(PIECES | st.text(max_size=30), max_size=25), st.sampled_from(["\n", " ", ""]))
def test_any_text_is_read(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    given_outcomes(text)
    told(text)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    text = read_text(io.BytesIO(data))
    given_outcomes(text)
    facts_of_file(text, KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000_000,
        "ImportError: " + "x" * 10_000_000,
        "(" * 5_000_000,
        "/a" * 3_000_000,
        "a.b" * 2_000_000 + "Error",
        "'" * 3_000_000,
        "File " * 2_000_000,
        "\n".join(["ImportError: x"] * 100_000),
        "\n".join(['  File "a.py", line 1, in f'] * 100_000),
        "keras " * 1_000_000,
    ],
    ids=range(10),
)
def test_hostile_texts_take_no_long_time(text: str) -> None:
    started = time.process_time()
    given_outcomes(text)
    told(text)
    assert time.process_time() - started < 10
