"""For which processors a program or library file is, by its first bytes, on every system.

Sources: the gABI's e_machine, Apple's mach-o/loader.h and fat.h with mach/machine.h, and
Microsoft's PE format (COFF file header).
"""

_ELF_MACHINES = {
    3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 62: "x86_64",
    183: "aarch64", 243: "riscv64", 258: "loongarch64",
}  # fmt: skip
_MACH_MACHINES = {7: "i386", 12: "arm", 0x01000007: "x86_64", 0x0100000C: "aarch64"}
_PE_MACHINES = {0x014C: "i386", 0x01C4: "arm", 0x8664: "x86_64", 0xAA64: "aarch64"}
_SAME_MACHINE = {"arm64": "aarch64", "amd64": "x86_64", "i686": "i386", "x86": "i386"}
_MOST_SLICES = 30


def processors(head):
    """The processors that the first bytes (4096 will do) of a file name; () when none."""
    magic = head[:4]
    if magic == b"\x7fELF":
        return _elf_processors(head)
    if magic in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe"):
        return (_name(_MACH_MACHINES, _little(head[4:8])),)
    if magic in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"):
        return _fat_processors(head, 20 if magic[3] == 0xBE else 32)
    if magic[:2] == b"MZ":
        start = _little(head[60:64])
        if head[start : start + 4] == b"PE\0\0":
            return (_name(_PE_MACHINES, _little(head[start + 4 : start + 6])),)
    return ()


def same_processor(one, other):
    """Whether two names mean the same: systems spell them differently."""
    names = [_SAME_MACHINE.get(name.lower(), name.lower()) for name in (one, other)]
    return names[0] == names[1]


def elf_processor(number):
    """The name of an ``e_machine``."""
    return _name(_ELF_MACHINES, number)


def _elf_processors(head):
    order = "big" if head[5:6] == b"\2" else "little"
    return (elf_processor(int.from_bytes(head[18:20], order)),)


def _fat_processors(head, width):
    """Of a universal file. Java's class files begin alike, with a version in the count's place."""
    count = int.from_bytes(head[4:8], "big")
    if not 0 < count <= _MOST_SLICES:
        return ()
    starts = range(8, 8 + width * count, width)
    return tuple([_name(_MACH_MACHINES, int.from_bytes(head[i : i + 4], "big")) for i in starts])


def _little(data):
    return int.from_bytes(data, "little")


def _name(names, number):
    return names.get(number, "processor number %d" % number)
