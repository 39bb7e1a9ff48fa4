"""A real overlay: what is changed in it is seen there alone, and told exactly."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixes import overlaid
from keras_doctor.fixes.rehearse import place
from keras_doctor.fixes.rehearse.place import NoPlaceError, Overlay, remove_stale_stages
from keras_doctor.fixes.transaction.stage import claim

Make = Callable[..., Overlay]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes overlays, and ends them."""
    made: list[Overlay] = []
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))

    def build(
        *carried: Path, scratch: tuple[Path, ...] = (), kept: tuple[Path, ...] = ()
    ) -> Overlay:
        said: list[str] = []
        try:
            world = Overlay(
                [str(path) for path in carried],
                [str(path) for path in scratch],
                [str(path) for path in kept],
                said.append,
            )
        except NoPlaceError as reason:
            pytest.skip(f"no overlay can be mounted here: {reason}")
        world.said = said  # type: ignore[attr-defined]
        made.append(world)
        return world

    yield build
    for world in made:
        world.close()
    assert os.listdir(tmp_path / "tmp") == []


def plant(folder: Path, **files: str) -> Path:
    """A folder with files; two underscores stand for a slash."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def told(world: Overlay, folder: Path, also: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The difference: what became of which path, relative to a folder."""
    return [
        (os.path.relpath(change.path, folder), f"{change.before.kind} {change.after.kind}")
        for change in world.difference(also)
    ]


# -- seen there, and not here


def test_changes_are_seen_inside_alone(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="old", b="b", folder__x="x")
    world = make(env)
    world.call(overlaid.write, str(env / "a"), "new")
    world.call(os.unlink, str(env / "b"))
    world.call(shutil.rmtree, str(env / "folder"))
    world.call(overlaid.write, str(env / "c" / "d"), "d")
    assert world.call(overlaid.read, str(env / "a")) == "new"
    assert sorted(world.call(os.listdir, str(env))) == ["a", "c"]
    assert world.call(overlaid.ran, "cat", str(env / "c" / "d")) == (0, "d")
    assert sorted(os.listdir(env)) == ["a", "b", "folder"]
    assert (env / "a").read_text() == "old"
    assert (env / "folder" / "x").read_text() == "x"


def test_the_working_folder_is_inside_too(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = plant(tmp_path / "env", a="old")
    monkeypatch.chdir(env)
    world = make(env)
    world.call(overlaid.write, "a", "new")
    world.call(overlaid.ran, "sh", "-c", "echo x > b")
    assert (env / "a").read_text() == "old"
    assert os.listdir(env) == ["a"]


def test_the_folder_looks_as_it_did(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="a")
    env.chmod(0o1750)
    world = make(env)
    info = world.call(os.stat, str(env))
    assert stat.S_IMODE(info.st_mode) == 0o1750
    assert world.there(str(env)) == str(env)
    assert world.back(str(env)) == str(env)


def test_what_it_shields(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="a", cache__b="b")
    other = plant(tmp_path / "other", c="c")
    (tmp_path / "link").symlink_to(env)
    world = make(env, kept=[env / "cache"])
    shielded = [env / "a", env / "new" / "file", tmp_path / "link" / "a"]
    assert all(world.shields(str(path)) for path in shielded)
    assert not any(world.shields(str(path)) for path in (env / "cache" / "b", other / "c"))


def test_after_a_reset_it_is_as_the_original_is(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="old", folder__x="x")
    world = make(env)
    world.call(overlaid.write, str(env / "a"), "new")
    world.call(shutil.rmtree, str(env / "folder"))
    world.reset()
    assert world.call(overlaid.read, str(env / "a")) == "old"
    assert world.call(os.listdir, str(env / "folder")) == ["x"]
    assert world.changed_files("") == ()
    assert world.difference() == ()


# -- the difference


def test_what_was_added_removed_and_replaced(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", gone="1", same="2", new="3", tree__a="4", tree__b__c="5")
    world = make(env)
    world.call(os.unlink, str(env / "gone"))
    world.call(overlaid.write, str(env / "new"), "33")
    world.call(overlaid.write, str(env / "added" / "x"), "6")
    world.call(os.symlink, "nowhere", str(env / "link"))
    world.call(shutil.rmtree, str(env / "tree"))
    changes = {os.path.relpath(c.path, env): c for c in world.difference()}
    assert {name: f"{c.before.kind} {c.after.kind}" for name, c in changes.items()} == {
        "added": "absent folder",
        "added/x": "absent file",
        "gone": "file absent",
        "link": "absent link",
        "new": "file file",
        "tree": "folder absent",
        "tree/a": "file absent",
        "tree/b": "folder absent",
        "tree/b/c": "file absent",
    }
    assert list(changes) == sorted(changes)
    staged = {name: c.staged for name, c in changes.items() if c.staged is not None}
    assert set(staged) == {"added/x", "link", "new"}
    assert Path(staged["new"]).read_text() == "33"
    assert os.readlink(staged["link"]) == "nowhere"
    assert changes["new"].after.size == 2
    assert all(path.startswith(os.path.join(world.stage, "")) for path in staged.values())
    assert os.listxattr(staged["new"]) == []


def test_a_folder_and_a_file_in_place_of_each_other(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", file="1", folder__a="2", folder__b__c="3", link__x="4")
    world = make(env)
    world.call(os.unlink, str(env / "file"))
    world.call(overlaid.write, str(env / "file" / "in"), "5")
    world.call(shutil.rmtree, str(env / "folder"))
    world.call(overlaid.write, str(env / "folder"), "6")
    world.call(shutil.rmtree, str(env / "link"))
    world.call(os.symlink, "file", str(env / "link"))
    assert told(world, env) == [
        ("file", "file folder"),
        ("file/in", "absent file"),
        ("folder", "folder file"),
        ("folder/a", "file absent"),
        ("folder/b", "folder absent"),
        ("folder/b/c", "file absent"),
        ("link", "folder link"),
        ("link/x", "file absent"),
    ]


def test_a_folder_that_is_made_anew_hides_what_was_in_it(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", tree__same="1", tree__gone="2", tree__deep__gone="3")
    world = make(env)
    world.call(shutil.rmtree, str(env / "tree"))
    world.call(overlaid.write, str(env / "tree" / "same"), "1")
    world.call(overlaid.write, str(env / "tree" / "deep" / "new"), "4")
    assert told(world, env) == [
        ("tree/deep/gone", "file absent"),
        ("tree/deep/new", "absent file"),
        ("tree/gone", "file absent"),
    ]


def test_a_folder_that_gets_another_name(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", tree__a="1", tree__b__c="2")
    world = make(env)
    world.call(shutil.move, str(env / "tree"), str(env / "moved"))
    assert told(world, env) == [
        ("moved", "absent folder"),
        ("moved/a", "absent file"),
        ("moved/b", "absent folder"),
        ("moved/b/c", "absent file"),
        ("tree", "folder absent"),
        ("tree/a", "file absent"),
        ("tree/b", "folder absent"),
        ("tree/b/c", "file absent"),
    ]


def test_only_the_mode(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="1", tree__b="2")
    (env / "a").chmod(0o644)
    (env / "tree").chmod(0o755)
    world = make(env)
    world.call(os.chmod, str(env / "a"), 0o600)
    world.call(os.chmod, str(env / "tree"), 0o700)
    rows = [(os.path.basename(c.path), c.before.mode, c.after.mode) for c in world.difference()]
    assert rows == [("a", 0o644, 0o600), ("tree", 0o755, 0o700)]
    assert stat.S_IMODE((env / "a").stat().st_mode) == 0o644


def test_the_same_content_is_no_change(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="1", tree__b="2")
    (env / "link").symlink_to("a")
    world = make(env)
    for name in ("a", "tree/b"):
        world.call(os.unlink, str(env / name))
        world.call(overlaid.write, str(env / name), (env / name).read_text())
    world.call(os.unlink, str(env / "link"))
    world.call(os.symlink, "a", str(env / "link"))
    world.call(os.utime, str(env / "a"), (1, 1))
    world.call(os.mkdir, str(env / "came"))
    world.call(os.rmdir, str(env / "came"))
    assert world.difference() == ()


def test_idle_bytecode_is_no_change(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="x = 1\n", p__b="x = 1\n", p__c="x = 1\n")
    for name in ("a", "p/b", "p/c"):
        (env / name).rename(env / f"{name}.py")
    world = make(env)
    compile_all = (sys.executable, "-I", "-S", "-m", "compileall", "-q", "-o", "0", "-o", "1")
    assert world.call(overlaid.ran, *compile_all, str(env))[0] == 0
    assert world.call(os.listdir, str(env / "__pycache__"))
    assert world.difference() == ()
    world.reset()
    world.call(overlaid.write, str(env / "p" / "b.py"), "x = 2\n")
    world.call(overlaid.ran, *compile_all, str(env))
    tag = sys.implementation.cache_tag
    assert told(world, env) == [
        ("p/__pycache__", "absent folder"),
        (f"p/__pycache__/b.{tag}.opt-1.pyc", "absent file"),
        (f"p/__pycache__/b.{tag}.pyc", "absent file"),
        ("p/b.py", "file file"),
    ]


def test_bytecode_that_was_removed_is_a_change(make: Make, tmp_path: Path) -> None:
    """A step deletes it when it is what is wrong."""
    env = plant(tmp_path / "env", **{"a.py": "x = 1\n"})
    (env / "__pycache__").mkdir()
    (env / "__pycache__" / "a.cpython-311.pyc").write_text("bad")
    world = make(env)
    world.call(shutil.rmtree, str(env / "__pycache__"))
    assert told(world, env) == [
        ("__pycache__", "folder absent"),
        ("__pycache__/a.cpython-311.pyc", "file absent"),
    ]


def test_the_lock_of_uv_is_left_out(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="1")
    world = make(env)
    world.call(overlaid.write, str(env / ".lock"), "")
    world.call(overlaid.write, str(env / "package" / ".lock"), "")
    assert told(world, env) == [("package", "absent folder"), ("package/.lock", "absent file")]


def test_files_that_were_written_are_told_while_it_runs(make: Make, tmp_path: Path) -> None:
    env, other = plant(tmp_path / "env", a="1"), plant(tmp_path / "other", a="1")
    world = make(env, scratch=(other,))
    world.call(overlaid.write, str(env / "p" / "a.py"), "")
    world.call(overlaid.write, str(env / "p" / "a.txt"), "")
    world.call(overlaid.write, str(other / "b.py"), "")
    assert world.changed_files(".py") == (str(env / "p" / "a.py"),)


def all_but_read(path: Path) -> tuple[int, ...]:
    """What is known of a file but for the time of the last reading, which reading may change."""
    info = path.stat()
    return (
        *(info.st_mode, info.st_ino, info.st_dev, info.st_nlink, info.st_uid, info.st_gid),
        *(info.st_size, info.st_mtime_ns, info.st_ctime_ns),
    )


def test_what_is_read_ahead_changes_nothing(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="1", b="2", tree__c="3")
    env_b = all_but_read(env / "b")
    world = make(env)
    world.call(overlaid.write, str(env / "a"), "11")
    world.call(os.chmod, str(env / "b"), 0o600)
    world.call(shutil.rmtree, str(env / "tree"))
    world.read_ahead()
    world.read_ahead()
    assert world.call(overlaid.read, str(env / "a")) == "11"
    world.call(overlaid.write, str(env / "a"), "12")  # after it was read
    world.call(overlaid.write, str(env / "d"), "4")
    changes = {os.path.relpath(c.path, env): c for c in world.difference()}
    assert set(changes) == {"a", "b", "d", "tree", "tree/c"}
    assert Path(changes["a"].staged or "").read_text() == "12"
    assert all_but_read(env / "b") == env_b
    world.reset()
    world.read_ahead()
    world.reset()
    assert world.difference() == ()


# -- several folders


def test_an_environment_in_its_project(make: Make, tmp_path: Path) -> None:
    project = plant(tmp_path / "project", train="1", env__a="2", data__x="3")
    env = project / "env"
    world = make(env, scratch=(project,))
    world.call(overlaid.write, str(env / "a"), "22")
    world.call(overlaid.write, str(project / "train"), "11")
    world.call(os.unlink, str(project / "data" / "x"))
    world.call(overlaid.write, str(project / "out" / "deep" / "y"), "4")
    assert world.call(overlaid.read, str(env / "a")) == "22"
    assert (project / "train").read_text() == "1"
    assert told(world, project) == [("env/a", "file file")]
    world.reset()
    world.call(overlaid.write, str(project / "train"), "11")
    world.call(overlaid.write, str(project / "out" / "deep" / "y"), "4")
    world.call(overlaid.write, str(project / "out" / "z"), "5")
    wanted = (str(project / "train"), str(project / "out" / "deep"))
    changes = {os.path.relpath(c.path, project): c for c in world.difference(wanted)}
    assert set(changes) == {"train", "out", "out/deep", "out/deep/y"}
    # What is thrown away is not where the changes are kept, so they were brought there.
    assert all(c.staged is None or c.staged.startswith(world.stage) for c in changes.values())
    assert Path(changes["train"].staged or "").read_text() == "11"
    assert (project / "train").read_text() == "1"


def test_a_project_in_its_environment(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="1", project__train="2")
    world = make(env, scratch=(env / "project",))
    world.call(overlaid.write, str(env / "project" / "train"), "22")
    world.call(overlaid.write, str(env / "a"), "11")
    assert world.call(overlaid.read, str(env / "project" / "train")) == "22"
    assert told(world, env) == [("a", "file file")]
    assert (env / "project" / "train").read_text() == "2"


def test_several_carried_folders(make: Make, tmp_path: Path) -> None:
    one, two = plant(tmp_path / "one", a="1"), plant(tmp_path / "two", a="1")
    world = make(one, two)
    world.call(overlaid.write, str(one / "a"), "2")
    world.call(overlaid.write, str(two / "a"), "2")
    assert told(world, tmp_path) == [("one/a", "file file"), ("two/a", "file file")]


def test_kept_folders_stay_the_common_ones(make: Make, tmp_path: Path) -> None:
    home = plant(tmp_path / "home", cache__wheel="1", keras="2")
    env = plant(tmp_path / "env", a="1")
    world = make(env, scratch=(home,), kept=(home / "cache",))
    world.call(overlaid.write, str(home / "cache" / "new"), "3")
    world.call(overlaid.write, str(home / "keras"), "22")
    assert (home / "cache" / "new").read_text() == "3"
    assert (home / "keras").read_text() == "2"
    (home / "cache" / "later").write_text("4")
    assert world.call(overlaid.read, str(home / "cache" / "later")) == "4"
    assert world.difference(also=(str(home),))[0].path == str(home / "keras")


@pytest.mark.parametrize(
    "name",
    ["a,b", "a:b", "a\\b", "a\nb", "a b", "lowerdir=x", "a\\054b", "é", "a'b\"c", "a,userxattr"],
)
def test_folders_with_odd_names(make: Make, tmp_path: Path, name: str) -> None:
    env = plant(tmp_path / name / "env", a="old")
    world = make(env, scratch=(env.parent,))
    world.call(overlaid.write, str(env / name), "new")
    assert told(world, env) == [(name, "absent file")]
    assert os.listdir(env) == ["a"]


def test_names_that_are_no_text(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="old")
    odd = os.fsdecode(os.fsencode(str(env)) + b"/\xff\xfe")
    world = make(env)
    world.call(os.mkdir, odd)
    assert [change.path for change in world.difference()] == [odd]


def test_without_folders_beside_which_to_write(make: Make, tmp_path: Path) -> None:
    env = plant(tmp_path / "env", a="old")
    real = os.access
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: path != str(tmp_path) and real(path, mode))
        world = make(env)
    assert os.path.dirname(world.stage) == tempfile.gettempdir()
    world.call(overlaid.write, str(env / "a"), "new")
    assert told(world, env) == [("a", "file file")]


def test_a_folder_that_is_not_there_is_no_place(make: Make, tmp_path: Path) -> None:
    make(plant(tmp_path / "env"))  # skips where none can be mounted
    with pytest.raises((NoPlaceError, OSError)):
        Overlay([str(tmp_path / "absent" / "env")])
    with pytest.raises(NoPlaceError):
        Overlay([str(plant(tmp_path / "env"))], kept=[str(tmp_path / "absent")])
    left = [name for name in os.listdir(tmp_path) if name.startswith(place.STAGE)]
    assert len(left) == 1


# -- calls


def test_errors_come_back_as_they_are(make: Make, tmp_path: Path) -> None:
    world = make(plant(tmp_path / "env"))
    with pytest.raises(ValueError, match=r"^some reason$"):
        world.call(overlaid.fail, "some reason")
    with pytest.raises(FileNotFoundError) as caught:
        world.call(overlaid.fail, "os")
    assert caught.value.filename == "/the/file"
    with pytest.raises(RuntimeError, match="StrangeError: 1 and 2"):
        world.call(overlaid.fail, "strange")
    assert world.call(os.getpid) != os.getpid()


def test_what_is_printed_does_not_disturb(
    make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = make(plant(tmp_path / "env"))
    pid = world.call(overlaid.chatter, "x", with_progress=True)
    assert pid == world.call(os.getpid)
    assert world.said == ["half", "done"]  # type: ignore[attr-defined]
    out, err = capfd.readouterr()
    assert out == ""
    assert "xxx" in err
    assert "from a child" in err


def test_a_process_that_ends_is_an_error(make: Make, tmp_path: Path) -> None:
    world = make(plant(tmp_path / "env"))
    with pytest.raises(OSError, match="ended unexpectedly"):
        world.call(overlaid.end)
    with pytest.raises(OSError, match=r"pipe|ended"):
        world.call(os.getpid)
    world.reset()
    assert world.call(os.getpid)


def test_after_the_end_nothing_is_called(make: Make, tmp_path: Path) -> None:
    world = make(plant(tmp_path / "env"))
    pid = world.call(os.getpid)
    world.difference()
    with pytest.raises(RuntimeError):
        world.call(os.getpid)
    world.close()
    world.close()
    assert overlaid.gone(pid)
    assert not os.path.exists(world.stage)
    assert sorted(os.listdir(tmp_path)) == ["env", "tmp"]


def test_an_interrupt_of_the_terminal_ends_it_quietly(
    make: Make, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    world = make(plant(tmp_path / "env"))
    pid = world.call(os.getpid)
    os.kill(pid, signal.SIGINT)
    assert overlaid.gone(pid)
    with pytest.raises(OSError, match=r"pipe|ended"):
        world.call(os.getpid)
    assert capfd.readouterr().err == ""


# -- when this process is ended by force

SCRIPT = """
import os, sys, tempfile, time
sys.path[:0] = [sys.argv[1]]
from keras_doctor.fixes.rehearse.place import NoPlaceError, Overlay
tempfile.tempdir = sys.argv[2]
try:
    world = Overlay([sys.argv[3]], [os.path.dirname(sys.argv[3])])
except NoPlaceError as reason:
    sys.exit(f"skip: {reason}")
print(world.call(os.getpid), world.stage, flush=True)
if sys.argv[4] == "busy":
    from keras_doctor.fixes.installer import Installer, install
    from keras_doctor.fixes.request import Request
    asked = Request(("numpy",), (), (), (), ())
    world.call(install, Installer("pip", (sys.argv[5],)), asked, "python", None, {})
time.sleep(600)
"""


@pytest.mark.parametrize("doing", ["idle", "busy"])
def test_a_kill_leaves_no_process_and_no_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str
) -> None:
    env = plant(tmp_path / "neighbours" / "env", a="1")
    temporary = plant(tmp_path / "tmp")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    installer, noted = tmp_path / "installer", tmp_path / "noted"
    installer.write_text(f"#!/bin/sh\necho $$ > {noted}\nexec sleep 600\n")
    installer.chmod(0o755)
    argv = [sys.executable, "-I", "-c", SCRIPT, overlaid.SOURCES, str(temporary), str(env), doing]
    argv.append(str(installer))
    main = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert main.stdout is not None
        assert main.stderr is not None
        line = main.stdout.readline()
        if not line:
            pytest.skip(f"no overlay can be mounted here: {main.stderr.read()}")
        worker, stage = line.split()
        assert int(worker) in overlaid.mounted(str(env))
        monkeypatch.setattr(place, "_FRESH", 0.0)
        assert remove_stale_stages(str(env), ()) == ()  # it is in use
        while doing == "busy" and not (noted.exists() and noted.read_text()):
            assert main.poll() is None
            time.sleep(0.02)
    finally:
        main.kill()
        main.wait()
        for stream in (main.stdout, main.stderr):
            if stream is not None:
                stream.close()
    assert overlaid.gone(int(worker))
    assert doing == "idle" or overlaid.gone(int(noted.read_text()))
    assert overlaid.mounted(str(env)) == []
    away = [str(temporary / name) for name in os.listdir(temporary)]
    assert len(away) == 1
    assert remove_stale_stages(str(env), (stage,)) == (away[0],)
    assert remove_stale_stages(str(env), ()) == (stage,)
    assert os.listdir(env.parent) == ["env"]
    assert os.listdir(temporary) == []


def test_only_what_is_surely_stale_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(plant(tmp_path / "tmp")))
    parent = plant(tmp_path / "neighbours", env__a="1")
    stale, unmarked, known, link, foreign = (
        str(parent / (place.STAGE + name)) for name in ("a", "b", "c", "d", "e")
    )
    for folder in (stale, unmarked, known, foreign):
        os.mkdir(folder)
    for folder in (stale, known, foreign):
        claim(folder, "20260131-120000-123456-0a1b2c3d")
    target = plant(tmp_path / "target")
    claim(str(target), "20260131-120000-123456-0a1b2c3d")
    os.symlink(target, link)
    (parent / "other").mkdir()
    env = str(parent / "env")
    assert remove_stale_stages(env, (known,)) == ()  # they have only just been made
    monkeypatch.setattr(place, "_FRESH", -1.0)
    if os.getuid() == 0:
        os.chown(foreign, overlaid.NOBODY, overlaid.NOBODY)
    else:
        shutil.rmtree(foreign)
    assert remove_stale_stages(env, (known,)) == (stale,)
    assert os.path.lexists(link)
    assert os.path.exists(target / ".keras-doctor-stage")
    assert remove_stale_stages(str(tmp_path / "absent" / "env"), ()) == ()


# -- a plain user

AS_USER = """
import os, shutil, sys, tempfile
sys.path[:0] = [sys.argv[1]]
from keras_doctor.fixes.rehearse.place import NoPlaceError, Overlay
from keras_doctor.live.process import Child
tempfile.tempdir = sys.argv[2] + "/tmp"
project = sys.argv[2] + "/project"
env = project + "/env"
os.makedirs(env + "/tree/deep")
os.mkdir(tempfile.tempdir)
for name in ("a", "secret", "tree/deep/b"):
    with open(env + "/" + name, "w") as file:
        file.write("old")
os.chmod(env + "/secret", 0)
try:
    world = Overlay([env], [project])
except NoPlaceError as reason:
    sys.exit(f"skip: {reason}")
assert world.call(os.getuid) == os.getuid() == int(sys.argv[3])
assert world.call(os.system, f"echo new > {env}/a; rm -r {env}/tree; mkdir {env}/tree") == 0
assert world.call(os.system, f"echo x > {project}/out") == 0
assert world.call(os.system, f"cat {env}/secret 2> /dev/null") != 0, "modes are obeyed"
assert world.call(os.system, f"chown 7 {env}/a 2> /dev/null") != 0, "nor is more allowed"
assert open(env + "/a").read() == "old"
rows = [(os.path.relpath(c.path, env), c.after.kind) for c in world.difference()]
assert rows == [("a", "file"), ("tree/deep", "absent"), ("tree/deep/b", "absent")], rows
world.reset()
assert world.call(os.path.exists, env + "/tree/deep/b")
world.close()
assert sorted(os.listdir(project)) == ["env"], os.listdir(project)
assert os.listdir(tempfile.tempdir) == []
print("done")
"""


def run_as(argv: list[str], uid: int, **options: Any) -> None:
    """Run the script above in a folder of its own."""
    folder = tempfile.mkdtemp(prefix="keras-doctor-test-")
    try:
        if os.getuid() != uid:
            os.chown(folder, uid, uid)
        script = textwrap.dedent(AS_USER)
        words = [*argv, "-I", "-S", "-c", script, overlaid.SOURCES, folder, str(uid)]
        done = subprocess.run(words, cwd="/", capture_output=True, text=True, **options)
        if done.stderr.startswith("skip: "):
            pytest.skip(f"no overlay can be mounted here: {done.stderr}")
        assert (done.stdout, done.stderr) == ("done\n", "")
    finally:
        shutil.rmtree(folder)


def test_a_plain_user_gets_one_too() -> None:
    if os.getuid() != 0:
        run_as([sys.executable], os.getuid())
        return
    uid = overlaid.NOBODY
    python = overlaid.python_of(uid)
    if python is None:
        pytest.skip("there is no Python that a plain user could start with this program")
    run_as([python], uid, user=uid, group=uid, extra_groups=[])


def test_root_without_privileges_obeys_modes_in_it() -> None:
    """As in a container: in a namespace of its own it could do what it may not do outside."""
    setpriv = shutil.which("setpriv")
    if os.getuid() != 0 or setpriv is None:
        pytest.skip("only root can give privileges up, and setpriv does it")
    # Without that one root may not stand for itself in the namespace.
    run_as([setpriv, "--bounding-set=-all,+setfcap", "--inh-caps=-all", sys.executable], 0)
