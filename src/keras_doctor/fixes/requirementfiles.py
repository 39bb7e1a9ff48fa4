"""The lines of requirements and constraints files, with the files that they name.

Source: pip's reference of the requirements file format.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(?:^|\s)#.*")
_OTHER = re.compile(r"(?:--(requirement|constraint)(?:\s+|=)|-([rc])\s*)(\S.*)\Z")
_MAX_BYTES = 1 << 20
_MAX_FILES = 50


def requirement_lines(text: str) -> Iterator[tuple[int, str]]:
    """The requirements of a requirements or constraints file, each with its line's number.

    Lines that a backslash continues are joined; comments and options are left out.
    """
    for number, line in _lines(text):
        plain = line.partition(" --")[0].strip()
        if plain and not plain.startswith("-"):
            yield number, plain


def requirements_in(path: str, kinds: str = "rc") -> Iterator[tuple[str, str]]:
    """The requirements of a file and of those that it names.

    Args:
        path: The file. What cannot be read states nothing, and so does an address.
        kinds: ``r`` for what it names by ``-r``, ``c`` by ``-c``, or both.

    Yields:
        Each line, and where it stands: ``file:line``.
    """
    left, seen = [path], {os.path.realpath(path)}
    while left:
        file = left.pop(0)
        text = read_text(file)
        for number, line in requirement_lines(text):
            yield line, f"{file}:{number}"
        for _number, line in _lines(text):
            match = _OTHER.match(line.strip())
            if match is None or (match[1] or match[2])[0] not in kinds:
                continue
            other = os.path.join(os.path.dirname(file), match[3].strip())
            real = os.path.realpath(other)
            if real not in seen and len(seen) < _MAX_FILES:
                seen.add(real)
                left.append(other)


def read_text(path: str) -> str:
    """The beginning of a text file; "" when it cannot be read."""
    try:
        if not os.path.isfile(path):  # a pipe would wait for a writer
            return ""
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines as pip reads them, without comments."""
    number, begun = 0, ""
    for count, line in enumerate([*text.splitlines(), ""], 1):
        number = number if begun else count
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun += line[:-1] or " "
            continue
        yield number, _COMMENT.sub("", begun + line)
        begun = ""
