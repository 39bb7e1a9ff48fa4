"""What `create` says on a terminal."""

from __future__ import annotations

import pytest
from report.report_samples import outcome

from keras_doctor.model.creation import Creation, UnknownImport
from keras_doctor.report.created import render_all, render_create

PLAN = Creation(
    folder="/home/ada/old env",
    python="3.8",
    interpreter="/usr/bin/python3.8",
    backend="theano",
    keras="keras==2.3.1",
    packages=("keras==2.3.1", "theano==1.0.5"),
    complete=True,
    constraints=(),
    evidence="measured",
    reasons=("they were run together, and trained",),
    local_modules=("helpers",),
    unknown=(UnknownImport("mystery", "train.py:4"),),
    made=False,
    verified=None,
    trained=False,
    imported=None,
    files=(),
    remarks=("a GPU is here and is not used",),
)
MADE = PLAN._replace(
    made=True,
    trained=True,
    verified=outcome(kind="train", status="passed", device="cpu:0"),
    files=("/home/ada/old env/pylock.toml",),
    activate="source '/home/ada/old env/bin/activate'",
)


def test_a_plan_says_that_nothing_was_done() -> None:
    text = render_create(PLAN)
    assert text.startswith("This would be made; nothing was fetched or changed.")
    assert "theano==1.0.5" in text
    assert "activate" not in text


def test_what_was_made_is_said_with_how_to_use_it() -> None:
    text = render_create(MADE)
    assert text.startswith("Made: Keras trained one step on cpu:0, and saved and loaded a model.")
    assert "source '/home/ada/old env/bin/activate'" in text
    assert "Your own modules: helpers." in text
    assert "- import mystery (train.py:4)" in text
    assert "Note: a GPU is here and is not used." in text
    assert "predicted" in render_create(MADE._replace(trained=False))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_program_s_imports_are_told(width: int) -> None:
    passed = MADE._replace(imported=outcome(status="passed"))
    failed = MADE._replace(imported=outcome(status="raised", failed_statement="import mystery"))
    assert "all passed" in " ".join(render_create(passed, width=width).split())
    assert "up to `import mystery`" in " ".join(render_create(failed, width=width).split())


def test_several_are_listed_with_what_was_refused() -> None:
    text = render_all([MADE, MADE._replace(backend="jax")], [("torch", ValueError("too large"))])
    assert text.startswith("Made 2 environments; Keras was tried in each.")
    assert "torch: too large" in text
    assert render_all([], [("torch", ValueError("x"))]).startswith("None could be made.")
