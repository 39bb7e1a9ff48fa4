"""Edits of generated programs: always Python, and nothing else changes."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rules.factory import SCRIPT, judge

from fixes.editing import (
    BOTH_KERASES,
    WORLDS,
    assert_exact,
    not_there,
    read,
)
from keras_doctor.fixes.edits import Edit, apply_edits, edits_for
from keras_doctor.fixes.edits.program import read as parsed
from keras_doctor.rules.base import finding
from keras_doctor.rules.context import Context
from keras_doctor.rules.remedies import edit

NAMES = ["np_utils", "Dense", "Relu", "to_categorical", "add", "Adam", "Layer", "rnn", "keras", "K"]
MODULES = [
    "keras", "keras.utils", "keras.utils.np_utils", "keras.layers", "keras.layers.merge",
    "keras.engine.topology", "keras.optimizers", "tf_keras", "tf_keras.layers", "tensorflow",
    "tensorflow.keras", "tensorflow.python.keras.layers", "tensorflow.contrib", "os", "numpy",
]  # fmt: skip
SET = ['os.environ["KERAS_BACKEND"] = "jax"', 'os.environ.setdefault("KERAS_BACKEND", "jax")']
OTHERS = [
    "x = 1", "s = '''a\n  import keras\n'''", "np_utils.to_categorical(1)", "keras.layers.Dense(1)",
    "print(f'{np_utils.x} {keras.utils.np_utils.y}')", "tensorflow.keras.layers.Dense", "Dense",
    "os.environ.update({\n  'KERAS_BACKEND': 'jax',\n})", "ü = 'ß'", "K.mean", "add = 1", "del rnn",
]  # fmt: skip
CAUSES = ["api-removed-or-moved", "api-never-existed"]


@st.composite
def imports(draw: st.DrawFn) -> str:
    """An import statement, on one line or more."""
    module = draw(st.sampled_from(MODULES))
    alias = st.sampled_from(["", " as K", " as u"])
    if draw(st.booleans()):
        rows = draw(st.lists(st.sampled_from(MODULES), max_size=1))
        return "import " + ", ".join(one + draw(alias) for one in [module, *rows])
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    parts = [name + draw(alias) for name in names]
    if draw(st.booleans()):
        comment = draw(st.sampled_from(["", "  # why"]))
        inner = "".join(f"\n        {part},{comment}" for part in parts)
        return f"from {module} import ({inner}\n    )"
    split = draw(st.sampled_from([" ", " \\\n   "]))
    return f"from {module}{split}import {', '.join(parts)}"


STATEMENTS = st.one_of(imports(), st.sampled_from(OTHERS), st.sampled_from(SET))


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A program of imports and uses, with blocks, semicolons and comments."""
    rows = []
    for _number in range(draw(st.integers(1, 5))):
        one = draw(STATEMENTS)
        shape = draw(st.sampled_from(["plain", "plain", "block", "colon", "semicolon", "comment"]))
        if shape == "semicolon":
            one = f"{one}; {draw(STATEMENTS)}"
        elif shape == "colon" and "'''" not in one:
            one = f"if 1: {one}"
        elif shape == "block":
            head = draw(st.sampled_from(["if 1:", "def f():", "try:"]))
            tail = "\nfinally: pass" if head == "try:" else ""
            more = draw(st.sampled_from(["", "\n\tx = 1"]))
            one = f"{head}\n\t{one}{more}{tail}"
        elif shape == "comment":
            one += "  # c"
        rows.append(one)
    end = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return mark + ("\n".join(rows) + draw(st.sampled_from(["", "\n"]))).replace("\n", end)


@given(programs(), st.sampled_from(sorted(WORLDS)), st.sampled_from(CAUSES), st.integers(1, 8))
def test_gone(program: str, world: str, cause: str, line: int) -> None:
    subject = "tensorflow.contrib"
    found = not_there(subject, line, never=cause == "api-never-existed")
    check(program, edits_for(found, found.fixes[0], program, WORLDS[world]))


@given(programs(), st.sampled_from(["keras", "tf_keras", "tensorflow.python.keras"]))
def test_mixed(program: str, keep: str) -> None:
    found = finding(
        "KD603", "mixed-keras-and-tf-keras", "train.py", title="", why="", evidence=(), stage=0,
        weight="risk", fixes=[edit("edit-code", f"{SCRIPT}:1", "", keep)],
    )  # fmt: skip
    check(program, edits_for(found, found.fixes[0], program, BOTH_KERASES))


@given(programs(), st.sampled_from(["KD104", "KD601", "KD603", "KD605"]))
def test_by_rules(program: str, code: str) -> None:
    context = Context(BOTH_KERASES.snapshot._replace(script=read(program)))
    for found in judge(code, context):
        for fix in found.fixes:
            check(program, edits_for(found, fix, program, context))


def check(program: str, edits: tuple[Edit, ...]) -> None:
    """The edits keep the program one, and leave the other lines alone."""
    assert_exact(program, edits)
    after = apply_edits(program, edits)
    if not edits:
        assert after == program
        return
    assert parsed(program) is not None
    ast.parse(after.removeprefix("\ufeff"))
    assert after.count("\r") == (after.count("\n") if "\r" in program else 0)
    changed = {one.line: one.new.count("\n") for one in edits}
    rows, shift = after.replace("\r", "").split("\n"), 0
    for number, line in enumerate(program.replace("\r", "").split("\n"), 1):
        if number in changed:
            shift += changed[number]
        else:
            assert rows[number - 1 + shift] == line


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_carried_out_with_the_line_ends_of_the_file(end: str) -> None:
    edits = [
        Edit(path="a.py", line=3, old="c", new="x\ny", reason=""),
        Edit(path="a.py", line=1, old="a", new="", reason=""),
    ]
    assert apply_edits(f"a{end}b{end}c", edits) == f"{end}b{end}x{end}y"
    assert apply_edits(f"a{end}b{end}c", edits[::-1]) == f"{end}b{end}x{end}y"


@pytest.mark.parametrize(
    ("line", "old"), [(0, "a"), (3, "b"), (1, "b"), (1, "a\n"), (-1, "a"), (2, "")]
)
def test_a_line_that_is_another_is_refused(line: int, old: str) -> None:
    with pytest.raises(ValueError, match=f"line {line}"):
        apply_edits("a\nb", [Edit(path="a.py", line=line, old=old, new="x", reason="")])


def test_two_edits_of_one_line_are_refused() -> None:
    edit_ = Edit(path="a.py", line=1, old="a", new="a", reason="")
    with pytest.raises(ValueError, match="line 1"):
        apply_edits("a\n", [edit_, edit_])
