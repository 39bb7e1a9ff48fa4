"""What the collector says about shared objects, in small constructed environments."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.collect_patients import Patient, installed_pythons
from collect.elf_files import AARCH64, shared_object
from keras_doctor.collect import Request, collect
from keras_doctor.collect.patient.elf import read_elf
from keras_doctor.collect.patient.native import is_promised
from keras_doctor.collect.patient.objects import is_module, recorded_objects
from keras_doctor.model import Native, NativeProblem

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loader of Linux")
LOCAL = "Wheel-Version: 1.0\nTag: cp312-cp312-linux_x86_64\n"


def objects(patient: Patient, name: str, files: Mapping[str, bytes], wheel: str = LOCAL) -> None:
    """Installs a distribution with binary files, which its RECORD knows."""
    info = patient.install(name, more={"WHEEL": wheel})
    rows = []
    for path, data in files.items():
        place = patient.site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        rows.append(f"{path},,{len(data)}")
    with (info / "RECORD").open("a") as record:
        record.write("\n".join(["", *rows, ""]))


def fitting(**tables: object) -> bytes:
    """An object for the processor of this Python."""
    own = read_elf(os.path.realpath(sys.executable))
    assert own is not None
    return shared_object(machine=own.machine, bits=own.bits, **tables)  # type: ignore[arg-type]


def native(patient: Patient, *, thorough: bool = True, **environ: str) -> Native:
    snapshot = collect(patient.target(), {**patient.environ, **environ}, Request(thorough=thorough))
    assert snapshot.problems == ()
    assert snapshot.native is not None
    return snapshot.native


def only(found: Native) -> NativeProblem:
    (problem,) = found.problems
    return problem


@linux
@pytest.mark.parametrize("thorough", [True, False])
def test_a_library_that_is_nowhere(patient: Patient, thorough: bool) -> None:
    data = fitting(needed=["libnosuch.so.7", "libc.so.6"])
    objects(patient, "keras", {"keras/_a.so": data, "keras/_b.so": data, "keras/lib.so": data})
    found = native(patient, thorough=thorough)
    problem = only(found)
    assert (problem.kind, problem.library) == ("missing", "libnosuch.so.7")
    assert (problem.modules, problem.modules_total, problem.recorded) == (2, 2, False)
    assert problem.needed_by == str(patient.site / "keras" / "_a.so")
    assert problem.distribution == "keras"


@linux
def test_a_library_of_its_own_that_is_gone(patient: Patient) -> None:
    files = {
        "keras/_a.so": fitting(needed=["libown.so.1"], runpath="$ORIGIN/../keras.libs"),
        "keras.libs/libown.so.1": fitting(soname="libown.so.1"),
    }
    objects(patient, "keras", files)
    assert native(patient).problems == ()
    (patient.site / "keras.libs" / "libown.so.1").unlink()
    problem = only(native(patient))
    assert (problem.kind, problem.library, problem.recorded) == ("missing", "libown.so.1", True)


@linux
def test_a_library_that_another_distribution_brings(patient: Patient) -> None:
    """Like torch and nvidia-…: loaded by its path before the module is."""
    objects(patient, "keras", {"keras/_a.so": fitting(needed=["libother.so.1"])})
    objects(patient, "vendor", {"vendor/lib/libother.so.1": fitting()})
    assert native(patient).problems == ()


@linux
def test_what_a_library_needs_in_turn(patient: Patient) -> None:
    files = {
        "keras/_a.so": fitting(needed=["libone.so"], runpath="$ORIGIN"),
        "keras/libone.so": fitting(needed=["libtwo.so", "libone.so"], runpath="$ORIGIN"),
        "keras/libtwo.so": fitting(needed=["libnosuch.so.7", "libone.so"], runpath="$ORIGIN"),
    }
    objects(patient, "keras", files)
    problem = only(native(patient))
    assert problem.library == "libnosuch.so.7"
    assert problem.needed_by == str(patient.site / "keras" / "libtwo.so")
    assert problem.modules == 1


@linux
def test_a_library_that_is_not_linked_by_any_module(patient: Patient) -> None:
    """Plug-ins that are loaded on demand, like those of NVIDIA's libraries."""
    files = {"keras/_a.so": fitting(), "keras/libplugin.so.1": fitting(needed=["libmlx5.so.1"])}
    objects(patient, "keras", files)
    assert native(patient).problems == ()


@linux
def test_versions(patient: Patient, tmp_path: Path) -> None:
    needs = {"libx.so.1": ["X_1.9", "X_1.10"]}
    files = {
        "keras/_a.so": fitting(needed=["libx.so.1"], needs=needs, runpath="$ORIGIN/lib"),
        "keras/lib/libx.so.1": fitting(defines=["X_1.9", "X_1.10"]),
    }
    objects(patient, "keras", files)
    assert native(patient).problems == ()
    old = tmp_path / "old" / "libx.so.1"
    old.parent.mkdir()
    old.write_bytes(fitting(defines=["X_1.2", "X_1.9"]))
    found = native(patient, LD_LIBRARY_PATH=str(old.parent))
    problem = only(found)
    assert (problem.kind, problem.versions, problem.newest) == ("version", ("X_1.10",), "X_1.9")
    assert (problem.found, problem.by) == (str(old), "LD_LIBRARY_PATH")
    assert [(one.library, one.by) for one in found.libraries] == [("libx.so.1", "LD_LIBRARY_PATH")]
    old.write_bytes(fitting(defines=[]))
    assert native(patient, LD_LIBRARY_PATH=str(old.parent)).problems == ()


@linux
def test_a_libc_that_does_not_exist_yet(patient: Patient) -> None:
    data = fitting(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.999"]})
    objects(patient, "keras", {"keras/_a.so": data})
    found = native(patient, thorough=False)
    if found.machine is None or not os.path.exists("/etc/ld.so.cache"):
        pytest.skip("not glibc")
    problem = only(found)
    assert (problem.versions, problem.by) == (("GLIBC_2.999",), "loaded")
    assert problem.newest is not None
    assert problem.newest.startswith("GLIBC_2.")


@linux
def test_another_processor(patient: Patient) -> None:
    own = read_elf(os.path.realpath(sys.executable))
    assert own is not None
    other = shared_object(machine=62 if own.machine == AARCH64 else AARCH64)
    objects(patient, "keras", {"keras/_a.so": other, "keras/_b.so": fitting()})
    found = native(patient, thorough=False)
    problem = only(found)
    assert problem.kind == "machine"
    assert problem.versions[0].endswith("64 bit")
    assert problem.versions[0] != found.machine
    assert (problem.modules, problem.modules_total) == (1, 2)


@linux
def test_a_file_that_is_no_object(patient: Patient) -> None:
    objects(patient, "keras", {"keras/_a.so": b"version https://git-lfs.github.com/spec/v1\n"})
    assert only(native(patient)).kind == "damaged"


@linux
def test_the_standard_library_is_followed_too(patient: Patient, tmp_path: Path) -> None:
    folder = Path(collect(patient.target(), patient.environ).interpreter.stdlib) / "lib-dynload"  # type: ignore[union-attr]
    linked = [read_elf(str(path)) for path in folder.glob("zlib*.so")]
    if not linked or linked[0] is None or "libz.so.1" not in linked[0].needs:
        pytest.skip("this Python's zlib is not linked to the system's")
    (tmp_path / "libz.so.1").write_bytes(fitting(defines=["ZLIB_0.9"]))
    found = native(patient, LD_LIBRARY_PATH=str(tmp_path))
    assert ("Python", "libz.so.1") in [(p.distribution, p.library) for p in found.problems]
    assert [one.library for one in found.libraries] == ["libz.so.1"]


def test_names_for_another_python(patient: Patient) -> None:
    objects(patient, "keras", {"keras/_a.cpython-39-x86_64-linux-gnu.so": fitting()})
    (names,) = native(patient, thorough=False).named
    assert (names.distribution, names.own, names.foreign) == ("keras", 0, 1)
    assert names.example == str(patient.site / "keras" / "_a.cpython-39-x86_64-linux-gnu.so")


def test_a_wheel_that_keeps_its_promise_is_not_read(patient: Patient) -> None:
    wheel = "Wheel-Version: 1.0\nTag: py3-none-any\n"
    objects(patient, "keras", {"keras/_a.so": fitting(needed=["libnosuch.so.7"])}, wheel)
    first = native(patient, thorough=False)
    if not first.complete:  # nothing turns the loader's head on this machine
        assert (first.modules, first.objects, first.problems) == (0, 0, ())
    assert len(native(patient).problems) == 1
    assert native(patient, thorough=False, LD_LIBRARY_PATH="/none").complete


@pytest.mark.pythons
@pytest.mark.parametrize("python", installed_pythons())
@linux
def test_on_every_python(tmp_path: Path, python: str) -> None:
    patient = Patient(tmp_path / "patient", python)
    data = fitting(needed=["libnosuch.so.7"], needs={"libc.so.6": ["GLIBC_2.999"]})
    objects(patient, "keras", {"keras/_a.so": data})
    assert [(p.kind, p.library) for p in native(patient).problems] == [
        ("missing", "libnosuch.so.7")
    ]


X86 = {
    "platform": "linux",
    "version": "3.11.7",
    "machine": "x86_64",
    "free_threaded": False,
}


@pytest.mark.parametrize(
    ("tag", "promised"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", False),
        ("cp311-cp311-manylinux_2_17_x86_64", True),
        ("cp311-cp311-manylinux2014_x86_64", True),
        ("cp37-abi3-manylinux2014_x86_64", True),
        ("py3-none-manylinux_2_12_x86_64", True),
        ("cp312-abi3-manylinux2014_x86_64", False),
        ("cp310-cp310-manylinux2014_x86_64", False),
        ("cp311-cp311t-manylinux2014_x86_64", False),
        ("cp311-cp311-manylinux_2_999_x86_64", False),
        ("cp311-cp311-manylinux_2_17_aarch64", False),
        ("cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-linux_x86_64", False),
        ("cp311-cp311-win_amd64", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_promises(tag: str, promised: bool) -> None:
    assert is_promised([tag], X86) is promised


@given(st.lists(st.text(max_size=30), max_size=3))
def test_any_tags(tags: list[str]) -> None:
    is_promised(tags, X86)


def test_names_in_a_record() -> None:
    text = (
        "a/x.so,sha256=1,2\nb/liby.so.1.2,,\na/z.py,,\na/.so_old/x.txt,,\n/etc/x.so,,\n"
        "../x.so,,\nlast.so"
    )
    assert recorded_objects(text) == ["a/x.so", "b/liby.so.1.2", "last.so"]
    assert recorded_objects("a/x.pyd,,\na\\y.dll,,\n") == ["a/x.pyd", "a\\y.dll"]


@given(st.text('a/.so,\n"\\ pyd', max_size=60))
def test_any_record(text: str) -> None:
    for path in recorded_objects(text):
        assert ".so" in path or path.endswith((".pyd", ".dll", ".dylib"))


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("a/_x.so", True),
        ("a/x.cpython-311-x86_64-linux-gnu.so", True),
        ("a/libx.abi3.so", True),
        ("a/x.pyd", True),
        ("a/libx.so", False),
        ("a/x.so.1", False),
        ("a/tests/_x.so", False),
        ("a/x.dll", False),
    ],
)
def test_modules(path: str, module: bool) -> None:
    assert is_module(path) is module
