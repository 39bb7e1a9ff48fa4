"""A user's copy is refreshed whole, or stays as it was."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from indexserver import JSON, FakeIndex

from keras_doctor.knowledge import copies, releases
from keras_doctor.refresh import copyfiles
from keras_doctor.refresh import update as updating
from keras_doctor.refresh.update import UpdateError, update
from refresh.refresh_help import fill, tree, versions_in, wanted, where

MADE_UP = [wanted("made-up")]


@pytest.fixture
def updated(index: FakeIndex, folder: Path) -> Path:
    """A folder with a first copy."""
    fill(index, *[f"1.{n}" for n in range(10)])
    update(str(folder), index=where(index), wanted=MADE_UP)
    return folder


def test_the_first_copy(index: FakeIndex, folder: Path) -> None:
    fill(index, "1.0", "1.1")
    told: list[str] = []
    done = update(str(folder), index=where(index), wanted=MADE_UP, progress=told.append)
    assert (done.packages, done.releases, done.new) == (1, 2, (("made-up", 2),))
    assert versions_in(folder) == ["1.0", "1.1"]
    assert told == ["Reading the releases of made-up (1 of 1)"]
    assert copies.in_use()[0].source == "user"
    assert [row.version for row in releases.releases_of("made-up")] == ["1.0", "1.1"]
    assert done.asked == len(index.asked) == 3


def test_only_new_releases_are_read(index: FakeIndex, updated: Path) -> None:
    fill(index, *[f"1.{n}" for n in range(12)])
    index.asked.clear()
    done = update(str(updated), index=where(index), wanted=MADE_UP)
    assert done.new == (("made-up", 2),)
    assert len(index.asked) == 3
    copy = copies.users_copy(str(updated))
    assert copy is not None
    package = copies.read_package(copy, "made-up")
    assert package is not None
    assert [row.requires for row in package.releases] == [(f"numpy>=1.{n}",) for n in range(12)]
    assert len(list(updated.iterdir())) == 2  # the old copy is gone


def test_a_refused_package_keeps_what_was_known(index: FakeIndex, updated: Path) -> None:
    fill(index, "2.0", name="other")
    del index.pages["/simple/made-up/"]
    both = [*MADE_UP, wanted("other")]
    done = update(str(updated), index=where(index), wanted=both)
    assert done.missing == ("made-up",)
    assert len(versions_in(updated)) == 10


def stays(updated: Path, run: Callable[[], object], told: str) -> None:
    before = tree(updated)
    with pytest.raises(UpdateError) as caught:
        run()
    text = str(caught.value)
    assert told in text
    assert text.endswith("The knowledge in use is as it was.")
    assert "\n" not in text
    assert tree(updated) == before
    assert len(versions_in(updated)) == 10


def hostile(*, body: bytes = b"", status: int = 200, **headers: str) -> Any:
    given = {"Content-Type": JSON} | {k.replace("_", "-"): v for k, v in headers.items()}
    return lambda _: (status, given, body)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (hostile(body=b"{}"), "page that is none"),
        (hostile(body=b"[" * 200_000), "page that is none"),
        (hostile(body=b'{"meta": {"api-version": "1.0"}, "files": 3}'), "page that is none"),
        (hostile(body=b'{"meta": {"api-version": "1.0"}, "files": []}'), "lists 0 releases"),
        (hostile(body=b"x", Content_Type="image/png"), "'image/png'"),
        (hostile(status=302, Location="file:///etc/passwd"), "off the web"),
        (hostile(status=302, Location="/simple/made-up/"), "in a circle"),
        (hostile(status=503), "status 503"),
        (hostile(status=401), "status 401"),
        (hostile(body=b"{", Content_Length="999999", Connection="close"), "broke off"),
        (hostile(status=404), "refuses every package"),
    ],
)
def test_a_hostile_index(index: FakeIndex, updated: Path, page: Any, told: str) -> None:
    index.pages["/simple/made-up/"] = page
    stays(updated, lambda: update(str(updated), index=where(index), wanted=MADE_UP), told)


def test_a_huge_page(index: FakeIndex, updated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras_doctor.registry.project.LARGEST_PAGE", 10_000)
    index.add("/simple/made-up/", b" " * 10_001, JSON)
    stays(updated, lambda: update(str(updated), index=where(index), wanted=MADE_UP), "10,000")


def test_files_that_lead_to_the_disk(index: FakeIndex, updated: Path) -> None:
    row = {"filename": "made_up-9.0-py3-none-any.whl", "url": "file:///etc/passwd"}
    page = index.pages["/simple/made-up/"]
    assert isinstance(page, bytes)
    data = json.loads(page)
    data["files"].append(row)
    index.add("/simple/made-up/", json.dumps(data).encode(), JSON)
    stays(updated, lambda: update(str(updated), index=where(index), wanted=MADE_UP), "on the web")


def test_the_network_is_lost_half_way(index: FakeIndex, updated: Path) -> None:
    fill(index, *[f"1.{n}" for n in range(30)])
    for n in range(20, 30):
        index.pages[f"/files/made_up-1.{n}-py3-none-any.whl.metadata"] = hostile(
            body=b"", Content_Length="10", Connection="close"
        )
    stays(updated, lambda: update(str(updated), index=where(index), wanted=MADE_UP), "broke off")


def test_nobody_answers(index: FakeIndex, updated: Path) -> None:
    gone = where(index)._replace(url="http://127.0.0.1:9/simple")
    stays(updated, lambda: update(str(updated), index=gone, wanted=MADE_UP), "cannot be reached")


def test_no_pip_index(updated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    stays(updated, lambda: update(str(updated), wanted=MADE_UP), "no index")


def test_a_shrinking_index(index: FakeIndex, updated: Path) -> None:
    fill(index, *[f"1.{n}" for n in range(6)])
    stays(
        updated,
        lambda: update(str(updated), index=where(index), wanted=MADE_UP),
        "6 releases of made-up where 10 were known",
    )
    fill(index, *[f"1.{n}" for n in range(7)])  # a few are taken back at times
    update(str(updated), index=where(index), wanted=MADE_UP)
    assert len(versions_in(updated)) == 7


def refusal(run: Callable[[], object]) -> str | None:
    try:
        run()
    except UpdateError as error:
        return str(error)
    return None


STEPS = ["open", "fsync", "mkdir", "rename", "replace"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk(
    index: FakeIndex, updated: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    """The n-th system call of each kind fails, for every n that an update may need."""
    failed = 0
    for number in range(1, 9):
        calls = 0
        real = open if step == "open" else getattr(os, step)

        def failing(*given: Any, _real: Any = real, _number: int = number) -> Any:
            nonlocal calls
            calls += 1
            if calls == _number:
                raise OSError(code, os.strerror(code))
            return _real(*given)

        with monkeypatch.context() as patched:
            if step == "open":
                patched.setattr(copyfiles, "open", failing, raising=False)
            else:
                patched.setattr(os, step, failing)
            fill(index, *[f"1.{n}" for n in range(10)])
            before = tree(updated)
            problem = refusal(lambda: update(str(updated), index=where(index), wanted=MADE_UP))
        if problem is not None:
            assert os.strerror(code) in problem
            assert tree(updated) == before
            failed += 1
    assert failed >= 1
    assert len(versions_in(updated)) == 10


def test_a_full_disk_for_real(index: FakeIndex, updated: Path, tmp_path: Path) -> None:
    """A small file system of its own, where this user may mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["unshare", "--mount", "--map-root-user", sys.executable, "-c"]
    code = (
        "import subprocess, sys\n"
        "from refresh.refresh_help import *\n"
        "from keras_doctor.refresh.update import *\n"
        "folder, url = sys.argv[1:]\n"
        "done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder])\n"
        "if done.returncode: sys.exit(77)\n"
        "try: update(folder, index=index_from(url), wanted=[wanted('made-up')])\n"
        "except UpdateError as error: print(error, *tree(Path(folder)), sep='|')\n"
    )
    rows = [index.add_wheel("made-up", f"1.{n}", f"a{n:0900}") for n in range(60)]
    index.add_project("made-up", rows)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    words = [*mount, code, str(small), index.url + "/simple"]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=60,
            env=environ,
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr[-200:]}")
    assert os.strerror(errno.ENOSPC) in done.stdout
    assert done.stdout.strip().endswith("as it was.")  # and no file is left


def test_the_new_copy_cannot_be_read_back(
    index: FakeIndex, updated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(path: str, raw: bytes) -> None:
        Path(path).write_bytes(raw.replace(b"numpy", b"nympy") if "made-up" in path else raw)

    monkeypatch.setattr(copyfiles, "write_file", spoil)
    fill(index, *[f"1.{n}" for n in range(10)])
    stays(updated, lambda: update(str(updated), index=where(index), wanted=MADE_UP), "checksum")


def test_interrupted_between_any_two_steps(
    index: FakeIndex, updated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("write_copy", "verify", "write_file"):
        before = tree(updated)
        with monkeypatch.context() as patched:

            def interrupt(*_: object) -> None:
                raise KeyboardInterrupt

            patched.setattr(updating, step, interrupt)
            with pytest.raises(KeyboardInterrupt):
                update(str(updated), index=where(index), wanted=MADE_UP)
        assert tree(updated) == before


def test_killed_at_any_moment(index: FakeIndex, updated: Path) -> None:
    """The copy in use is whole after each kill, and the next update clears the remains away."""
    code = (
        "import sys\n"
        "from refresh.refresh_help import *\n"
        "from keras_doctor.refresh.update import update\n"
        "print('ready', flush=True)\n"
        "index, packages = index_from(sys.argv[2]), [wanted('made-up')]\n"
        "while True: update(sys.argv[1], index=index, wanted=packages)\n"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    for number in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(updated), index.url + "/simple"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.02 + number * 0.007)
            process.send_signal(signal.SIGKILL)
        assert len(versions_in(updated)) == 10
    for left in updated.glob("*.new"):
        os.utime(left, (1, 1))
    update(str(updated), index=where(index), wanted=MADE_UP)
    assert len([entry for entry in updated.iterdir() if entry.name.startswith("copy-")]) == 1
