"""What is remembered of an earlier run, and where."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor.verify import cache as module
from keras_doctor.verify.cache import Cache, cache_folder, is_racy, key_of

KEYS = [bytes([n]) * 16 for n in range(5)]
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and owners of POSIX")


def kept(folder: Path) -> Path:
    cache = Cache(str(folder), "/site")
    cache.keep({"a-1.dist-info": KEYS, "b-1.dist-info": KEYS[:1]}, ["a-1.dist-info"])
    (file,) = folder.iterdir()
    return file


def known(folder: Path, section: str = "a-1.dist-info") -> frozenset[bytes]:
    return Cache(str(folder), "/site").known(section)


def test_remembers(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache"
    file = kept(folder)
    assert known(folder) == frozenset(KEYS)
    assert known(folder, "b-1.dist-info") == frozenset(KEYS[:1])
    assert known(folder, "c-1.dist-info") == frozenset()
    assert Cache(str(folder), "/other").known("a-1.dist-info") == frozenset()
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_again_is_not_written(tmp_path: Path) -> None:
    before = kept(tmp_path).stat()
    Cache(str(tmp_path), "/site").keep({"a-1.dist-info": KEYS}, ["a-1.dist-info", "b-1.dist-info"])
    (file,) = tmp_path.iterdir()
    assert file.stat().st_ino == before.st_ino
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_forgets_what_is_no_longer_installed(tmp_path: Path) -> None:
    kept(tmp_path)
    Cache(str(tmp_path), "/site").keep({"c-1.dist-info": KEYS}, ["a-1.dist-info", "c-1.dist-info"])
    assert known(tmp_path) == frozenset(KEYS)
    assert known(tmp_path, "b-1.dist-info") == frozenset()


def test_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 3)
    (tmp_path / "mine.txt").write_text("another program's")
    for number in range(6):
        Cache(str(tmp_path), f"/site{number}").keep({"a": KEYS}, ["a"])
        for file in tmp_path.glob("verify-*"):
            os.utime(file, (file.stat().st_mtime - 100, file.stat().st_mtime - 100))
    assert len(list(tmp_path.glob("verify-*"))) == 3
    assert (tmp_path / "mine.txt").exists()
    assert Cache(str(tmp_path), "/site5").known("a")
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    Cache(str(tmp_path), "/large").keep({"a": KEYS}, ["a"])
    assert len(list(tmp_path.glob("verify-*"))) == 3


@settings(max_examples=60, deadline=None)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=40).map(str.encode)))
def test_damaged_is_ignored(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("cache")
    kept(folder).write_bytes(data)
    assert known(folder) == frozenset()


@pytest.mark.parametrize(
    "content",
    [
        {"version": 2, "sections": {"a-1.dist-info": "AAAA"}},
        {"version": 1, "sections": ["a"]},
        {"version": 1, "sections": {"a-1.dist-info": 5}},
        {"version": 1, "sections": {"a-1.dist-info": "AAAA"}},
        {"version": 1, "sections": {"a-1.dist-info": "é"}},
        {"version": 1},
        [],
        None,
    ],
)
def test_of_another_shape(tmp_path: Path, content: object) -> None:
    kept(tmp_path).write_text(json.dumps(content))
    assert known(tmp_path) == frozenset()


def test_nested_too_deeply(tmp_path: Path) -> None:
    kept(tmp_path).write_text("[" * 100_000)
    assert known(tmp_path) == frozenset()


@POSIX
def test_a_file_of_others_is_not_believed(tmp_path: Path) -> None:
    file = kept(tmp_path)
    file.chmod(0o666)
    assert known(tmp_path) == frozenset()
    file.chmod(0o600)
    assert known(tmp_path) == frozenset(KEYS)
    elsewhere = file.rename(tmp_path / "elsewhere")
    file.symlink_to(elsewhere)
    assert known(tmp_path) == frozenset()
    file.unlink()
    os.mkfifo(file)
    assert known(tmp_path) == frozenset()


@POSIX
def test_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    Cache(str(blocked / "cache"), "/site").keep({"a": KEYS}, ["a"])
    assert blocked.read_text() == ""
    # Root may write everywhere: as if the folder were another user's.
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    Cache(str(tmp_path / "cache"), "/site").keep({"a": KEYS}, ["a"])
    assert not (tmp_path / "cache").exists()


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(tmp_path)

    def fail(*_: object) -> None:
        raise OSError("full")

    monkeypatch.setattr(os, "replace", fail)
    Cache(str(tmp_path), "/site").keep({"c": KEYS}, ["c"])
    assert len(list(tmp_path.iterdir())) == 1
    assert known(tmp_path) == frozenset(KEYS)


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"HOME": "/home/ada"}, "linux", "/home/ada/.cache/keras-doctor"),
        ({"HOME": "/home/ada", "XDG_CACHE_HOME": "/c"}, "linux", "/c/keras-doctor"),
        ({"HOME": "/home/ada", "XDG_CACHE_HOME": "c"}, "linux", "/home/ada/.cache/keras-doctor"),
        ({"HOME": "/Users/ada"}, "darwin", "/Users/ada/Library/Caches/keras-doctor"),
        ({"HOME": "relative"}, "linux", None),
        ({}, "win32", None),
        ({"LOCALAPPDATA": "/L"}, "win32", "/L/keras-doctor"),
    ],
)
@POSIX
def test_where(environ: dict[str, str], platform: str, expected: str | None) -> None:
    assert cache_folder(environ, platform) == expected


def test_the_key_holds_everything(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x")
    status = file.stat()
    base = key_of(str(file), status, "d" * 43)
    assert key_of(str(file), status, "d" * 43) == base
    assert (
        len({base, key_of(f"{file}b", status, "d" * 43), key_of(str(file), status, "e" * 43)}) == 3
    )
    assert key_of("a\udc80", status, "d") != key_of("a\udc81", status, "d")
    file.write_bytes(b"y")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    if os.name == "posix":
        assert key_of(str(file), file.stat(), "d" * 43) != base


def test_racy(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"x")
    os.utime(file, (1, 1))
    status = file.stat()
    # Though it claims to be old, it was changed just now.
    assert is_racy(status, status.st_ctime_ns + 10**9)
    assert not is_racy(status, status.st_ctime_ns + 3 * 10**9)
