"""The search for a plan, by a script of what is seen after each attempt."""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import pytest
from rules.factory import JAX_STACK, SITE, dist, failed, missing, passed, with_, world

from fixes.repairing import a_finding, a_fix
from keras_doctor.fixes import bench, trial
from keras_doctor.fixes import search as module
from keras_doctor.fixes.installer import Installed, Installer
from keras_doctor.fixes.judged import works
from keras_doctor.fixes.request import Request
from keras_doctor.fixes.search import (
    MAX_ROUNDS,
    Found,
    Options,
    Search,
)
from keras_doctor.fixes.transaction.states import FileChange
from keras_doctor.fixes.ways import environ_after
from keras_doctor.model import Diagnosis, Examination, Finding, Fix
from keras_doctor.model.plan import Way

_T = TypeVar("_T")
Scripted = Examination | Callable[[list[str]], Examination]
"""What is seen, or how it follows from what the place holds."""
WORLD = world().snapshot
UV = Installer("uv", ("/bin/uv",))


def seen(*causes: Finding, **fields: Any) -> Examination:
    """What was seen of a world: nothing works, for these causes; or all does."""
    diagnosis = Diagnosis(
        healthy=not causes,
        causes=causes,
        consequences=(),
        notes=(),
        results=(),
        selection=None,
        backends=(),
        asks=(),
    )
    outcomes = (failed(missing("numpy")),) if causes else (passed(), passed())
    blank = Examination(snapshot=WORLD, wish=None, outcomes=outcomes, diagnosis=diagnosis)
    return blank._replace(**fields)


WELL = seen()


def cause(name: str, *fixes: Fix, **fields: Any) -> Finding:
    return a_finding(*fixes, culprit=name, title=f"{name} is wrong", **fields)


def install(*requirements: str) -> Fix:
    return a_fix("install", requirements[0], targets=requirements)


def delete(name: str) -> Fix:
    return a_fix("delete", f"{SITE}/{name}", targets=(f"{SITE}/{name}",))


def set_env(name: str, value: str = "1") -> Fix:
    return a_fix("set-env", name, value)


class FakePlace:
    """A place in which functions are called at once, and what is called is written down."""

    rung = "overlay"
    runs_commands = False
    id = "20260131-120000-123456-0a1b2c3d"
    stage = "/stage"

    def __init__(self) -> None:
        self.done: list[str] = []
        """What the place holds: it goes with a reset."""
        self.resets = 0
        self.ahead = 0
        self.open: set[str] = set()
        """Paths that it does not shield."""

    def shields(self, path: str) -> bool:
        return path not in self.open

    def there(self, path: str) -> str:
        return path.replace("/env", "/copy")

    def back(self, text: str) -> str:
        return text.replace("/copy", "/env")

    def call(self, function: Callable[..., _T], *args: Any, **named: Any) -> _T:
        named.pop("with_progress", None)
        return function(*args, **named)

    def reset(self) -> None:
        self.resets += 1
        self.done.clear()

    def changed_files(self, suffix: str) -> tuple[str, ...]:
        return (f"/copy/changed{suffix}",)

    def read_ahead(self) -> None:
        self.ahead += 1

    def difference(self, also: Sequence[str] = ()) -> tuple[FileChange, ...]:
        return ()

    def close(self) -> None:
        return


class World:
    """A script: what is seen after each attempt, and how each installer run ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = FakePlace()
        self.script: list[Scripted] = []
        self.installs: list[str | None] = []
        """Why the next runs fail; None: it succeeds."""
        self.refused: dict[str, OSError] = {}
        """Paths that cannot be changed."""
        self.asked: list[trial.Asked] = []
        self.requests: list[Request] = []
        self.commands: list[bool] = []
        self.trained: list[bool] = []
        self.compiled: list[Sequence[str]] = []
        self.said: list[str] = []
        self.installer: Installer | None = UV
        self.read: Examination | None = None
        """What the files alone say; then the first attempt is made ahead."""
        monkeypatch.setattr(trial, "examine", self._examine)
        monkeypatch.setattr(trial, "perform", self._perform)
        monkeypatch.setattr(trial, "read_source", lambda path: None)
        monkeypatch.setattr(bench, "install", self._install)
        monkeypatch.setattr(bench, "find_installer", lambda *_, **__: self.installer)
        monkeypatch.setattr(
            bench, "begin_compiling", lambda _p, names, _e, _h: self.compiled.append(names)
        )

    def _examine(
        self, asked: trial.Asked, *, run_command: bool, keep: bool, train: bool
    ) -> Examination:
        self.asked.append(asked)
        self.commands.append(run_command)
        self.trained.append(train)
        assert not keep
        now = self.script.pop(0)
        return now if isinstance(now, Examination) else now(self.place.done)

    def _perform(self, steps: Sequence[Any], _roots: Sequence[str]) -> None:
        for step in steps:
            for path in step.paths:
                if path in self.refused:
                    raise self.refused[path]
                self.place.done.append(f"delete {path}")

    def _install(self, installer: Installer, request: Request, *_: Any) -> Installed:
        self.requests.append(request)
        problem = self.installs.pop(0) if self.installs else None
        if problem is None:
            self.place.done.append("install " + " ".join(request.requirements))
        return Installed(ok=problem is None, output=problem or "", seconds=1.0)

    def run(
        self,
        first: Examination,
        *after: Scripted,
        programs: Sequence[str] = (),
        **options: Any,
    ) -> Found:
        asked = trial.Asked(
            python="/env/bin/python",
            kernel=None,
            project=None,
            command=("/env/bin/python", "train.py"),
            wish=None,
            timeout=1.0,
            environ={"PATH": "/env/bin:/bin", "OLD": "1"},
            folder="/project",
        )
        self.script = list(after)
        kinds = options.pop("kinds", module.TRIABLE)
        search = Search(
            self.place,
            asked,
            first,
            Options(**options),
            self.said.append,
            kinds=kinds,
            programs=programs,
        )
        if self.read is not None:
            search.bench.first = search.bench.current = self.read
            search.try_ahead()
            search.resume(first, self.said.append)
        return search.run()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def kinds(ways: Sequence[Way]) -> list[str]:
    return [f"{way.key.rpartition(':')[2]}: {'+'.join(s.kind for s in way.steps)}" for way in ways]


# -- what is taken


def test_the_fake_place_is_a_place() -> None:
    """It answers to everything that a search may ask of a place."""
    from keras_doctor.fixes.rehearse.place import Overlay, Place

    for name, wanted in inspect.getmembers(Place, inspect.isfunction):
        if not name.startswith("_"):
            for kind in (FakePlace, Overlay):
                own = inspect.signature(getattr(kind, name))
                assert list(own.parameters) == list(inspect.signature(wanted).parameters), name


def test_one_cause(there: World) -> None:
    found = there.run(seen(cause("a", delete("x"), set_env("B"))), WELL)
    assert (found.passed, found.attempts, found.failure) == (True, 1, None)
    assert kinds(found.ways) == ["a: delete"]
    assert (found.dismissed, found.stuck) == ((), ())
    assert there.place.done == ["delete /copy/lib/site-packages/x"]
    assert there.place.resets == 0


def test_a_plan_that_breaks_what_was_met_does_not_pass(there: World) -> None:
    extra = dist("extra", "1", "optree>=0.14")
    before = world(with_(JAX_STACK, extra)).snapshot
    after = world(with_(JAX_STACK, extra, dist("optree", "0.13.0"))).snapshot
    found = there.run(
        seen(cause("a", install("optree<0.14")), snapshot=before), seen(snapshot=after)
    )
    assert (found.passed, found.newly_broken) == (False, ("extra needs optree>=0.14",))
    assert found.failure == "it works, but afterwards extra needs optree>=0.14, which is met now"


def test_the_copy_is_what_is_looked_at(there: World) -> None:
    there.run(
        seen(cause("a", set_env("NEW", "/env/x")), cause("b", a_fix("unset-env", "OLD"))), WELL
    )
    (asked,) = there.asked
    assert asked.python == "/copy/bin/python"
    assert asked.command == ("/copy/bin/python", "train.py")
    assert asked.environ == {"PATH": "/copy/bin:/bin", "NEW": "/copy/x"}
    assert there.commands == [False]


def test_two_causes_are_mended_jointly(there: World) -> None:
    found = there.run(seen(cause("a", install("numpy<2")), cause("b", install("scipy"))), WELL)
    assert found.passed
    assert kinds(found.ways) == ["a: install", "b: install"]
    (request,) = there.requests
    assert request.requirements == ("numpy<2", "scipy")
    assert there.place.ahead == 1
    assert found.install_seconds >= 0.0


def test_what_two_causes_ask_for_is_done_once(there: World) -> None:
    same = cause("b", delete("x"))._replace(code="KD998")
    twice = cause("a", delete("x"))._replace(code="KD998", cause="some-cause", culprit="b")
    found = there.run(seen(twice, same), WELL)
    assert found.passed
    assert len(found.ways) == 1


def test_a_way_that_does_not_help_is_dismissed(there: World) -> None:
    broken = cause("a", delete("x"), install("numpy"), set_env("B"))
    found = there.run(seen(broken), seen(broken), WELL)
    assert (found.passed, found.attempts) == (True, 2)
    assert kinds(found.ways) == ["a: install"]
    assert [(kinds([way]), why) for way, why in found.dismissed] == [
        (["a: delete"], "the same cause was still there after it")
    ]
    # What the first way did is not in the place any more.
    assert there.place.resets == 1
    assert there.place.done == ["install numpy"]


def test_of_ways_that_all_install_the_smallest_comes_first(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = {("keras<3",): 4, ("jax<1",): 2, ("bad",): None}
    monkeypatch.setattr(bench, "count_changes", lambda _i, request, *_: costs[request.requirements])
    offered = cause("a", install("bad"), install("keras<3"), install("jax<1"))
    found = there.run(seen(offered), seen(offered), WELL)
    assert [way.steps[0].requirements for way in found.ways] == [("keras<3",)]
    assert [way.steps[0].requirements for way, _ in found.dismissed] == [("jax<1",)]
    # Where one of them changes a setting, the rule's own order counts.
    mixed = cause("a", install("keras<3"), set_env("B"), install("jax<1"))
    found = there.run(seen(mixed), WELL)
    assert [way.steps[0].requirements for way in found.ways] == [("keras<3",)]


def test_only_the_way_that_does_not_help_is_taken_back(there: World) -> None:
    one, two = cause("a", delete("x")), cause("b", delete("y"), delete("z"))
    found = there.run(seen(one, two), seen(two), WELL)
    assert kinds(found.ways) == ["a: delete", "b: delete"]
    assert there.place.done == [f"delete /copy/lib/site-packages/{name}" for name in "xz"]


def test_a_new_cause_is_mended_too(there: World) -> None:
    found = there.run(
        seen(cause("a", install("numpy<2"))),
        seen(cause("b", delete("x"))),
        seen(cause("c", set_env("C"))),
        WELL,
    )
    assert (found.passed, found.attempts) == (True, 3)
    assert kinds(found.ways) == ["a: install", "b: delete", "c: set-env"]
    # What is done already is not done again.
    assert len(there.requests) == 1
    assert there.place.resets == 0


def test_later_requests_know_what_is_installed_by_then(there: World) -> None:
    newer = world(with_(JAX_STACK, dist("numpy", "1.26.4"))).snapshot
    second = seen(cause("b", install("scipy==1.14.0")), snapshot=newer)
    there.run(seen(cause("a", install("numpy<2"))), second, WELL)
    first, then = there.requests
    assert not any(line.startswith("numpy==") for line in first.constraints)
    assert "numpy==1.26.4" in then.constraints


def test_a_cause_that_comes_back_gets_its_next_way(there: World) -> None:
    a, b = cause("a", delete("x"), delete("y")), cause("b", delete("z"))
    found = there.run(seen(a), seen(b), seen(a), WELL)
    assert found.passed
    assert [step.paths[0][-1] for way in found.ways for step in way.steps] == ["z", "y"]
    assert [name[-1] for name in there.place.done] == ["z", "y"]


# -- what fails


def test_a_failed_installer_is_tried_loosely_then_dismissed(there: World) -> None:
    there.installs = ["tight /copy/x", "error: no such release\nin /copy/lib"]
    broken = cause("a", install("numpy<2"), delete("x"))
    found = there.run(seen(broken), WELL)
    assert found.passed
    assert kinds(found.ways) == ["a: delete"]
    ((way, why),) = found.dismissed
    assert kinds([way]) == ["a: install"]
    assert why == "error: no such release in /env/lib"
    tight, loose = there.requests
    assert len(tight.constraints) > len(loose.constraints)
    assert there.place.resets >= 2
    assert there.place.done == ["delete /copy/lib/site-packages/x"]


def test_a_loose_install_may_succeed(there: World) -> None:
    there.installs = ["tight", None]
    found = there.run(seen(cause("a", install("numpy<2")), cause("b", delete("x"))), WELL)
    assert found.passed
    assert kinds(found.ways) == ["a: install", "b: delete"]
    assert there.place.done == ["delete /copy/lib/site-packages/x", "install numpy<2"]


def test_a_failed_installer_does_not_dismiss_the_rest(there: World) -> None:
    there.installs = ["no", "no"]
    a, b = cause("a", delete("x")), cause("b", install("numpy<2"), install("numpy<1"))
    found = there.run(seen(a, b), WELL)
    assert found.passed
    assert kinds(found.ways) == ["a: delete", "b: install"]
    assert there.place.done == ["delete /copy/lib/site-packages/x", "install numpy<1"]


def test_after_a_failed_install_what_was_done_before_is_done_again(there: World) -> None:
    there.installs = ["no", "no"]
    found = there.run(
        seen(cause("a", delete("x"))), seen(cause("b", install("numpy"), delete("y"))), WELL
    )
    assert found.passed
    assert [name[-1] for name in there.place.done] == ["x", "y"]


def test_a_file_that_cannot_be_changed_dismisses_its_way(there: World) -> None:
    path = "/copy/lib/site-packages/x"
    there.refused = {path: PermissionError(13, "Permission denied", path)}
    found = there.run(seen(cause("a", delete("x"), set_env("A"))), WELL)
    assert found.passed
    assert kinds(found.ways) == ["a: set-env"]
    ((_way, why),) = found.dismissed
    assert "Permission denied" in why


def test_without_an_installer_nothing_is_installed(there: World) -> None:
    there.installer = None
    found = there.run(seen(cause("a", install("numpy"))))
    assert not found.passed
    assert found.failure == (
        "there is neither uv nor a pip that could install into this environment"
    )
    assert there.asked == []


def test_nothing_helps(there: World) -> None:
    broken = cause("a", delete("x"))
    found = there.run(seen(broken), seen(broken))
    assert (found.passed, found.attempts, found.ways) == (False, 1, ())
    assert found.failure == "a is wrong"
    assert len(found.dismissed) == 1


def test_what_is_told_is_how_the_last_attempt_failed(there: World) -> None:
    there.installs = ["the installer's reason", "the installer's reason"]
    broken = cause("a", install("numpy"), delete("x"))
    found = there.run(seen(broken), seen(broken, cause("z")))
    assert not found.passed
    assert found.failure == "a is wrong"


def test_a_failure_that_nothing_explains_is_left(there: World) -> None:
    unexplained = seen()._replace(outcomes=(failed(missing("numpy")),))
    found = there.run(seen(cause("a", delete("x"))), unexplained)
    assert not found.passed
    assert found.failure == "the import still fails"


def test_there_is_an_end(there: World) -> None:
    """A machine of one fault after another."""
    script = [seen(cause(f"c{number}", set_env(f"V{number}"))) for number in range(100)]
    found = there.run(script[0], *script[1:])
    assert not found.passed
    assert found.attempts == MAX_ROUNDS == len(there.asked)
    assert len(found.ways) == MAX_ROUNDS


def test_there_is_an_end_of_failing_installs(there: World) -> None:
    there.installs = ["no"] * 1000
    many = [install(f"numpy=={number}") for number in range(100)]
    found = there.run(seen(cause("a", *many)))
    assert not found.passed
    assert len(there.requests) == 2 * MAX_ROUNDS


def test_of_installs_that_do_not_go_together_the_last_is_given_up(there: World) -> None:
    there.installs = ["no", "no"]
    a, b = cause("a", install("numpy<2")), cause("b", install("numpy>2"), set_env("B"))
    found = there.run(seen(a, b), WELL)
    assert found.passed
    assert kinds(found.ways) == ["a: install", "b: set-env"]
    assert there.place.done == ["install numpy<2"]


# -- the user's programs


def commands_of(there: World) -> list[str]:
    return [asked.command[-1] for asked in there.asked]


def test_the_first_program_is_mended_with_keras_itself(there: World) -> None:
    script = [seen(cause("p", delete("y"))), WELL]
    found = there.run(seen(cause("a", delete("x"))), *script, programs=["p.py"])
    assert found.passed
    assert kinds(found.ways) == ["a: delete", "p: delete"]
    assert commands_of(there) == ["p.py", "p.py"]
    assert there.commands == [False, False]
    assert there.trained == [True, True]
    assert found.remarks == ("p.py was not run: its imports and what it uses were tried",)


def test_the_program_of_a_world_that_works_is_mended(there: World) -> None:
    found = there.run(WELL, seen(cause("p", delete("y"))), WELL, programs=["p.py"])
    assert found.passed
    assert kinds(found.ways) == ["p: delete"]


@pytest.mark.parametrize(
    ("ways", "looks"),
    [([delete("y")], 3), ([install("y")], 1), ([], 1)],
    ids=["its way does not help", "its way cannot be installed", "it has no way"],
)
def test_a_program_that_cannot_be_mended_does_not_stand_in_the_way(
    there: World, ways: list[Fix], looks: int
) -> None:
    """The place holds in the end what makes Keras work, and that alone."""

    def without_program(done: list[str]) -> Examination:
        return WELL if any(name.endswith("x") for name in done) else seen(cause("a", delete("x")))

    broken = seen(cause("p", *ways))
    there.installs = ["no", "no"]
    script: list[Scripted] = [*[broken] * looks, without_program, WELL]
    found = there.run(seen(cause("a", delete("x"))), *script, programs=["p.py", "q.py"])
    assert there.script == []
    assert (found.passed, found.failure) == (True, None)
    assert kinds(found.ways) == ["a: delete"]
    assert [name[-1] for name in there.place.done] == ["x"]
    assert found.remarks == ("p.py fails all the same: p is wrong",)
    assert found.examination == WELL
    assert commands_of(there) == [*["p.py"] * looks, "train.py", "q.py"]


def test_further_programs_are_only_looked_at(there: World) -> None:
    """What they need is told; nothing is changed for them, and nothing is trained."""
    script = [WELL, seen(cause("q", delete("y"))), WELL]
    found = there.run(seen(cause("a", delete("x"))), *script, programs=["p.py", "q.py", "r.py"])
    assert found.passed
    assert kinds(found.ways) == ["a: delete"]
    assert found.remarks[1:] == ("q.py fails all the same: q is wrong",)
    assert there.trained == [True, False, False]


def test_programs_do_not_matter_while_keras_does_not_work(there: World) -> None:
    broken = seen(cause("a"))
    found = there.run(broken, broken, programs=["p.py", "q.py"])
    assert not found.passed
    assert found.failure == "a is wrong"
    assert found.remarks == ()
    assert commands_of(there) == ["train.py"]


def test_every_cause_that_was_met_is_told_once(there: World) -> None:
    a, b = cause("a", delete("x"), delete("y")), cause("b", delete("z"))
    found = there.run(seen(a), seen(a, b), WELL)
    assert [one.culprit for one in found.causes] == ["a", "b"]


# -- what cannot be tried


def test_what_the_place_does_not_shield_is_not_touched(there: World) -> None:
    """A file of the user's that no copy stands for: trying would change it itself."""
    there.place.open = {f"{SITE}/x"}
    found = there.run(seen(cause("a", delete("x"), delete("y"))), WELL)
    assert kinds(found.ways) == ["a: delete"]
    assert there.place.done == ["delete /copy/lib/site-packages/y"]
    there.place.done.clear()
    alone = there.run(seen(cause("a", delete("x"))))
    assert (kinds(alone.ways), kinds(alone.stuck)) == ([], ["a: delete"])
    assert there.place.done == []


def test_ways_that_cannot_be_tried_are_the_users(there: World) -> None:
    system = a_fix("system-package", "libgomp1", command="apt install libgomp1")
    found = there.run(seen(cause("a", system, a_fix("use-env", "/x"))))
    assert (found.passed, found.attempts) == (False, 0)
    assert kinds(found.stuck) == ["a: system-package", "a: use-env"]
    assert found.failure == "a is wrong"


def test_a_way_with_one_step_that_cannot_be_tried_is_passed_over(there: World) -> None:
    half = a_fix("system-package", "libgomp1")._replace(continues=True)
    found = there.run(seen(cause("a", half, delete("x"), delete("y"))), WELL)
    assert [step.paths[0][-1] for way in found.ways for step in way.steps] == ["y"]
    assert found.stuck == ()


def test_the_rest_is_mended_beside_what_is_stuck(there: World) -> None:
    stuck = cause("s", a_fix("system-package", "libgomp1"))
    found = there.run(seen(stuck, cause("a", delete("x"))), seen(stuck))
    assert not found.passed
    assert kinds(found.ways) == ["a: delete"]
    assert kinds(found.stuck) == ["s: system-package"]
    assert found.failure == "s is wrong"


def test_only_these_kinds_of_steps_are_taken(there: World) -> None:
    found = there.run(seen(cause("a", delete("x"), set_env("A"))), WELL, kinds={"set-env"})
    assert kinds(found.ways) == ["a: set-env"]


# -- what the user says


BOTH = (install("numpy"), set_env("A"), install("scipy"), delete("x"))


@pytest.mark.parametrize(
    ("prefer", "order"),
    [
        (None, ["install", "set-env", "install", "delete"]),
        ("new-env", ["install", "set-env", "install", "delete"]),
        ("switch-backend", ["set-env", "delete", "install", "install"]),
        ("change-versions", ["install", "install", "set-env", "delete"]),
    ],
)
def test_the_user_may_prefer_a_kind_of_way(
    there: World, prefer: str | None, order: list[str]
) -> None:
    broken = seen(cause("a", *BOTH))
    found = there.run(broken, *[broken] * len(BOTH), prefer=prefer)
    assert [way.steps[0].kind for way, _why in found.dismissed] == order


def test_what_must_stay_reaches_the_installer(there: World) -> None:
    there.run(
        seen(cause("a", install("numpy==1.26.4"))),
        WELL,
        keep=("scipy==1.15.0",),
        constraints=("numpy>=2", "h5py<4"),
    )
    (request,) = there.requests
    assert {"scipy==1.15.0", "h5py<4"} <= set(request.constraints)
    assert "numpy>=2" not in request.constraints


def test_new_sources_are_compiled_where_others_are(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for keeps in (False, True):
        monkeypatch.setattr(bench, "keeps_bytecode", lambda _, keeps=keeps: keeps)
        there.run(seen(cause("a", install("numpy"))), WELL)
    assert there.compiled == [("/copy/changed.py",)]
    there.installer = Installer("pip", ("python", "-m", "pip"))
    there.run(seen(cause("a", install("numpy"))), WELL)
    assert len(there.compiled) == 1


# -- parts


@pytest.mark.parametrize(
    ("examined", "verdict"),
    [
        (WELL, True),
        (WELL._replace(wish="jax"), True),
        (WELL._replace(wish="torch"), False),
        (WELL._replace(outcomes=()), False),
        (WELL._replace(outcomes=(passed(), failed(missing("x")))), False),
        (WELL._replace(outcomes=(passed(), passed(status="stopped"))), True),
        (WELL._replace(diagnosis=WELL.diagnosis._replace(healthy=None)), False),
        (seen(cause("a")), False),
    ],
)
def test_what_works(examined: Examination, verdict: bool) -> None:
    assert works(examined) is verdict


def test_variables_after_the_steps() -> None:
    from fixes.repairing import a_step

    steps = [
        a_step("set-env", name="A", value="2"),
        a_step("set-env", name="B", value=None),
        a_step("set-env", name="NEW", value=""),
        a_step("delete", name="C", value="9"),
    ]
    before = {"A": "1", "B": "1", "C": "1"}
    assert environ_after(before, steps) == {"A": "2", "C": "1", "NEW": ""}
    assert before == {"A": "1", "B": "1", "C": "1"}


# -- the first attempt, made before it is known whether anything is wrong


def test_what_was_tried_ahead_is_not_done_again(there: World) -> None:
    there.read = seen(cause("a", install("numpy<2")))
    found = there.run(seen(cause("a", install("numpy<2"))), WELL)
    assert (found.passed, found.attempts, len(there.requests)) == (True, 1, 1)
    assert there.place.done == ["install numpy<2"]
    assert there.place.resets == 0


def test_what_was_tried_ahead_for_another_cause_is_undone(there: World) -> None:
    there.read = seen(cause("a", delete("x")))
    found = there.run(seen(cause("a", delete("x")), cause("b", delete("y"))), WELL, WELL)
    assert found.passed
    assert there.place.resets == 1
    assert [each.rpartition("/")[2] for each in there.place.done] == ["x", "y"]


def test_what_was_tried_ahead_where_all_works_is_undone(there: World) -> None:
    there.read = seen(cause("a", delete("x")))
    found = there.run(WELL, WELL)
    assert (found.passed, found.ways, found.attempts) == (True, (), 0)
    assert (there.place.resets, there.place.done) == (1, [])


def test_what_cannot_be_done_ahead_is_done_in_its_turn(there: World) -> None:
    there.read = seen(cause("a", install("numpy<2")))
    there.installs = ["no network"]
    found = there.run(seen(cause("a", install("numpy<2"))), WELL)
    assert (found.passed, found.attempts) == (True, 1)
    assert there.place.resets == 1


def test_after_an_attempt_ahead_that_did_not_help_the_next_way_is_taken(there: World) -> None:
    broken = cause("a", delete("x"), delete("y"))
    there.read = seen(broken)
    found = there.run(seen(broken), seen(broken), WELL)
    assert (found.passed, found.attempts) == (True, 2)
    assert [each.rpartition("/")[2] for each in there.place.done] == ["y"]


# -- what stops a program when it runs, though its imports pass


def risky(*fixes: Fix) -> Finding:
    return cause("train.py", *fixes, weight="risk", blocks=("program",))


def with_note(note: Finding) -> Examination:
    return WELL._replace(diagnosis=WELL.diagnosis._replace(notes=(note,)))


def test_a_risk_of_a_program_is_taken_up_and_not_called_proven(there: World) -> None:
    note = risky(delete("y"))
    found = there.run(WELL, with_note(note), WELL, programs=["p.py"])
    assert (found.passed, kinds(found.ways)) == (True, ["train.py: delete"])
    assert found.unproven == {way.key for way in found.ways}


def test_a_risk_whose_repair_breaks_the_imports_is_left(there: World) -> None:
    note = risky(delete("y"))
    broken = seen(cause("p"))
    found = there.run(WELL, with_note(note), broken, programs=["p.py"])
    assert (found.passed, found.ways, found.failure) == (True, (), None)
    assert [why for _, why in found.dismissed] == ["it does not help"]
    assert there.place.done == []


def test_other_notes_are_left_alone(there: World) -> None:
    found = there.run(WELL, with_note(cause("x", delete("y"), blocks=("keras",))), programs=["p"])
    assert (found.passed, found.ways) == (True, ())


def test_no_setting_is_written_among_the_temporary_files(there: World) -> None:
    """Others come and go there: a folder of Keras' that is not there yet is nobody's."""
    path = os.path.join(tempfile.gettempdir(), f".absent-{os.getpid()}", "keras.json")
    setting = a_fix("edit-config", path, value='{"backend": "jax"}')
    found = there.run(seen(cause("a", setting, delete("x"))), WELL)
    assert kinds(found.ways) == ["a: delete"]
    assert "among the temporary files" in found.dismissed[0][1]
