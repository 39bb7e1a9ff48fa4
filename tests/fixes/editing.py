"""What the tests of edits share: findings, worlds, and programs as they are read."""

from __future__ import annotations

import ast
import textwrap
import warnings

from rules.factory import JAX, PROJECT, SCRIPT, TENSORFLOW, dist, judge, of_keras, with_, world

from keras_doctor.fixes.edits import Edit, apply_edits, edits_for
from keras_doctor.model import Finding, Fix, Script
from keras_doctor.rules.base import finding
from keras_doctor.rules.context import Context
from keras_doctor.rules.remedies import edit
from keras_doctor.targets.script import read_script

TF_KERAS = dist("tf_keras", "2.18.0", "tensorflow<2.19,>=2.18")
BOTH_KERASES = world(with_(of_keras("3.8.0", *TENSORFLOW), TF_KERAS))
LEGACY = {"TF_USE_LEGACY_KERAS": "1"}

WORLDS: dict[str, Context] = {
    "keras 3": world(of_keras("3.8.0", *JAX)),
    "keras 3 and tensorflow": world(of_keras("3.8.0", *TENSORFLOW)),
    "keras 2.10": world(of_keras("2.10.0")),
    "keras 2.13": world(of_keras("2.13.1")),
    "keras 2.8": world(of_keras("2.8.0")),
    "tensorflow 2.2": world(of_keras("2.3.1", dist("tensorflow", "2.2.0"))),
}


def text(program: str) -> str:
    """A program as it is written in a test."""
    return textwrap.dedent(program).lstrip("\n")


def read(program: str) -> Script:
    """What is known of a program once it is read."""
    return read_script(SCRIPT, code=program, folder=PROJECT)


def not_there(subject: str, line: int, value: str | None = None, *, never: bool = False) -> Finding:
    """A line of the program imports what is not there."""
    cause = "api-never-existed" if never else "api-removed-or-moved"
    return finding(
        "KD602" if never else "KD601",
        cause,
        "train.py",
        title=f"train.py imports {subject}, which is not there",
        why="",
        evidence=(),
        stage=0,
        weight="risk",
        subject=subject,
        fixes=[edit("edit-code", f"{SCRIPT}:{line}", "Change it.", value)],
    )


def carried_out(found: Finding, program: str, context: Context, fix: Fix | None = None) -> str:
    """The program after the edits of a finding's first fix; each claim of an edit is checked."""
    edits = edits_for(found, fix or found.fixes[0], program, context)
    assert_exact(program, edits)
    after = apply_edits(program, edits)
    if not edits:
        return after
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ast.parse(after.removeprefix("\ufeff"))
    return after


def assert_exact(program: str, edits: tuple[Edit, ...]) -> None:
    """Bottom-up, one for a line, each says what stands there, and why it goes."""
    lines = program.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbers = [one.line for one in edits]
    assert numbers == sorted(set(numbers), reverse=True)
    for one in edits:
        assert one.path == SCRIPT
        assert lines[one.line - 1] == one.old
        assert one.new != one.old
        assert one.reason
        assert "\n" not in one.reason


def by_rule(code: str, program: str, context: Context) -> str:
    """The program after the edits of the first finding of a rule."""
    script = read(program)
    whole = Context(
        context.snapshot._replace(script=script), wish=context.wish, outcomes=context.outcomes
    )
    found = judge(code, whole)
    assert found, f"{code} says nothing"
    return carried_out(found[0], program, whole)


__all__ = [
    "BOTH_KERASES", "JAX", "LEGACY", "SCRIPT", "TENSORFLOW", "TF_KERAS", "WORLDS", "assert_exact",
    "by_rule", "carried_out", "dist", "not_there", "of_keras", "read", "text", "with_", "world",
]  # fmt: skip
