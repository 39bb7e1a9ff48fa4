"""Which interpreter a script file names in its first lines.

Sources: pip's and uv's launchers (distlib's ``exec`` trampoline for long paths, uv's
relocatable one), Windows launchers with the script appended.
"""

import os
import re

from keras_doctor.records import NamedTuple
from keras_doctor.targets import files

_TRAMPOLINE = re.compile(r"'''exec'\s+(?P<python>.+?)\s+\"\$0\"\s+\"\$@\"")
_RELATIVE = re.compile(r"^\"?\$\(dirname.*?\)\"?/(?P<name>.+)$")


class Shebang(NamedTuple):
    """The first line of a script, read."""

    interpreter: str
    """A path, or a bare name to be found on PATH."""
    options: tuple[str, ...]
    is_launcher: bool
    """Whether an installer wrote the file: a console script, not a user's program."""


def read(path: str) -> Shebang | None:
    """The interpreter that a script names; None when it names none.

    Args:
        path: The script; read up to 4 KiB (a launcher of Windows: its end).
    """
    head = files.read_head(path)
    if head[:2] == b"MZ":
        return _windows_launcher(path)
    if head[:2] != b"#!":
        return None
    text = head.decode("utf-8", "surrogateescape")
    trampoline = _TRAMPOLINE.search(text)
    if trampoline and text.startswith("#!/bin/sh"):
        return Shebang(
            interpreter=_trampoline(trampoline["python"], path), options=(), is_launcher=True
        )
    import shlex

    try:
        words = shlex.split(text[2:].partition("\n")[0])
    except ValueError:
        words = text[2:].partition("\n")[0].split()
    words = _without_env(words)
    if not words or not words[0]:
        return None
    return Shebang(interpreter=words[0], options=tuple(words[1:]), is_launcher=_is_launcher(text))


def _without_env(words: list[str]) -> list[str]:
    if not words or os.path.basename(words[0]) != "env":
        return words
    rest = words[1:]
    while rest and (rest[0].startswith("-") or "=" in rest[0]):
        rest.pop(0)
    return rest


def _trampoline(written: str, path: str) -> str:
    relative = _RELATIVE.match(written)
    if relative:
        name = relative["name"].strip("'\"")
        return os.path.normpath(os.path.join(os.path.dirname(os.path.realpath(path)), name))
    return written.strip("'\"")


def _is_launcher(text: str) -> bool:
    """The body that pip, uv, setuptools and conda write is known by its last steps."""
    return bool(
        re.search(r"sys\.exit\(\s*\w+(?:\.\w+)*\(\)\s*\)|load_entry_point|EASY-INSTALL", text)
    )


def _windows_launcher(path: str) -> Shebang | None:
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 65536))
            end = file.read()
    except OSError:
        return None
    match = re.search(
        rb"#!\"?([^\r\n\"]+?python[^\r\n\"]*?\.exe)\"?[^\r\n]*\r?\nPK", end, re.IGNORECASE
    )
    if not match:
        return None
    return Shebang(interpreter=os.fsdecode(match[1]), options=(), is_launcher=True)
