"""The few tables of an ELF file that decide whether it loads, without a library.

Sources: the System V gABI, chapters 4 and 5 (file header, program header, dynamic section), and
the LSB's "Symbol Versioning" (version needs and definitions). Nobody vouches for the file: every
count and offset is bounded, and what does not add up is :class:`DamagedError`.

The numbers are read with ``memoryview.cast``: that is quicker than ``struct``, and spares the
import of it.
"""

import os
import sys

_FIRST = 4096
_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_MOST_SEGMENTS = 256
_MOST_DYNAMIC = 1 << 16
_MOST_VERSIONS = 1 << 16
_MOST_NAMES = 1 << 10
_MOST_STEPS = 4096
_LONGEST = 4096
_NEAR = 2048
_CODES = {2: "H", 4: "I", 8: "Q"}

_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRTAB, _SONAME, _RPATH, _RUNPATH = 1, 5, 14, 15, 29
_VERDEF, _VERNEED = 0x6FFFFFFC, 0x6FFFFFFE
_WEAK = 2


class DamagedError(Exception):
    """It begins like an ELF file, and its tables do not add up."""

    __slots__ = ()


class Elf(object):
    """What the loader reads first.

    Attributes:
        bits: 32 or 64.
        order: ``little`` or ``big``.
        machine: The number of the processor's architecture.
        needed: Names of libraries (DT_NEEDED).
        soname: Its own name, or None.
        rpath: The text of DT_RPATH, or None.
        runpath: The text of DT_RUNPATH, or None.
        needs: Library name to a dict of hash to place of the name of each version that must
            be there; see :func:`version_names`.
    """

    __slots__ = (
        "bits", "machine", "needed", "needs", "order", "path", "rpath", "runpath", "soname",
    )  # fmt: skip

    def __init__(self, path, bits, order, machine):
        self.path = path
        self.bits = bits
        self.order = order
        self.machine = machine
        self.needed = ()
        self.needs = {}
        self.soname = self.rpath = self.runpath = None


class _File(object):
    """An open file: numbers and texts at offsets, with the blocks that were read kept."""

    def __init__(self, handle, head):
        self.handle = handle
        self.blocks = [(0, head)]
        self.order = "little"

    def at(self, offset, size):
        """Up to ``size`` bytes at an offset; less only at the end of the file."""
        for start, data in self.blocks:
            if start <= offset and offset + size <= start + len(data):
                return data[offset - start : offset - start + size]
        data = _read_at(self.handle, offset, size)
        self.blocks.append((offset, data))
        return data

    def numbers(self, data, width):
        """Bytes as a list of numbers; an incomplete one at the end is dropped."""
        whole = len(data) - len(data) % width
        if self.order == sys.byteorder:
            return memoryview(data)[:whole].cast(_CODES[width]).tolist()
        return [int.from_bytes(data[i : i + width], self.order) for i in range(0, whole, width)]

    def texts(self, offsets):
        """A dict of offset to the text there; those near each other come with one read."""
        found = {}
        wanted = sorted(offsets)
        while wanted:
            start = last = wanted[0]
            group = []
            for offset in wanted:
                if offset - last > _NEAR:
                    break
                group.append(offset)
                last = offset
            del wanted[: len(group)]
            data = self.at(start, min(last - start + 256, 1 << 16))
            for offset in group:
                end = data.find(b"\0", offset - start)
                if end < 0 or offset - start >= len(data):
                    text, zero, _ = self.at(offset, _LONGEST).partition(b"\0")
                    if not zero:
                        raise DamagedError("a name without an end")
                else:
                    text = data[offset - start : end]
                found[offset] = text.decode("utf-8", "surrogateescape")
        return found


if hasattr(os, "pread"):

    def _read_at(handle, offset, size):
        return os.pread(handle, size, offset)

else:

    def _read_at(handle, offset, size):
        os.lseek(handle, offset, os.SEEK_SET)
        return os.read(handle, size)


def read_elf(path):
    """The :class:`Elf` of a file; None when it is no ELF file.

    Raises:
        OSError: It cannot be read.
        DamagedError: Its tables do not add up: it was cut short, or overwritten.
    """
    return _with_file(path, _read)


def defined_versions(path):
    """Hash to name of the versions that a library defines; {} when it has none.

    Raises:
        OSError, DamagedError: As :func:`read_elf`.
    """
    return _with_file(path, _read_definitions)


def version_names(path, places):
    """The names at the places that ``Elf.needs`` holds, in their order."""
    texts = _with_file(path, lambda file, _path: file.texts(places))
    return [texts[place] for place in places]


def _with_file(path, function):
    handle = os.open(path, _OPEN_FLAGS)
    try:
        head = os.read(handle, _FIRST)
        if head[:4] != b"\x7fELF":
            return None
        return function(_File(handle, head), path)
    except (OverflowError, IndexError, ValueError) as error:
        raise DamagedError(str(error))
    finally:
        os.close(handle)


def _read(file, path):
    elf, dynamic = _header_and_dynamic(file, path)
    if dynamic is None:
        return elf
    strings = dynamic.get(_STRTAB)
    if strings is None:
        return elf
    base = strings[0]
    needed = [base + offset for offset in dynamic.get(_NEEDED, ())[:_MOST_NAMES]]
    single = [(name, dynamic.get(tag)) for name, tag in _SINGLE]
    single = [(name, base + values[-1]) for name, values in single if values]
    needs = []
    if _VERNEED in dynamic:
        needs = _walk(file, dynamic[_VERNEED][0], _walk_needs, base)
    texts = file.texts(set(needed + [place for _, place in single] + [one[0] for one in needs]))
    elf.needed = [texts[place] for place in needed]
    for name, place in single:
        setattr(elf, name, texts[place])
    elf.needs = {texts[place]: wanted for place, wanted in needs}
    return elf


_SINGLE = (("soname", _SONAME), ("rpath", _RPATH), ("runpath", _RUNPATH))


def _header_and_dynamic(file, path):
    """(the Elf with its header, the dynamic table or None).

    The table is a dict of tag to list of values; those of the tables are file offsets.
    """
    head = file.blocks[0][1]
    if len(head) < 52 or head[4] not in (1, 2) or head[5] not in (1, 2):
        raise DamagedError("the header is cut short or unknown")
    wide = head[4] == 2
    file.order = "little" if head[5] == 1 else "big"
    halves = file.numbers(head[:64], 2)
    elf = Elf(path, 64 if wide else 32, file.order, halves[9])
    if wide:
        start, size, count = file.numbers(head[32:40], 8)[0], halves[27], halves[28]
    else:
        start, size, count = file.numbers(head[28:32], 4)[0], halves[21], halves[22]
    width = 8 if wide else 4
    if size != (56 if wide else 32) or count > _MOST_SEGMENTS:
        raise DamagedError("an unknown program header")
    words = file.numbers(file.at(start, size * count), width)
    if len(words) * width < size * count:
        raise DamagedError("the program headers are cut short")
    each = size // width
    shift = 32 if wide and file.order == "big" else 0
    segments = []
    place = None
    for index in range(0, len(words), each):
        kind = (words[index] >> shift) & 0xFFFFFFFF
        if kind == _LOAD:
            segments.append((words[index + 2], words[index + 1], words[index + 4]))
        elif kind == _DYNAMIC:
            place = (words[index + 1], words[index + 4])
    if place is None:
        return elf, None
    words = file.numbers(file.at(place[0], min(place[1], _MOST_DYNAMIC)), width)
    return elf, _dynamic(words, segments)


def _dynamic(words, segments):
    found = {}
    for tag, value in zip(words[::2], words[1::2]):  # noqa: B905 - Python 3.6 has no strict
        if tag == 0:
            break
        if tag in _WANTED:
            place = _offset(value, segments) if tag in _ADDRESSES else value
            found.setdefault(tag, []).append(place)
    if not found:
        raise DamagedError("the dynamic table is empty")
    return found


_ADDRESSES = frozenset((_STRTAB, _VERDEF, _VERNEED))
_WANTED = frozenset((_NEEDED, _SONAME, _RPATH, _RUNPATH)) | _ADDRESSES


def _offset(address, segments):
    """Where in the file what the program sees at an address lies."""
    for start, offset, size in segments:
        if start <= address < start + size:
            return offset + address - start
    raise DamagedError("an address outside the file")


def _walk(file, start, function, base):
    """Walk over a version table; how long it is stands only in itself, and most are short."""
    for size in (1024, 8192, _MOST_VERSIONS):
        data = file.at(start, size)
        try:
            return function(file.numbers(data, 4), base, file.order == "little")
        except IndexError:
            if len(data) < size:
                break
    raise DamagedError("a version table leads out of the file")


def _walk_needs(words, base, low):
    """A list of (place of the library's name, dict of hash to place of the version's name)."""
    found = []
    index = steps = 0
    while steps < _MOST_STEPS:
        first, name, aux, step = words[index : index + 3] + [words[index + 3]]
        wanted = {}
        inner = index + aux // 4
        for _ in range(min(first >> 16 if low else first & 0xFFFF, _MOST_STEPS - steps)):
            steps += 1
            flags = words[inner + 1] & 0xFFFF if low else words[inner + 1] >> 16
            if not flags & _WEAK:
                wanted[words[inner]] = base + words[inner + 2]
            inner += words[inner + 3] // 4
        found.append((base + name, wanted))
        if step == 0:
            break
        steps += 1
        index += step // 4
    return found


def _read_definitions(file, path):
    _elf, dynamic = _header_and_dynamic(file, path)
    if dynamic is None or _VERDEF not in dynamic or _STRTAB not in dynamic:
        return {}
    places = _walk(file, dynamic[_VERDEF][0], _walk_definitions, dynamic[_STRTAB][0])
    texts = file.texts(set(places.values()))
    return {key: texts[place] for key, place in places.items()}


def _walk_definitions(words, base, _low):
    """Hash to the place of the name; the first entry of each definition is its own name."""
    places = {}
    index = 0
    for _ in range(_MOST_STEPS):
        step = words[index + 4]
        places[words[index + 2]] = base + words[index + words[index + 3] // 4]
        if step == 0:
            break
        index += step // 4
    return places
