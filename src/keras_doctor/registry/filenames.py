"""What the name of a distribution file says: the version, and the tags of a wheel.

Source: the file name conventions of the binary and source distribution formats
(packaging.python.org; PEP 427, PEP 625 and what came before it).
"""

from __future__ import annotations

import re

from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.versions import parse_version

_SDIST = re.compile(r"(.+?)\.(?:tar\.gz|zip|tar\.bz2|tgz|tar\.xz|tar\.Z|tar)", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z0-9_.]{1,200}-[A-Za-z0-9_.]{1,100}-[A-Za-z0-9_.]{1,400}")


class FileName(NamedTuple):
    """A file name, taken apart."""

    version: str
    tag: str | None
    """Like ``py3-none-any``; None for an sdist."""


def parse_filename(filename: str, name: str) -> FileName | None:
    """Take the name of a file of the package `name` apart.

    Returns:
        None for what is neither a wheel nor an sdist (eggs, installers), for another package's
        file, and for a version that no installer would read.
    """
    if len(filename) > 400:
        return None
    if filename.endswith(".whl"):
        return _wheel(filename.removesuffix(".whl").split("-"), name)
    match = _SDIST.fullmatch(filename)
    return None if match is None else _sdist(match[1], name)


def _wheel(parts: list[str], name: str) -> FileName | None:
    if len(parts) not in (5, 6) or normalize(parts[0]) != name:
        return None
    version, tag = parts[1].replace("_", "-"), "-".join(parts[-3:])
    if parse_version(version) is None or not _TAG.fullmatch(tag):
        return None
    return FileName(version, tag)


def _sdist(stem: str, name: str) -> FileName | None:
    # Names and old versions may both hold dashes: what normalises to the name ends the name.
    for match in re.finditer("-", stem):
        version = stem[match.end() :]
        if normalize(stem[: match.start()]) == name and parse_version(version) is not None:
            return FileName(version, None)
    return None
