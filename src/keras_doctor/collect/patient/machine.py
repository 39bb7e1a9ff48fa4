"""The computer, as far as it decides what loads."""

import os
import sys

from keras_doctor.collect.patient.files import read_text


def describe_machine():
    """A dict like Machine."""
    if hasattr(os, "uname"):
        system, release = os.uname().sysname, os.uname().release
    else:
        release = "%d.%d.%d" % tuple(sys.getwindowsversion()[:3])
        system = "Windows"
    return {
        "system": system,
        "release": release,
        "libc": _libc(),
        "cpu_flags": _cpu_flags(),
        "memory_mb": _memory_mb(),
        "cpus": os.cpu_count(),
        "uid": os.getuid() if hasattr(os, "getuid") else None,
    }


def _libc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):
        return None


def _cpu_flags():
    """The first processor's flags; the file repeats them for each."""
    for line in (read_text("/proc/cpuinfo", 1 << 13) or "").split("\n"):
        name, colon, value = line.partition(":")
        if colon and name.strip() in ("flags", "Features"):
            return value.split()
    return []


def _memory_mb():
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (1 << 20)
    except (AttributeError, ValueError, OSError):
        return None
