"""Files of an environment that name its own folder: led to the copy, and back again."""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import os
import re
import shutil
from typing import TYPE_CHECKING

from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keras_doctor.fixes.rehearse.mirror import Mirror

_MAX_BYTES = 4 << 20
_SCRIPTS = ("bin", "Scripts")
_NAMES = (
    "RECORD",  # lists files outside of the environment by their full paths
    "installed-files.txt",
    "kernel.json",
    "sitecustomize.py",
    "usercustomize.py",
)
_BINARY = (".so", ".dll", ".dylib", ".pyd", ".a", ".exe")
_SHORT = frozenset(b"zZ")
_LONG = frozenset(b"aAtu")
"""How marshal begins a text: with one byte for its length, or with four."""
_SHARED = 0x80
_LONG_START = re.compile(rb"""\A#!/bin/sh\n'''exec' (["']?)([^\n"' ]+)\1 "\$0" "\$@"\n' '''\n""")
_SHEBANG = 127
"""Longer first lines are written in two, for kernels that cut them."""


def leads_back(path: str) -> bool:
    """Whether a file is one that may lead from a copy into the original."""
    folder, name = os.path.split(path)
    return (
        name.endswith((".pth", ".egg-link"))
        or name.startswith("__editable__")
        or name in _NAMES
        or os.path.basename(folder) in _SCRIPTS
    )


def led_text(path: str, mirror: Mirror) -> bytes | None:
    """The content that a file of the original gets in the copy; None when it stays the same."""
    data = _text_of(path)
    if data is None:
        return None
    text = data.decode("utf-8", "surrogateescape")
    new = mirror.rewritten(text)
    if new.startswith("#!"):
        line, end, rest = new.partition("\n")
        words = line[2:].strip().split(None, 1)
        if words:
            line = line.replace(words[0], mirror.there(words[0]), 1)
        new = line + end + rest
    elif path.endswith((".pth", ".egg-link")):
        new = "".join(_led_line(line, mirror) for line in new.splitlines(keepends=True))
    return None if new == text else new.encode("utf-8", "surrogateescape")


def _led_line(line: str, mirror: Mirror) -> str:
    path = line.strip()
    # A colon may be part of a folder's name: a line of a .pth file is one path.
    return line if os.pathsep in path else line.replace(path, mirror.there(path), 1)


def straightened(path: str, mirror: Mirror) -> bool:
    """Let a file that was written in the copy name the original; says whether it had to."""
    if path.endswith(_BINARY):
        return False
    if path.endswith(".pyc"):
        return _straightened_bytecode(path, mirror)
    data = _text_of(path)
    if data is None or os.fsencode(mirror.world) not in data:
        return False
    text = mirror.back(data.decode("utf-8", "surrogateescape"))
    replace(path, _short_start(text.encode("utf-8", "surrogateescape")))
    return True


def _straightened_bytecode(path: str, mirror: Mirror) -> bool:
    """Let bytecode name the source where it will lie.

    Python corrects that by itself whenever it loads it, but a text that outlives its folder would
    be a trace of us. What is not as expected is left as it is.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return False
    pieces, done = [], 0
    for found in re.finditer(re.escape(os.fsencode(mirror.world)), data):
        begin = _marshalled_at(data, found.start())
        if begin is None:
            return False
        length = int.from_bytes(data[begin + 1 : found.start()], "little")
        end = found.start() + length
        text = os.fsencode(mirror.back(os.fsdecode(data[found.start() : end])))
        size = len(text).to_bytes(found.start() - begin - 1, "little")
        pieces += [data[done : begin + 1], size, text]
        done = end
    if not pieces:
        return False
    replace(path, b"".join([*pieces, data[done:]]))
    return True


def _marshalled_at(data: bytes, start: int) -> int | None:
    """Where a marshalled text begins whose characters begin at `start`."""
    if start > 1 and data[start - 2] & ~_SHARED in _SHORT:
        return start - 2
    if start > 4 and data[start - 5] & ~_SHARED in _LONG:
        return start - 5
    return None


def _short_start(data: bytes) -> bytes:
    """The launcher as installers write it where the interpreter's path is not too long."""
    found = _LONG_START.match(data)
    if found is None or len(found[2]) + 3 > _SHEBANG:
        return data
    return b"#!" + found[2] + b"\n" + data[found.end() :]


def without_ways_out(
    record: str, site: str, roots: Sequence[str], links: Sequence[str]
) -> bytes | None:
    """A list of installed files without those that lie elsewhere; None when there are none.

    An uninstaller would follow it: seen with uv, through a link in site-packages.

    Args:
        record: A RECORD file.
        site: The folder that its paths are relative to.
        roots: What they may lie in.
        links: Links to folders that lie elsewhere.
    """
    data = _text_of(record)
    if data is None:
        return None
    rows = _rows_of(data)
    kept = [row for row in rows if not row or _is_at_home(row[0], site, roots, links)]
    return None if len(kept) == len(rows) else _as_record(kept, data)


def _is_at_home(name: str, site: str, roots: Sequence[str], links: Sequence[str]) -> bool:
    path = os.path.join(site, name)
    return any(is_inside(path, root) for root in roots) and not any(
        is_inside(path, link) for link in links
    )


def correct_records(records: Iterable[str], corrected: set[str]) -> None:
    """Write size and hash of files anew into the lists that have them.

    Args:
        records: RECORD files in the copy.
        corrected: Files in the copy whose content was corrected.
    """
    for record in records:
        data = _text_of(record)
        if data is None:
            continue
        site = os.path.dirname(os.path.dirname(record))
        rows = _rows_of(data)
        wrong = [row for row in rows if _is_wrong(row, site, corrected)]
        for row in wrong:
            row[1:] = _hash_and_size(os.path.join(site, row[0]))
        if wrong:
            replace(record, _as_record(rows, data))


def _rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline="")))


def _as_record(rows: list[list[str]], like: bytes) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n" if b"\r\n" in like else "\n").writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")


def _is_wrong(row: list[str], site: str, corrected: set[str]) -> bool:
    has_hash = len(row) == 3 and row[1].startswith("sha256=")
    return has_hash and os.path.normpath(os.path.join(site, row[0])) in corrected


def _hash_and_size(path: str) -> tuple[str, str]:
    with open(path, "rb") as file:
        data = file.read()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(data))


def _text_of(path: str) -> bytes | None:
    """The content of a text file of ordinary size; None for others and what cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError:
        return None
    return None if len(data) > _MAX_BYTES or b"\0" in data else data


def replace(path: str, data: bytes) -> None:
    """New content with the old mode and times; other names of the file keep the old content."""
    beside = f"{path}.keras-doctor"
    try:
        with open(beside, "wb") as file:
            file.write(data)
        shutil.copystat(path, beside)
        os.replace(beside, path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(beside)
