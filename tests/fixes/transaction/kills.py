"""Kills a process at each point of a plan, and looks at what recovery makes of it.

A program of its own: it forks, which a test process with threads should not do.

    python -m fixes.transaction.kills apply upgrade FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from fixes.transaction import plans
from fixes.transaction.worlds import Seen, World, remove
from keras_doctor.fixes.transaction import Journal, apply, recover, undo

KILLED = 9
NOBODY = 65534
Step = Callable[[str], None]


class Killer:
    """A step that ends the process at the n-th call."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) > self.number:
            os._exit(KILLED)


def survives(work: Callable[[Step], object], number: int) -> bool:
    """Do something in a process that is killed at a point; whether that came after its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work(Killer(number))
            status = 0
        except BaseException as error:  # noqa: BLE001 - told to who waits
            print(f"point {number}: {error!r}", file=sys.stderr)
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the process failed by itself at point {number}"
    return code == 0


class Trial:
    """One plan, interrupted again and again."""

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.world: World = plans.make(name, place)
        plans.build(self.world, name)
        self.old = self.world.see()
        self.points = 0

    def fresh(self) -> Journal:
        remove(self.world.stage)
        self.world.stage.parent.mkdir(exist_ok=True)
        return plans.plan(self.world, self.name)

    def end(self) -> None:
        remove(self.world.stage)
        if self.world.stage.parent != self.world.place:
            os.rmdir(self.world.stage.parent)

    def check_old(self, where: str) -> None:
        now: tuple[Seen, Seen] = self.world.see()
        for one, other in zip(now, self.old, strict=True):
            changed = [path for path in {*one, *other} if one.get(path) != other.get(path)]
            assert not changed, f"{self.name}: {where}: {sorted(changed)}"

    def settle(self, journal: Journal, where: str, expected: str) -> None:
        """Recover; if the repair or nothing had been completed, take it back from there."""
        recover(self.world.store, str(self.world.root))
        known = {each.id: each for each in self.world.store.journals().journals}
        status = known[journal.id].status if journal.id in known else "none"
        if status == "applied":
            self.world.check_applied(known[journal.id])
            undo(self.world.store, known[journal.id])
        else:
            assert status in (expected, "none"), f"{where}: {status}"
        self.check_old(where)
        if status != "none":
            assert not self.world.stage.exists(), where
        assert recover(self.world.store, str(self.world.root)) == (), where
        if journal.id in known:
            self.world.store.remove(journal.id)

    def apply(self) -> None:
        number = 0
        while True:
            journal = self.fresh()
            ended = survives(lambda step: apply(self.world.store, journal, step=step), number)  # noqa: B023
            self.settle(journal, f"apply, point {number}", "rolled-back")
            if ended:
                break
            number += 1
        self.points += number

    def undo(self) -> None:
        number = 0
        while True:
            journal = apply(self.world.store, self.fresh())
            self.compile()
            ended = survives(lambda step: undo(self.world.store, journal, step=step), number)  # noqa: B023
            self.settle(journal, f"undo, point {number}", "undone")
            if ended:
                break
            number += 1
        self.points += number

    def compile(self) -> None:
        """What Python does when it imports what is new."""
        folder = self.world.root / "lib/keras/new0"
        if folder.exists():
            time = folder.stat().st_mtime_ns
            (folder / "__pycache__").mkdir(exist_ok=True)
            (folder / "__pycache__/x.cpython-311.pyc").write_text("compiled")
            os.utime(folder, ns=(time, time))  # as the journal says, for the comparison

    def recover(self) -> None:
        """Recovery killed at each of its own points, after a kill early, in the middle, late."""
        killer = Killer(10**9)
        done = apply(self.world.store, self.fresh(), step=killer)
        undo(self.world.store, done)
        total = len(killer.names)
        for first in (total // 5, total // 2, total - 12):
            number = 0
            while True:
                journal = self.fresh()
                survives(lambda step: apply(self.world.store, journal, step=step), first)  # noqa: B023
                ended = survives(
                    lambda step: recover(self.world.store, str(self.world.root), step=step), number
                )
                self.settle(journal, f"apply {first}, recover, point {number}", "rolled-back")
                if ended:
                    break
                number += 1
            self.points += number


def become_ordinary(place: str) -> None:
    """Give up the rights of root, to whom closed folders are open."""
    # Needed later, and perhaps out of reach then.
    import concurrent.futures.thread  # noqa: F401
    import ctypes  # noqa: F401
    import pwd  # noqa: F401

    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.environ["HOME"] = place


def main() -> None:
    """Run one trial."""
    kind, name, place, *ordinary = sys.argv[1:]
    if ordinary:
        become_ordinary(place)
    trial = Trial(name, Path(place))
    try:
        getattr(trial, kind)()
    finally:
        trial.end()
    print(json.dumps({"points": trial.points}))


if __name__ == "__main__":
    main()
