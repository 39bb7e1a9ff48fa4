"""The files on the way of the import, in small real environments."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collect.collect_patients import Patient
from keras_doctor.collect import Request, collect
from keras_doctor.model import FileCheck, Snapshot


def check(snapshot: Snapshot, name: str) -> FileCheck:
    return next(one for one in snapshot.files if one.distribution == name)


KERAS_FILES = {
    "keras/__init__.py": "__version__ = '3.1'\n",
    "keras/src/a.py": "a = 1\n",
    "keras/src/b.py": "b = 2\n",
    "keras/src/c.py": "c = 3\n" * 40,
    "keras/lib.so": "ELF",
    "keras/data/x.txt": "text",
    "keras/src/deep/d.py": "d = 4\n",
}


def test_healthy_files(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    snapshot = collect(patient.target(), patient.environ)
    found = check(snapshot, "keras")
    assert found.checked == 6
    assert found.anomalies == ()
    assert found.unrecorded == ()
    assert found.code_version == "3.1"
    assert found.code_version_where == f"{patient.site}/keras/__init__.py:1"
    assert found.contents_checked


def test_damaged_files(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    keras = patient.site / "keras"
    (keras / "src/a.py").unlink()
    (keras / "src/b.py").write_text("b")
    (keras / "src/c.py").write_bytes(b"\0" * 240)
    (keras / "src/deep/d.py").unlink()
    (keras / "src/deep").rmdir()
    (keras / "src/stale.py").write_text("x")
    (keras / "old/more").mkdir(parents=True)
    (keras / "old/more/stale.py").write_text("x")
    (keras / "data/y.txt").write_text("x")
    (keras / "src/__pycache__").mkdir()
    (keras / "src/__pycache__/a.cpython-311.pyc").write_text("x")
    found = check(collect(patient.target(), patient.environ), "keras")
    assert [(one.path, one.state, one.recorded_size, one.size) for one in found.anomalies] == [
        (str(keras / "src/a.py"), "missing", 6, None),
        (str(keras / "src/b.py"), "size", 6, 1),
        (str(keras / "src/c.py"), "zeros", 240, 240),
        (str(keras / "src/deep/d.py"), "missing", 6, None),
    ]
    assert set(found.unrecorded) == {str(keras / "src/stale.py"), str(keras / "old/more/stale.py")}
    assert (found.anomalies_total, found.unrecorded_total) == (4, 2)


def test_contents_can_be_left_out(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    (patient.site / "keras/src/c.py").write_bytes(b"\0" * 240)
    found = check(collect(patient.target(), patient.environ, Request(thorough=False)), "keras")
    assert found.anomalies == ()
    assert not found.contents_checked


def test_lists_are_bounded_and_totals_are_not(patient: Patient) -> None:
    files = {f"keras/m{number}.py": "x" for number in range(300)}
    patient.install("keras", "3.0", files)
    for number in range(300):
        (patient.site / f"keras/m{number}.py").rename(patient.site / f"keras/n{number}.py")
    found = check(collect(patient.target(), patient.environ), "keras")
    assert (len(found.anomalies), found.anomalies_total) == (200, 300)
    assert (len(found.unrecorded), found.unrecorded_total) == (200, 300)


def test_files_of_twins_and_of_neighbours_are_no_strangers(patient: Patient) -> None:
    shared = {"tensorflow/__init__.py": "", "tensorflow/a.py": ""}
    patient.install("tensorflow", "2.0", shared)
    patient.install("tensorflow-cpu", "2.0", {**shared, "tensorflow/b.py": ""})
    patient.install("protobuf", "4.0", {"google/protobuf/__init__.py": ""})
    patient.install("google-auth", "2.0", {"google/auth/__init__.py": ""})
    patient.install("keras", "3.0", requires=("protobuf",))
    more = {"top_level.txt": "plugin\n"}
    patient.install("plugin", "1.0", {"keras/plugin/x.py": ""}, more=more)
    snapshot = collect(patient.target(), patient.environ, Request(asked=("tensorflow",)))
    assert {one.distribution for one in snapshot.files} == {
        "tensorflow",
        "tensorflow-cpu",
        "protobuf",
        "keras",
    }
    assert all(one.unrecorded == () for one in snapshot.files)


def test_files_of_a_silent_owner_are_no_strangers(patient: Patient) -> None:
    patient.install("keras", "3.0", KERAS_FILES)
    patient.install(
        "silent", "1.0", {"keras/x.py": ""}, more={"top_level.txt": "keras\n"}, record=False
    )
    assert check(collect(patient.target(), patient.environ), "keras").unrecorded == ()


def test_links_that_lead_nowhere(patient: Patient) -> None:
    patient.install("keras", files={"keras/__init__.py": "", "keras/src/a.py": ""})
    folder = patient.site / "keras"
    shutil.rmtree(folder / "src")
    (folder / "src").symlink_to(patient.site / "cache-that-was-cleaned")
    (folder / "__init__.py").unlink()
    found = check(collect(patient.target(), patient.environ), "keras")
    assert {one.path: one.state for one in found.anomalies} == {
        str(folder / "__init__.py"): "missing",
        str(folder / "src" / "a.py"): "missing",
    }
    assert found.dangling == (str(folder / "src"),)


def test_what_lies_on_the_way(patient: Patient) -> None:
    patient.install("keras", requires=("absl-py>=1; python_version > '3'", "no; extra == 'all'"))
    patient.install("absl_py", files={"absl/__init__.py": ""}, requires=("deep",))
    for name in ("deep", "no", "unrelated", "torch", "jax", "jaxlib", "theano", "tensorflow"):
        patient.install(name)
    way = {"keras", "absl_py", "deep"}

    def names(request: Request, **variables: str) -> set[str]:
        snapshot = collect(patient.target(), {**patient.environ, **variables}, request)
        return {one.distribution for one in snapshot.files} - way

    assert names(Request()) == {"tensorflow"}
    assert names(Request(asked=("torch",))) == {"torch"}
    assert names(Request(), KERAS_BACKEND="jax") == {"jax", "jaxlib"}
    assert names(Request(), KERAS_BACKEND="nonsense") == {"tensorflow"}
    assert names(Request(roots=("keras", "unrelated"))) == {"tensorflow", "unrelated"}
    (patient.project / "keras.json").write_text('{"backend" : "theano"}')
    assert names(Request(), KERAS_BACKEND="jax") == {"jax", "jaxlib", "theano"}


PLAIN_USER = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def test_unreadable_files(patient: Patient) -> None:
    if os.getuid() == 0 and subprocess.run([*PLAIN_USER, "true"]).returncode:
        pytest.skip("root, and no way to drop its capabilities")
    patient.install("keras", "3.0", KERAS_FILES)
    keras = patient.site / "keras"
    (keras / "src/a.py").chmod(0)
    (keras / "src/deep").chmod(0)
    try:
        found = check(_as_plain_user(patient), "keras")
    finally:
        (keras / "src/deep").chmod(0o755)
    assert [(Path(one.path).name, one.state) for one in found.anomalies] == [
        ("a.py", "unreadable"),
        ("deep", "folder-unreadable"),
    ]
    if os.getuid() == 0:
        # Root with its capabilities reads them all the same.
        assert check(collect(patient.target(), patient.environ), "keras").anomalies == ()


def _as_plain_user(patient: Patient) -> Snapshot:
    """Collect as somebody whom permission bits bind."""
    if os.getuid():
        return collect(patient.target(), patient.environ)
    from keras_doctor.collect.load import loads_snapshot
    from keras_doctor.collect.remote import collector_source

    done = subprocess.run(
        [*PLAIN_USER, patient.python, "-"],
        input=collector_source().encode(),
        env=patient.environ,
        cwd=patient.project,
        capture_output=True,
        timeout=60,
    )
    return loads_snapshot(done.stdout)
