"""Journals as files, the folder for them, and the lock."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from strategies import values

from fixes.transaction.worlds import World, file
from keras_doctor.codec import decode, encode
from keras_doctor.fixes.transaction import (
    EnvironmentLock,
    HeldError,
    Journal,
    Store,
    TransactionError,
    apply,
    lock,
    new_id,
    planned,
    state_folder,
    usual_folder,
)

HOLD = """
import sys, time
from keras_doctor.fixes.transaction import EnvironmentLock
with EnvironmentLock(sys.argv[1], sys.argv[2], "keras-doctor \\x1b fix"):
    print("held", flush=True)
    time.sleep(60)
"""


def a_journal() -> Journal:
    return planned(environment="/e", roots=["/e"], changes=[], tool_version="1")


@given(values(Journal))
def test_any_journal_survives_json(journal: Journal) -> None:
    assert decode(Journal, json.loads(json.dumps(encode(journal)))) == journal


def test_saved_and_loaded(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "state"))
    assert store.journals() == ((), ())
    journal = a_journal()
    store.save(journal)
    assert store.load(journal.id) == journal
    store.save(journal._replace(status="applied"))
    assert store.load(journal.id).status == "applied"
    assert os.listdir(store.folder) == [f"{journal.id}.json"]
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(f"{store.folder}/{journal.id}.json").st_mode) == 0o600
    os.chmod(store.folder, 0o710)  # noqa: S103 - to be closed again
    store.save(journal)
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700


def test_newest_first_and_what_is_none(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    journals = [a_journal()._replace(id=new_id(second * 10**9)) for second in (5, 1, 3)]
    for journal in journals:
        store.save(journal)
    folder = Path(store.folder)
    whole = (folder / f"{journals[0].id}.json").read_text()
    bad = {
        "cut": whole[:-20],
        "empty": "",
        "list": "[" * 100_000,
        "other-id": whole,
        "newer": whole.replace('"schema_version":1', '"schema_version":2'),
        "status": whole.replace("planned", "fine"),
        "Odd\x1b": whole,
        "bytes": "\x00",
    }
    for name, text in bad.items():
        (folder / f"{name}.json").write_text(text)
    (folder / "no-journal.txt").write_text("")
    (folder / "folder.json").mkdir()
    (folder / "link.json").symlink_to(folder / f"{journals[0].id}.json")
    os.mkfifo(folder / "fifo.json")
    listing = store.journals()
    assert [journal.id[9:15] for journal in listing.journals] == ["000005", "000003", "000001"]
    assert len(listing.unreadable) == len(bad) + 3
    assert all(sentence.isprintable() for sentence in listing.unreadable)


def test_ids(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    assert len({new_id(0) for _ in range(100)}) == 100
    assert new_id(1_769_860_800_123_456_789)[:22] == "20260131-120000-123456"
    for bad in ("", "..", "../x", "a/b", "A", "-a", "a\n", "a" * 65):
        with pytest.raises(TransactionError, match="not the id"):
            store.load(bad)
        with pytest.raises(TransactionError, match="not the id"):
            store.save(a_journal()._replace(id=bad))


def test_too_many_changes(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.build({"a": file()})
    (change,) = world.plan({}).changes
    with pytest.raises(TransactionError, match="too many"):
        world.store.save(a_journal()._replace(changes=(change,) * 100_001))


def test_usual_folders() -> None:
    home = {"HOME": "/home/x", "LOCALAPPDATA": "/x/Local"}
    assert usual_folder(home, "linux") == "/home/x/.local/state/keras-doctor"
    assert usual_folder(home | {"XDG_STATE_HOME": "/s"}, "linux") == "/s/keras-doctor"
    assert usual_folder(home | {"XDG_STATE_HOME": "s"}, "linux") == (
        "/home/x/.local/state/keras-doctor"
    )
    assert usual_folder(home, "darwin") == "/home/x/Library/Application Support/keras-doctor"
    assert usual_folder(home, "win32") == "/x/Local/keras-doctor"
    assert usual_folder({}, "win32") is None


def test_state_folder_is_made(tmp_path: Path) -> None:
    folder, warning = state_folder({"XDG_STATE_HOME": str(tmp_path / "s")}, "linux")
    assert (folder, warning) == (str(tmp_path / "s" / "keras-doctor"), None)
    assert os.listdir(folder) == []
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp" / f"keras-doctor-state-{os.geteuid()}"


@pytest.fixture
def unusable(tmp_path: Path) -> dict[str, str]:
    """A state folder that cannot be made, not even by root: a file is in the way."""
    (tmp_path / "file").write_text("")
    return {"XDG_STATE_HOME": str(tmp_path / "file\x1b")[:-1]}


def test_state_folder_in_temporary_files(temporary: Path, unusable: dict[str, str]) -> None:
    folder, warning = state_folder(unusable, "linux")
    assert folder == str(temporary)
    assert warning is not None
    assert "file/keras-doctor cannot be written" in warning
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert state_folder(unusable, "linux")[0] == folder
    assert state_folder({}, "win32")[0] == folder


@pytest.mark.parametrize("kind", ["link", "open", "file", "foreign"])
def test_state_folder_that_is_not_ours(
    temporary: Path, unusable: dict[str, str], kind: str, tmp_path: Path
) -> None:
    if kind == "link":
        (tmp_path / "mine").mkdir(mode=0o700)
        temporary.symlink_to(tmp_path / "mine")
    elif kind == "file":
        temporary.write_text("")
        temporary.chmod(0o700)
    else:
        temporary.mkdir(mode=0o700)
        if kind == "open":
            temporary.chmod(0o770)
        elif os.geteuid() == 0:
            os.chown(temporary, 65534, 65534)
        else:
            pytest.skip("only root can give a folder away")
    with pytest.raises(TransactionError, match="does not belong to you alone"):
        state_folder(unusable, "linux")


def test_lock_leaves_no_trace(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.build({"a": file()})
    old = world.see()
    with EnvironmentLock(str(world.root), str(tmp_path / "state")):
        assert world.see() == old
        assert len(os.listdir(tmp_path / "state/locks")) == 1
    assert world.see() == old
    assert not (tmp_path / "state").exists()
    with EnvironmentLock(str(world.root), str(tmp_path / "state")):
        pass


@pytest.mark.parametrize("fallback", [False, True])
def test_second_process_is_told_who_holds_it(
    tmp_path: Path, fallback: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = HOLD
    if fallback:
        # As on network file systems that cannot lock a folder.
        monkeypatch.setattr(lock, "_can_lock", lambda handle: False)
        program = program.replace(
            "\nwith",
            "\nfrom keras_doctor.fixes.transaction import lock"
            "\nlock._can_lock = lambda handle: False\nwith",
        )
    environment = tmp_path / "env"
    environment.mkdir()
    state = str(tmp_path / "state")
    arguments = [sys.executable, "-c", program, str(environment), state]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            began = time.monotonic()
            with (
                pytest.raises(HeldError, match=rf"process {holder.pid} \(keras-doctor") as caught,
                EnvironmentLock(str(environment), state, wait=0.3),
            ):
                pass
            assert 0.3 <= time.monotonic() - began < 5
            assert str(caught.value).isprintable()
            with (
                pytest.raises(HeldError, match="process" if fallback else "another user"),
                EnvironmentLock(str(environment), state if fallback else "/nowhere", wait=0),
            ):
                pass
        finally:
            holder.kill()
    # A process that was killed holds nothing.
    with EnvironmentLock(str(environment), state, wait=5):
        pass


def test_no_environment_to_lock(tmp_path: Path) -> None:
    with (
        pytest.raises(TransactionError, match="cannot be locked"),
        EnvironmentLock(str(tmp_path / "none"), str(tmp_path)),
    ):
        pass


def test_store_that_cannot_be_written(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.build({"a": file()})
    old = world.see()
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(TransactionError, match="as it was before"):
        apply(world.store, world.plan({"b": file()}))
    assert world.see() == old
