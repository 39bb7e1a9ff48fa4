"""What is refused, and that nothing is touched then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fixes.transaction.test_round_trips import NEW, OLD
from fixes.transaction.worlds import World, build, file, folder, link
from keras_doctor.fixes.transaction import (
    ABSENT,
    FileChange,
    Journal,
    TransactionError,
    apply,
    recover,
    state_of,
    undo,
)

FILE = ABSENT._replace(kind="file", mode=0o644, mtime_ns=1, size=1, digest="0" * 64)


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.build(OLD, {"precious": file("mine")})
    return world


def refuse(world: World, journal: Journal, match: str) -> None:
    old = world.see()
    with pytest.raises(TransactionError, match=match) as caught:
        apply(world.store, journal)
    assert str(caught.value).isprintable()
    assert world.see() == old
    assert world.store.journals().journals == ()


def _point(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


FOREIGN: list[tuple[str, Callable[[Path], object]]] = [
    ("changed", lambda root: (root / "lib/keras/__init__.py").write_text("mine")),
    ("removed", lambda root: (root / "lib/keras/gone.py").unlink()),
    ("added", lambda root: (root / "lib/a.so.2").write_text("mine")),
    ("mode", lambda root: (root / "bin/tool").chmod(0o600)),
    ("folder-mode", lambda root: (root / "empty").chmod(0o777)),
    ("time", lambda root: os.utime(root / "lib/a.so.1", (1, 1))),
    ("link", lambda root: _point(root / "lib/a.so", "b")),
    ("in-folder", lambda root: (root / "lib/keras/old/deep/mine").write_text("mine")),
]


@pytest.mark.parametrize("foreign", [f for _, f in FOREIGN], ids=[name for name, _ in FOREIGN])
def test_changed_since_the_rehearsal(world: World, foreign: Callable[[Path], object]) -> None:
    journal = world.plan(NEW)
    foreign(world.root)
    refuse(world, journal, "Something else has changed these since")
    assert world.stage.exists()


def test_same_size_and_time_but_another_content(world: World) -> None:
    journal = world.plan(NEW)
    changes = [
        c._replace(before=state_of(c.path, hashed=True)) if c.before.kind == "file" else c
        for c in journal.changes
    ]
    path = world.root / "lib/keras/__init__.py"
    status = path.stat()
    path.write_text("odl")
    os.utime(path, ns=(0, status.st_mtime_ns))
    refuse(world, journal._replace(changes=tuple(changes)), "Something else has changed these")


def test_other_new_file_than_rehearsed(world: World) -> None:
    journal = world.plan(NEW)
    changes = [
        c._replace(after=state_of(c.staged, hashed=True)) if c.staged else c
        for c in journal.changes
    ]
    (world.stage / "env/lib/a.so.2").write_text("2os")
    refuse(world, journal._replace(changes=tuple(changes)), "not those of the rehearsal")


SINCE: list[tuple[str, Callable[[Path], object]]] = [
    ("changed", lambda root: (root / "lib/keras/__init__.py").write_text("mine")),
    ("removed", lambda root: (root / "lib/keras/added/deep/er.py").unlink()),
    ("back", lambda root: (root / "lib/keras/gone.py").write_text("mine")),
    ("mode", lambda root: (root / "bin/tool").chmod(0o600)),
    ("folder-mode", lambda root: (root / "empty").chmod(0o777)),
    ("time", lambda root: os.utime(root / "lib/a.so.2", (1, 1))),
    ("link", lambda root: _point(root / "lib/a.so", "b")),
    ("in-folder", lambda root: (root / "lib/keras/added/mine\x1b.py").write_text("mine")),
    ("backup", lambda root: _backup(root).unlink()),
    ("backup-changed", lambda root: _backup(root).write_text("x")),
    ("backup-link", lambda root: _to_link(_backup(root))),
    ("backups-link", lambda root: _to_link(root / ".keras-doctor")),
    (
        "no-cache",
        lambda root: build(root / "lib/keras/added/__pycache__", {"data.txt": file()}),
    ),
]


def _backup(root: Path) -> Path:
    return min(path for path in root.glob(".keras-doctor/*/*") if path.is_file())


def _to_link(path: Path) -> None:
    moved = path.parent.parent / f"moved-{path.name}"
    path.rename(moved)
    path.symlink_to(moved)


@pytest.mark.parametrize("foreign", [f for _, f in SINCE], ids=[name for name, _ in SINCE])
def test_changed_since_it_was_applied(world: World, foreign: Callable[[Path], object]) -> None:
    applied = apply(world.store, world.plan(NEW))
    foreign(world.root)
    now = world.see()
    with pytest.raises(TransactionError) as caught:
        undo(world.store, applied)
    assert str(caught.value).isprintable()
    assert world.see() == now
    assert world.store.load(applied.id).status == "applied"


def test_at_most_five_names(world: World) -> None:
    applied = apply(world.store, world.plan(NEW))
    for number in range(9):
        (world.root / f"lib/keras/added/mine{number}").write_text("")
    with pytest.raises(TransactionError, match=r"mine4 and 4 more\.$"):
        undo(world.store, applied)


def test_only_once(world: World) -> None:
    applied = apply(world.store, world.plan(NEW))
    with pytest.raises(TransactionError, match="applied already"):
        apply(world.store, applied)
    undone = undo(world.store, applied)
    with pytest.raises(TransactionError, match="nothing to undo"):
        undo(world.store, undone)


def _with(world: World, path: str, **fields: object) -> Journal:
    """A plan that adds one file, of which something is odd."""
    journal = world.plan({**OLD, "added": file("a")})
    (change,) = journal.changes
    return journal._replace(changes=(change._replace(path=path, **fields),))  # type: ignore[arg-type]


def test_paths_that_are_no_business_of_a_repair(world: World) -> None:
    root = str(world.root)
    for path in (
        f"{root}/../precious",
        f"{root}/lib/../added",
        f"{root}//added",
        f"{root}/added/",
        f"{root}/./added",
        f"{root}/a\0b",
        "added",
        "",
        root,
        f"{root}2/added",
        str(world.home / "added"),
        f"{root}/.keras-doctor/added",
        f"{root}/lib/.keras-doctor/added",
        "/etc/added",
    ):
        refuse(world, _with(world, path), "nothing was changed|plain absolute")


def test_two_changes_of_one_path(world: World) -> None:
    journal = _with(world, f"{world.root}/added")
    refuse(world, journal._replace(changes=journal.changes * 2), "twice")


def test_a_folder_that_is_a_link(world: World) -> None:
    journal = _with(world, f"{world.root}/out/added")
    (world.root / "out").symlink_to(world.home)
    refuse(world, journal, "no folder")
    change = FileChange(
        f"{world.root}/out/precious", state_of(f"{world.home}/precious", hashed=False), ABSENT, None
    )
    journal = world.plan(OLD)._replace(changes=(change,))
    refuse(world, journal, "is a link or a file")


def test_backups_that_are_a_link(world: World) -> None:
    journal = world.plan(NEW)
    (world.root / ".keras-doctor").symlink_to(world.home)
    old = world.see()
    with pytest.raises(TransactionError, match=r"as it was before|link"):
        apply(world.store, journal)
    assert world.see() == old


def test_no_folder_for_it(world: World) -> None:
    refuse(world, _with(world, f"{world.root}/none/added"), "no folder")
    refuse(world, _with(world, f"{world.root}/bin/tool/added"), "no folder|link or a file")


def test_changes_without_sense(world: World) -> None:
    path = f"{world.root}/added"
    refuse(world, _with(world, path, staged=None), "makes no sense")
    refuse(world, _with(world, path, after=ABSENT), "does nothing")
    refuse(world, _with(world, path, after=FILE._replace(mode=0o070)), "makes no sense")
    refuse(world, _with(world, path, after=FILE._replace(mode=-1)), "makes no sense")
    refuse(world, _with(world, path, after=FILE._replace(digest="../x")), "makes no sense")
    refuse(world, _with(world, path, after=FILE._replace(mtime_ns=1 << 62)), "makes no sense")
    refuse(world, _with(world, path, after=FILE._replace(kind="fifo")), "makes no sense")
    refuse(world, _with(world, path, staged="/nowhere/at/all"), "missing")


@pytest.mark.parametrize("root", ["/", "HOME", "ABOVE", "/root", "/home", "/home/x", "env", ""])
def test_roots_that_are_too_much(world: World, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(world.home))
    root = {"HOME": str(world.home), "ABOVE": str(world.place)}.get(root, root)
    journal = world.plan(NEW)
    refuse(world, journal._replace(roots=(root,)), "too much|plain absolute")


def test_a_root_behind_a_link(world: World) -> None:
    behind = world.place / "link"
    behind.symlink_to(world.place)
    root = str(behind / "env")
    refuse(world, _with(world, f"{root}/added")._replace(roots=(root,)), "real place")
    other = world.place / "env2"
    other.symlink_to(world.root)
    refuse(world, _with(world, f"{other}/added")._replace(roots=(str(other),)), "cannot be opened")


def test_stage_that_holds_what_is_changed(world: World) -> None:
    for stage in (world.root, world.place, Path("/")):
        refuse(world, world.plan(NEW)._replace(stage=str(stage)), "it holds what")


def test_another_journals_stage(world: World) -> None:
    journal = world.plan(NEW)
    (world.stage / ".keras-doctor-stage").write_text("another")
    refuse(world, journal, "another repair")


def _hostile(world: World) -> list[Journal]:
    """Journals as they could be after somebody's edit, all of them half-way."""
    applied = apply(world.store, world.plan(NEW))
    world.store.remove(applied.id)
    precious = state_of(str(world.home / "precious"), hashed=True)
    outside = FileChange(str(world.home / "precious"), ABSENT, precious, None)
    home = str(world.home)
    dotted = f"{world.root}/lib/../../home/precious"
    through = f"{world.root}/out/precious"
    return [
        applied._replace(changes=(outside,)),
        applied._replace(changes=(outside._replace(path=dotted),)),
        applied._replace(changes=(outside._replace(path=through),)),
        applied._replace(changes=(outside,), roots=("/",)),
        applied._replace(changes=(outside,), roots=(f"{world.root}/out",)),
        applied._replace(changes=(outside,), roots=(str(world.place) + "/./home",)),
        applied._replace(changes=(), folders=(applied.folders[0]._replace(path=home),)),
        applied._replace(changes=(), stage=home),
        applied._replace(changes=(outside._replace(path="\x1b[2J\n"),)),
    ]


def _try(work: Callable[[], object]) -> None:
    message = ""
    try:
        work()
    except TransactionError as error:
        message = str(error)
    assert message.isprintable()


@pytest.mark.parametrize("status", ["applying", "undoing", "applied", "planned"])
def test_hostile_journals(world: World, status: str) -> None:
    (world.root / "out").symlink_to(world.home)
    for journal in _hostile(world):
        home = world.see()[1]
        world.store.save(journal._replace(status=status))
        _try(lambda: recover(world.store, str(world.root)))
        if status == "applied":
            _try(lambda: undo(world.store, world.store.load(journal.id)))  # noqa: B023
        assert world.see()[1] == home
        world.store.remove(journal.id)


def test_one_bad_journal_does_not_stop_the_others(world: World) -> None:
    old = world.see()
    journal = world.plan(NEW)
    bad = journal._replace(id="99999999-bad", status="applying", roots=("/",), stage=None)

    class Stop(BaseException):
        pass

    count = 0

    def step(name: str) -> None:
        nonlocal count
        count += 1
        if count > 50:
            raise Stop

    with pytest.raises(Stop):
        apply(world.store, journal, step=step)
    world.store.save(bad)
    with pytest.raises(TransactionError, match="too much"):
        recover(world.store, str(world.root))
    assert world.see() == old
    assert world.store.load(journal.id).status == "rolled-back"


def test_odd_names_in_messages(world: World) -> None:
    tree = {**OLD, "new\n\x1b[2J\u202e/x": file("x"), "new\n\x1b[2J\u202e": folder()}
    applied = apply(world.store, world.plan({**tree, "l": link("\x07")}))
    (world.root / "new\n\x1b[2J\u202e/y\x07").write_text("")
    with pytest.raises(TransactionError) as caught:
        undo(world.store, applied)
    assert str(caught.value).isprintable()
    assert r"y\x07" in str(caught.value)
