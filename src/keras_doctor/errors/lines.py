"""Cut hostile text into clean, bounded lines: the first step of every reader in this folder."""

from __future__ import annotations

import re

MAX_TEXT = 2 * 1024 * 1024
"""Longer texts keep their end: that is where the last exception is."""
MAX_LINE = 4096
MAX_PREFIX = 120

# Colours and cursor movements (CSI), window titles (OSC), and two-character escapes. Each
# repeat is over one class of characters, so that the time stays linear.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DIGITS = re.compile(r"[0-9]+")


def clean_lines(text: str) -> list[str]:
    """Splits a text into lines without escapes and control characters.

    Args:
        text: anything. Of more than `MAX_TEXT` characters only the end is read.

    Returns:
        The lines, each at most `MAX_LINE` characters. Of a line that was overprinted (a
        progress bar, which ends its states with a carriage return) only the last state.
    """
    text = _ESCAPE.sub("", text[-MAX_TEXT:])
    return [_clean(line) for line in text.split("\n")]


def _clean(line: str) -> str:
    line = line.rstrip("\r")
    if "\r" in line:
        line = line.rsplit("\r", 1)[1]
    return _CONTROL.sub("", line[:MAX_LINE]).expandtabs(4).rstrip()


def prefix_pattern(prefix: str) -> re.Pattern[str]:
    """Makes a pattern for what stands before every line of one traceback.

    A prefix is what a collector of logs puts there: ``[stderr] ``, ``web_1  | ``, or a time,
    which differs from line to line. So every run of digits matches every other.

    Args:
        prefix: the text before ``Traceback`` in its first line.

    Returns:
        A pattern to be matched at the start of a line.
    """
    parts = _DIGITS.split(prefix[:MAX_PREFIX])
    return re.compile("[0-9]+".join(re.escape(part) for part in parts))
