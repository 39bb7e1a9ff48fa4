"""What installers say when they fail, and what it means. Pure.

Sources: the messages of uv 0.9 and pip 26 and of the C library, as they were seen.
"""

from __future__ import annotations

import re

_UNREACHABLE = re.compile(
    r"dns error|failed to lookup address|client error \(Connect\)|Network is unreachable"
    r"|NewConnectionError|Name or service not known|Temporary failure in name resolution"
    r"|Connection refused|timed out while|operation timed out",
    re.IGNORECASE,
)
_FULL = re.compile(r"No space left on device|ENOSPC|Disk quota exceeded", re.IGNORECASE)
_CLOSED = re.compile(r"externally[ -]managed", re.IGNORECASE)
_MOST = 600


def is_unreachable(output: str) -> bool:
    """Whether an installer could not reach its index."""
    return _UNREACHABLE.search(output) is not None


def last_words(output: str) -> str:
    """What an installer said at its end, in one line, after what it means where that is known."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.startswith("error:")]
    starts = starts[-1:] or [n for n, line in enumerate(lines) if line.startswith("ERROR:")]
    whole, end = " ".join(lines[starts[0] :]) if starts else "", " ".join(lines[-6:])
    said = whole[:_MOST] or end[-_MOST:]
    if _CLOSED.search(output):
        return "installers refuse to change this Python (PEP 668)"
    if _FULL.search(output):
        return f"the disk is full. {said}"
    if is_unreachable(output):
        return f"the network cannot be reached. {said}"
    return said or "the installer said nothing"
