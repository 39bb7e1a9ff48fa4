"""A text that holds a failure, from a file or a pipe of any size and encoding.

Of a long log only what may tell of a failure is kept: its beginning (versions, the command), and
the blocks around words that failures have, the last ones. Memory stays bounded.
"""

from __future__ import annotations

import codecs
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

BLOCK = 64 * 1024
MAX_HEAD = 4 * BLOCK
MAX_BLOCKS = 32
"""So many telling blocks are kept, 2 MiB."""
MAX_WHOLE = MAX_HEAD + MAX_BLOCKS * BLOCK
"""A text up to this size is read as it is."""
MAX_NOTEBOOK = 64 * 1024 * 1024

# Found by a plain search each, which is several times faster than one pattern for all of them.
# No letters whose case varies, so that the search need not fold it.
_TELLING = tuple(
    word.encode()
    for word in (
        *("raceback (most", "Error", "rror:", "xception", "Fatal Python", "egmentation fault"),
        *("llegal instruction", "core dumped", "Aborted", "terminate called", "cannot open shared"),
        *("not found", "No module named", "ould not", "DLL load failed", "ERROR"),
    )
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(file: BinaryIO) -> str:
    """Reads a text, a notebook, or the telling parts of a log.

    Args:
        file: Opened for reading bytes; read to its end, a block at a time.

    Returns:
        Text; never an error for what the bytes are.
    """
    start = file.read(MAX_WHOLE + 1)
    if len(start) > MAX_WHOLE and start.lstrip()[:1] == b"{" and b'"cells"' in start:
        start += file.read(MAX_NOTEBOOK)
    if len(start) <= MAX_WHOLE or start.lstrip()[:1] == b"{":
        return _text_or_notebook(decode(start))
    encoding = _encoding(start[:BLOCK])
    wide = encoding.startswith(("utf-16", "utf-32"))
    kept: deque[tuple[int, bytes]] = deque(maxlen=MAX_BLOCKS)
    head, rest = start[:MAX_HEAD], start[MAX_HEAD:]
    number, before = 0, b""
    while rest:
        for at in range(0, len(rest), BLOCK):
            block = rest[at : at + BLOCK]
            number += 1
            if wide or any(word in block for word in _TELLING):
                if before and (not kept or kept[-1][0] < number - 1):
                    kept.append((number - 1, before))
                kept.append((number, block))
            before = block
        rest = file.read(16 * BLOCK)
    if not kept or kept[-1][0] != number:
        kept.append((number, before))
    return _joined(head, kept, encoding)


def _joined(head: bytes, kept: deque[tuple[int, bytes]], encoding: str) -> str:
    parts = [head]
    last = 0
    for number, block in kept:
        if number != last + 1 and not encoding.startswith(("utf-16", "utf-32")):
            parts.append(b"\n")
        parts.append(block)
        last = number
    return b"".join(parts).decode(encoding, errors="replace")


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    even, odd = data[:4000:2].count(0), data[1:4000:2].count(0)
    if odd > 4 * even + 8:
        return "utf-16-le"
    if even > 4 * odd + 8:
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def decode(data: bytes) -> str:
    """Bytes as text, in the encoding that they are most likely in.

    A byte order mark decides; else zero bytes tell of UTF-16, which PowerShell writes; else it is
    UTF-8, or else what Windows used before.
    """
    return data.decode(_encoding(data), errors="replace")


def _text_or_notebook(text: str) -> str:
    if text.lstrip()[:1] != "{":
        return text
    from keras_doctor.errors.notebook import notebook_text

    return notebook_text(text) or text
