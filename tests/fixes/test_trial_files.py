"""What a rehearsal does to files: delete, chmod, write, rename, edit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from fixes.repairing import a_step
from keras_doctor.fixes import trial
from keras_doctor.fixes.trial import perform, read_source, write_text
from keras_doctor.model.plan import Step


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def delete(*paths: Path) -> Step:
    return a_step("delete", paths=tuple(map(str, paths)))


def chmod(mode: str, *paths: Path) -> Step:
    return a_step("chmod", value=mode, paths=tuple(map(str, paths)))


def rename(old: Path, new: Path) -> Step:
    return a_step("rename-file", path=str(old), to=str(new))


def edit(path: Path, line: int, old: str, new: str) -> Step:
    return a_step("edit-code", path=str(path), line=line, old=old, new=new)


def test_steps_about_other_things_are_passed_over(tmp_path: Path) -> None:
    perform([a_step("install", "numpy"), a_step("set-env", name="A"), a_step("other")])
    perform([a_step("write-file"), a_step("rename-file", path="/x"), a_step("delete")])
    perform([])
    assert os.listdir(tmp_path) == []


# -- delete


def test_delete(tmp_path: Path) -> None:
    file, folder, rest = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    file.touch()
    rest.touch()
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "x").touch()
    perform([delete(file, folder, tmp_path / "absent")])
    assert list(tmp_path.iterdir()) == [rest]


def test_the_target_of_a_deleted_link_stays(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "x").touch()
    links = [tmp_path / name for name in ("folder", "file", "dangling")]
    for link, to in zip(links, (target, target / "x", tmp_path / "absent"), strict=True):
        link.symlink_to(to)
    perform([delete(*links)])
    assert list(tmp_path.iterdir()) == [target]
    assert (target / "x").exists()


def test_links_in_a_deleted_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o700)
    (tmp_path / "kept" / "x").touch()
    os.chmod(tmp_path / "kept", 0o500)
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "link").symlink_to(tmp_path / "kept")
    perform([delete(tmp_path / "gone")])
    assert not (tmp_path / "gone").exists()
    assert (tmp_path / "kept" / "x").exists()
    assert mode_of(tmp_path / "kept") == 0o500


def test_a_folder_without_rights_is_deleted(tmp_path: Path) -> None:
    deep = tmp_path / "gone" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "x").touch()
    for folder in (deep, deep.parent, deep.parent.parent):
        folder.chmod(0)
    perform([delete(tmp_path / "gone")])
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_deleted_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "remove_tree", lambda _: None)
    with pytest.raises(PermissionError):
        perform([delete(tmp_path)])


# -- chmod


def test_a_number_is_the_new_mode(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.touch(0o600)
    folder.mkdir(0o700)
    perform([chmod("0644", file), chmod("555", folder)])
    assert (mode_of(file), mode_of(folder)) == (0o644, 0o555)
    with pytest.raises(FileNotFoundError):
        perform([chmod("0644", tmp_path / "absent")])


def test_only_what_is_needed_becomes_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    (root / "closed").mkdir(parents=True)
    modes = {
        "fine": 0o444,
        "closed/unreadable": 0o200,
        "closed/program": 0o011,
        "half": 0o604,
    }
    for name, mode in modes.items():
        (root / name).touch()
        (root / name).chmod(mode)
    (tmp_path / "outside").touch(0o000)
    (tmp_path / "outside").chmod(0)
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "closed").chmod(0o020)
    root.chmod(0o055)
    changed: list[str] = []
    real = os.chmod

    def noted(path: str, mode: int) -> None:
        changed.append(os.path.relpath(path, tmp_path))
        real(path, mode)

    monkeypatch.setattr(os, "chmod", noted)
    perform([chmod("u+rX", root)])
    assert sorted(changed) == [
        *("root", "root/closed", "root/closed/program", "root/closed/unreadable"),
    ]
    assert mode_of(root) == 0o555
    assert mode_of(root / "closed") == 0o520
    assert {name: mode_of(root / name) for name in modes} == {
        "fine": 0o444,
        "closed/unreadable": 0o600,
        "closed/program": 0o511,
        "half": 0o604,
    }
    assert mode_of(tmp_path / "outside") == 0


def test_a_single_file_becomes_readable(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.touch()
    file.chmod(0)
    perform([chmod("u+rX", file)])
    assert mode_of(file) == 0o400


# -- write


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o644, 0o644), (0o640, 0o640), (0o755, 0o755), (0o444, 0o644), (0o000, 0o600)],
)
def test_a_file_that_is_written_keeps_its_mode(tmp_path: Path, before: int, after: int) -> None:
    file = tmp_path / "keras.json"
    file.write_text("old")
    file.chmod(before)
    perform([a_step("write-file", path=str(file), value="new\r\n")])
    assert file.read_bytes() == b"new\r\n"
    assert mode_of(file) == after
    assert os.listdir(tmp_path) == ["keras.json"]


def test_a_new_file_gets_its_folder(tmp_path: Path) -> None:
    file = tmp_path / ".keras" / "keras.json"
    perform([a_step("write-file", path=str(file), value="{}")])
    assert file.read_text() == "{}"
    assert mode_of(file) == 0o644


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """Whoever has it open, or has it under another name, keeps the old one."""
    file, other = tmp_path / "a", tmp_path / "b"
    file.write_text("old")
    os.link(file, other)
    with file.open() as opened:
        write_text(str(file), "new")
        assert opened.read() == "old"
    assert (file.read_text(), other.read_text()) == ("new", "old")


@pytest.mark.parametrize("broken", ["replace", "chmod"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    file = tmp_path / "a"
    file.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OSError, match="No space"):
        write_text(str(file), "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "keras.json").mkdir()
    with pytest.raises(IsADirectoryError):
        write_text(str(tmp_path / "keras.json"), "{}")
    assert os.listdir(tmp_path) == ["keras.json"]


# -- rename


def test_a_file_and_a_folder_get_another_name(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").touch()
    perform(
        [
            rename(tmp_path / "random.py", tmp_path / "new" / "my_random.py"),
            rename(tmp_path / "folder", tmp_path / "other"),
        ]
    )
    assert sorted(os.listdir(tmp_path)) == ["new", "other"]
    assert (tmp_path / "new" / "my_random.py").read_text() == "x"
    assert (tmp_path / "other" / "x").exists()


def test_a_link_itself_gets_another_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("absent")
    perform([rename(tmp_path / "link", tmp_path / "other")])
    assert os.readlink(tmp_path / "other") == "absent"


@pytest.mark.parametrize("taken", ["file", "folder", "link"])
def test_a_name_that_is_taken_is_an_error(tmp_path: Path, taken: str) -> None:
    old, new = tmp_path / "random.py", tmp_path / "my_random.py"
    old.write_text("old")
    if taken == "file":
        new.write_text("mine")
    elif taken == "folder":
        new.mkdir()
    else:
        new.symlink_to("absent")
    with pytest.raises(FileExistsError):
        perform([rename(old, new)])
    assert old.read_text() == "old"
    assert taken != "file" or new.read_text() == "mine"


# -- edits


def test_edits_of_one_file_are_carried_out_together(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_bytes(b"import os\r\nimport keras\r\nx = 1\ny = 2")
    file.chmod(0o755)
    perform([edit(file, 4, "y = 2", "y = 3"), edit(file, 1, "import os", "import os\nimport sys")])
    assert file.read_bytes() == b"import os\r\nimport sys\r\nimport keras\r\nx = 1\ny = 3"
    assert mode_of(file) == 0o755


@pytest.mark.parametrize(
    ("line", "old"), [(1, "import  keras"), (9, "import keras"), (0, "import keras")]
)
def test_a_line_that_is_not_as_it_was_is_an_error(tmp_path: Path, line: int, old: str) -> None:
    file, other = tmp_path / "train.py", tmp_path / "absent.py"
    file.write_text("import keras\n")
    with pytest.raises(ValueError, match="line"):
        perform([edit(file, line, old, "x")])
    assert file.read_text() == "import keras\n"
    with pytest.raises((ValueError, OSError)):
        perform([edit(other, 1, "import keras", "x")])
    assert not other.exists()


@pytest.mark.parametrize(
    "source",
    [
        b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
        b"\xef\xbb\xbf# bom\nname = '\xc3\xa9'\n",
        b"# plain\nname = '\xc3\xa9'\n",
        b"# -*- coding: cp1252 -*-\r\nname = '\x80'\r\n",
    ],
    ids=["latin-1", "byte order mark", "utf-8", "cp1252"],
)
def test_an_edited_program_keeps_its_encoding(tmp_path: Path, source: bytes) -> None:
    file = tmp_path / "train.py"
    file.write_bytes(source)
    first = (read_source(str(file)) or "").splitlines()[0]
    perform([edit(file, 1, first, first + "\nimport os")])
    end = b"\r\n" if b"\r\n" in source else b"\n"
    head, _, tail = source.partition(end)
    assert file.read_bytes() == head + end + b"import os" + end + tail


def test_what_an_encoding_cannot_say_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    file.write_bytes(b"# -*- coding: ascii -*-\nx = 1\n")
    with pytest.raises(ValueError, match="encode"):
        perform([edit(file, 2, "x = 1", "x = 'é'")])
    assert os.listdir(tmp_path) == ["train.py"]
    assert file.read_bytes().endswith(b"x = 1\n")


@pytest.mark.parametrize("data", [b"x = '\xff'\n", b"# -*- coding: nonsense -*-\n", None])
def test_what_is_no_program_has_no_text(tmp_path: Path, data: bytes | None) -> None:
    file = tmp_path / "train.py"
    if data is not None:
        file.write_bytes(data)
    assert read_source(str(file)) is None
    assert read_source(str(tmp_path)) is None
