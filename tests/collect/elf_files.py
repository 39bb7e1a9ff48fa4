"""ELF files written byte by byte: what a test needs of a shared object, and nothing else."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

X86_64, AARCH64, I386, PPC64 = 62, 183, 3, 21
_HEADER = 4096
"""Where the contents begin: the tables must lie in a page of their own."""


def elf_hash(name: str) -> int:
    """The hash of a version's name: gABI, figure 5-13."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF0000000
        value = (value ^ (high >> 24)) & ~high
    return value & 0xFFFFFFFF


class _Strings:
    def __init__(self) -> None:
        self.data = bytearray(b"\0")

    def add(self, text: str) -> int:
        place = len(self.data)
        self.data += text.encode() + b"\0"
        return place


def shared_object(
    *,
    needed: Sequence[str] = (),
    soname: str | None = None,
    rpath: str | None = None,
    runpath: str | None = None,
    needs: Mapping[str, Sequence[str]] | None = None,
    defines: Sequence[str] = (),
    weak: Sequence[str] = (),
    machine: int = X86_64,
    bits: int = 64,
    big: bool = False,
    padding: int = 0,
) -> bytes:
    """A file that holds these tables.

    Args:
        needed: DT_NEEDED.
        soname: DT_SONAME.
        rpath: DT_RPATH.
        runpath: DT_RUNPATH.
        needs: Library to the versions that it must have.
        defines: Versions that it has itself.
        weak: Those of the needed versions that may be absent.
        machine: ``e_machine``.
        bits: 32 or 64.
        big: Whether the order is big-endian.
        padding: Bytes between the name table and the rest, as symbols would take.
    """
    order, word = ">" if big else "<", "Q" if bits == 64 else "I"
    strings = _Strings()
    entries = [(1, strings.add(name)) for name in needed]
    for tag, text in ((14, soname), (15, rpath), (29, runpath)):
        if text is not None:
            entries.append((tag, strings.add(text)))
    verneed = _verneed(order, needs or {}, weak, strings)
    verdef = _verdef(order, defines, strings)
    blocks = [bytes(strings.data) + bytes(padding + -len(strings.data) % 8), verneed, verdef]
    places = [_HEADER]
    for block in blocks:
        places.append(places[-1] + len(block) + -len(block) % 8)
    # Program addresses differ from the places in the file, as they do in real ones.
    shift = 0x200000
    entries += [(5, places[0] + shift), (10, len(strings.data))]
    if needs:
        entries += [(0x6FFFFFFE, places[1] + shift), (0x6FFFFFFF, len(needs))]
    if defines:
        entries += [(0x6FFFFFFC, places[2] + shift), (0x6FFFFFFD, len(defines))]
    dynamic = b"".join(struct.pack(order + word * 2, *entry) for entry in [*entries, (0, 0)])
    body = b"".join(block + bytes(-len(block) % 8) for block in blocks) + dynamic
    segments = [
        (1, _HEADER, _HEADER + shift, len(body)),
        (2, places[3], places[3] + shift, len(dynamic)),
    ]
    head = _head(order, bits, machine, segments)
    return head + bytes(_HEADER - len(head)) + body


def _head(
    order: str, bits: int, machine: int, segments: Sequence[tuple[int, int, int, int]]
) -> bytes:
    wide = bits == 64
    size, each = (64, 56) if wide else (52, 32)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 2 if order == ">" else 1, 1]) + bytes(9)
    layout = order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH")
    head = ident + struct.pack(
        layout, 3, machine, 1, 0, size, 0, 0, size, each, len(segments), 0, 0, 0
    )
    for kind, offset, address, length in segments:
        if wide:
            row = (kind, 6, offset, address, address, length, length, 4096)
            head += struct.pack(order + "IIQQQQQQ", *row)
        else:
            row = (kind, offset, address, address, length, length, 6, 4096)
            head += struct.pack(order + "IIIIIIII", *row)
    return head


def _verneed(
    order: str, needs: Mapping[str, Sequence[str]], weak: Sequence[str], strings: _Strings
) -> bytes:
    data = b""
    for number, (library, versions) in enumerate(needs.items(), 1):
        step = 0 if number == len(needs) else 16 + 16 * len(versions)
        data += struct.pack(order + "HHIII", 1, len(versions), strings.add(library), 16, step)
        for index, version in enumerate(versions, 1):
            more = 0 if index == len(versions) else 16
            flags = 2 if version in weak else 0
            row = (elf_hash(version), flags, index + 1, strings.add(version), more)
            data += struct.pack(order + "IHHII", *row)
    return data


def _verdef(order: str, defines: Sequence[str], strings: _Strings) -> bytes:
    data = b""
    for number, version in enumerate(defines, 1):
        step = 0 if number == len(defines) else 28
        data += struct.pack(order + "HHHHIII", 1, 0, number, 1, elf_hash(version), 20, step)
        data += struct.pack(order + "II", strings.add(version), 0)
    return data
