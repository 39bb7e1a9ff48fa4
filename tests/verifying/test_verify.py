"""Whole runs over small locations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from keras_doctor.model import Conda, FileCheck
from keras_doctor.verify import Verification, verify
from keras_doctor.verify.merge import with_verified
from verifying.verify_sites import LONG_AGO, Site, encoded, row

POSIX = pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")
FILES = {"keras/__init__.py": b"x = 1\n", "keras/lib.so": b"\1" * 100_000, "keras/a.txt": b"a"}


def run(site: Site, way: Any = None, **more: Any) -> Verification:
    conda = more.pop("conda", None)
    return verify(site.snapshot(conda=conda), way, **more)


def states(seen: Verification) -> dict[str, str]:
    return {
        os.path.basename(anomaly.path): anomaly.state
        for anomalies in seen.anomalies.values()
        for anomaly in anomalies
    }


def test_healthy_is_silent(site: Site) -> None:
    site.install("keras", FILES, "../../bin/x,sha256=x,1", "keras/__pycache__/a.pyc,,")
    seen = run(site)
    assert seen.anomalies == {}
    assert seen.problems == ()
    assert seen.verified._replace(seconds=0.0)._asdict() == {
        "scope": "all",
        "distributions": 1,
        "files": 3,
        "bytes": 100_007,
        "from_cache": 0,
        "absent": 0,
        "left_out": 3,
        "mismatches": (),
        "mismatches_total": 0,
        "not_verifiable": (),
        "seconds": 0.0,
    }


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_bit(site: Site, name: str) -> None:
    metadata = site.install("keras", FILES)
    data = bytearray(FILES[name])
    data[-1] ^= 1
    site.write(name, bytes(data))
    seen = run(site)
    assert states(seen) == {os.path.basename(name): "hash"}
    (anomaly,) = seen.anomalies[str(metadata)]
    assert (anomaly.size, anomaly.recorded_size) == (len(data), len(data))
    (mismatch,) = seen.verified.mismatches
    assert mismatch.distribution == "keras"
    assert mismatch.path == str(site.folder / name)
    assert mismatch.found != mismatch.recorded
    assert seen.verified.files == 3


def test_other_states(site: Site) -> None:
    site.install("keras", FILES, row("keras/gone.json", b"x"))
    site.write("keras/__init__.py", b"x = 10\n")
    site.write("keras/lib.so", bytes(100_000))
    seen = run(site)
    assert states(seen) == {"__init__.py": "hash", "lib.so": "zeros"}
    assert seen.verified.absent == 1
    assert [one.found is None for one in seen.verified.mismatches] == [True, False]


def test_only_the_way(site: Site) -> None:
    site.install("keras", FILES)
    site.install("Other_Thing", {"other/a.py": b"a"})
    site.write("other/a.py", b"b")
    assert run(site, {"keras"}).anomalies == {}
    assert run(site, {"keras"}).verified.scope == "way"
    assert states(run(site, {"other-thing"})) == {"a.py": "hash"}


def test_not_verifiable(site: Site) -> None:
    site.install("mine", {"mine.pth": b"/src"}, editable=True)
    egg = site.install("old", {"old.py": b"x"}, record="missing")
    site.distributions[-1] = site.distributions[-1]._replace(
        metadata=str(site.write("old.egg-info/PKG-INFO", b"").parent)
    )
    gone = site.install("deb", {"deb.py": b"x"})
    (gone / "RECORD").unlink()
    site.install("bare", {}, "bare.py,,")
    site.install("md", {"md.py": b"x"}, "md2.py,md5=abc,1", "nonsense")
    unread = site.install("linked", {"linked.pth": b"/src"}, record="unread")
    (unread / "direct_url.json").write_text('{"url": "file:///s", "dir_info": {"editable": true}}')
    seen = run(site)
    assert egg.exists()
    assert {
        one.distribution: one.reason.partition(":")[0] for one in seen.verified.not_verifiable
    } == {
        "mine": "it is an editable install",
        "old": "it was installed as egg-info, which records no hashes",
        "deb": "its RECORD is missing or cannot be read",
        "bare": "its RECORD gives no hashes",
        "md": "a file recorded with md5; 1 damaged rows in its RECORD",
        "linked": "it is an editable install",
    }
    assert (seen.verified.files, seen.verified.distributions, seen.anomalies) == (1, 1, {})


@POSIX
def test_links_are_not_followed_outside(site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.py").write_text("secret")
    wrong = b"other!"
    site.install(
        "keras",
        FILES,
        row("link.py", wrong),
        row("out/a.py", wrong),
        row("in/__init__.py", FILES["keras/__init__.py"]),
        row("loop/a.py", wrong),
        row("fifo.py", wrong),
        row("null.py", b""),
    )
    (site.folder / "link.py").symlink_to(tmp_path / "secret.py")
    (site.folder / "out").symlink_to(tmp_path / "folder")
    (site.folder / "in").symlink_to("keras")
    (site.folder / "loop").symlink_to("loop")
    (site.folder / "null.py").symlink_to("/dev/null")
    os.mkfifo(site.folder / "fifo.py")
    seen = run(site)
    assert seen.anomalies == {}
    assert seen.verified.files == 4
    assert (seen.verified.left_out, seen.verified.absent) == (4, 2)


def test_hostile_names(site: Site) -> None:
    long = "n" * 300
    site.install("keras", FILES, row(f"{long}.py", b"x"), row("a\0b.py", b"x"), row("keras", b"x"))
    seen = run(site)
    assert seen.anomalies == {}
    assert seen.verified.files == 3


def test_a_size_that_cannot_be(site: Site) -> None:
    site.install("keras", {}, f"keras/a.py,sha256={encoded(b'x')},{10**17}")
    site.write("keras/a.py", b"x")
    (anomaly,) = next(iter(run(site).anomalies.values()))
    assert (anomaly.recorded_size, anomaly.size) == (10**17, 1)


def test_what_two_distributions_ship(site: Site) -> None:
    """The one that was installed last has its version there; that is no damage."""
    site.install("keras", {**FILES, "shared/__init__.py": b"first"})
    site.install("nightly", {"shared/__init__.py": b"second!"})
    assert run(site).anomalies == {}
    assert run(site, {"keras"}).anomalies == {}
    assert run(site, {"nightly"}).anomalies == {}
    site.write("shared/__init__.py", b"neither")
    assert list(states(run(site))) == ["__init__.py"]
    assert run(site).verified.mismatches_total == 1


def conda_of(tmp_path: Path, *rows: dict[str, object]) -> Conda:
    meta = tmp_path / "env" / "conda-meta"
    meta.mkdir()
    record = {"files": [r["_path"] for r in rows], "paths_data": {"paths": list(rows)}}
    (meta / "keras-1.0-0.json").write_text(json.dumps(record))
    (meta / "damaged-1.0-0.json").write_text('{"files": "lib/site-packages/keras/lib.so')
    (meta / "history").write_text("keras/lib.so")
    return Conda(prefix=str(tmp_path / "env"), packages=(), variables=())


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({"sha256_in_prefix": "found", "sha256": "other"}, {}),
        ({"sha256": "found"}, {}),
        ({"sha256_in_prefix": "other", "sha256": "other"}, {"lib.so": "hash"}),
        ({"sha256": "other", "prefix_placeholder": "/opt/x"}, {}),
        ({"sha256": 5, "sha256_in_prefix": "zz" * 32}, {}),
        ({}, {}),
    ],
)
def test_conda_changes_files(
    site: Site, tmp_path: Path, recorded: dict[str, object], expected: dict[str, str]
) -> None:
    import hashlib

    site.install("keras", FILES)
    data = site.write("keras/lib.so", b"patched by conda").read_bytes()
    digests = {"found": hashlib.sha256(data).hexdigest(), "other": hashlib.sha256(b"").hexdigest()}
    entry = {key: digests.get(str(value), value) for key, value in recorded.items()}
    conda = conda_of(tmp_path, {"_path": "lib/site-packages/keras/lib.so", **entry})
    seen = run(site, conda=conda)
    assert states(seen) == expected
    known = bool(
        entry.get("sha256_in_prefix") in digests.values() or recorded == {"sha256": "found"}
    )
    assert bool(seen.problems) is not known


@pytest.mark.usefixtures("not_racy")
def test_the_second_run_reads_nothing(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("keras", {**FILES, "shared.py": b"mine"})
    site.install("nightly", {"shared.py": b"theirs"})
    cache = str(tmp_path / "cache")
    first = run(site, cache=cache)
    assert (first.verified.files, first.verified.from_cache) == (4, 0)
    monkeypatch.setattr("keras_doctor.verify.hashing.Crew._read", None)
    second = run(site, cache=cache)
    assert (second.verified.files, second.verified.from_cache) == (4, 4)
    assert second.anomalies == {}
    # Another scope uses what is known, and does not forget the rest.
    assert run(site, {"keras"}, cache=cache).verified.from_cache == 4
    assert run(site, cache=cache).verified.from_cache == 4


@pytest.mark.usefixtures("not_racy")
@pytest.mark.parametrize("first", ["keras", "nightly"])
def test_a_shared_file_is_read_once(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Whoever of the two was verified first, and whose version it is."""
    site.install("keras", {"shared.py": b"mine"})
    site.install("nightly", {"shared.py": b"theirs"}, "a.py,,", "longer/record.py,,")
    cache = str(tmp_path / "cache")
    run(site, {first}, cache=cache)
    run(site, cache=cache)
    monkeypatch.setattr("keras_doctor.verify.hashing.Crew._read", None)
    seen = run(site, cache=cache)
    assert (seen.verified.files, seen.verified.from_cache, seen.anomalies) == (1, 1, {})


@pytest.mark.usefixtures("not_racy")
@pytest.mark.skipif(os.name != "posix", reason="Windows has no change time")
def test_same_size_and_restored_time_is_still_found(site: Site, tmp_path: Path) -> None:
    site.install("keras", FILES)
    site.age()
    cache = str(tmp_path / "cache")
    assert run(site, cache=cache).anomalies == {}
    path = site.folder / "keras" / "__init__.py"
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"y")
    os.utime(path, (LONG_AGO, LONG_AGO))
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
        before.st_ino,
        before.st_size,
        before.st_mtime_ns,
    )
    for _ in range(2):  # what is changed is never remembered
        seen = run(site, cache=cache)
        assert states(seen) == {"__init__.py": "hash"}
        assert seen.verified.from_cache == 2


def test_what_has_just_changed_is_not_remembered(site: Site, tmp_path: Path) -> None:
    site.install("keras", FILES)
    site.age()
    cache = tmp_path / "cache"
    assert run(site, cache=str(cache)).anomalies == {}
    assert not cache.exists()


def test_a_file_that_is_written_meanwhile(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from keras_doctor.verify.entries import Entry

    site.install("keras", FILES)
    site.write("keras/a.txt", b"b")
    monkeypatch.setattr(Entry, "changed_meanwhile", lambda _: True)
    seen = run(site)
    assert seen.anomalies == {}
    assert seen.problems == (f"{site.folder}/keras/a.txt: it changed while it was read",)


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_unreadable(site: Site) -> None:
    site.install("keras", FILES)
    (site.folder / "keras" / "a.txt").chmod(0)
    assert run(site).problems == (f"{site.folder}/keras/a.txt: Permission denied",)


def test_many_problems_are_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("keras", {f"keras/{n}.py": b"x" for n in range(30)})
    monkeypatch.setattr("keras_doctor.verify.compare.LARGEST", 0)
    problems = run(site).problems
    assert len(problems) == 21
    assert problems[0].endswith("it is too large")
    assert problems[-1] == "the content of 10 more files"


def check_of(site: Site, *anomalies: Any) -> FileCheck:
    return FileCheck(
        distribution="keras",
        metadata=site.distributions[0].metadata,
        checked=5,
        anomalies=anomalies,
        anomalies_total=len(anomalies),
        unrecorded=(),
        unrecorded_total=0,
        code_version=None,
        code_version_where=None,
        contents_checked=False,
    )


def test_what_the_collector_saw_stays(site: Site) -> None:
    site.install("keras", FILES)
    site.install("other", {"other/a.py": b"a", "other/b.py": bytes(3)})
    site.write("keras/__init__.py", b"longer than it was")
    site.write("keras/lib.so", b"\2" * 100_000)
    site.write("keras/a.txt", b"changed")
    site.write("other/a.py", b"longer")
    seen = run(site)
    snapshot = with_verified(site.snapshot(files=(check_of(site),)), seen)
    keras, other = snapshot.files
    # Another size of what is loaded is the collector's to tell.
    assert [os.path.basename(a.path) for a in keras.anomalies] == ["a.txt", "lib.so"]
    assert keras.anomalies_total == 2
    assert [(a.state, a.size) for a in other.anomalies] == [("hash", 6)]
    assert other.checked == 0
    assert snapshot.verified == seen.verified
    known = keras.anomalies[1]._replace(state="zeros")
    again = with_verified(site.snapshot(files=(check_of(site, known),)), seen)
    assert [a.state for a in again.files[0].anomalies] == ["zeros", "hash"]


def test_a_long_list_is_bounded(site: Site) -> None:
    site.install("keras", {f"keras/{n}.txt": b"x" for n in range(250)})
    for number in range(250):
        site.write(f"keras/{number}.txt", b"y")
    seen = run(site)
    assert len(seen.verified.mismatches) == 200
    assert seen.verified.mismatches_total == 250
    for files in ((), (check_of(site),)):
        (check,) = with_verified(site.snapshot(files=files), seen).files
        assert (len(check.anomalies), check.anomalies_total) == (200, 250)
