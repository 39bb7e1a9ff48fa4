"""The crew that reads files."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_doctor.verify import hashing
from keras_doctor.verify.hashing import Crew

EDGES = [0, 1, hashing._AT_ONCE - 1, hashing._AT_ONCE, hashing._AT_ONCE + 1, hashing._PIECE]


def file_of(path: Path, data: bytes, size: int | None = None) -> Any:
    path.write_bytes(data)
    file = SimpleNamespace(
        path=str(path), size=len(data) if size is None else size, found=None, trouble=None
    )
    file.accept = lambda digest: setattr(file, "found", digest)
    return file


def run(files: list[Any], threads: int | None = None, **more: Any) -> None:
    with Crew(threads) as crew:
        crew.feed(files)
        crew.finish(**more)


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_all_sizes(tmp_path: Path, threads: int | None) -> None:
    sizes = [*EDGES, hashing._PIECE + 1, 2 * hashing._PIECE, hashing.LARGE + 7] + [9000] * 200
    data = [os.urandom(size) for size in sizes]
    files = [file_of(tmp_path / str(n), content) for n, content in enumerate(data)]
    shares: list[tuple[int, int]] = []
    run(files, threads, share=lambda *share: shares.append(share))
    assert [f.found for f in files] == [hashlib.sha256(content).digest() for content in data]
    assert all(f.trouble is None for f in files)
    assert shares[-1] == (sum(sizes), sum(sizes))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 200_000), max_size=6), max_size=5))
def test_fed_in_parts(tmp_path_factory: pytest.TempPathFactory, parts: list[list[int]]) -> None:
    folder = tmp_path_factory.mktemp("fed")
    files = []
    with Crew(2) as crew:
        for i, sizes in enumerate(parts):
            part = [file_of(folder / f"{i}-{j}", bytes(size)) for j, size in enumerate(sizes)]
            crew.feed(part)
            files += part
        crew.finish()
    assert all(f.found == hashlib.sha256(bytes(f.size)).digest() for f in files)


def test_troubles(tmp_path: Path) -> None:
    shrunk = file_of(tmp_path / "shrunk", b"x" * 10, size=11)
    grown = file_of(tmp_path / "grown", b"x" * 300_000, size=200_000)
    endless = file_of(tmp_path / "endless", b"")
    endless.path, endless.size = "/dev/zero", 1 << 20
    gone = file_of(tmp_path / "gone", b"x")
    os.unlink(gone.path)
    folder = file_of(tmp_path / "folder", b"")
    os.unlink(folder.path)
    os.mkdir(folder.path)
    files = [shrunk, grown, gone, folder] + [endless] * os.path.exists("/dev/zero")
    run(files)
    assert all(f.found is None and f.trouble for f in files)
    assert shrunk.trouble == grown.trouble == hashing.CHANGED
    assert gone.trouble == "No such file or directory"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs of POSIX")
def test_a_fifo_does_not_make_it_wait(tmp_path: Path) -> None:
    fifo = file_of(tmp_path / "fifo", b"x")
    os.unlink(fifo.path)
    os.mkfifo(fifo.path)
    run([fifo])
    assert fifo.trouble


def test_no_files_no_threads() -> None:
    before = threading.active_count()
    with Crew() as crew:
        crew.feed([])
        crew.finish()
        assert threading.active_count() == before


def test_a_mistake_of_ours_is_raised(tmp_path: Path) -> None:
    wrong = file_of(tmp_path / "a", b"x")
    wrong.path = 1.5
    with pytest.raises(TypeError):
        run([wrong])


def test_stops_between_pieces(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    large = file_of(path, b"")
    large.size = 1 << 40
    os.truncate(path, large.size)
    crew = Crew(2)

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    def work() -> None:
        with crew:
            crew.feed([large])
            crew.finish(interrupt)

    with pytest.raises(KeyboardInterrupt):
        work()
    for thread in crew._threads:
        thread.join(5)
        assert not thread.is_alive()
    assert large.found is None


def test_processors() -> None:
    assert 1 <= hashing.processors() <= (os.cpu_count() or 1)
