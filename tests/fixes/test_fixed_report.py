"""The screens of `fix`, `undo` and `history`, and their JSON.

KERAS_DOCTOR_UPDATE_GOLDEN=1 writes the golden files anew; read the difference before committing.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from fixes import repairs
from fixes.repairs import JOURNAL, REPAIRS, a_repair
from keras_doctor.fixes.history import History, Undone
from keras_doctor.fixes.transaction.journal import STATUSES, Journal, planned
from keras_doctor.fixes.transaction.states import ABSENT, FileChange
from keras_doctor.model.plan import Repair
from keras_doctor.report import json as report
from keras_doctor.report.fixed import render_fix, render_plan
from keras_doctor.report.history import render_history, render_undo
from keras_doctor.report.schemas import schema_text

GOLDEN = Path(__file__).parent / "golden"
AGAIN = "keras-doctor fix --yes -- python train.py"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
PLAIN: dict[str, Any] = {"width": 80, "color": False, "unicode": True}


def screen(repair: Repair, **options: Any) -> str:
    return render_fix(repair, again=AGAIN, **options)


def commands(repair: Repair) -> set[str]:
    steps = (*repair.steps, *repair.manual)
    return {command.text for step in steps for command in step.commands}


@pytest.mark.parametrize("name", REPAIRS)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("-60", {"width": 60, "unicode": False}),
        ("-100", {"width": 100, "verbose": True}),
        ("-dry-run", {"width": 80, "asked": True}),
        ("-quiet", {"width": 80, "quiet": True}),
    ],
)
def test_screen(name: str, kind: str, options: dict[str, Any]) -> None:
    text = screen(REPAIRS[name](), **options)
    path = GOLDEN / f"{name}{kind}.txt"
    if os.environ.get("KERAS_DOCTOR_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path.name} is not there; see the docstring of this file"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", REPAIRS)
@pytest.mark.parametrize("width", [60, 100])
def test_lines_are_folded_but_for_what_is_to_be_copied(name: str, width: int) -> None:
    repair = REPAIRS[name]()
    text = screen(repair, width=width, unicode=False, verbose=True)
    assert text.isascii()
    copied = commands(repair) | {AGAIN, f"keras-doctor undo {JOURNAL}"}
    for line in text.splitlines():
        assert len(line) <= width or line.strip() in copied, line


@pytest.mark.parametrize("name", REPAIRS)
def test_every_command_can_be_copied(name: str) -> None:
    repair = REPAIRS[name]()
    lines = {line.strip() for line in screen(repair, width=60).splitlines()}
    for step in (*repair.steps, *repair.manual):
        shown = step.commands if step.kind == "use-env" else step.commands[:1]
        assert {command.text for command in shown} <= lines


@pytest.mark.parametrize("name", REPAIRS)
def test_colour_adds_nothing_but_colour(name: str) -> None:
    plain, colored = (screen(REPAIRS[name](), color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain != colored


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("nothing-to-repair", "Nothing to repair"),
        ("works-now", "It works now"),
        ("planned", "A repair was found and tried in a copy; nothing was changed yet."),
        ("steps-left", "It works once you have done 3 steps that only you can do."),
        ("refused", "A repair was found and tried in a copy, but not applied."),
        ("new-environment", "A new environment was made beside this one"),
        ("offered-environment", "This environment cannot be mended in place"),
        ("failed-search", "Not repaired: no way out was found"),
        ("no-place", "Not repaired"),
        ("taken-back", "Not repaired: everything is as it was."),
    ],
)
def test_the_verdict_comes_first(name: str, verdict: str) -> None:
    assert screen(REPAIRS[name]()).startswith(verdict)


def test_steps_left_after_something_was_applied() -> None:
    repair = repairs.works_now()._replace(manual=(repairs.SET_ENV,), verified=None)
    text = screen(repair)
    assert text.startswith("It works once you have done 1 step that only you can do.")
    assert "What was done:" in text
    assert f"undo {JOURNAL}" in text


def test_what_did_not_pass_is_not_called_a_plan() -> None:
    text = screen(repairs.failed_search())
    assert "What was tried:" in text
    assert "would be done" not in text
    assert "To apply it" not in text
    assert "in 3 attempts: KERAS_BACKEND asks for torch, which is not\ninstalled here.\n" in text


def test_the_lines_of_an_edit_are_as_they_stand() -> None:
    """Also indentation, long lines, and lines that vanish."""
    long = "    x = [" + ", ".join(["a"] * 60) + "]"
    step = repairs.EDIT._replace(old=long, new="    x = []\n")
    text = screen(a_repair(manual=(step,)), width=60)
    assert f"      - {long}\n      +     x = []\n      +\n" in text


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("then delete it,", "1. Delete it."),
        ("Or unset it.", "1. Unset it."),
        ("tf.keras is not there", "1. tf.keras is not there."),
        ("requirements.txt asks for it", "1. requirements.txt asks for it."),
        ("./x is wrong.", "1. ./x is wrong."),
        ("it is so", "1. It is so."),
        ("", "1. ."),
    ],
)
def test_a_summary_becomes_a_sentence(summary: str, shown: str) -> None:
    step = repairs.SET_ENV._replace(summary=summary)
    assert shown in screen(a_repair(manual=(step,))).splitlines()[-2]


def test_dots_within_a_remark_stay() -> None:
    text = screen(repairs.works_now())
    assert "(python ../train.py …): start it again.\n" in text
    assert "Note: An earlier repair was interrupted.\n" in text


def test_only_some_other_ways_are_shown_unless_all_are_asked_for() -> None:
    assert screen(repairs.planned()).count("(another way did)") == 3
    assert screen(repairs.planned(), verbose=True).count("(another way did)") == 5


def test_quiet_says_what_matters() -> None:
    lines = screen(repairs.steps_left(), quiet=True).splitlines()
    assert lines[0].startswith("It works once")
    assert "What only you can do:" in lines
    assert not any(line.startswith(("Python", "What was wrong")) for line in lines)
    assert len(screen(repairs.planned(), quiet=True).splitlines()) == 1


def test_a_dry_run_says_how_it_is_applied() -> None:
    asked, dry = (screen(repairs.planned(), asked=dry) for dry in (False, True))
    assert "Nobody was there to ask. To apply it:" in asked
    assert "\nTo apply it:\n" in dry
    assert AGAIN in asked
    assert AGAIN in dry
    assert AGAIN not in screen(repairs.refused(), asked=True)
    assert AGAIN in screen(repairs.offered_environment(), asked=True)


def test_the_question_shows_the_plan_alone() -> None:
    plan = repairs.planned()._replace(manual=(repairs.RENAME,))
    text = render_plan(plan, **PLAIN)
    for heading in ("What was wrong:", "What would be done:", "What only you can do:"):
        assert heading in text
    assert "Python  " not in text
    assert "To apply it" not in text


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["\x1b[2J\x1b[31m", "a\nb", "\u202e", "\x07", "x" * 200, "\r", "  "]
)


@given(texts=st.lists(TEXTS, min_size=8, max_size=8), width=st.integers(20, 120))
@settings(deadline=None, max_examples=50)
def test_no_text_of_the_patient_reaches_the_terminal_as_it_is(texts: list[str], width: int) -> None:
    step = repairs.EDIT._replace(
        summary=texts[0], path=texts[1], old=texts[2], new=texts[3], commands=()
    )
    repair = repairs.planned()._replace(
        steps=(step,), manual=(step,), remarks=(texts[4], texts[5]), refusal=texts[6]
    )
    failed = repair._replace(rehearsal=repairs.REHEARSAL._replace(passed=False, failure=texts[7]))
    for one in (repair, failed):
        assert not CONTROL.search(screen(one, width=width))


# -- JSON


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_text()))


def fitting(validator: Draft202012Validator, data: dict[str, Any]) -> dict[str, Any]:
    """The report after its way through text, if it follows the schema."""
    read: dict[str, Any] = json.loads(report.dumps(data).encode("utf-8"))
    assert [f"{list(e.path)}: {e.message}" for e in validator.iter_errors(read)] == []
    return read


@pytest.mark.parametrize("name", REPAIRS)
def test_json_of_a_repair(validator: Draft202012Validator, name: str) -> None:
    repair = REPAIRS[name]()
    status = 0 if repair.verified else 1
    data = fitting(validator, report.fix(repair, exit_code=status))
    assert (data["command"], data["exit_code"]) == ("fix", status)
    assert [row["summary"] for row in data["plan"]] == [step.summary for step in repair.steps]
    assert [row["summary"] for row in data["manual"]] == [s.summary for s in repair.manual]
    assert data["applied"] is repair.applied
    assert data["verified"] is repair.verified
    assert data["journal"] == repair.journal
    assert len(data["alternatives"]) == len(repair.alternatives)
    assert [row["code"] for row in data["causes"]] == [
        cause.code for cause in repair.examination.diagnosis.causes
    ]
    if repair.rehearsal is None:
        assert data["rehearsal"] is None
    else:
        assert data["rehearsal"]["passed"] is repair.rehearsal.passed
        assert len(data["rehearsal"]["distributions"]) == len(repair.rehearsal.distributions)


# -- undo and history

CHANGE = FileChange(
    path="/e/a", before=ABSENT, after=ABSENT._replace(kind="file"), staged="/stage/a"
)


def journal(status: str = "verified", **fields: Any) -> Journal:
    blank = planned(
        environment="/home/ada/project/.venv",
        roots=("/home/ada/project/.venv",),
        changes=(CHANGE,),
        tool_version="0",
        summary=("Install numpy<2.", "\x1b[31mDelete it."),
    )
    return blank._replace(id=JOURNAL, created="2026-01-31T12:00:00Z", status=status, **fields)


def test_an_undo() -> None:
    done = Undone(journal=journal("undone", left=("/e/mine",)), recovered=(), refusal=None)
    text = render_undo(done, **PLAIN)
    assert text.startswith("Undone: 1 change in /home/ada/project/.venv taken back.")
    assert "Left, because it is not from the repair: /e/mine" in text


def test_an_undo_that_was_refused() -> None:
    text = render_undo(Undone(None, (), "There is no repair to undo."), **PLAIN)
    assert text == "Not undone: everything is as it was.\n\nThere is no repair to undo.\n"


def test_an_interrupted_repair_that_was_taken_back() -> None:
    text = render_undo(Undone(None, (journal(),), None), **PLAIN)
    assert text == "An interrupted repair was taken back: /home/ada/project/.venv\n"


def listed(*statuses: str, dropped: str | None = None, problems: tuple[str, ...] = ()) -> str:
    rows = tuple(journal(status) for status in statuses)
    history = History(journals=rows, problems=problems, folder="/state/journals")
    return render_history(history, dropped=dropped, program="keras-doctor", **PLAIN)


@pytest.mark.parametrize("status", STATUSES)
def test_every_state_of_a_repair_is_told(status: str) -> None:
    text = listed(status)
    assert text.startswith(f"{JOURNAL}  2026-01-31T12:00:00Z  ")
    assert "    Install numpy<2.\n" in text
    assert not CONTROL.search(text)
    assert ("undo ID" in text) is (status in ("applied", "verified"))


def test_an_empty_history() -> None:
    assert listed() == "No repair was made here.\n"
    text = listed(dropped=JOURNAL, problems=("x.json is no journal.",))
    assert text.startswith(f"Forgotten: {JOURNAL}\n")
    assert "Not read: x.json is no journal." in text


def test_json_of_an_undo_and_of_the_history(validator: Draft202012Validator) -> None:
    for done in (
        Undone(journal("undone"), (journal(),), None),
        Undone(None, (), "There is no repair to undo."),
    ):
        status = 0 if done.refusal is None else 1
        data = fitting(validator, report.undo(done, exit_code=status))
        assert data["refusal"] == done.refusal
        assert (data["undone"] or {}).get("changes") == (1 if done.journal else None)
    history = History(tuple(journal(s) for s in STATUSES), ("x",), "/state")
    data = fitting(validator, report.history(history, dropped=None))
    assert [row["status"] for row in data["repairs"]] == list(STATUSES)
    assert data["problems"] == ["x"]
