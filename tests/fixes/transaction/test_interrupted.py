"""A process is killed at each point of a repair; then the old state is restored, to the byte."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixes.transaction import plans
from fixes.transaction.kills import Trial
from keras_doctor.fixes.transaction import TransactionError, apply, recover, undo

TESTS = Path(__file__).parents[2]
RUNS = [
    ("apply", "upgrade", 170, ()),
    ("apply", "kinds", 120, ("ordinary",)),
    ("apply", "elsewhere", 80, ()),
    ("undo", "upgrade", 120, ()),
    ("undo", "kinds", 90, ("ordinary",)),
    ("undo", "elsewhere", 50, ()),
    ("recover", "kinds", 200, ()),
]
"""All points of a plan that is applied, undone, or recovered from; at least so many are known."""


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory if there is one: there, waiting for the disk costs nothing."""
    if not os.access(plans.ELSEWHERE, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=plans.ELSEWHERE) as folder:
        yield Path(folder)


def test_enough_points() -> None:
    assert sum(points for *_, points, _ in RUNS) >= 500
    assert len({plan for _, plan, *_ in RUNS}) == 3


@pytest.mark.parametrize(("kind", "plan", "points", "more"), RUNS)
def test_killed(quick: Path, kind: str, plan: str, points: int, more: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fixes.transaction.kills", kind, plan, str(quick), *more],
        cwd=TESTS,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)["points"]
    print(f"{kind} {plan}: {found} points")
    assert found >= points


class Fault:
    """A step that fails at the n-th call, and only there."""

    def __init__(self, number: int, make: Callable[[], BaseException]) -> None:
        self.left = number
        self.make = make

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left == -1:
            raise self.make()


FAULTS: list[Callable[[], BaseException]] = [
    lambda: OSError(errno.ENOSPC, "No space left on device"),
    KeyboardInterrupt,
]


@pytest.mark.parametrize("make", FAULTS, ids=["full", "ctrl-c"])
def test_failing_at_each_point(quick: Path, make: Callable[[], BaseException]) -> None:
    trial = Trial("kinds", quick)
    kind = type(make())
    number = 0
    while True:
        journal = trial.fresh()
        fault = Fault(number, make)
        message = ""
        try:
            apply(trial.world.store, journal, step=fault)
        except (TransactionError, KeyboardInterrupt) as error:
            message = str(error)
        known = {each.id: each.status for each in trial.world.store.journals().journals}
        if known[journal.id] != "applied":
            # Nothing is left to recovery.
            trial.check_old(f"point {number}")
            if kind is OSError:
                assert re.search("no space left .* as it was before", message)
            assert known[journal.id] == "rolled-back"
        trial.settle(journal, f"point {number}", "rolled-back")
        if fault.left >= 0:
            break
        number += 1
    assert number > 100


def test_undo_that_fails_is_gone_on_with(quick: Path) -> None:
    trial = Trial("kinds", quick)
    for number in range(0, 60, 7):
        journal = apply(trial.world.store, trial.fresh())
        with pytest.raises(TransactionError, match=r"Nothing was undone|Run this again|brought"):
            undo(trial.world.store, journal, step=Fault(number, FAULTS[0]))
        trial.settle(journal, f"point {number}", "undone")


def test_a_second_interrupt_is_recovered_from(quick: Path) -> None:
    trial = Trial("upgrade", quick)

    class Twice(Fault):
        def __call__(self, name: str) -> None:
            super().__call__(name)
            if self.left == -10:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(trial.world.store, trial.fresh(), step=Twice(90, FAULTS[1]))
    (journal,) = trial.world.store.journals().journals
    assert journal.status == "applying"
    assert trial.world.see() != trial.old
    (recovered,) = recover(trial.world.store, str(trial.world.root))
    assert recovered.status == "rolled-back"
    trial.check_old("recovered")


def test_recovery_with_a_damaged_backup(quick: Path) -> None:
    trial = Trial("upgrade", quick)
    journal = trial.fresh()
    with pytest.raises(KeyboardInterrupt):
        apply(trial.world.store, journal, step=_Dead(110))
    backup = next(
        path
        for path in sorted((trial.world.root / ".keras-doctor" / journal.id).iterdir())
        if path.read_text().startswith("old")
    )
    text = backup.read_text()
    backup.write_text("damaged")
    victim = Path(journal.changes[int(backup.name)].path)
    for _ in range(2):
        with pytest.raises(TransactionError, match=rf"brought back.*: {victim}\. "):
            recover(trial.world.store, str(trial.world.root))
        assert victim.read_text().startswith("new")
        assert trial.world.store.load(journal.id).status == "applying"
    # All others are restored.
    now, old = trial.world.see()[0], trial.old[0]
    changed = {path for path in old if now.get(path) != old[path]}
    assert changed <= {f"/{victim.relative_to(trial.world.root)}"}
    backup.write_text(text)
    os.utime(backup, ns=(0, journal.changes[int(backup.name)].before.mtime_ns or 0))
    recover(trial.world.store, str(trial.world.root))
    trial.check_old("recovered")


class _Dead:
    """A step after which nothing is done any more, as after a kill."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, name: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_planned_and_never_begun(quick: Path) -> None:
    from keras_doctor.fixes.transaction import claim

    trial = Trial("upgrade", quick)
    journal = trial.fresh()
    claim(str(trial.world.stage), journal.id)
    trial.world.store.save(journal)
    assert recover(trial.world.store, "/another/environment") == ()
    assert trial.world.stage.exists()
    (recovered,) = recover(trial.world.store, str(trial.world.root))
    assert recovered.status == "rolled-back"
    assert not trial.world.stage.exists()
    trial.check_old("recovered")


def test_what_others_made_meanwhile_is_left_and_named(quick: Path) -> None:
    trial = Trial("upgrade", quick)

    with pytest.raises(KeyboardInterrupt):
        apply(trial.world.store, trial.fresh(), step=_Dead(130))
    mine = trial.world.root / "lib/keras/new4"
    mine.mkdir(exist_ok=True)
    (mine / "mine.py").write_text("mine")
    (recovered,) = recover(trial.world.store, str(trial.world.root))
    assert str(mine / "mine.py") in recovered.left
    assert (mine / "mine.py").read_text() == "mine"
    (mine / "mine.py").unlink()
    mine.rmdir()
    time = trial.old[0]["/lib/keras"][2]
    assert isinstance(time, int)
    os.utime(mine.parent, ns=(0, time))
    trial.check_old("recovered")
