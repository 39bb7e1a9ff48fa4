"""Real environments whose native code does not load: changed bytes, variables, names.

Each test first sees the import fail without the doctor; what is changed keeps its size, as a wheel
for another system would be whole.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from collect.elf_files import elf_hash, shared_object

from environments.builder import Environment, check, runs
from keras_doctor.collect.patient.elf import read_elf

pytestmark = [
    pytest.mark.environment,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc",
        reason="the environments are broken in the ways of glibc",
    ),
]


def change(environment: Environment, path: Path, old: bytes, new: bytes) -> None:
    """Replaces bytes by others of the same length."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert old in data, path
    environment.replace(path, data.replace(old, new))


def module(environment: Environment, pattern: str) -> Path:
    return min(environment.site.glob(pattern))


def libc_of_the_future(environment: Environment) -> None:
    path = module(environment, "optree/_C*.so")
    elf = read_elf(str(path))
    assert elf is not None
    old = "GLIBC_2.14"
    assert elf_hash(old) in elf.needs["libc.so.6"]
    new = "GLIBC_9.14"
    change(environment, path, old.encode() + b"\0", new.encode() + b"\0")
    change(
        environment, path, elf_hash(old).to_bytes(4, "little"), elf_hash(new).to_bytes(4, "little")
    )


def library_that_is_nowhere(environment: Environment) -> None:
    change(environment, module(environment, "optree/_C*.so"), b"libm.so.6\0", b"libq.so.6\0")


def other_processor(environment: Environment) -> None:
    for path in environment.site.glob("jaxlib/**/*.so"):
        data = path.read_bytes()
        other = 183 if data[18] != 183 else 62
        environment.replace(path, data[:18] + bytes([other]) + data[19:])


def other_python(environment: Environment) -> None:
    """numpy as another Python's pip would have installed it."""
    own = f"cpython-{sys.version_info.major}{sys.version_info.minor}-"
    for path in list(environment.site.glob(f"numpy/**/*.{own}*")):
        path.rename(path.with_name(path.name.replace(own, "cpython-310-")))
    record = next(environment.site.glob("numpy-*.dist-info")) / "RECORD"
    environment.replace(record, record.read_bytes().replace(own.encode(), b"cpython-310-"))


def old_library_in_front(environment: Environment) -> None:
    folder = environment.folder / "old"
    folder.mkdir()
    own = read_elf(str(environment.python.resolve()))
    assert own is not None
    (folder / "libstdc++.so.6").write_bytes(
        shared_object(
            soname="libstdc++.so.6",
            defines=["GLIBCXX_3.4", "CXXABI_1.3"],
            machine=own.machine,
            bits=own.bits,
        )
    )
    environment.variables["LD_LIBRARY_PATH"] = str(folder)


def old_zlib_in_front(environment: Environment) -> None:
    """What the standard library is linked to."""
    folder = environment.folder / "old"
    folder.mkdir()
    own = read_elf(str(environment.python.resolve()))
    assert own is not None
    (folder / "libz.so.1").write_bytes(
        shared_object(soname="libz.so.1", defines=["ZLIB_0.9"], machine=own.machine, bits=own.bits)
    )
    environment.variables["LD_LIBRARY_PATH"] = f"/opt/none:{folder}"


def abort(environment: Environment) -> None:
    path = environment.site / "optree" / "__init__.py"
    text = b"import os\nos.abort()\n"
    environment.replace(path, text + b"#" * (path.stat().st_size - len(text)))


@pytest.mark.parametrize(
    ("damage", "cause", "culprit"),
    [
        (libc_of_the_future, "toolchain-too-old", "glibc"),
        (library_that_is_nowhere, "missing-shared-library", "libq.so.6"),
        (other_processor, "wrong-architecture", "jaxlib"),
        (other_python, "abi-mismatch", "numpy"),
        (old_library_in_front, "library-path-contaminated", "LD_LIBRARY_PATH"),
        (old_zlib_in_front, "library-path-contaminated", "LD_LIBRARY_PATH"),
        (abort, "crash-on-import", "optree"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_native_code_that_does_not_load(
    jax_environment: Environment,
    damage: Callable[[Environment], None],
    cause: str,
    culprit: str,
) -> None:
    jax_environment.variables["KERAS_BACKEND"] = "jax"
    damage(jax_environment)
    assert runs(jax_environment, "-c", "import keras").returncode != 0
    checked = check(jax_environment)
    assert checked.causes == [(cause, culprit)]
    assert checked.status == 1


def test_an_old_library_is_seen_without_a_run(jax_environment: Environment) -> None:
    jax_environment.variables["KERAS_BACKEND"] = "jax"
    assert check(jax_environment, "--no-live").causes == []
    old_library_in_front(jax_environment)
    assert check(jax_environment, "--no-live").causes == [
        ("library-path-contaminated", "LD_LIBRARY_PATH")
    ]
    del jax_environment.variables["LD_LIBRARY_PATH"]
    assert check(jax_environment).causes == []


def test_an_empty_folder_in_front_does_no_harm(jax_environment: Environment) -> None:
    jax_environment.variables.update(KERAS_BACKEND="jax", LD_LIBRARY_PATH="/usr/lib:/none")
    checked = check(jax_environment)
    assert (checked.status, checked.causes) == (0, [])


def test_a_compiler_that_is_not_there(theano_environment: Environment) -> None:
    theano_environment.variables.update(
        KERAS_BACKEND="theano", THEANO_FLAGS="device=cpu,cxx=/no/such/g++"
    )
    assert runs(theano_environment, "-c", "import keras").returncode != 0
    checked = check(theano_environment)
    assert checked.causes == [("compiler-missing", "THEANO_FLAGS")]
    assert checked.report["causes"][0]["confidence"] == "proven"


def test_no_compiler_is_only_slow(theano_environment: Environment) -> None:
    theano_environment.variables.update(
        KERAS_BACKEND="theano", PATH=f"{theano_environment.folder}/env/bin"
    )
    checked = check(theano_environment)
    assert (checked.status, checked.causes) == (0, [])
    assert "compiler-missing" in [note["cause"] for note in checked.report["notes"]]
