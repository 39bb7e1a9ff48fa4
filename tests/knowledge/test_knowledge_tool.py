"""`python -m tools.knowledge releases` against an index on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from indexserver import FakeIndex, serve

from keras_doctor.refresh.assemble import assemble
from keras_doctor.registry.listing import Listing
from tools.knowledge import msgpack, uvcache

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = "namex,keras,tensorflow,theano"


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    with serve() as running:
        rows = {
            "namex": [running.add_wheel("namex", f"0.0.{n}") for n in range(9)],
            "keras": [running.add_wheel("keras", f"3.{n}.0", "numpy") for n in range(9)],
            "tensorflow": [
                running.add_wheel("tensorflow", "2.15.0", tag, tag=f"cp39-cp39-{tag}")
                for tag in ("win_amd64", "manylinux2014_x86_64", "macosx_12_0_arm64")
            ],
        }
        for name, files in rows.items():
            running.add_project(name, files)
        yield running


def command(index: FakeIndex, tmp_path: Path, output: str) -> tuple[list[str], dict[str, str]]:
    words = [sys.executable, "-m", "tools.knowledge", "releases", "--packages", PACKAGES]
    words += ["--cache", str(tmp_path / "cache"), "--output", str(tmp_path / output)]
    environ = {**os.environ, "PIP_INDEX_URL": index.url + "/simple", "PIP_CONFIG_FILE": os.devnull}
    return words, environ


def run(index: FakeIndex, tmp_path: Path, output: str) -> str:
    words, environ = command(index, tmp_path, output)
    done = subprocess.run(
        words, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_question_is_asked_once(index: FakeIndex, tmp_path: Path) -> None:
    out = run(index, tmp_path, "one")
    assert "theano: missing, the index refuses it" in out
    assert "tensorflow: 1 releases, requirements of 1" in out
    assert len(index.asked) == len(set(index.asked)) == 4 + 9 + 9 + 3
    assert "0 questions were sent" in run(index, tmp_path, "two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_killed_and_resumed(index: FakeIndex, tmp_path: Path) -> None:
    index.delay = 0.05
    words, environ = command(index, tmp_path, "one")
    for stop in (3, 11):
        with subprocess.Popen(words, env=environ, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            while len(index.asked) < stop and process.poll() is None:
                pass
            process.kill()
    assert not (tmp_path / "one").exists()
    index.delay = 0.0
    run(index, tmp_path, "one")
    # At most those that were under way when it was killed are asked twice.
    assert len(index.asked) <= 25 + 2 * 4
    assert len(files(tmp_path / "one")) == 4
    assert index.most_at_once <= 4


def test_an_unknown_package(index: FakeIndex, tmp_path: Path) -> None:
    words, environ = command(index, tmp_path, "one")
    words[words.index(PACKAGES)] = "keras,unheard-of"
    done = subprocess.run(words, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "unheard-of" in done.stderr
    assert index.asked == []


def test_what_uv_has_fetched(tmp_path: Path) -> None:
    """A real uv reads an index on this machine; its cache says the same as the index did."""
    with serve() as index:
        more = {"requires-python": ">=3.9,<4,!=3.9.7"}
        rows = [
            index.add_wheel("keras", "3.8.0", "six>=1.1,<2", 'h5py ; extra == "x"', **more),
            index.add_wheel("keras", "3.9.0", "numpy", yanked="it is broken"),
            index.add_wheel("keras", "3.7.0", "numpy", **{"requires-python": "~=3.8"}),
        ]
        for row in rows:
            row["url"] = index.url + row["url"]
        index.add_project("keras", rows)
        index.add_project("six", [index.add_wheel("six", "1.2")])
        (tmp_path / "in.txt").write_text("keras==3.8.0")
        cache = tmp_path / "cache"
        words = ["uv", "pip", "compile", "--quiet", "--no-config", "in.txt"]
        words += ["--cache-dir", str(cache), "--default-index", index.url + "/simple"]
        words += ["--python", sys.executable]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environ = {k: v for k, v in os.environ.items() if not k.startswith("UV_")}
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env={**environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    if not (cache / uvcache.PAGES).is_dir():
        pytest.skip(f"this uv has another layout: {sorted(p.name for p in cache.iterdir())}")
    for folder in (uvcache.PAGES, uvcache.WHEELS):
        (other,) = (cache / folder / "index").iterdir()
        other.rename(cache / folder / uvcache.DEFAULT_INDEX)
    listing = uvcache.read_listing(cache, "keras")
    assert listing is not None
    requires = uvcache.read_requires(cache, "keras")
    package = assemble(listing, requires)
    assert [(r.version, r.yanked, r.date) for r in package.releases] == [
        ("3.7.0", False, "2024-03-01"),
        ("3.8.0", False, "2024-03-01"),
        ("3.9.0", True, "2024-03-01"),
    ]
    pythons = [set((r.requires_python or "").split(",")) for r in package.releases]
    assert pythons == [{"~=3.8"}, {">=3.9", "<4", "!=3.9.7"}, {""}]
    assert package.releases[1].requires == ("six>=1.1,<2", "h5py ; extra == 'x'")
    assert package.releases[0].requires is None


def test_a_folder_that_is_no_cache(tmp_path: Path) -> None:
    with pytest.raises(uvcache.UnknownLayoutError):
        uvcache.read_listing(tmp_path, "keras")
    (tmp_path / uvcache.PAGES).mkdir()
    assert uvcache.read_listing(tmp_path, "keras") is None
    assert isinstance(uvcache.read_requires(tmp_path, "keras"), dict)
    assert Listing("keras", "", ()).files == ()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\x93\xa1a\xc0\x90", ["a", None, []]),
        (b"\xd9\x02ab", "ab"),
        (b"\xdc\x00\x01\xc3", [True]),
        (b"\x07rest", 7),
    ],
)
def test_msgpack(raw: bytes, value: object) -> None:
    assert msgpack.first_value(raw) == value


def test_other_msgpack() -> None:
    with pytest.raises(ValueError, match="0xcb"):
        msgpack.first_value(b"\xcb")
