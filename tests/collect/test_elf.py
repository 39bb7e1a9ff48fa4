"""The tables of ELF files, against pyelftools, hand-written files, and hostile ones."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.elf_files import AARCH64, PPC64, elf_hash, shared_object
from keras_doctor.collect.patient.elf import (
    DamagedError,
    defined_versions,
    read_elf,
    version_names,
)

NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-+", min_size=1, max_size=20)
VERSIONS = st.lists(NAMES.map("V_".__add__), min_size=1, max_size=5, unique_by=elf_hash)


def _write(folder: Path, data: bytes) -> str:
    path = folder / "x.so"
    path.write_bytes(data)
    return str(path)


def _wanted(path: str) -> dict[str, set[str]]:
    elf = read_elf(path)
    assert elf is not None
    return {
        library: set(version_names(path, list(places.values())))
        for library, places in elf.needs.items()
    }


@given(
    needed=st.lists(NAMES, max_size=6),
    soname=st.none() | NAMES,
    paths=st.tuples(st.none() | NAMES, st.none() | NAMES),
    needs=st.dictionaries(NAMES, VERSIONS, max_size=3),
    defines=VERSIONS | st.just([]),
    shape=st.tuples(st.sampled_from([32, 64]), st.booleans(), st.sampled_from([0, 9000])),
)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    needed: list[str],
    soname: str | None,
    paths: tuple[str | None, str | None],
    needs: dict[str, list[str]],
    defines: list[str],
    shape: tuple[int, bool, int],
) -> None:
    bits, big, padding = shape
    data = shared_object(
        needed=needed,
        soname=soname,
        rpath=paths[0],
        runpath=paths[1],
        needs=needs,
        defines=defines,
        bits=bits,
        big=big,
        padding=padding,
        machine=PPC64,
    )
    path = _write(tmp_path_factory.mktemp("elf"), data)
    elf = read_elf(path)
    assert elf is not None
    assert (elf.bits, elf.order, elf.machine) == (bits, "big" if big else "little", PPC64)
    assert (list(elf.needed), elf.soname) == (needed, soname)
    assert (elf.rpath, elf.runpath) == paths
    assert _wanted(path) == {library: set(names) for library, names in needs.items()}
    assert defined_versions(path) == {elf_hash(name): name for name in defines}


def test_weak_versions_are_not_needed(tmp_path: Path) -> None:
    data = shared_object(needs={"libc.so.6": ["A_1", "A_2"]}, weak=["A_2"])
    assert _wanted(_write(tmp_path, data)) == {"libc.so.6": {"A_1"}}


def test_a_long_version_table(tmp_path: Path) -> None:
    versions = [f"GLIBC_2.{number}" for number in range(900)]
    path = _write(tmp_path, shared_object(needs={"libc.so.6": versions}, defines=versions))
    assert _wanted(path) == {"libc.so.6": set(versions)}
    assert set(defined_versions(path).values()) == set(versions)


def _real_objects() -> list[str]:
    folders = [sysconfig.get_config_var("DESTSHARED"), *sys.path]
    found = [
        os.path.join(where, name)
        for folder in folders
        if folder and os.path.isdir(folder)
        for where, _, names in os.walk(folder)
        for name in names
        if name.endswith(".so") or ".so." in name
    ]
    system = ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64"]
    for folder in system:
        if os.path.isdir(folder):
            listed = [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if ".so." in n]
            found += listed[:60]
    wanted = {os.path.realpath(path) for path in found} | {os.path.realpath(sys.executable)}
    return sorted(wanted)[:200]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs ELF files")
def test_the_same_as_pyelftools() -> None:
    compared = 0
    for path in _real_objects():
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
            theirs = _by_pyelftools(ELFFile(file))
        elf = read_elf(path)
        assert elf is not None
        ours = {
            "bits": elf.bits,
            "machine": elf.machine,
            "needed": list(elf.needed),
            "soname": elf.soname,
            "rpath": elf.rpath,
            "runpath": elf.runpath,
            "needs": _wanted(path),
            "defines": set((defined_versions(path) or {}).values()),
        }
        assert ours == theirs, path
        compared += 1
    assert compared > 20


def _by_pyelftools(file: Any) -> dict[str, object]:
    found: dict[str, Any] = {"needed": [], "soname": None, "rpath": None, "runpath": None}
    found.update(needs={}, defines=set(), bits=file.elfclass)
    found["machine"] = int.from_bytes(_at(file, 18, 2), sys.byteorder)
    for segment in file.iter_segments():
        if isinstance(segment, DynamicSegment):
            for tag in segment.iter_tags():
                for name in ("soname", "rpath", "runpath"):
                    if tag.entry.d_tag == "DT_" + name.upper():
                        found[name] = getattr(tag, name)
                if tag.entry.d_tag == "DT_NEEDED":
                    found["needed"].append(getattr(tag, "needed"))  # noqa: B009
    needs = file.get_section_by_name(".gnu.version_r")
    for version, auxiliaries in needs.iter_versions() if needs else ():
        names = {aux.name for aux in auxiliaries if not aux["vna_flags"] & 2}
        found["needs"][version.name] = names
    defines = file.get_section_by_name(".gnu.version_d")
    for _, auxiliaries in defines.iter_versions() if defines else ():
        found["defines"].add(next(iter(auxiliaries)).name)
    return found


def _at(file: Any, offset: int, size: int) -> bytes:
    file.stream.seek(offset)
    data: bytes = file.stream.read(size)
    return data


@pytest.mark.parametrize("text", [b"", b"\x7fEL", b"GROUP ( libc.so.6 )\n", b"MZ" + bytes(100)])
def test_no_elf_file(tmp_path: Path, text: bytes) -> None:
    assert read_elf(_write(tmp_path, text)) is None
    assert defined_versions(_write(tmp_path, text)) is None


def _survives(path: str) -> None:
    for function in (read_elf, defined_versions):
        with contextlib.suppress(DamagedError):
            function(path)


@given(st.binary(max_size=600))
def test_rubbish_after_the_magic(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    _survives(_write(tmp_path_factory.mktemp("elf"), b"\x7fELF" + data))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.integers(0, 8000), st.binary(min_size=1, max_size=8)), max_size=8),
    st.integers(0, 9000),
    st.booleans(),
)
def test_damage_is_told(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[int, bytes]],
    length: int,
    big: bool,
) -> None:
    data = bytearray(
        shared_object(
            needed=["libc.so.6", "libm.so.6"],
            needs={"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.14"], "libm.so.6": ["GLIBC_2.29"]},
            defines=["ONE_1", "TWO_2"],
            runpath="$ORIGIN/lib",
            machine=AARCH64,
            big=big,
        )
    )
    for place, new in changes:
        data[place : place + len(new)] = new
    _survives(_write(tmp_path_factory.mktemp("elf"), bytes(data[: length or None])))


def test_damage_in_the_tables_themselves(tmp_path: Path) -> None:
    """Every word of the tables, replaced by numbers that lead somewhere else."""
    data = shared_object(
        needed=["libc.so.6"], needs={"libc.so.6": ["A_1", "A_2"]}, defines=["B_1", "B_2"]
    )
    generator = random.Random(1)  # noqa: S311
    for start in range(0, len(data), 4):
        if any(data[start : start + 4]) or start > 4000:
            for value in (0, 1, 3, 0xFFFFFFFF, generator.randrange(1 << 32)):
                changed = data[:start] + value.to_bytes(4, "little") + data[start + 4 :]
                if start >= 4:
                    _survives(_write(tmp_path, changed))


def test_a_file_cut_short(tmp_path: Path) -> None:
    data = shared_object(needed=["libc.so.6"])
    with pytest.raises(DamagedError):
        read_elf(_write(tmp_path, data[: len(data) // 2]))


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "pipe.so"
    os.mkfifo(path)
    assert read_elf(str(path)) is None
