"""`check --verify` on real environments: what is changed is found, and what is not is silent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from environments.builder import (
    Checked,
    Environment,
    check,
    copy_stack,
    fingerprint,
    keras_doctor,
    run_uv,
    runs,
)

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(os.name == "nt", reason="the environments have a POSIX layout"),
]
INNER = Path("keras", "src", "losses", "losses.py")
INTERRUPTIBLE = """
import signal, sys
# A shell's background job, as CI may be, starts its children with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from keras_doctor.__main__ import main
sys.argv[1:] = ["check", "--no-live", "--verify=all"]
sys.exit(main())
"""


@pytest.fixture
def patient(jax_environment: Environment) -> Environment:
    """Keras on JAX, with which nothing is wrong."""
    jax_environment.variables["KERAS_BACKEND"] = "jax"
    return jax_environment


def flip(environment: Environment, path: Path, before: bytes, after: bytes) -> None:
    """Gives a file another content of the same size, as bit rot or a patch would."""
    file = environment.site / path
    data = file.read_bytes()
    assert before in data
    assert len(before) == len(after)
    environment.replace(file, data.replace(before, after, 1))
    for bytecode in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        bytecode.unlink()


def verified(checked: Checked) -> dict[str, Any]:
    found = checked.report["verified"]
    assert isinstance(found, dict)
    return found


def altered(checked: Checked) -> int:
    """How many notes speak of altered files."""
    return sum(note["code"] == "KD302" for note in checked.report["notes"])


def caches(environment: Environment) -> list[Path]:
    return list((environment.home / ".cache" / "keras-doctor").glob("*"))


@pytest.mark.parametrize("scope", ["--verify", "--verify=all"])
def test_healthy_is_silent(patient: Environment, scope: str) -> None:
    for live in ([], ["--no-live"]):
        checked = check(patient, scope, *live)
        seen = verified(checked)
        assert checked.status == 0
        assert (seen["mismatches"], seen["not_verifiable"], seen["absent"]) == ([], [], 0)
        assert seen["files"] > 3000
        assert seen["distributions"] > 10
        assert altered(checked) == 0
        assert checked.report["problems"] == []
    text = keras_doctor(patient, "check", "--no-live", scope).stdout
    assert "as shipped, by SHA-256" in " ".join(text.split())
    assert "Not read" not in text


def test_without_verify_it_is_not_seen(patient: Environment) -> None:
    flip(patient, INNER, b"class Loss", b"klass Loss")
    checked = check(patient, "--no-live")
    assert checked.report["verified"] is None
    assert checked.causes == []
    assert caches(patient) == []


def test_a_changed_byte_is_the_cause_when_the_failure_comes_from_it(patient: Environment) -> None:
    flip(patient, INNER, b"\nclass ", b"\nklass ")
    assert runs(patient, "-c", "import keras").returncode != 0
    checked = check(patient, "--verify")
    assert checked.causes[0] == ("altered-files", "keras")
    assert checked.report["causes"][0]["confidence"] == "certain"
    assert "SHA-256" in checked.report["causes"][0]["evidence"][0]["text"]
    (mismatch,) = verified(checked)["mismatches"]
    assert mismatch["path"] == str(patient.site / INNER)
    # Only read: a fact without a failure that it explains.
    read = check(patient, "--verify", "--no-live")
    assert read.causes == []
    assert altered(read) == 1


def test_a_changed_byte_far_from_the_failure(patient: Environment) -> None:
    """A name of a module is gone; whoever asks for it fails, in another file."""
    flip(patient, Path("keras", "src", "utils", "naming.py"), b"def auto_name", b"def auto_nome")
    assert "auto_name" in runs(patient, "-c", "import keras").stderr
    checked = check(patient, "--verify")
    assert checked.causes == [("altered-files", "keras")]
    assert checked.report["healthy"] is False


def test_a_harmless_change_is_a_note(patient: Environment) -> None:
    flip(patient, INNER, b'"""', b"'''")
    flip(patient, INNER, b'"""', b"'''")
    checked = check(patient, "--verify")
    assert (checked.status, checked.causes) == (0, [])
    assert [note["code"] for note in checked.report["notes"] if note["code"] == "KD302"] == [
        "KD302"
    ]


def test_off_the_way_only_all_looks(patient: Environment) -> None:
    run_uv("pip", "install", "--quiet", "--python", str(patient.python), "six==1.17.0")
    flip(patient, Path("six.py"), b"Benjamin", b"Bonjamin")
    assert verified(check(patient, "--verify", "--no-live"))["mismatches"] == []
    everything = check(patient, "--verify=all", "--no-live")
    assert [one["distribution"] for one in verified(everything)["mismatches"]] == ["six"]
    assert everything.causes == []


def test_an_editable_install_is_not_verifiable(patient: Environment, tmp_path: Path) -> None:
    source = tmp_path / "mine"
    source.mkdir()
    (source / "mine.py").write_text("VALUE = 1\n")
    (source / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\n'
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    run_uv("pip", "install", "--quiet", "--python", str(patient.python), "--editable", str(source))
    seen = verified(check(patient, "--verify=all", "--no-live"))
    assert [one["distribution"] for one in seen["not_verifiable"]] == ["mine"]
    assert seen["mismatches"] == []


@pytest.fixture
def aged(patient: Environment) -> Environment:
    """Its files are its own, and have been as they are for longer than a tick of the file system.

    Hard links share their inode's change time: whoever else links or unlinks changes it.
    """
    for path in patient.site.rglob("*"):
        if path.is_file() and not path.is_symlink():
            patient.replace(path, path.read_bytes())
    time.sleep(2.1)
    return patient


def test_the_second_run_is_from_the_cache(aged: Environment) -> None:
    first = verified(check(aged, "--verify", "--no-live"))
    second = verified(check(aged, "--verify", "--no-live"))
    assert first["from_cache"] == 0
    assert second["from_cache"] == second["files"] == first["files"]
    assert second["mismatches"] == []
    # Same size, and the modification time put back: the change time tells.
    path = aged.site / INNER
    status = path.stat()
    aged.replace(path, path.read_bytes().replace(b"class Loss", b"klass Loss"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    third = verified(check(aged, "--verify", "--no-live"))
    assert [one["path"] for one in third["mismatches"]] == [str(path)]


def test_a_damaged_cache_is_ignored(aged: Environment) -> None:
    check(aged, "--verify", "--no-live")
    (file,) = caches(aged)
    for data in (b"", b"{", b'{"version": 1, "sections": {"keras": 1}}', os.urandom(1000)):
        file.write_bytes(data)
        seen = verified(check(aged, "--verify", "--no-live"))
        assert (seen["from_cache"], seen["mismatches"]) == (0, [])
    assert verified(check(aged, "--verify", "--no-live"))["from_cache"] > 0


def test_a_cache_that_cannot_be_written(patient: Environment) -> None:
    (patient.home / ".cache").write_text("a file where the folder would be")
    seen = verified(check(patient, "--verify", "--no-live"))
    assert (seen["from_cache"], seen["mismatches"]) == (0, [])
    assert caches(patient) == []


@pytest.mark.parametrize("place", ["env", "project"])
def test_nothing_is_remembered_inside_the_patient(patient: Environment, place: str) -> None:
    patient.variables["XDG_CACHE_HOME"] = str(patient.folder / place / ".cache")
    assert verified(check(patient, "--verify", "--no-live"))["mismatches"] == []
    assert not (patient.folder / place / ".cache").exists()
    assert caches(patient) == []


@pytest.fixture
def fresh(jax_stack: Path, tmp_path: Path) -> Environment:
    environment = copy_stack(jax_stack, tmp_path / "patient", compiled=False)
    environment.variables["KERAS_BACKEND"] = "jax"
    return environment


@pytest.mark.parametrize("arguments", [["--verify"], ["--verify=all", "--no-live"]], ids=" ".join)
def test_no_trace_elsewhere(fresh: Environment, arguments: list[str]) -> None:
    folders = (fresh.folder / "env", fresh.home, fresh.project)
    before = fingerprint(*folders)
    time.sleep(2.1)
    done = keras_doctor(fresh, "check", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    after = fingerprint(*folders)
    (file,) = caches(fresh)
    mine = {str(fresh.home / "."), str(file), str(file.parent), str(file.parent.parent)}
    mine |= {f"{path}/." for path in mine}
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed - mine == set()
    assert list((fresh.folder / "tmp").iterdir()) == []


def test_ctrl_c_ends_at_once(patient: Environment) -> None:
    """A file of 64 GB that takes no room: nobody waits for its end."""
    large = patient.site / "keras" / "large.bin"
    large.write_bytes(b"")
    os.truncate(large, 1 << 36)
    (record,) = patient.site.glob("keras-*.dist-info/RECORD")
    text = record.read_text()
    patient.replace(record, f"{text}keras/large.bin,sha256={'A' * 43},{1 << 36}\n".encode())
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE],
        cwd=patient.project,
        env=patient.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        time.sleep(4)
        assert process.poll() is None
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert time.monotonic() - started < 3
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, "", "")
    assert caches(patient) == []
