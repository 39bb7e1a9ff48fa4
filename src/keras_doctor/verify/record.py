"""RECORD files, read for their hashes.

The format is a CSV file of path, hash and size, the hash as ``algorithm=`` and urlsafe base64
without padding. Source:
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
Nobody vouches for what stands in it.
"""

from __future__ import annotations

import os
import re
from binascii import a2b_base64
from collections import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_BYTES = 1 << 26
"""The largest RECORD that is read."""
MOST_ROWS = 1_000_000
_LONGEST_PATH = 4096
_ROW = re.compile(r"^([^,\n]*),(?:sha256=([A-Za-z0-9_-]{43})=?,([0-9]{0,18})|(.*))$", re.MULTILINE)
"""A line as nearly all are: 32 bytes take 43 characters in base64 without padding."""
_DRIVE = re.compile(r"^[A-Za-z]:")
_ALGORITHM = re.compile(r"[A-Za-z0-9_]{1,16}")
_REWRITTEN = frozenset(
    ("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json")
)
"""Files in a metadata folder that installers write or replace when they are done."""

File = tuple[str, str, int | None]
"""Name, SHA-256 (as the RECORD writes it) and size of one recorded file."""


class Record:
    """The files of one distribution, by what its RECORD says.

    Attributes:
        folders: Relative folder (``/`` between its parts, "" for the location itself) to the
            recorded files in it.
        left_out: How many rows are no matter of content: bytecode, what installers rewrite,
            paths that lead outside, rows without a hash.
        others: Algorithms other than SHA-256, and how many rows use each.
        damaged: How many rows make no sense.
    """

    def __init__(self) -> None:
        self.folders: dict[str, list[File]] = {}
        self.left_out = 0
        self.others: Counter[str] = Counter()
        self.damaged = 0

    def __len__(self) -> int:
        return sum(map(len, self.folders.values()))


def parse_record(text: str, *, windows: bool = os.name == "nt") -> Record:
    """What a RECORD says about content.

    Args:
        text: The file's text, undecodable bytes as surrogates.
        windows: Whether backslashes separate folders, as they do where the patient lives.
    """
    record = Record()
    last: str | None = None
    files: list[File] | None = None
    is_metadata = False
    for written, digest, size, rest in _rows(text, record):
        path = written.replace("\\", "/") if windows else written
        folder, _, name = path.rpartition("/")
        if folder != last:
            last = folder
            is_metadata = folder.endswith(".dist-info")
            files = record.folders.setdefault(folder, []) if _is_inside(folder, path) else None
        if files is None or name.endswith(".pyc") or (is_metadata and name in _REWRITTEN):
            record.left_out += 1
        elif not digest:
            _count_unusable(rest, record)
        elif name in ("", ".", "..") or len(path) > _LONGEST_PATH or "\0" in path:
            record.damaged += 1
        else:
            files.append((name, digest, int(size) if size else None))
    record.folders = {folder: files for folder, files in record.folders.items() if files}
    return record


def to_bytes(digest: str) -> bytes:
    """A SHA-256 as RECORDs write it, in bytes."""
    return a2b_base64(digest.replace("-", "+").replace("_", "/") + "=")


def _rows(text: str, record: Record) -> Iterable[tuple[str, str, str, str]]:
    """Path, SHA-256, size, and what follows the path where there is no SHA-256, of each row."""
    # Hardly any RECORD has fields that need csv's rules, and one look tells.
    if '"' in text or "\r" in text:
        rows: list[tuple[str, str, str, str]] = list(_csv_rows(text, record))
    else:
        rows = _ROW.findall(text)
        record.damaged += sum(1 for line in text.split("\n") if line and "," not in line)
    if len(rows) > MOST_ROWS:
        record.damaged += len(rows) - MOST_ROWS
        del rows[MOST_ROWS:]
    return rows


def _csv_rows(text: str, record: Record) -> Iterator[tuple[str, str, str, str]]:
    import csv
    import io

    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            if len(row) == 3:
                found = _ROW.match("," + ",".join(row[1:]))
                digest, size, rest = found.group(2, 3, 4) if found else (None, None, "?")
                yield row[0], digest or "", size or "", rest or ""
            elif any(row):
                record.damaged += 1
    except csv.Error:
        record.damaged += 1  # and what comes after it cannot be told apart


def _is_inside(folder: str, path: str) -> bool:
    """Whether a recorded path names a place below the location, as text."""
    if path[:1] in ("/", "\\") or _DRIVE.match(path) or "\0" in folder:
        return False
    return not folder or not {"..", ".", ""} & set(folder.split("/"))


def _count_unusable(rest: str, record: Record) -> None:
    """Count a row without a SHA-256 as what it is."""
    recorded, comma, _size = rest.partition(",")
    algorithm, equals, _value = recorded.partition("=")
    if comma and not recorded:
        record.left_out += 1
    elif equals and algorithm != "sha256" and _ALGORITHM.fullmatch(algorithm):
        record.others[algorithm.lower()] += 1
    else:
        record.damaged += 1
