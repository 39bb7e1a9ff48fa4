"""Full disks, and disks that cannot be written: real ones, where they can be mounted."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixes.transaction.worlds import Tree, World, file
from keras_doctor.fixes.transaction import Store, TransactionError, apply, undo

OLD: Tree = {"lib/a": file("old"), "lib/gone/x": file("x"), "lib/b": file("b" * 1000)}


def mount(place: Path, *options: str) -> None:
    program = shutil.which("mount")
    if program is None or os.geteuid() != 0:
        pytest.skip("only root can mount a file system, and with the program for it")
    done = subprocess.run(
        [program, "-t", "tmpfs", *options, "tmpfs", str(place)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mount(place, "-o", "size=1m")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_while_new_files_are_copied(tmp_path: Path, small: Path) -> None:
    world = World(small, stage=tmp_path)
    world.store = Store(str(tmp_path / "state"))
    world.build(OLD)
    old = world.see()
    journal = world.plan({"lib/a": file("n" * 400_000), "lib/c": file("c" * 900_000)})
    with pytest.raises(TransactionError, match=r"no space left on device.* as it was before"):
        apply(world.store, journal)
    assert world.see() == old
    assert world.store.load(journal.id).status == "rolled-back"
    assert not world.stage.exists()
    # There was room for the first alone.
    applied = apply(world.store, world.plan({"lib/a": file("n" * 400_000)}))
    undo(world.store, applied)
    assert world.see() == old


def test_full_where_the_journal_is(tmp_path: Path, small: Path) -> None:
    world = World(tmp_path)
    world.store = Store(str(small))
    world.build(OLD)
    old = world.see()
    (small / "filler").write_bytes(b"x" * ((1 << 20) - 8192))
    many: Tree = {f"lib/n{number}": file(str(number)) for number in range(200)}
    with pytest.raises(TransactionError, match=r"no space left on device.* as it was before"):
        apply(world.store, world.plan(many))
    assert world.see() == old
    (small / "filler").unlink()
    undo(world.store, apply(world.store, world.plan(many)))
    assert world.see() == old


def test_full_while_it_is_undone(tmp_path: Path, small: Path) -> None:
    world = World(small)
    world.store = Store(str(tmp_path / "state"))
    world.build(OLD)
    old = world.see()
    applied = apply(world.store, world.plan({"lib/a": file("new"), "lib/b": file("c")}))
    filler = small / "filler"
    with open(filler, "wb", buffering=0) as stream:
        while True:
            try:
                stream.write(b"x" * 4096)
            except OSError:
                break
    undo(world.store, applied)  # renames need no room
    assert world.see() == old


def test_read_only(tmp_path: Path, small: Path) -> None:
    world = World(small, stage=tmp_path)
    world.store = Store(str(tmp_path / "state"))
    world.build(OLD)
    old = world.see()
    journal = world.plan({"lib/a": file("new")})
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(TransactionError, match=r"read-only file system.* as it was before"):
        apply(world.store, journal)
    assert world.see() == old


def test_a_disk_in_the_middle(tmp_path: Path, small: Path) -> None:
    """A folder of the environment that is a disk of its own: old files cannot be moved out."""
    world = World(tmp_path)
    (world.root / "mounted").mkdir(parents=True)
    mount(world.root / "mounted", "-o", "size=1m")
    try:
        world.build({"mounted/a": file("old"), "b": file("b")})
        old = world.see()
        journal = world.plan({"mounted/a": file("new"), "b": file("new")})
        with pytest.raises(TransactionError, match="is on another disk"):
            apply(world.store, journal)
        assert world.see() == old
    finally:
        subprocess.run(["umount", "-l", str(world.root / "mounted")], check=True)
