"""A plan that conda carries out: in which order, and what becomes of it when it fails.

Real conda and a real project of uv: tests/environments/test_owners.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rules.factory import JAX_STACK, dist, failed, passed, raised, with_, world

from fixes.owning import placed
from fixes.repairing import a_step
from keras_doctor.fixes import byowner, managers
from keras_doctor.fixes.plans import nothing_yet
from keras_doctor.fixes.search import Found
from keras_doctor.model import Diagnosis, Examination, Snapshot
from keras_doctor.model.facts import Conda, CondaPackage
from keras_doctor.model.plan import DistributionChange, Rehearsal, Repair, Step, Way

NUMPY = DistributionChange(name="numpy", before="2.2.1", after="1.26.4", again=False)
EXTRA = DistributionChange(name="extra", before="1.0", after="2.0", again=False)
INSTALL = a_step("install", "numpy==1.26.4")
MORE = a_step("install", "extra==2.0")
DELETE = a_step("delete", paths=("/x",))


class Bench:
    """A bench that notes what it is told, and answers as it is scripted."""

    def __init__(self, answers: Sequence[str | None], examined: Examination) -> None:
        self.place = SimpleNamespace(runs_commands=True)
        self.asked = SimpleNamespace(environ={})
        self.answers = list(answers)
        self.examined = examined
        self.told: list[Any] = []

    def progress(self, words: str) -> None:
        assert words

    def reset(self) -> None:
        self.told.append("reset")

    def perform(self, steps: Sequence[Step]) -> None:
        self.told += [step.kind for step in steps]

    def run_owner(self, argv: Sequence[str], folder: str, after: Sequence[Step]) -> str | None:
        assert folder
        assert after
        self.told.append(" ".join(argv[:2]) + " … " + argv[-1])
        return self.answers.pop(0)

    def install(self, request: Any, after: Sequence[Step]) -> str | None:
        assert request.complete
        assert after
        self.told.append(request.requirements)
        return None

    def examine(self, after: Sequence[Step], *, command: bool) -> Examination:
        self.told.append("look, with the command" if command else "look")
        return self.examined


def seen(facts: Snapshot, *, works: bool) -> Examination:
    diagnosis = Diagnosis(
        healthy=works,
        causes=(),
        consequences=(),
        notes=(),
        results=(),
        selection=None,
        backends=(),
        asks=(),
    )
    outcome = passed() if works else failed(raised("ImportError", "no"))
    return Examination(snapshot=facts, wish=None, outcomes=(outcome,), diagnosis=diagnosis)


@pytest.fixture
def facts(tmp_path: Path) -> Snapshot:
    """A conda environment; numpy came by conda and extra by pip."""
    package = CondaPackage(name="numpy", version="2.2.1", build="0", channel=None)
    rows = (dist("numpy", "2.2.1", installer="conda"), dist("extra", "1.0", installer="pip"))
    full = world(with_(JAX_STACK, *rows)).snapshot
    return placed(tmp_path, virtual=False)._replace(
        conda=Conda(prefix=str(tmp_path / "env"), packages=(package,), variables=()),
        distributions=full.distributions,
    )


@pytest.fixture
def conda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managers, "find_program", lambda *_: "/opt/bin/conda")


def the_plan(facts: Snapshot, *steps: Step) -> tuple[Repair, Found]:
    rehearsal = Rehearsal(
        rung="overlay",
        attempts=1,
        passed=True,
        distributions=(EXTRA, NUMPY) if MORE in steps else (NUMPY,),
        files=1,
        newly_broken=(),
        untouched=True,
        failure=None,
        seconds=1.0,
        install_seconds=1.0,
    )
    plan = nothing_yet(seen(facts, works=False))._replace(steps=steps, rehearsal=rehearsal)
    found = Found(
        ways=(Way(key="k", steps=steps),),
        examination=seen(facts, works=True),
        passed=True,
        attempts=1,
        newly_broken=(),
        dismissed=(),
        stuck=(),
        failure=None,
        install_seconds=1.0,
    )
    return plan, found


def done(
    facts: Snapshot, bench: Bench, *steps: Step, typed: tuple[str, ...] = ()
) -> byowner.ByOwner | None:
    search: Any = SimpleNamespace(bench=bench, typed=typed)
    return byowner.done_by_owner(*the_plan(facts, *steps), search)


@pytest.mark.usefixtures("conda")
def test_files_first_then_conda_then_what_is_not_its_own(facts: Snapshot) -> None:
    bench = Bench([None], seen(facts, works=True))
    theirs = done(facts, bench, DELETE, INSTALL, MORE, typed=("python", "a.py"))
    assert bench.told == [
        *("reset", "delete", "/opt/bin/conda install … numpy=1.26.4"),
        *(("extra==2.0",), "look, with the command"),
    ]
    assert theirs is not None
    assert theirs.examination == bench.examined
    kinds = [(step.kind, step.risk) for step in theirs.plan.steps]
    assert kinds == [("run-command", "safe"), ("delete", "shown"), ("install", "safe")]


@pytest.mark.usefixtures("conda")
def test_what_a_channel_does_not_have_may_be_near(facts: Snapshot) -> None:
    bench = Bench(["PackageNotFoundError", None], seen(facts, works=True))
    theirs = done(facts, bench, INSTALL)
    assert [one for one in bench.told if "conda" in one] == [
        "/opt/bin/conda install … numpy=1.26.4",
        "/opt/bin/conda install … numpy<=1.26.4",
    ]
    assert bench.told.count("reset") == 2
    assert theirs is not None
    assert theirs.plan.steps[0].commands[0].text.endswith("'numpy<=1.26.4'")


@pytest.mark.parametrize(
    ("answers", "works", "why"),
    [(["no", "no network"], True, "no network"), ([None, None], False, "the import still fails")],
)
@pytest.mark.usefixtures("conda")
def test_what_does_not_help_is_left_to_the_user_with_the_reason(
    facts: Snapshot, answers: list[str | None], works: bool, why: str
) -> None:
    theirs = done(facts, Bench(answers, seen(facts, works=works)), INSTALL)
    assert theirs is not None
    assert theirs.examination is None
    assert theirs.plan.steps == ()
    assert [(step.kind, step.risk) for step in theirs.plan.manual] == [("run-command", "shown")]
    assert theirs.plan.manual[0].commands[0].text.endswith("numpy=1.26.4")
    (remark,) = theirs.plan.remarks
    assert remark == f"conda was tried in the copy and did not do it: {why}"


def test_without_its_program_or_an_overlay_nothing_is_run(
    facts: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench([], seen(facts, works=True))
    monkeypatch.setattr(managers, "find_program", lambda *_: None)
    assert done(facts, bench, INSTALL) is None
    monkeypatch.setattr(managers, "find_program", lambda *_: "/opt/bin/conda")
    bench.place.runs_commands = False
    assert done(facts, bench, INSTALL) is None
    bench.place.runs_commands = True
    assert done(facts._replace(conda=None), bench, INSTALL) is None
    assert bench.told == []
