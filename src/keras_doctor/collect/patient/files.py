"""Bounded reading of files that nobody vouches for."""

import os
import stat
import sys

PROBLEMS = []
"""Sentences about what could not be read; part of the document."""
_MOST_PROBLEMS = 200
# A FIFO or device in the place of a file must not make the collector wait.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LARGE = 1 << 16
_ENCODING = "ascii" if sys.getfilesystemencoding() == "ascii" else "utf-8"
_NAMES = {}


def problem(sentence):
    """Note what could not be read."""
    if len(PROBLEMS) < _MOST_PROBLEMS:
        PROBLEMS.append(sentence)


def read_bytes(path, most):
    """The first ``most`` bytes of a file, or None when it cannot be read."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError):
        return None
    try:
        if most > _LARGE:
            most = min(most, os.fstat(handle).st_size or most)
        # One read gives all of a regular file; what is none (a FIFO) may give less.
        return os.read(handle, most)
    except OSError:
        return None
    finally:
        os.close(handle)


def read_text(path, most):
    """The same as text; see :func:`to_text`."""
    data = read_bytes(path, most)
    return None if data is None else to_text(data)


def to_text(data):
    """Bytes as text: UTF-8, undecodable bytes as surrogates.

    A Python that takes file names for ASCII (3.6 without a locale) gets texts of the same
    kind, so that names in files and names of files agree; the host puts all of it right.
    """
    return data.decode(_ENCODING, "surrogateescape")


def names_in(folder):
    """The names in a folder as a set, read once; None when it cannot be listed."""
    if folder not in _NAMES:
        try:
            _NAMES[folder] = set(os.listdir(folder))
        except (OSError, ValueError):
            _NAMES[folder] = None
    return _NAMES[folder]


def forget_names():
    """Empty the memory of :func:`names_in`."""
    _NAMES.clear()
    del PROBLEMS[:]


def is_file(path):
    """Whether it is a regular file (or a link to one)."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path):
    """Whether it is a folder (or a link to one)."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def after(text, label):
    """The version number right after the first ``label`` in a text, like ``3.11``, or None."""
    start = text.find(label)
    while start >= 0:
        rest = text[start + len(label) :]
        major, dot, more = rest.partition(".")
        minor = ""
        for character in more:
            if character not in "0123456789":
                break
            minor += character
        if dot and major.isdigit() and minor and len(major) + len(minor) < 5:
            return major + "." + minor
        start = text.find(label, start + 1)
    return None


def python_in(path):
    """The Python that a path names, like ``3.6`` for ``/usr/lib/python3.6/x``, or None."""
    tidy = path.replace("\\", "/").lower()
    found = after(tidy, "/python")
    if found is None and "/python3" in tidy:  # Windows writes /Python311/
        digits = tidy.split("/python3", 1)[1].split("/", 1)[0]
        found = "3." + digits if digits.isdigit() and len(digits) < 3 else None
    return found


def look_into(path):
    """(size, state) of a file, with one way through its folders for both.

    The state is ``zeros`` for a file that begins and ends with zero bytes only, as a crash
    leaves it behind, ``unreadable`` for one that may not be opened, else None.

    Raises:
        OSError: There is no such file, or not even its size may be asked.
    """
    try:
        handle = os.open(path, _FLAGS)
    except PermissionError:
        return os.stat(path).st_size, "unreadable"
    try:
        size = os.fstat(handle).st_size
        head = os.read(handle, 64)
        if head[:1] == b"\0" and not head.strip(b"\0"):
            os.lseek(handle, max(0, size - 64), os.SEEK_SET)
            if not os.read(handle, 64).strip(b"\0"):
                return size, "zeros"
        return size, None
    finally:
        os.close(handle)
