"""Plans are applied and taken back, to the byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fixes.transaction.worlds import T0, Tree, World, build, file, folder, link, see
from keras_doctor.fixes.transaction import Journal, TransactionError, apply, drop, undo

OLD: Tree = {
    "lib/keras/__init__.py": file("old"),
    "lib/keras/same.py": file("same"),
    "lib/keras/gone.py": file("gone"),
    "lib/keras/__pycache__": folder(),
    "lib/keras/__pycache__/gone.cpython-311.pyc": file("compiled"),
    "lib/keras/old/deep/er.py": file("deep"),
    "lib/keras-1.dist-info/RECORD": file("1"),
    "lib/a.so": link("a.so.1"),
    "lib/a.so.1": file("so", 0o755),
    "lib/gone.so": link("nowhere"),
    "bin/tool": file("tool", 0o644),
    "bin/kept": file("kept", 0o755),
    "empty": folder(0o700),
}
NEW: Tree = {
    "lib/keras/__init__.py": file("new!", mtime_ns=T0 + 5),
    "lib/keras/same.py": file("same"),
    "lib/keras/added/deep/er.py": file("deeper", 0o600, T0 + 9),
    "lib/keras/added": folder(0o750, T0 + 11),
    "lib/keras-2.dist-info/RECORD": file("2", 0o444),
    "lib/a.so": link("a.so.2"),
    "lib/a.so.2": file("so2", 0o755),
    "bin/tool": file("tool", 0o755),
    "bin/kept": file("kept", 0o755),
    "bin/name\nwith\x1b[31m\udcff": file("odd"),
    "empty": folder(0o711),
}
KINDS = {
    "file": {"x": file("f")},
    "link": {"x": link("y")},
    "folder": {"x/y/z": file("z"), "x/l": link("y"), "x": folder(0o755)},
    "closed folder": {"x/y/z": file("z"), "x/y": folder(0o555), "x": folder(0o555)},
    "absent": {"other": file("")},
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def round_trip(world: World, journal: Journal) -> Journal:
    old = world.see()
    applied = apply(world.store, journal)
    world.check_applied(applied)
    assert not world.stage.exists()
    assert applied.status == "applied"
    again = world.store.load(applied.id)
    assert again._replace(stage=None) == applied
    undone = undo(world.store, again)
    assert undone.status == world.store.load(applied.id).status == "undone"
    assert world.see() == old
    return applied


def test_everything(world: World) -> None:
    world.build(OLD)
    applied = round_trip(world, world.plan(NEW))
    assert len(applied.changes) > 15


@pytest.mark.parametrize("old", KINDS)
@pytest.mark.parametrize("new", KINDS)
def test_kinds(world: World, old: str, new: str) -> None:
    if old == new:
        return
    world.build(KINDS[old])
    round_trip(world, world.plan(KINDS[new]))


def test_new_tree_is_that_of_the_rehearsal(world: World) -> None:
    world.build(OLD)
    build(world.place / "wanted", NEW)
    wanted = see(world.place / "wanted", inodes=False)
    apply(world.store, world.plan(NEW))
    now = see(world.root, inodes=False)
    backups = {name for name in now if name.startswith("/.keras-doctor")}
    assert backups

    def comparable(seen: dict[str, tuple[object, ...]]) -> object:
        # The times of folders that were there before are nobody's wish.
        return {name: one[:2] if one[0] == "folder" else one for name, one in seen.items()}

    assert comparable({n: one for n, one in now.items() if n not in backups}) == comparable(wanted)


def test_config_file_outside(world: World) -> None:
    home: Tree = {".keras/keras.json": file("{}"), ".keras/models/m": file("m"), "x": file("x")}
    world.build(OLD, home)
    config = {**home, ".keras/keras.json": file('{"backend": "jax"}', mtime_ns=T0 + 3)}
    journal = world.plan(NEW, config, [".keras/keras.json"])
    applied = round_trip(world, journal)
    assert any(change.path.endswith("keras.json") for change in applied.changes)


def test_config_file_in_a_new_folder(world: World) -> None:
    world.build(OLD, {"x": file("x")})
    config = {"x": file("x"), ".keras/keras.json": file("{}"), ".keras": folder(0o755, T0 + 2)}
    journal = world.plan(OLD, config, [".keras/keras.json"])
    assert len(journal.changes) == 2
    round_trip(world, journal)
    assert sorted(os.listdir(world.home)) == ["x"]


def test_two_repairs(world: World) -> None:
    world.build(OLD)
    first_old = world.see()
    first = apply(world.store, world.plan(NEW))
    second_old = world.see()
    third: Tree = {**NEW, "lib/keras/__init__.py": file("third"), "lib/third": file("3")}
    journal = world.plan(
        third, extra=lambda changes: [c for c in changes if "/.keras-doctor" not in c.path]
    )
    second = apply(world.store, journal)
    with pytest.raises(TransactionError, match=r"__init__.py"):
        undo(world.store, first)
    undo(world.store, second)
    assert world.see() == second_old
    undo(world.store, first)
    assert world.see() == first_old
    assert [j.id for j in world.store.journals().journals] == [second.id, first.id]


def test_drop(world: World) -> None:
    world.build(OLD)
    applied = apply(world.store, world.plan(NEW))
    assert (world.root / ".keras-doctor" / applied.id).is_dir()
    (world.root / ".keras-doctor" / "other").mkdir()
    (world.root / ".keras-doctor" / applied.id / "foreign").write_text("x")
    drop(world.store, applied.id)
    assert os.listdir(world.root / ".keras-doctor" / applied.id) == ["foreign"]
    assert world.store.journals().journals == ()
    world.check_applied(applied)
    with pytest.raises(TransactionError, match="no journal"):
        drop(world.store, applied.id)


def test_drop_of_an_interrupted_repair_only_by_force(world: World) -> None:
    world.build(OLD)
    applied = apply(world.store, world.plan(NEW))
    world.store.save(applied._replace(status="applying"))
    with pytest.raises(TransactionError, match="interrupted"):
        drop(world.store, applied.id)
    drop(world.store, applied.id, force=True)
    assert not (world.root / ".keras-doctor").exists()


def test_compiled_files_made_since_are_no_change(world: World) -> None:
    world.build(OLD)
    old = world.see()
    applied = apply(world.store, world.plan(NEW))
    caches = ["lib/keras/added/__pycache__", "lib/keras/added/deep/__pycache__"]
    for name in caches:
        (world.root / name).mkdir()
        (world.root / name / "er.cpython-311.pyc").write_text("made")
    # This one was there before, and the repair removed it.
    (world.root / "lib/keras/__pycache__").mkdir()
    (world.root / "lib/keras/__pycache__/gone.cpython-311.pyc").write_text("made anew")
    (world.root / "lib/keras/__pycache__/new.cpython-311.pyc").write_text("made")
    undo(world.store, applied)
    assert world.see() == old


def test_new_compiled_files_may_have_gone_or_changed(world: World) -> None:
    world.build(OLD)
    old = world.see()
    cache: Tree = {f"lib/new/__pycache__/{n}.cpython-311.pyc": file(n) for n in ("a", "b", "c")}
    applied = apply(world.store, world.plan({**NEW, **cache, "lib/new/a.py": file("a")}))
    (world.root / "lib/new/__pycache__/a.cpython-311.pyc").unlink()
    (world.root / "lib/new/__pycache__/b.cpython-311.pyc").write_text("other")
    undo(world.store, applied)
    assert world.see() == old
