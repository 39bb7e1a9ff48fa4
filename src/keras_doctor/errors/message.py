"""The line that says what was raised: the type and the message, or the message alone."""

from __future__ import annotations

import re

from keras_doctor.model import Frame, Raised
from keras_doctor.records import NamedTuple

MAX_FRAMES = 400
LINKS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
STRAY = re.compile(r"^(?:>>> |In \[\d+\]|\$ |Traceback \(most recent|={5,}|-{5,}|\+[-+])")

_NAMES = r"(?:[A-Za-z_]\w*\.)*(?:[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning)|Exception)"
# At the start of a line, after a quotation mark, a prompt, pytest's E, or a log's level.
_TYPED = re.compile(
    rf"^[\s>|*`'\"“-]*(?:E\s{{2,}}|\(?\S{{0,60}}?\)?\s?(?:ERROR|error|Error|FATAL)[:\]]\s+)?"
    rf"({_NAMES})(?::\s?(.*))?$"
)
_INSIDE = re.compile(rf"(?:^|[\s\"'(>])({_NAMES}): (\S.*)$")
# What an exception says though its type was not quoted; the type then follows from it.
_UNTYPED = (
    ("ModuleNotFoundError", re.compile(r"(?:^|[^\w])(No module named ['\"]?[A-Za-z_].*)$")),
    ("ImportError", re.compile(r"(?:^|[^\w])((?:cannot|can't) import name .*)$", re.IGNORECASE)),
    ("ImportError", re.compile(r"(?:^|[^\w])(DLL load failed\b.*)$")),
    (
        "AttributeError",
        re.compile(
            r"(?:^|[^\w])((?:partially initialized )?module '?[\w.]+'? has no attribute .*)$",
            re.IGNORECASE,
        ),
    ),
    ("AttributeError", re.compile(r"(?:^|[^\w])('[\w.]+' object has no attribute .*)$")),
)
_NOT_FOUND = re.compile(r"^No module named ['\"]?([A-Za-z_][\w.]*)")
_CANNOT_IMPORT = re.compile(
    r"^cannot import name '?[\w.]+'?(?: from (?:partially initialized module )?'([\w.]+)'"
    r"(?: \(most likely due to a circular import\))?)?(?: \((.+)\))?"
)


class Said(NamedTuple):
    """What one line says was raised."""

    type: str
    message: str
    quoted: bool
    """Whether the type was not there and follows from the message."""


def exception_in(line: str) -> Said | None:
    """What a line says was raised, or None.

    Warnings are no failures. A type without a message counts only when it stands alone.
    """
    if len(line) > 2000:
        line = line[:2000]
    found = _TYPED.match(line) or _INSIDE.search(line)
    if found and not found[1].endswith("Warning"):
        if found[2] is None and line.strip() != found[1]:
            return None
        if "Traceback (most recent call last)" in (found[2] or ""):
            return None
        return Said(type=found[1], message=_bare(found[2] or ""), quoted=False)
    for name, pattern in _UNTYPED:
        if found := pattern.search(line):
            return Said(type=name, message=_bare(found[1]), quoted=True)
    return None


def _bare(message: str) -> str:
    """A message without the marks that a quotation puts around it."""
    message = message.strip()
    if message.endswith("”") or (message.endswith("`") and message.count("`") % 2):
        message = message[:-1]
    if message.endswith('"') and message.count('"') % 2:
        message = message[:-1]
    return message


def raised_of(name: str, text: str, frames: list[Frame]) -> Raised:
    """An exception, with what its message tells of ``ImportError.name`` and ``.path``."""
    module, path = import_names(text)
    if len(frames) > MAX_FRAMES:
        frames = frames[: MAX_FRAMES // 2] + frames[-MAX_FRAMES // 2 :]
    return Raised(type=name, message=text, frames=tuple(frames), link=None, name=module, path=path)


def import_names(message: str) -> tuple[str | None, str | None]:
    """What ``ImportError.name`` and ``.path`` were, as far as the message tells."""
    if found := _NOT_FOUND.match(message):
        return found[1].rstrip("."), None
    if found := _CANNOT_IMPORT.match(message):
        path = found[2]
        return found[1], None if path == "unknown location" else path
    return None, None
