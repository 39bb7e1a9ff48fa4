"""Copies of environments: each way of copying, there and back."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixes.tiny import (
    Patient,
    as_nobody,
    by_name,
    carry_over,
    demo,
    install_there,
    kinds,
    make_patient,
    make_wheel,
    open_folder,
    put_in,
    run_there,
    uninstall_there,
)
from keras_doctor.fixes import trial
from keras_doctor.fixes.bytecode import begin_compiling, end_compiling
from keras_doctor.fixes.rehearse import copying
from keras_doctor.fixes.rehearse.copies import Copies, make_copies
from keras_doctor.fixes.rehearse.copying import RUNGS
from keras_doctor.fixes.rehearse.place import NoPlaceError, Place
from keras_doctor.model.plan import Step

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the layout of POSIX environments")
WHERE = "import demo; print(demo.version, demo.__file__)"


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """An environment with demo 1.0 in it."""
    patient = make_patient(tmp_path / "patient")
    put_in(patient, demo(tmp_path, "1.0"))
    return patient


@pytest.fixture(params=["btrfs", "xfs"])
def other_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system that has reflinks, in a file."""
    mkfs = shutil.which(f"mkfs.{request.param}", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if os.name == "nt" or os.geteuid() != 0 or mkfs is None:
        pytest.skip(f"needs root and mkfs.{request.param} (xfsprogs, btrfs-progs)")
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with open(image, "wb") as file:
        file.truncate(320 << 20)
    subprocess.run([mkfs, "-q", image], check=True, capture_output=True)
    done = subprocess.run(["mount", "-o", "loop", image, disk], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount {request.param} here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


def round_trip(patient: Patient, rung: str, wheels: Path) -> None:
    """Replace demo by another release in a copy, and carry that over."""
    before = patient.seen()
    place: Place = patient.copies(rung)
    assert isinstance(place, Copies)
    assert place.rung == rung
    done = install_there(place, patient, demo(wheels, "2.0"))
    assert done.ok, done.output
    version, file = run_there(place, patient, WHERE).split()
    assert version == "2.0"
    assert file.startswith(place.stage)
    assert place.back(file) == str(patient.site / "demo.py")
    changes = place.difference()
    assert patient.seen() == before
    found = kinds(changes, patient)
    assert found["demo.py"] == "file>file"
    assert "activate" not in found
    assert ".lock" not in found
    # The launcher is written anew with the same content.
    assert "demo" not in found
    assert all(c.staged is None or c.staged.startswith(place.stage) for c in changes)
    carry_over(changes)
    place.close()
    assert not os.path.exists(place.stage)
    assert place.stage not in (patient.prefix / "bin" / "demo").read_text()
    ran = subprocess.run([patient.prefix / "bin" / "demo"], capture_output=True, text=True)
    assert ran.stdout.strip() == "2.0"
    check_record(patient.site / "demo-2.0.dist-info" / "RECORD")
    assert not (patient.site / "demo-1.0.dist-info").exists()


def check_record(record: Path) -> None:
    """Every file of a distribution is what its RECORD says."""
    for name, digest, size in csv.reader(record.read_text().splitlines()):
        data = (record.parent.parent / name).read_bytes()
        if digest:
            wanted = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={wanted}", str(len(data))), name


@pytest.mark.parametrize("rung", RUNGS)
def test_there_and_back(patient: Patient, rung: str, tmp_path: Path) -> None:
    round_trip(patient, rung, tmp_path)


def test_there_and_back_by_reflink(other_disk: Path, tmp_path: Path) -> None:
    patient = make_patient(other_disk / "patient")
    put_in(patient, demo(tmp_path, "1.0"))
    round_trip(patient, "reflink", tmp_path)


def test_reflink_comes_first(other_disk: Path) -> None:
    patient = make_patient(other_disk / "patient")
    place = make_copies([str(patient.prefix)], [], "", lambda _: None)
    assert place.rung == "reflink"
    place.close()


def test_links_do_not_reach_another_disk(other_disk: Path, patient: Patient) -> None:
    elsewhere = other_disk / "user-site"
    elsewhere.mkdir()
    (elsewhere / "one.py").write_text("")
    roots = [str(patient.prefix), str(elsewhere)]
    with pytest.raises(NoPlaceError, match="hard links: "):
        Copies("hard links", roots)
    place = make_copies(roots, [], "", lambda _: None)
    assert place.rung == "copy"
    assert os.path.isfile(place.there(str(elsewhere / "one.py")))
    place.close()


@pytest.mark.parametrize("rung", RUNGS)
def test_nothing_done_is_no_change(patient: Patient, rung: str) -> None:
    before = patient.seen()
    place = patient.copies(rung)
    assert place.changed_files("") == ()
    assert place.difference() == ()
    place.close()
    assert patient.seen() == before


def test_linked_files_are_the_same_and_others_are_not(patient: Patient) -> None:
    place = patient.copies()

    def is_shared(path: Path) -> bool:
        return os.stat(path).st_ino == os.stat(place.there(str(path))).st_ino

    assert is_shared(patient.site / "demo.py")
    (patient.site / "late.pth").write_text("")
    place.reset()
    info = patient.site / "demo-1.0.dist-info"
    copied = [*info.iterdir(), patient.prefix / "bin" / "demo", patient.prefix / "pyvenv.cfg"]
    assert not any(map(is_shared, [*copied, patient.site / "late.pth"]))
    place.close()


def test_content_tells_when_size_and_time_do_not(patient: Patient, tmp_path: Path) -> None:
    """A file that has rotten has the size and the time of the good one of uv's cache."""
    module = patient.site / "demo.py"
    info = module.stat()
    good = module.read_bytes()
    module.unlink()
    module.write_bytes(b"\0" * len(good))
    os.utime(module, ns=(info.st_atime_ns, info.st_mtime_ns))
    place = patient.copies("copy")
    copy = Path(place.there(str(module)))
    copy.unlink()
    copy.write_bytes(good)
    os.utime(copy, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert place.changed_files(".py") == (str(copy),)
    assert kinds(place.difference(), patient) == {"demo.py": "file>file"}
    place.close()


def test_uninstall_leaves_the_original(patient: Patient) -> None:
    place = patient.copies()
    assert uninstall_there(place, patient, "demo").ok
    found = kinds(place.difference(), patient)
    assert found["demo.py"] == found["demo"] == found["METADATA"] == "file>absent"
    assert (patient.site / "demo.py").is_file()
    place.close()


def test_a_new_launcher_names_the_real_python(patient: Patient, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "tool", "1", {"tool.py": "def main(): pass\n"}, program="tool")
    place = patient.copies()
    assert install_there(place, patient, wheel).ok
    changes = place.difference()
    launcher = by_name(changes, patient)["env/bin/tool"]
    assert launcher.staged is not None
    text = Path(launcher.staged).read_text()
    assert text.startswith(f"#!{patient.prefix}/bin/python")
    assert place.stage not in text
    assert launcher.after.size == len(text)
    carry_over(changes)
    check_record(patient.site / "tool-1.dist-info" / "RECORD")
    place.close()


def test_a_file_in_the_way_is_not_written_through(patient: Patient, tmp_path: Path) -> None:
    """uv, told to copy, opened and wrote what was there in some releases."""
    wheel = make_wheel(tmp_path, "more", "1", {"demo.py": "taken = 1\n"})
    before = (patient.site / "demo.py").read_text()
    place = patient.copies()
    assert install_there(place, patient, wheel).ok
    assert place.rung == "hard links"
    assert (patient.site / "demo.py").read_text() == before
    place.close()


def test_links_end_where_an_installer_may_write_into_files(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = patient.seen()
    monkeypatch.setenv("UV_LINK_MODE", "copy")
    place = patient.copies()
    assert install_there(place, patient, demo(tmp_path, "2.0")).ok
    assert place.rung == "copy"
    copy = place.there(str(patient.prefix / "pyvenv.cfg"))
    assert os.stat(copy).st_nlink == 1
    assert kinds(place.difference(), patient)["demo.py"] == "file>file"
    assert patient.seen() == before
    place.close()


def test_reset_makes_it_as_it_was(patient: Patient, tmp_path: Path) -> None:
    place = patient.copies()
    assert uninstall_there(place, patient, "demo").ok
    place.reset()
    assert run_there(place, patient, "import demo; print(demo.version)") == "1.0"
    assert len(list(Path(place.stage).glob("w*"))) == 1
    assert place.difference() == ()
    with pytest.raises(RuntimeError):
        place.changed_files(".py")
    place.close()


def test_bytecode_of_the_copy_serves_the_original(patient: Patient, tmp_path: Path) -> None:
    """It names the file where it will lie, and is not compiled again."""
    place = patient.copies()
    text = "def fail():\n    raise ValueError\n"
    assert install_there(place, patient, make_wheel(tmp_path, "bad", "1", {"bad.py": text})).ok
    sources = place.changed_files(".py")
    assert sources == (place.there(str(patient.site / "bad.py")),)
    place.call(begin_compiling, str(patient.python), sources, patient.variables())
    place.call(end_compiling)
    changes = place.difference()
    (compiled,) = [c.staged for c in changes if c.path.endswith(".pyc") and c.staged]
    assert place.stage.encode() not in Path(compiled).read_bytes()
    carry_over(changes)
    place.close()
    done = subprocess.run(
        [patient.python, "-B", "-I", "-v", "-c", "import bad; bad.fail()"],
        capture_output=True,
        text=True,
    )
    assert f'File "{patient.site}/bad.py", line 2, in fail' in done.stderr
    assert ".keras-doctor-stage" not in done.stderr
    assert f"matches {patient.site}/bad.py" in done.stderr


def test_a_file_that_moved_is_no_longer_one_with_the_original(patient: Patient) -> None:
    place = patient.copies()
    copy = place.there(str(patient.site))
    os.rename(f"{copy}/demo.py", f"{copy}/moved.py")
    found = by_name(place.difference(), patient)
    (moved,) = [change for path, change in found.items() if path.endswith("moved.py")]
    assert moved.staged is not None
    assert os.stat(moved.staged).st_nlink == 1
    assert os.stat(patient.site / "demo.py").st_ino != os.stat(moved.staged).st_ino
    place.close()


def test_full_copy_needs_room(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_SPARE", 1 << 60)
    with pytest.raises(NoPlaceError, match=r"a full copy takes .* GB and only .* GB are free"):
        patient.copies("copy")
    assert [path.name for path in patient.folder.iterdir() if path.name.startswith(".")] == []


def test_the_whole_disk_is_never_copied() -> None:
    with pytest.raises(NoPlaceError, match="whole file system"):
        Copies("copy", [os.path.abspath(os.sep)])


def test_every_way_says_why(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(copying, "copy_file", refuse)
    with pytest.raises(NoPlaceError, match="reflink: Operation not supported; hard links: "):
        make_copies([str(patient.prefix)], [], "", lambda _: None)
    assert [path.name for path in patient.folder.iterdir() if path.name.startswith(".")] == []


def test_hard_links_are_not_made_on_an_overlay(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "is_on_overlay", lambda _: True)
    with pytest.raises(NoPlaceError, match="overlay"):
        patient.copies("hard links")


ROOT = sys.platform == "linux" and os.geteuid() == 0


@pytest.mark.skipif(not ROOT, reason="needs Linux and root to be two users")
def test_environment_of_somebody_else() -> None:
    """A plain user may not link the files of others: the copy is a full one."""
    if Path("/proc/sys/fs/protected_hardlinks").read_text().strip() == "0":
        pytest.skip("this kernel lets everybody link everything")
    with open_folder() as folder:
        site = folder / "env" / "lib" / "python3.11" / "site-packages"
        site.mkdir(parents=True)
        (site / "one.py").write_text("value = 1\n")
        (site / "secret.py").write_text("value = 2\n")
        (site / "secret.py").chmod(0o600)
        (site / "closed").mkdir(mode=0o700)

        def look() -> None:
            place = make_copies([str(folder / "env")], [], "", lambda _: None)
            copy = Path(place.there(str(site)))
            assert place.rung == "copy"
            assert (copy / "one.py").read_text() == "value = 1\n"
            # What this user may not do there is not possible in the copy either.
            assert not os.access(copy, os.W_OK)
            with pytest.raises(PermissionError):
                (copy / "secret.py").write_text("")
            with pytest.raises(PermissionError):
                place.call(trial.perform, [readable(copy / "secret.py")])
            assert place.difference() == ()
            place.close()
            assert not os.path.exists(place.stage)

        as_nobody(look)


@pytest.mark.skipif(not ROOT, reason="needs Linux and root to be another user")
@pytest.mark.parametrize("rung", RUNGS[1:])
def test_an_unreadable_file_of_ones_own(rung: str) -> None:
    """What cannot be read cannot be copied: no change, and no false success."""
    with open_folder() as folder:

        def look() -> None:
            module = folder / "env" / "one.py"
            module.parent.mkdir()
            module.write_text("value = 1\n")
            module.chmod(0o000)
            place = Copies(rung, [str(module.parent)])
            with pytest.raises(PermissionError, match="no copy of it can be made") as caught:
                place.call(trial.perform, [readable(module)])
            assert caught.value.filename == str(module)
            place.reset()
            assert place.difference() == ()
            place.close()
            assert module.stat().st_mode & 0o777 == 0

        as_nobody(look)


def readable(path: Path) -> Step:
    blank = Step(kind="chmod", risk="safe", summary="", code="", cause="", culprit="")
    return blank._replace(paths=(str(path),), value="u+rX")
