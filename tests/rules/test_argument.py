"""KD606: an argument of Keras that has another name in the installed release."""

from __future__ import annotations

import pytest

from keras_doctor.fixes.edits import apply_edits, edits_for
from keras_doctor.knowledge.arguments import renamed_arguments
from keras_doctor.model import Frame, Outcome
from keras_doctor.rules.context import Context
from rules.factory import QUIET, SCRIPT, SITE, abstains, failed, judge, raised, world

ADAM = "opt = Adam(lr=0.1)"
KERAS_3 = "Argument(s) not recognized: {'lr': 0.1}"
INSIDE = Frame(file=f"{SITE}/keras/src/o.py", line=90, function="__init__", text="raise ValueError")


def refused(message: str, text: str | None, *, line: int = 3, kind: str = "ValueError") -> Outcome:
    own = Frame(file=SCRIPT, line=line, function="<module>", text=text)
    return failed(raised(kind, message)._replace(frames=(own, INSIDE)))


def after(outcome: Outcome) -> Context:
    return world(variables={"KERAS_BACKEND": "jax"}, outcomes=(outcome,))


@pytest.mark.parametrize(
    ("message", "text", "given", "wanted"),
    [
        (KERAS_3, ADAM, "lr", "learning_rate"),
        ("__init__() got an unexpected keyword argument 'lr'", ADAM, "lr", "learning_rate"),
        ("Unrecognized keyword arguments: {'nb_epoch': 2}", "m.fit(x, nb_epoch=2)", "nb_epoch",
         "epochs"),
        ("('Keyword argument not understood:', 'init')", "Dense(4, init='one')", "init",
         "kernel_initializer"),
        ("fit() got an unexpected keyword argument 'epochs'", "m.fit(x, epochs=2)", "epochs",
         "nb_epoch"),
        ("Unrecognized keyword arguments passed to Embedding: {'init': 'one'}",
         "m.add(Embedding(9, 2, init='one'))", "init", "embeddings_initializer"),
    ],
)  # fmt: skip
def test_both_names_are_told(message: str, text: str, given: str, wanted: str) -> None:
    (found,) = judge("KD606", after(refused(message, text)))
    assert (found.cause, found.culprit) == ("api-removed-or-moved", "train.py")
    assert f"no argument {given} in Keras 3.8.0: there it is {wanted}" in found.title
    assert [(fix.kind, fix.name, fix.value) for fix in found.fixes] == [
        ("edit-code", f"{SCRIPT}:3", wanted)
    ]


def test_twice_the_same_is_told_once() -> None:
    outcome = refused(KERAS_3, ADAM)
    context = world(variables={"KERAS_BACKEND": "jax"}, outcomes=(outcome, outcome))
    assert len(judge("KD606", context)) == 1


NOTHING = {
    "nothing failed": world(),
    "another failure": after(refused("lr must be positive: 'lr'", ADAM)),
    "an argument without another name": after(
        refused("Argument(s) not recognized: {'decay': 1}", "Adam(decay=1)")
    ),
    "something else is called": after(refused(KERAS_3, "opt = MyAdam(lr=0.1)")),
    "the line is not known": after(refused(KERAS_3, None)),
    "no line of the user's": after(
        failed(raised("ValueError", KERAS_3)._replace(frames=(INSIDE,)))
    ),
}


@pytest.mark.parametrize("context", NOTHING.values(), ids=NOTHING.keys())
def test_nothing(context: Context) -> None:
    assert abstains("KD606", context).startswith(QUIET)


SOURCE = """\
from keras.optimizers import Adam, SGD
a = [
    Adam(1, lr=0.1), Adam(lr=é(0.2),
                          beta_1=0.9), SGD(lr=1),
    Adam(lr=1, learning_rate=2),
]
"""


def test_all_calls_of_what_the_line_calls_are_edited() -> None:
    context = after(refused(KERAS_3, "    Adam(1, lr=0.1), Adam(lr=é(0.2),"))
    (found,) = judge("KD606", context)
    edits = edits_for(found, found.fixes[0], SOURCE, context)
    lines = SOURCE.split("\n")
    lines[2] = "    Adam(1, learning_rate=0.1), Adam(learning_rate=é(0.2),"
    assert apply_edits(SOURCE, edits) == "\n".join(lines)


def test_a_line_that_has_no_such_call_is_left_alone() -> None:
    context = after(refused(KERAS_3, ADAM))
    (found,) = judge("KD606", context)
    assert edits_for(found, found.fixes[0], "a = 1\n\nopt = Adam(**options)\n", context) == ()


def test_the_data() -> None:
    rows = renamed_arguments(["lr", "p"])
    assert [(row.given, row.wanted) for row in rows] == [("lr", "learning_rate"), ("p", "rate")]
    assert all(row.of and row.source for row in rows)
