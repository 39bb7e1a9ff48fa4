"""Tracebacks as people paste them and programs print them."""

from __future__ import annotations

import os
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live.patients import ORDER, PYTHONS

from keras_doctor.errors.traceback import find_tracebacks, parse_crash, parse_traceback

SIMPLE = """\
Traceback (most recent call last):
  File "/p/train.py", line 3, in <module>
    import keras
  File "/site/keras/__init__.py", line 7, in <module>
    from keras import backend
           ^^^^^^^
ModuleNotFoundError: No module named 'keras.backend'
"""

CHAINED = """\
2024-01-01 10:00:00.123456: I tensorflow/core/util/port.cc:113] oneDNN
Traceback (most recent call last):
  File "a.py", line 1, in f
    import numpy.core
ImportError: cannot import name 'x' from 'numpy.core' (/site/numpy/core/__init__.py)

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in f
    raise ValueError("v") from error
ValueError: v

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.py", line 9, in <module>
    f()
ImportError:\x20

IMPORTANT: PLEASE READ THIS FOR ADVICE ON HOW TO SOLVE THIS ISSUE!

Original error was: No module named 'numpy.core._multiarray_umath'
"""

SYNTAX = """\
  File "/p/train.py", line 2
    def f(:
          ^
SyntaxError: invalid syntax
"""

SYNTAX_INSIDE = """\
Traceback (most recent call last):
  File "/p/train.py", line 1, in <module>
    import broken
  File "/p/broken.py", line 2
    def f(:
          ^
SyntaxError: invalid syntax
"""

REPEATED = """\
Traceback (most recent call last):
  File "r.py", line 2, in <module>
    f()
  File "r.py", line 1, in f
    def f(): f()
             ^^^
  [Previous line repeated 996 more times]
RecursionError: maximum recursion depth exceeded
"""

INTERLEAVED = """\
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    import keras
INFO:root:still here
WARNING: something else
Epoch: 3
  File "b.py", line 2, in g
    import theano
ModuleNotFoundError: No module named 'theano'
2024-01-01 10:00:00.1: W tensorflow/x.cc:1] late
exit 1
"""

NOTED = """\
Traceback (most recent call last):
  File "n.py", line 1, in <module>
pkg.mod.SpecialError: first
second line
a note: try this
"""

IN_SHELL = SIMPLE + "exit 1\n"


def test_a_simple_one() -> None:
    (raised,) = parse_traceback(SIMPLE)
    assert (raised.type, raised.message, raised.link) == (
        "ModuleNotFoundError",
        "No module named 'keras.backend'",
        None,
    )
    assert (raised.name, raised.path) == ("keras.backend", None)
    assert [(f.file, f.line, f.function, f.text) for f in raised.frames] == [
        ("/p/train.py", 3, "<module>", "import keras"),
        ("/site/keras/__init__.py", 7, "<module>", "from keras import backend"),
    ]


def test_a_chain() -> None:
    first, second, third = parse_traceback(CHAINED)
    assert (first.type, first.link) == ("ImportError", "context")
    assert (first.name, first.path) == ("numpy.core", "/site/numpy/core/__init__.py")
    assert (second.type, second.message, second.link) == ("ValueError", "v", "cause")
    assert third.link is None
    assert third.message.startswith("\n\nIMPORTANT")
    assert third.message.endswith("'numpy.core._multiarray_umath'")


def test_syntax_errors() -> None:
    (alone,) = parse_traceback(SYNTAX)
    assert [(f.file, f.line, f.function, f.text) for f in alone.frames] == [
        ("/p/train.py", 2, "<module>", "def f(:")
    ]
    (inside,) = parse_traceback(SYNTAX_INSIDE)
    assert [f.file for f in inside.frames] == ["/p/train.py", "/p/broken.py"]
    assert inside.message == "invalid syntax"


def test_repeats_notes_and_interleaved_lines() -> None:
    (repeated,) = parse_traceback(REPEATED)
    assert [f.text for f in repeated.frames] == ["f()", "def f(): f()"]
    (noted,) = parse_traceback(NOTED)
    assert noted.type == "pkg.mod.SpecialError"
    assert noted.message == "first\nsecond line\na note: try this"
    (mixed,) = parse_traceback(INTERLEAVED)
    assert mixed.name == "theano"
    assert [f.file for f in mixed.frames] == ["a.py", "b.py"]
    (shell,) = parse_traceback(IN_SHELL)
    assert shell.message == "No module named 'keras.backend'"


@pytest.mark.parametrize(
    "prefix",
    ["[stderr] ", "web_1  | ", "2024-05-01T10:11:12.5Z ", "    ", "E   ", "(pid=77) "],
)
@pytest.mark.parametrize("text", [SIMPLE, CHAINED, SYNTAX_INSIDE, REPEATED, NOTED])
def test_prefixes_change_nothing(prefix: str, text: str) -> None:
    marked = "".join(f"{prefix}{line}" for line in text.splitlines(keepends=True))
    assert parse_traceback(marked) == parse_traceback(text)
    stripped = "".join(f"{prefix}{line}".rstrip() + "\n" for line in text.splitlines())
    assert parse_traceback(stripped) == parse_traceback(text)
    counted = "".join(
        prefix.replace("77", str(number)).replace("12.5", f"{number % 60}.{number}") + line
        for number, line in enumerate(text.splitlines(keepends=True))
    )
    assert parse_traceback(counted) == parse_traceback(text)


def test_a_log_line_before_the_header() -> None:
    text = "ERROR:root:it failed " + SIMPLE
    assert parse_traceback(text) == parse_traceback(SIMPLE)


@pytest.mark.parametrize("ending", ["\r\n", "\x1b[0m\n", "   \n"])
def test_line_ends(ending: str) -> None:
    assert parse_traceback(SIMPLE.replace("\n", ending)) == parse_traceback(SIMPLE)


def test_the_last_one_counts_but_not_what_python_survived() -> None:
    other = SIMPLE.replace("keras.backend", "other")
    assert parse_traceback(SIMPLE + "going on\n" + other)[0].name == "other"
    for head in (
        "Exception ignored in: <function A.__del__ at 0x1>\n",
        "Exception in thread Thread-1:\n",
        "--- Logging error ---\n",
        "Error processing line 1 of /site/x.pth:\n\n",
    ):
        assert parse_traceback(SIMPLE + head + other)[0].name == "keras.backend"
        assert parse_traceback(head + other) == parse_traceback(other)[:0] + parse_traceback(
            other.splitlines()[-1]
        )


def test_a_bare_last_line() -> None:
    (raised,) = parse_traceback("I get this:\nModuleNotFoundError: No module named 'jax'\nhelp!")
    assert (raised.type, raised.name, raised.frames) == ("ModuleNotFoundError", "jax", ())
    assert parse_traceback("nothing wrong here\nWARNING: x") == ()
    assert parse_traceback("") == ()
    assert parse_traceback("Traceback (most recent call last):") == ()


def test_names() -> None:
    def name_of(message: str) -> tuple[str | None, str | None]:
        (raised,) = parse_traceback(f"ImportError: {message}")
        return raised.name, raised.path

    assert name_of("No module named theano") == ("theano", None)
    assert name_of("No module named 'a.b'; 'a' is not a package") == ("a.b", None)
    assert name_of("cannot import name 'pool'") == (None, None)
    assert name_of(
        "cannot import name 'x' from partially initialized module 'k.y' "
        "(most likely due to a circular import) (/p/k/y.py)"
    ) == ("k.y", "/p/k/y.py")
    assert name_of("cannot import name 'Adam' from 'keras' (unknown location)") == ("keras", None)
    assert name_of("libcudart.so.11: cannot open shared object file") == (None, None)


REAL = """
import sys
def inner():
    import surely_missing.part
def outer():
    try:
        inner()
    except ImportError as error:
        try:
            {}["key"]
        except KeyError:
            raise ValueError(
                "two\\nlines",
            ) from error
def again(n):
    if n: again(n - 1)
    else: outer()
sys.stderr.write("a line before\\n")
again(20)
"""


@pytest.mark.pythons
@pytest.mark.parametrize("colour", ["0", "1"])
@pytest.mark.parametrize("version", ORDER)
def test_real_interpreters(version: str, colour: str, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "real.py")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(REAL)
    environ = {**os.environ, "FORCE_COLOR": colour, "PYTHON_COLORS": colour}
    text = subprocess.run(
        [PYTHONS[version], path], env=environ, capture_output=True, text=True
    ).stderr
    missing, last = parse_traceback(text)
    assert (missing.type, missing.name) == ("ModuleNotFoundError", "surely_missing")
    assert missing.link == "cause"
    assert missing.frames[-1].text == "import surely_missing.part"
    assert (last.type, last.message) == ("ValueError", "two\nlines")
    assert {frame.file for frame in last.frames} == {path}
    assert last.frames[0].text == "again(20)"
    assert last.frames[-1].function == "outer"


GROUP = """
def leaf(): raise ImportError("a")
def main():
    try: leaf()
    except ImportError as error: raise ExceptionGroup("both", [error, KeyError("b")])
try: main()
except Exception as error: raise RuntimeError("end") from error
"""


@pytest.mark.pythons
@pytest.mark.parametrize("version", [v for v in ORDER if int(v.split(".")[1]) >= 11])
def test_groups(version: str) -> None:
    text = subprocess.run([PYTHONS[version], "-c", GROUP], capture_output=True, text=True).stderr
    chain = parse_traceback(text)
    assert chain[-1].type == "RuntimeError"
    assert chain[-2].type == "ExceptionGroup"
    assert chain[-2].message == "both (2 sub-exceptions)"
    assert chain[-2].link == "cause"
    assert "ImportError" in [each.type for each in chain[:-2]]


CRASH = """
import faulthandler, os, threading, time
faulthandler.enable()
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
def f(): os.abort()
f()
"""


@pytest.mark.pythons
@pytest.mark.parametrize("version", ORDER)
def test_crash_reports(version: str) -> None:
    text = subprocess.run([PYTHONS[version], "-c", CRASH], capture_output=True, text=True).stderr
    signal, frames = parse_crash(text)
    assert signal == "SIGABRT"
    assert [frame.function for frame in frames] == ["<module>", "f"]


@pytest.mark.parametrize(
    ("text", "signal"),
    [
        ("Segmentation fault", "SIGSEGV"),
        ("Segmentation fault (core dumped)\n", "SIGSEGV"),
        ("/bin/bash: line 1: 16776 Bus error               python train.py", "SIGBUS"),
        ("t.sh: line 12:    77 Aborted                 (core dumped) python x", "SIGABRT"),
        ("zsh: segmentation fault  python x", "SIGSEGV"),
        ("Illegal instruction: 4", "SIGILL"),
        ("make: *** [x] Aborted by the user", None),
        ("the job was Killed", None),
        ("", None),
        ("Fatal Python error: init_fs_encoding: failed", None),
    ],
)
def test_the_words_of_shells(text: str, signal: str | None) -> None:
    assert parse_crash(text) == (signal, ())


PIECES = st.sampled_from(
    [
        *SIMPLE.splitlines(),
        *CHAINED.splitlines(),
        *SYNTAX.splitlines(),
        "  + Exception Group Traceback (most recent call last):",
        "  | ExceptionGroup: x (1 sub-exception)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        '    |   File "x", line 99999999999999999999, in <module>',
        "    | KeyError: 'x'",
        "Current thread 0x00007f (most recent call first):",
        '  File "x", line ??? in f',
        "\x1b[31m",
        "",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=40), st.text(max_size=10))
def test_anything_is_read(lines: list[str], prefix: str) -> None:
    text = "\n".join(prefix + line for line in lines)
    for found in find_tracebacks(text):
        assert found.chain
        assert found.chain[-1].link is None
        assert all(each.link in ("cause", "context") for each in found.chain[:-1])
    chain = parse_traceback(text)
    assert len(chain) <= 50
    parse_crash(text)


@pytest.mark.parametrize(
    "unit",
    [
        SIMPLE,
        "Traceback (most recent call last):\n",
        'Traceback (most recent call last):\n  File "x", line 1, in f\n',
        '  File "a", line 1\n',
        "\x1b[",
        "\x1b]",
        '  File "' + ", line 1, in " * 300 + "\n",
        "KeyError: x\n",
        CHAINED.partition("\n")[2].rpartition("ImportError")[0] + "ImportError: x\n\n"
        "During handling of the above exception, another exception occurred:\n\n",
        "  + Exception Group Traceback (most recent call last):\n  | E: x\n",
    ],
)
def test_time_is_linear(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        began = time.process_time()
        parse_traceback(text)
        parse_crash(text)
        return time.process_time() - began

    small = min(seconds(50_000) for _ in range(3))
    large = min(seconds(400_000) for _ in range(2))
    assert large < 0.05 + small * 8 * 4
