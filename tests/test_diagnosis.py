"""From findings to causes: what counts, in which order, how sure, and what is never raised."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rules.factory import (
    JAX_STACK,
    KERAS_210_STACK,
    PROJECT,
    SCRIPT,
    SITE,
    TENSORFLOW_STACK,
    anomaly,
    automatic,
    config,
    copy,
    died,
    dist,
    failed,
    files,
    frame,
    local,
    missing,
    module,
    passed,
    printed,
    raised,
    set_backend,
    with_,
    without,
    world,
)
from strategies import OUTCOMES, WILD, worlds

from keras_doctor.codec import encode
from keras_doctor.diagnosis import diagnose
from keras_doctor.model import Change, Diagnosis, Finding, Outcome, Raised, RuleResult, Sign
from keras_doctor.rules import RULES, stages
from keras_doctor.rules.base import finding, seen, sign
from keras_doctor.rules.context import Context
from keras_doctor.signs import matches

JAX_VARIABLE = {"KERAS_BACKEND": "jax"}
BOOM = raised("ValueError", "boom", f"{SITE}/keras/a.py")
BANG = raised("TypeError", "bang", f"{SITE}/keras/b.py")
HIDE = Change(kind="hide-module", name="/x.py", value=None)
DROP = Change(kind="drop-path-entry", name="/y", value=None)


def made(
    name: str,
    weight: str = "likely",
    *,
    stage: int = stages.FILES,
    signs: tuple[Sign, ...] = (),
    blocks: tuple[str, ...] = ("keras",),
    explains: tuple[str, ...] = (),
    changes: tuple[Change, ...] = (),
) -> Finding:
    """A finding called `name`, with the key ``name:it``."""
    return finding(
        "KD000",
        name,
        "it",
        title=name,
        why="Because.",
        evidence=[seen("read")],
        stage=stage,
        weight=weight,
        blocks=blocks,
        signs=signs,
        explains=explains,
        changes=changes,
    )


Judge = Callable[..., Diagnosis]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Diagnoses hand-made findings instead of those of the rules."""

    def diagnosed(
        *findings: Finding, wish: str | None = None, outcomes: tuple[Outcome, ...] = ()
    ) -> Diagnosis:
        result = RuleResult(
            code="KD000", name="made", state="finding", reason=None, findings=findings
        )
        monkeypatch.setattr("keras_doctor.diagnosis.run_rules", lambda _context: (result,))
        return diagnose(world(TENSORFLOW_STACK, wish=wish, outcomes=outcomes))

    return diagnosed


def names(findings: tuple[Finding, ...]) -> list[str]:
    return [found.cause for found in findings]


EXPECTS_BOOM = (sign("ValueError", text="boom"),)
WORKS = (passed("tensorflow"),)
FAILS = (failed(BOOM),)


# -- what counts


@pytest.mark.parametrize(
    ("weight", "matched", "untried", "fails", "works"),
    [
        # Columns: a cause when nothing was tried, when it fails, when it works.
        ("fatal", False, True, True, False),
        ("fatal", True, True, True, False),
        ("likely", False, True, True, False),
        ("likely", True, True, True, False),
        ("risk", False, False, False, False),
        ("risk", True, False, True, False),
    ],
)
def test_weight(
    judge: Judge, weight: str, matched: bool, untried: bool, fails: bool, works: bool
) -> None:
    found = made("a", weight, signs=EXPECTS_BOOM if matched else ())
    for outcomes, expected in (((), untried), (FAILS, fails), (WORKS, works)):
        diagnosis = judge(found, outcomes=outcomes)
        assert ("a" in names(diagnosis.causes)) is expected
        assert ("a" in names(diagnosis.notes)) is not expected


@pytest.mark.parametrize(
    ("outcomes", "wish", "causes", "healthy"),
    [
        ((), None, ["a"], None),
        (WORKS, None, ["a"], False),
        (WORKS, "jax", ["a"], False),
        (WORKS, "tensorflow", [], True),
    ],
)
def test_a_request_that_is_not_honoured(
    judge: Judge,
    outcomes: tuple[Outcome, ...],
    wish: str | None,
    causes: list[str],
    healthy: bool | None,
) -> None:
    """It blocks no import; it is a cause until the wish is seen to be met."""
    diagnosis = judge(made("a", "fatal", blocks=()), wish=wish, outcomes=outcomes)
    assert names(diagnosis.causes) == causes
    assert diagnosis.healthy is healthy


@pytest.mark.parametrize("status", ["passed", "stopped"])
def test_a_program_that_is_stopped_after_its_imports_works(judge: Judge, status: str) -> None:
    outcome = passed("tensorflow", status=status, kind="command")
    assert judge(made("a", "fatal"), outcomes=(outcome,)).healthy is True


@pytest.mark.parametrize("status", ["raised", "exited", "died", "hung", "not-started"])
def test_every_other_end_is_a_failure(judge: Judge, status: str) -> None:
    outcome = failed(status=status)
    diagnosis = judge(made("a", "fatal"), outcomes=(outcome,))
    assert diagnosis.healthy is False
    assert names(diagnosis.causes) == ["a"]


def test_one_failing_run_is_enough(judge: Judge) -> None:
    outcomes = (printed("Traceback", exit_code=1), passed("tensorflow"))
    assert judge(made("a", "fatal"), outcomes=outcomes).healthy is False


def test_a_counterfactual_says_nothing_about_the_world_as_it_is(judge: Judge) -> None:
    outcomes = (passed("tensorflow"), failed(BOOM, changes=(HIDE,)))
    assert judge(outcomes=outcomes).healthy is True


def test_nothing_is_wrong_and_nothing_was_tried(judge: Judge) -> None:
    diagnosis = judge()
    assert (diagnosis.healthy, diagnosis.causes, diagnosis.notes) == (None, (), ())


# -- signs


def check(expected: bool, what: Sign, *chain: Raised, **changes: object) -> None:
    assert matches(what, failed(*chain, **changes)) is expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (sign("ValueError"), True),
        (sign("TypeError"), False),
        (sign("TypeError", "ValueError"), True),
        (sign(text="bo+m"), True),
        (sign(text="^oom"), False),
        (sign("ValueError", text="bang"), False),
        (sign(file=f"{SITE}/keras"), True),
        (sign(file=f"{SITE}/keras/a.py"), True),
        (sign(file=f"{SITE}/ker"), False),
        (sign(raised_in=f"{SITE}/keras"), True),
        (sign(raised_in=f"{SITE}/numpy"), False),
        (sign("ValueError", raised_in=f"{SITE}/numpy"), False),
        (sign(module="keras"), False),
        (sign(crash=True), False),
    ],
)
def test_signs_of_an_exception(what: Sign, expected: bool) -> None:
    check(expected, what, BOOM)


@pytest.mark.parametrize(
    ("module_name", "name", "kind", "expected"),
    [
        ("tensorflow", "tensorflow", "ModuleNotFoundError", True),
        ("tensorflow", "tensorflow.keras", "ModuleNotFoundError", True),
        ("tensorflow", "tensorflow_text", "ModuleNotFoundError", False),
        ("tensorflow.keras", "tensorflow", "ModuleNotFoundError", False),
        ("keras", "keras.layers", "ImportError", True),
        ("keras", "keras", "AttributeError", False),
        ("keras", None, "ModuleNotFoundError", False),
    ],
)
def test_sign_of_a_module(module_name: str, name: str | None, kind: str, expected: bool) -> None:
    check(expected, sign(module=module_name), raised(kind, "No module", name=name))


def test_types_are_compared_without_their_module() -> None:
    check(True, sign("DecodeError"), raised("google.protobuf.message.DecodeError", "x"))
    check(False, sign("Error"), raised("google.protobuf.message.DecodeError", "x"))


def test_any_exception_of_the_chain_counts_and_each_by_itself() -> None:
    check(True, sign("TypeError", text="bang"), BANG, BOOM)
    check(True, sign("ValueError", text="boom"), BANG, BOOM)
    check(False, sign("TypeError", text="boom"), BANG, BOOM)


def test_where_it_was_raised_is_the_last_frame() -> None:
    through = raised("ValueError", "x", f"{SITE}/keras/a.py", f"{SITE}/numpy/b.py")
    check(True, sign(raised_in=f"{SITE}/numpy"), through)
    check(False, sign(raised_in=f"{SITE}/keras"), through)
    check(True, sign(file=f"{SITE}/keras"), through)


@pytest.mark.parametrize(
    ("outcome", "what", "expected"),
    [
        (died("SIGSEGV"), sign(crash=True), True),
        (failed(status="hung"), sign(crash=True), False),
        (died("SIGBUS", "numpy/a.py"), sign(file=f"{SITE}/numpy"), True),
        (died("SIGBUS", "numpy/a.py"), sign(file=f"{SITE}/keras"), False),
        (died("SIGBUS", "numpy/a.py"), sign("ValueError"), False),
        (died("SIGBUS", output="numpy: bus error"), sign(text="bus error"), True),
    ],
)
def test_signs_of_a_crash(outcome: Outcome, what: Sign, expected: bool) -> None:
    assert matches(what, outcome) is expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (sign(text="Unable to import backend"), True),
        (sign(text="unable"), False),
        (sign("ValueError", text="Unable to import backend"), False),
        (sign(file=f"{PROJECT}/keras.py"), True),
        (sign(file=f"{PROJECT}/numpy.py"), False),
        (sign(module="tensorflow"), False),
        (sign(raised_in=f"{PROJECT}/keras.py"), False),
    ],
)
def test_signs_of_output_alone(what: Sign, expected: bool) -> None:
    """Only what a text can show: no types, no modules."""
    text = f'  File "{PROJECT}/keras.py", line 3\nValueError: Unable to import backend : x\n'
    assert matches(what, printed(text)) is expected


def test_output_beside_exceptions_decides_nothing() -> None:
    check(False, sign(text="boom"), BANG, output="boom")


def test_a_file_in_the_output_is_a_whole_path() -> None:
    text = f'  File "{PROJECT}/keras_notes.py", line 3\nValueError: x\n'
    assert not matches(sign(file=f"{PROJECT}/keras"), printed(text))


def test_weak_signs_count_only_when_nothing_else_explains(judge: Judge) -> None:
    weak = made("weak", "risk", signs=(sign("ValueError", weak=True),))
    strong = made("strong", "risk", signs=(sign("ValueError"),))
    assert names(judge(weak, outcomes=FAILS).causes) == ["weak"]
    assert names(judge(weak, strong, outcomes=FAILS).causes) == ["strong"]
    assert names(judge(weak, made("fatal", "fatal"), outcomes=FAILS).causes) == ["fatal"]
    assert judge(weak, outcomes=WORKS).causes == ()
    assert judge(weak).causes == ()


# -- order


def test_what_the_first_run_met_comes_first(judge: Judge) -> None:
    outcomes = (failed(BANG), failed(BOOM, changes=(HIDE,)))
    late = made("late", stage=stages.CODE, signs=(sign("TypeError"),))
    early = made("early", stage=stages.START, signs=(sign("ValueError"),))
    unmet = made("unmet", "fatal", stage=stages.START)
    diagnosis = judge(unmet, early, late, outcomes=outcomes)
    assert names(diagnosis.causes) == ["late", "early", "unmet"]


def test_stages_order_what_one_run_met(judge: Judge) -> None:
    found = [
        made(name, stage=stage, signs=EXPECTS_BOOM)
        for name, stage in [
            ("files", stages.FILES),
            ("start", stages.START),
            ("code", stages.CODE),
            ("path", stages.PATH),
            ("presence", stages.PRESENCE),
            ("versions", stages.VERSIONS),
        ]
    ]
    expected = ["start", "path", "presence", "files", "versions", "code"]
    assert names(judge(*found, outcomes=FAILS).causes) == expected
    assert names(judge(*found).causes) == expected


def test_settings_are_one_group(judge: Judge) -> None:
    """They are read at once: a setting of the second run comes before a file of the first."""
    outcomes = (failed(BANG), failed(BOOM, changes=(HIDE,)))
    values = made("values", stage=stages.CONFIGURATION, signs=(sign("TypeError"),))
    backend = made("backend", stage=stages.SELECTION, signs=(sign("ValueError"),))
    damage = made("damage", stage=stages.FILES, signs=(sign("TypeError"),))
    diagnosis = judge(damage, values, backend, outcomes=outcomes)
    assert names(diagnosis.causes) == ["backend", "values", "damage"]


def test_equal_causes_keep_the_order_of_the_rules(judge: Judge) -> None:
    found = [made(name) for name in ("c", "a", "b")]
    assert names(judge(*found).causes) == ["c", "a", "b"]


# -- folding


def test_what_follows_is_folded(judge: Judge) -> None:
    cause = made("cause", explains=("other:it",))
    diagnosis = judge(made("other"), cause)
    assert names(diagnosis.causes) == ["cause"]
    assert names(diagnosis.consequences) == ["other"]
    assert diagnosis.notes == ()


def test_every_finding_of_a_slug_may_follow(judge: Judge) -> None:
    diagnosis = judge(made("other"), made("cause", explains=("other:*",)))
    assert names(diagnosis.consequences) == ["other"]


def test_a_chain_is_folded_under_its_first(judge: Judge) -> None:
    found = [
        made("c"),
        made("b", explains=("c:it",)),
        made("a", explains=("b:it",)),
    ]
    diagnosis = judge(*found)
    assert names(diagnosis.causes) == ["a"]
    assert sorted(names(diagnosis.consequences)) == ["b", "c"]


def test_two_that_explain_each_other_stay(judge: Judge) -> None:
    found = [made("a", explains=("b:it",)), made("b", explains=("a:it",))]
    assert names(judge(*found).causes) == ["a", "b"]


def test_a_note_explains_nothing(judge: Judge) -> None:
    diagnosis = judge(made("note", "risk", explains=("cause:it",)), made("cause"))
    assert names(diagnosis.causes) == ["cause"]
    assert names(diagnosis.notes) == ["note"]


def test_a_similar_key_is_another(judge: Judge) -> None:
    diagnosis = judge(made("cause", explains=("other:its", "othe:*")), made("other"))
    assert names(diagnosis.causes) == ["cause", "other"]


# -- how sure


def confidence(diagnosis: Diagnosis, name: str) -> str:
    (found,) = [f for f in (*diagnosis.causes, *diagnosis.consequences) if f.cause == name]
    return found.confidence


@pytest.mark.parametrize(
    ("found", "outcomes", "expected"),
    [
        (made("a", "likely"), (), "likely"),
        (made("a", "fatal"), (), "certain"),
        (made("a", "likely", signs=EXPECTS_BOOM), FAILS, "certain"),
        (made("a", "likely"), FAILS, "likely"),
        (made("a", "fatal", signs=EXPECTS_BOOM), FAILS, "certain"),
    ],
)
def test_certain_or_likely(
    judge: Judge, found: Finding, outcomes: tuple[Outcome, ...], expected: str
) -> None:
    assert confidence(judge(found, outcomes=outcomes), "a") == expected


def test_proven_when_only_its_changes_made_it_pass(judge: Judge) -> None:
    a = made("a", "fatal", signs=EXPECTS_BOOM, changes=(HIDE,))
    b = made("b", "fatal", changes=(DROP,))
    outcomes = (failed(BOOM), failed(BANG, changes=(HIDE,)), passed(changes=(HIDE, DROP)))
    diagnosis = judge(a, b, outcomes=outcomes)
    assert confidence(diagnosis, "a") == "certain"
    assert confidence(diagnosis, "b") == "proven"


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        ((failed(BOOM), failed(BOOM, changes=(HIDE,))), "it still fails"),
        ((failed(BOOM), passed(changes=(HIDE, DROP))), "two things were changed"),
        ((failed(BOOM), passed(changes=(DROP,))), "another thing was changed"),
        ((failed(BOOM),), "nothing was changed"),
    ],
)
def test_not_proven(judge: Judge, outcomes: tuple[Outcome, ...], why: str) -> None:
    found = made("a", "fatal", signs=EXPECTS_BOOM, changes=(HIDE,))
    diagnosis = judge(found, outcomes=outcomes)
    assert "proven" not in [f.confidence for f in (*diagnosis.causes, *diagnosis.notes)], why


def test_several_changes_of_one_finding_prove_it(judge: Judge) -> None:
    found = made("a", "fatal", signs=EXPECTS_BOOM, changes=(HIDE, DROP))
    outcomes = (failed(BOOM), passed(changes=(DROP, HIDE)))
    assert confidence(judge(found, outcomes=outcomes), "a") == "proven"


def test_a_pass_on_another_backend_than_the_wished_proves_nothing(judge: Judge) -> None:
    found = made("a", "fatal", signs=EXPECTS_BOOM, changes=(HIDE,))
    for backend, expected in (("jax", "proven"), ("tensorflow", "certain"), (None, "proven")):
        outcomes = (failed(BOOM), passed(backend, changes=(HIDE,)))
        assert confidence(judge(found, wish="jax", outcomes=outcomes), "a") == expected


# -- refuted


def test_a_pass_in_which_it_still_stood_refutes_it(judge: Judge) -> None:
    real = made("real", "fatal", signs=EXPECTS_BOOM, changes=(HIDE,))
    innocent = made("innocent", "likely", changes=(DROP,))
    silent = made("silent", "likely")
    outcomes = (failed(BOOM), passed(changes=(HIDE,)))
    diagnosis = judge(innocent, silent, real, outcomes=outcomes)
    assert names(diagnosis.causes) == ["real"]
    assert sorted(names(diagnosis.notes)) == ["innocent", "silent"]


def test_a_failing_counterfactual_refutes_nothing(judge: Judge) -> None:
    found = made("a", "likely")
    outcomes = (failed(BOOM), failed(BOOM, changes=(HIDE,)))
    assert names(judge(found, outcomes=outcomes).causes) == ["a"]


@pytest.mark.parametrize(("backend", "expected"), [("jax", []), ("tensorflow", ["wish"])])
def test_a_finding_about_the_wish_is_refuted_by_meeting_it(
    judge: Judge, backend: str, expected: list[str]
) -> None:
    real = made("real", "fatal", signs=EXPECTS_BOOM, changes=(HIDE,))
    about_wish = made("wish", "fatal", blocks=())
    outcomes = (failed(BOOM), passed(backend, changes=(HIDE,)))
    diagnosis = judge(real, about_wish, wish="jax", outcomes=outcomes)
    assert [name for name in names(diagnosis.causes) if name == "wish"] == expected


# -- unknown


def test_unknown_is_the_last_resort(judge: Judge) -> None:
    diagnosis = judge(made("risk", "risk"), outcomes=FAILS)
    (found,) = diagnosis.causes
    assert (found.code, found.cause, found.confidence) == ("KD902", "unknown", "likely")
    assert "ValueError: boom" in found.title
    assert found.culprit == f"{SITE}/keras/a.py:1"
    assert diagnosis.healthy is False


def test_unknown_is_not_said_beside_a_cause(judge: Judge) -> None:
    assert names(judge(made("a", "likely"), outcomes=FAILS).causes) == ["a"]


def test_unknown_is_not_said_of_what_works_or_was_not_tried(judge: Judge) -> None:
    assert judge(made("a", "risk"), outcomes=WORKS).causes == ()
    assert judge(made("a", "risk")).causes == ()


def test_the_failure_behind_a_cause(judge: Judge) -> None:
    found = made("a", "fatal", signs=EXPECTS_BOOM, changes=(HIDE,))
    outcomes = (failed(BOOM), failed(BANG, changes=(HIDE,)))
    first, second = judge(found, outcomes=outcomes).causes
    assert (first.cause, second.cause) == ("a", "unknown")
    assert "TypeError: bang" in second.title


def test_the_same_failure_again_is_no_other(judge: Judge) -> None:
    found = made("a", "fatal", changes=(HIDE,))
    outcomes = (failed(BOOM), failed(BOOM, changes=(HIDE,)))
    assert names(judge(found, outcomes=outcomes).causes) == ["a"]


@pytest.mark.parametrize("end", [died("SIGSEGV", "numpy/a.py"), failed(status="hung")])
def test_the_same_end_again_is_no_other(judge: Judge, end: Outcome) -> None:
    found = made("a", "fatal", changes=(HIDE,))
    outcomes = (end, end._replace(changes=(HIDE,)))
    assert names(judge(found, outcomes=outcomes).causes) == ["a"]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (died("SIGILL", "numpy/a.py"), "SIGILL"),
        (failed(status="hung", seconds=119.6, exit_code=None), "still running after 120 seconds"),
        (failed(status="exited", exit_code=7), "exit code 7"),
        (failed(status="not-started", exit_code=None), "not-started"),
        (printed("last words\n", exit_code=3), "exit code 3"),
    ],
)
def test_unknown_of_every_end(judge: Judge, outcome: Outcome, words: str) -> None:
    (found,) = judge(outcomes=(outcome,)).causes
    assert words in found.title
    if outcome.output:
        assert found.evidence[0].text == "last words"
    if outcome.crash_frames:
        assert found.culprit == f"{SITE}/numpy/a.py:1"


def test_unknown_says_what_was_ruled_out() -> None:
    diagnosis = diagnose(world(TENSORFLOW_STACK, outcomes=FAILS))
    (found,) = diagnosis.causes
    assert found.cause == "unknown"
    for word in ("settings", "installation", "damaged files", "versions"):
        assert word in found.why


def test_the_program_fails_and_its_imports_do_not(judge: Judge) -> None:
    outcomes = (printed("KeyError: 3", exit_code=1), passed("tensorflow"))
    (found,) = judge(outcomes=outcomes).causes
    assert "The imports work" in found.title


# -- whole worlds


def test_healthy_worlds_have_no_cause() -> None:
    for context in (
        world(TENSORFLOW_STACK),
        world(variables=JAX_VARIABLE),
        world(variables=JAX_VARIABLE, keras_json=automatic(), wish="jax"),
        world(KERAS_210_STACK, keras_json=automatic("theano")),
    ):
        assert diagnose(context).causes == ()


def test_the_backend_is_told_before_the_missing_package() -> None:
    """KERAS_BACKEND is stale, an invalid value waits in keras.json, and optree is missing."""
    context = world(
        without(JAX_STACK, "optree"),
        variables={"KERAS_BACKEND": "theano"},
        keras_json=automatic("jax", floatx="float"),
        wish="jax",
        outcomes=[
            failed(raised("AssertionError", "", f"{SITE}/keras/src/backend/config.py")),
        ],
    )
    assert names(diagnose(context).causes) == [
        "backend-unknown",
        "keras-config-invalid",
        "not-installed",
    ]


def test_the_default_backend_is_not_a_missing_package() -> None:
    tensorflow = missing("tensorflow", "keras/src/tree/optree_impl.py")
    diagnosis = diagnose(world(outcomes=[failed(tensorflow)]))
    assert names(diagnosis.causes) == ["backend-not-installed"]
    assert names(diagnosis.consequences) == ["not-installed"]


def test_a_lost_setting_explains_the_missing_backend() -> None:
    tensorflow = missing("tensorflow", "keras/src/tree/optree_impl.py")
    context = world(keras_json='{"backend": "jax",}', outcomes=[failed(tensorflow)])
    diagnosis = diagnose(context)
    assert names(diagnosis.causes) == ["keras-config-invalid"]
    assert "backend-not-installed" in names(diagnosis.consequences)


def test_a_late_line_explains_the_missing_backend() -> None:
    from rules.factory import script, setting

    program = script("keras", setting("jax", before=False, line=9))
    context = world(program=program, outcomes=[failed(missing("tensorflow", "keras/x.py"))])
    assert names(diagnose(context).causes) == ["backend-setting-ignored"]


def test_a_shadow_is_proven_by_hiding_it() -> None:
    own = local("random")
    hidden = (Change(kind="hide-module", name=own.path, value=None),)
    error = raised("AttributeError", "module 'random' has no attribute 'Random'", "numpy/a.py")
    context = world(
        variables=JAX_VARIABLE,
        locals_=[own],
        modules=[module("random", copy("random", PROJECT, "module"))],
        outcomes=[failed(error), passed("jax", changes=hidden)],
    )
    (found,) = diagnose(context).causes
    assert (found.cause, found.confidence) == ("shadowed-module", "proven")


def test_a_shadow_that_the_run_does_not_speak_of_is_a_note() -> None:
    context = world(
        variables=JAX_VARIABLE, locals_=[local("random")], outcomes=[passed("jax")], wish="jax"
    )
    diagnosis = diagnose(context)
    assert (names(diagnosis.causes), names(diagnosis.notes)) == ([], ["shadowed-module"])
    assert diagnosis.healthy is True


def test_a_violated_requirement_that_trains_is_a_note() -> None:
    stack = with_(JAX_STACK, dist("jaxlib", "0.4.26"))
    ok = world(stack, variables=JAX_VARIABLE, outcomes=[passed("jax")])
    assert names(diagnose(ok).notes) == ["tensorflow-variant-or-plugin-mismatch"]
    error = raised("RuntimeError", "jaxlib version 0.4.26 is too old", "jax/version.py")
    broken = world(stack, variables=JAX_VARIABLE, outcomes=[failed(error)])
    assert names(diagnose(broken).causes) == ["tensorflow-variant-or-plugin-mismatch"]


def test_an_ignored_variable_is_a_cause_though_the_import_works() -> None:
    context = world(
        KERAS_210_STACK, variables={"KERAS_BACKEND": "theano"}, outcomes=[passed("tensorflow")]
    )
    diagnosis = diagnose(context)
    assert names(diagnosis.causes) == ["backend-setting-ignored"]
    assert diagnosis.healthy is False


def test_a_met_wish_silences_an_ignored_variable() -> None:
    context = world(
        KERAS_210_STACK,
        variables={"KERAS_BACKEND": "theano"},
        outcomes=[passed("tensorflow")],
        wish="tensorflow",
    )
    assert diagnose(context).causes == ()


def test_a_damaged_file_and_a_stale_variable_are_two_causes() -> None:
    keras = JAX_STACK.distributions[0]
    error = raised("SyntaxError", "source code string cannot contain null bytes")
    context = world(
        variables={"KERAS_BACKEND": "torch"},
        files=(files(keras, anomaly("keras/src/a.py", "zeros", 9, 9)),),
        outcomes=[
            failed(missing("torch", "keras/src/backend.py")),
            failed(error, changes=(set_backend("jax"),)),
        ],
    )
    diagnosis = diagnose(context)
    assert names(diagnosis.causes) == ["backend-not-installed", "altered-files"]
    assert diagnosis.causes[1].confidence == "certain"


def test_the_selection_is_explained() -> None:
    context = world(variables=JAX_VARIABLE, keras_json=automatic())
    selection = diagnose(context).selection
    assert selection is not None
    assert (selection.backend.name, selection.backend.asked_by) == ("jax", "environment")
    assert selection.backend.honoured is True
    assert [(s.source, s.value, s.wins) for s in selection.sources] == [
        ("KERAS_BACKEND", "jax", True),
        ("keras.json", "tensorflow", False),
        ("default", "tensorflow", False),
    ]
    assert selection.keras.version == "3.8.0"


@pytest.mark.parametrize(
    ("context", "honoured"),
    [
        (world(KERAS_210_STACK, variables={"KERAS_BACKEND": "theano"}), False),
        (world(KERAS_210_STACK), True),
        (world(without(JAX_STACK, "keras"), variables=JAX_VARIABLE), None),
        (world(variables=JAX_VARIABLE), True),
        (world(variables={"KERAS_BACKEND": ""}), True),
    ],
)
def test_honoured(context: Context, honoured: bool | None) -> None:
    selection = diagnose(context).selection
    assert selection is not None
    assert selection.backend.honoured is honoured


LEGACY = {"TF_USE_LEGACY_KERAS": "1"}


@pytest.mark.parametrize(
    ("context", "apis"),
    [
        (world(variables=JAX_VARIABLE), []),
        (world(TENSORFLOW_STACK), [("tf.keras", "keras", "tensorflow")]),
        (
            world(with_(TENSORFLOW_STACK, dist("tf_keras", "2.18.0")), variables=LEGACY),
            [("tf.keras", "tf_keras", "tensorflow"), ("tf_keras", "tf_keras", "tensorflow")],
        ),
        (world(KERAS_210_STACK), [("tf.keras", "keras", "tensorflow")]),
        (
            world(with_(JAX_STACK, dist("tensorflow", "2.18.1")), variables=JAX_VARIABLE),
            [("tf.keras", "keras", "jax")],
        ),
        (
            world(with_(JAX_STACK, dist("tensorflow", "1.15.0"))),
            [("tf.keras", "tensorflow", "tensorflow")],
        ),
    ],
)
def test_other_doors_to_keras(context: Context, apis: list[tuple[str, str, str]]) -> None:
    selection = diagnose(context).selection
    assert selection is not None
    assert [(a.import_name, a.distribution, a.backend) for a in selection.apis] == apis


def test_backends_are_what_was_seen() -> None:
    trained = passed("jax", kind="train", device="cpu", seconds=3.0)
    states = {s.name: s for s in diagnose(world(outcomes=[trained])).backends}
    assert list(states) == ["tensorflow", "jax", "torch", "numpy", "openvino"]
    assert states["jax"].version == "0.5.0"
    assert (states["jax"].importable, states["jax"].trains) == (True, True)
    assert (states["jax"].device, states["jax"].seconds) == ("cpu", 3.0)
    assert (states["tensorflow"].installed, states["tensorflow"].importable) == (False, None)


def test_a_crashing_rule_is_reported_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_context: Context) -> None:
        raise ZeroDivisionError("of the rule")

    monkeypatch.setattr("keras_doctor.rules.selection.backend_unknown.backend_unknown", crash)
    diagnosis = diagnose(world())
    states = {r.code: (r.state, r.reason) for r in diagnosis.results}
    assert states["KD101"] == ("crashed", "ZeroDivisionError: of the rule")
    assert states["KD102"][0] == "finding"
    assert names(diagnosis.causes) == ["backend-not-installed"]
    assert len(diagnosis.results) == len(RULES) - 1


def test_skipped_rules_say_why() -> None:
    states = {r.code: r for r in diagnose(world(files=(), interpreter=None)).results}
    assert states["KD301"].state == "skipped"
    assert states["KD404"].reason == "the Python version is not known"


# -- what holds for every world


def assert_sane(diagnosis: Diagnosis) -> None:
    assert [r.reason for r in diagnosis.results if r.state == "crashed"] == []
    told = [f.key for f in (*diagnosis.causes, *diagnosis.consequences)]
    assert not {f.key for f in diagnosis.notes} & set(told)
    assert all(f.confidence in ("proven", "certain", "likely") for f in diagnosis.causes)
    assert not (diagnosis.healthy and diagnosis.causes)
    encode(diagnosis)


HYPOTHESIS = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@HYPOTHESIS
@given(WILD, st.lists(OUTCOMES, max_size=2), st.none() | st.text(max_size=5))
def test_no_snapshot_breaks_it(snapshot: object, outcomes: list[Outcome], wish: str | None) -> None:
    assert_sane(diagnose(Context(snapshot, wish=wish, outcomes=tuple(outcomes))))  # type: ignore[arg-type]


@HYPOTHESIS
@given(worlds())
def test_no_world_breaks_it(context: Context) -> None:
    assert_sane(diagnose(context))


def shuffled(context: Context, seed: int) -> Context:
    """The same facts; distributions and modules that share no name or folder in another order."""
    snapshot, by_chance = context.snapshot, random.Random(seed)  # noqa: S311
    rows, modules = list(snapshot.distributions), list(snapshot.modules)
    by_chance.shuffle(rows)
    by_chance.shuffle(modules)
    return Context(
        snapshot._replace(distributions=tuple(rows), modules=tuple(modules)),
        wish=context.wish,
        outcomes=context.outcomes,
    )


BROKEN = [
    world(without(JAX_STACK, "optree", "h5py", "namex"), variables=JAX_VARIABLE),
    world(
        with_(
            JAX_STACK,
            dist("jaxlib", "0.4.26"),
            dist("h5py", "3.12.1", "numpy<2"),
            dist("rich", "1.0", requires_python=">=3.13"),
        ),
        variables=JAX_VARIABLE,
        locals_=[local("random"), local("jax")],
        modules=[module("jax", copy("jax", PROJECT, "module"), copy("jax"))],
    ),
    world(
        variables={"KERAS_BACKEND": "torch"},
        configs=[config(automatic("pytorch")), config(automatic("jax"), source="project")],
        outcomes=[failed(missing("torch", "keras/x.py"), missing("pandas", SCRIPT))],
    ),
    world(with_(KERAS_210_STACK, dist("keras", "2.11.0"), dist("protobuf", "4.0"))),
]


@pytest.mark.parametrize("context", BROKEN)
@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_order_does_not_depend_on_the_order_of_unrelated_facts(context: Context, seed: int) -> None:
    def told(diagnosis: Diagnosis) -> list[list[tuple[str, str]]]:
        groups = (diagnosis.causes, diagnosis.consequences, diagnosis.notes)
        return [[(f.key, f.title) for f in group] for group in groups]

    assert told(diagnose(shuffled(context, seed))) == told(diagnose(context))


def test_the_last_frame_of_a_world_is_where_the_factory_puts_it() -> None:
    assert frame("keras/a.py").file == f"{SITE}/keras/a.py"
    assert frame("/x/a.py").file == "/x/a.py"


SEEDED = """\
import json, sys
sys.path[:0] = sys.argv[1:]
from rules.factory import JAX_STACK, anomaly, files, without, world
from keras_doctor.codec import encode
from keras_doctor.diagnosis import diagnose
numpy = next(d for d in JAX_STACK.distributions if d.name == "numpy")
damage = files(numpy, anomaly("numpy/__init__.py"), anomaly("numpy/a.so", "size"))
contexts = [world(without(JAX_STACK, "keras")), world(files=(damage,)), world()]
print(json.dumps([encode(diagnose(context)) for context in contexts]))
"""


def test_the_same_facts_give_the_same_diagnosis_in_every_process() -> None:
    folder = os.path.dirname(__file__)
    reports = [
        subprocess.run(
            [sys.executable, "-c", SEEDED, folder],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]
    assert reports[0] == reports[1]
