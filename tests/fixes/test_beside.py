"""An environment that was made stands in a journal: undo removes it, unless it was changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from keras_doctor.fixes.beside import journal_of_new
from keras_doctor.fixes.history import undo as undo_by_id
from keras_doctor.fixes.transaction import TransactionError, recover, undo
from keras_doctor.fixes.transaction.journal import UNDONE, VERIFIED, Journal, Store
from keras_doctor.report.history import render_undo


class Stop(BaseException):
    """The process ends here."""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What an environment consists of: folders, files, links, one that leads out of it."""
    folder = tmp_path / "env"
    package = folder / "lib" / "python3.11" / "site-packages" / "keras"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__init__.py").write_text("x = 1\n")
    (package / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"compiled")
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to("/usr/bin/python3")
    (folder / "lib64").symlink_to("lib")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "state" / "keras-doctor"))


def written(store: Store, folder: Path) -> Journal:
    journal = journal_of_new(str(folder), "Made.")
    store.save(journal)
    return journal


def test_it_is_removed_with_what_python_compiled_since(made: Path, store: Store) -> None:
    journal = written(store, made)
    late = made / "lib" / "python3.11" / "site-packages" / "__pycache__"
    late.mkdir()
    (late / "six.cpython-311.pyc").write_bytes(b"compiled")
    done = undo(store, journal)
    assert done.status == UNDONE
    assert done.left == ()
    assert not made.exists()
    assert Path("/usr/bin/python3").exists()


@pytest.mark.parametrize("change", ["more", "other", "gone"])
def test_what_somebody_changed_stays(made: Path, store: Store, change: str) -> None:
    journal = written(store, made)
    if change == "more":
        (made / "notes.txt").write_text("mine\n")
    elif change == "other":
        (made / "pyvenv.cfg").write_text("home = /opt/bin\n")
    else:
        (made / "bin" / "python").unlink()
    before = sorted(str(path) for path in made.rglob("*"))
    with pytest.raises(TransactionError, match="changed since"):
        undo(store, journal)
    assert sorted(str(path) for path in made.rglob("*")) == before


def test_stopped_at_any_point_it_is_gone_after_the_next_try(
    made: Path, store: Store, tmp_path: Path
) -> None:
    model = shutil.copytree(made, tmp_path / "model", symlinks=True)
    points = 0
    while True:
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(model, made, symlinks=True)
        journal = written(store, made)
        count = 0

        def step(_name: str) -> None:
            nonlocal count
            count += 1
            if count > points:  # noqa: B023 (called before the next round)
                raise Stop

        try:
            undo(store, journal, step=step)
        except Stop:
            recover(store, str(made))
            if store.load(journal.id).status == VERIFIED:  # nothing was done yet
                undo(store, store.load(journal.id))
            if made.exists():
                made.rmdir()  # it was stopped when all was done but this
        else:
            break
        assert not made.exists(), points
        points += 1
    assert points > 20


def test_by_the_command_it_is_said(made: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    journal = written(Store(str(tmp_path / "state" / "keras-doctor")), made)
    done = undo_by_id(journal.id, environ)
    assert done.refusal is None
    said = render_undo(done, width=200, color=False, unicode=True).split()
    assert said == f"Undone: the environment that was made in {made} is removed.".split()
