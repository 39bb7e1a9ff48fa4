"""Which library the loader takes: against its own answers, and in constructed folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.elf_files import shared_object
from keras_doctor.collect.patient.elf import read_elf
from keras_doctor.collect.patient.files import forget_names
from keras_doctor.collect.patient.headers import processors, same_processor
from keras_doctor.collect.patient.loader import Cache, Loader, library_path, search_folders

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the loader of Linux")
OWN = os.path.realpath(sys.executable)


def library(path: Path, **tables: object) -> str:
    """Writes an object for the processor of this Python."""
    own = read_elf(OWN)
    assert own is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    fitting: dict[str, object] = {"machine": own.machine, "bits": own.bits}
    path.write_bytes(shared_object(**{**fitting, **tables}))  # type: ignore[arg-type]
    return str(path)


def found(
    path: str, name: str, *above: str, environ: Mapping[str, str] | None = None
) -> tuple[str | None, str | None]:
    """What is taken for a name in an object that others led to."""
    forget_names()
    loader = Loader(sys.executable, environ or {})
    chain = tuple(loader.elf(each) for each in (path, *above))
    answer: tuple[str | None, str | None] = loader.find(name, chain)
    return answer


def test_the_order_of_the_places(tmp_path: Path) -> None:
    for folder in ("rpath", "variable", "runpath"):
        library(tmp_path / folder / "libx.so.1")
    variable = {"LD_LIBRARY_PATH": f"{tmp_path}/none:{tmp_path}/variable"}
    both = library(tmp_path / "a.so", runpath="$ORIGIN/runpath", rpath="$ORIGIN/rpath")
    old = library(tmp_path / "b.so", rpath="${ORIGIN}/rpath")
    bare = library(tmp_path / "c.so")
    assert found(both, "libx.so.1") == (f"{tmp_path}/runpath/libx.so.1", "runpath")
    assert found(both, "libx.so.1", environ=variable) == (
        f"{tmp_path}/variable/libx.so.1",
        "LD_LIBRARY_PATH",
    )
    assert found(old, "libx.so.1", environ=variable) == (f"{tmp_path}/rpath/libx.so.1", "rpath")
    assert found(bare, "libx.so.1") == (None, None)


def test_what_leads_to_an_object_counts_by_rpath_only(tmp_path: Path) -> None:
    library(tmp_path / "lib" / "libx.so.1")
    object_ = library(tmp_path / "c.so")
    by_rpath = library(tmp_path / "d.so", rpath="$ORIGIN/lib")
    by_runpath = library(tmp_path / "e.so", runpath="$ORIGIN/lib")
    assert found(object_, "libx.so.1", by_rpath) == (f"{tmp_path}/lib/libx.so.1", "rpath")
    assert found(object_, "libx.so.1", by_runpath) == (None, None)


def test_one_for_another_processor_is_passed_over(tmp_path: Path) -> None:
    library(tmp_path / "one" / "libx.so.1", machine=21, big=True)
    library(tmp_path / "two" / "libx.so.1", bits=32, machine=3)
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "libx.so.1").write_text("GROUP ( libc.so.6 )\n")
    right = library(tmp_path / "four" / "libx.so.1")
    object_ = library(tmp_path / "a.so")
    folders = ":".join(f"{tmp_path}/{name}" for name in ("one", "two", "three", "four"))
    environ = {"LD_LIBRARY_PATH": folders}
    assert found(object_, "libx.so.1", environ=environ) == (right, "LD_LIBRARY_PATH")


def test_preloaded(tmp_path: Path) -> None:
    path = library(tmp_path / "other.so", soname="libx.so.1")
    object_ = library(tmp_path / "a.so")
    for value in (path, f"/no/such.so {path}", f"/no/such.so:{path}"):
        environ = {"LD_PRELOAD": value}
        assert found(object_, "libx.so.1", environ=environ) == (path, "LD_PRELOAD")


def test_what_the_interpreter_has_loaded(tmp_path: Path) -> None:
    library(tmp_path / "libc.so.6")
    object_ = library(tmp_path / "a.so", rpath="$ORIGIN")
    own = read_elf(OWN)
    assert own is not None
    if "libc.so.6" in own.needed:
        path, by = found(object_, "libc.so.6")
        assert by == "loaded"
        assert path is not None
        assert not path.startswith(str(tmp_path))


def _modules() -> list[str]:
    folder = sysconfig.get_config_var("DESTSHARED") or ""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(".so")]


def test_the_same_as_the_loader_says() -> None:
    """``ldd`` runs the loader itself; it names what it takes for each library."""
    modules = _modules()
    if not modules or not shutil.which("ldd"):
        pytest.skip("no extension modules or no ldd")
    loader = Loader(sys.executable, {})
    for path in modules:
        done = subprocess.run(["ldd", path], capture_output=True, text=True, env={"PATH": "/bin"})
        elf = loader.elf(path)
        for line in done.stdout.splitlines():
            name, arrow, rest = line.strip().partition(" => ")
            if arrow and name in elf.needed:
                ours = loader.find(name, (elf,))[0]
                theirs = rest.partition(" (")[0]
                if theirs == "not found":
                    assert ours is None, name
                else:
                    assert os.path.realpath(ours or "") == os.path.realpath(theirs), name


def test_the_same_as_ldconfig() -> None:
    program = shutil.which("ldconfig", path="/sbin:/usr/sbin")
    if not program or not os.path.exists("/etc/ld.so.cache"):
        pytest.skip("no ldconfig or no cache")
    cache = Cache(Path("/etc/ld.so.cache").read_bytes())
    done = subprocess.run([program, "-p"], capture_output=True, text=True)
    listed: dict[str, list[str]] = {}
    for line in done.stdout.splitlines()[1:]:
        name, arrow, path = line.strip().partition(" => ")
        if arrow:
            listed.setdefault(name.split(" (")[0], []).append(path)
    for name, paths in listed.items():
        assert cache.paths(name) == paths[:16]
    assert cache.paths("libnosuch.so.1") == []
    assert cache.paths("so.6") == []


@given(st.binary(max_size=400))
def test_any_cache(data: bytes) -> None:
    for text in (data, b"glibc-ld.so.cache1.1" + data, b"ld.so-1.7.0\0" + data):
        cache = Cache(text)
        cache.paths("libc.so.6")
        cache.paths("")


def test_folders_of_texts() -> None:
    assert search_folders("$ORIGIN/../lib::/opt/x", "/env/a") == ("/env/lib", "/opt/x")
    assert library_path(None) == ()
    assert library_path("/a;/b:") == ("/a", "/b", os.getcwd())


@pytest.mark.parametrize(
    ("head", "names"),
    [
        (b"\xcf\xfa\xed\xfe" + (0x0100000C).to_bytes(4, "little"), ("aarch64",)),
        (b"\xce\xfa\xed\xfe" + (7).to_bytes(4, "little"), ("i386",)),
        (
            b"\xca\xfe\xba\xbe"
            + (2).to_bytes(4, "big")
            + (0x01000007).to_bytes(4, "big")
            + bytes(16)
            + (0x0100000C).to_bytes(4, "big")
            + bytes(16),
            ("x86_64", "aarch64"),
        ),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x34", ()),  # a class file of Java 8
        (b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0\x64\x86", ("x86_64",)),
        (b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0\x64\xaa", ("aarch64",)),
        (b"MZ", ()),
        (b"#!/bin/sh", ()),
        (b"", ()),
    ],
)
def test_processors(head: bytes, names: tuple[str, ...]) -> None:
    assert processors(head) == names


def test_processors_of_elf_files() -> None:
    assert processors(shared_object(machine=183)) == ("aarch64",)
    assert processors(shared_object(machine=22, big=True)) == ("s390x",)
    assert processors(shared_object(machine=999)) == ("processor number 999",)
    assert same_processor("arm64", "aarch64")
    assert same_processor("AMD64", "x86_64")
    assert not same_processor("arm64", "x86_64")


@given(st.binary(max_size=200))
def test_any_header(data: bytes) -> None:
    for magic in (b"", b"\x7fELF", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"MZ"):
        assert isinstance(processors(magic + data), tuple)
