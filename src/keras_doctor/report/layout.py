"""Lines for a terminal: cleaned of control characters, folded, and coloured at the very end.

Every string passes through :func:`clean` on its way onto a page, because any of them may come
from the patient: a file name, a variable, a metadata line, an exception. Drawn without rich,
which is slow to import and may be the broken package.
"""

from __future__ import annotations

import re

MAX_WIDTH = 100
"""Longer lines are hard to read, however wide the terminal is."""
MIN_WIDTH = 24
"""Narrower than this, folding does more harm than the terminal's own wrapping."""
LABEL = 11
"""The width of the column of labels."""

_STYLES = {"bold": "1", "red": "1;31", "green": "1;32", "yellow": "1;33", "dim": "2", "cyan": "36"}
_COLOR_SEQUENCE = re.compile(r"\x1b\[[0-9;:]*m")
_TYPOGRAPHY = {
    "\u2026": "...",
    "\u2013": "-",
    "\u2014": "-",
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2192": "->",
    "\u2265": ">=",
    "\u2264": "<=",
}


def clean(text: str) -> str:
    r"""The text without anything that a terminal would obey.

    Colour sequences are dropped, since programs print them for colour alone. Every other
    character that cannot be printed (control characters, direction marks, a byte order mark,
    a no-break space, half of a surrogate pair) is shown by its escape, like ``\x1b``: the
    invisible character may be the very fault. Line breaks are kept.
    """
    if text.isprintable():
        return text
    text = _COLOR_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\t", "    ")
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else _escape(c) for c in text)


def one_line(text: str) -> str:
    """The cleaned text with its line breaks as spaces, for titles and table cells."""
    return clean(text).replace("\n", " ")


def cells(text: str) -> int:
    """How many columns a cleaned text takes on a terminal."""
    if text.isascii():
        return len(text)
    import unicodedata

    width = 0
    for char in text:
        if unicodedata.combining(char):
            continue
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width


def fold(text: str, width: int) -> list[str]:
    """The lines of a text, folded at spaces.

    A word longer than the width stays whole, because a path or a command that is broken in
    two can no longer be copied; so the words of the result are the words of the text.

    Args:
        text: Cleaned text; its own line breaks and the indentation of its lines are kept.
        width: The number of columns.

    Returns:
        At least one line, without line breaks.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width and cells(line) <= width:
            lines.append(line.rstrip())
        else:
            lines.extend(_fold_line(line, width))
    return lines


def _fold_line(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip(" "))]
    if len(indent) > width // 2:
        indent = ""
    lines: list[str] = []
    words: list[str] = []
    used = 0
    for word in line.strip(" ").split(" "):
        size = cells(word)
        if words and used + 1 + size > width:
            lines.append(indent + " ".join(words).rstrip())
            words, used = [], 0
        used = used + 1 + size if words else len(indent) + size
        words.append(word)
    lines.append(indent + " ".join(words).rstrip())
    return lines


class Page:
    """Lines in the order in which they are read.

    Args:
        width: Columns of the terminal; more than :data:`MAX_WIDTH` is not used.
        color: Whether styles become escape sequences.
        unicode: Whether the output can hold more than ASCII.
    """

    def __init__(self, *, width: int, color: bool, unicode: bool) -> None:
        self.width = max(MIN_WIDTH, min(width, MAX_WIDTH))
        self._color = color
        self._unicode = unicode
        self._lines: list[str] = []

    def text(self, text: str, *, indent: int = 0, hang: int = 0, style: str = "") -> None:
        """A paragraph; lines after the first are indented by `hang` more."""
        room = max(self.width - indent - hang, MIN_WIDTH // 2)
        for number, line in enumerate(fold(clean(text), room)):
            self._put(" " * (indent + (hang if number else 0)), line, style)

    def field(self, label: str, text: str, *, indent: int = 0, style: str = "") -> None:
        """A paragraph with a label in the column before it; an empty label continues one."""
        column = indent + LABEL
        lines = fold(clean(text), max(self.width - column, MIN_WIDTH // 2))
        for number, line in enumerate(lines):
            head = label if number == 0 else ""
            padding = " " * (LABEL - len(head)) if line else ""
            self._put(" " * indent + self._styled(head, "dim") + padding, line, style)

    def verbatim(self, text: str, *, indent: int = 0, style: str = "") -> None:
        """Lines that are never folded, because they are to be copied."""
        for line in clean(text).split("\n"):
            self._put(" " * indent, line, style)

    def blank(self) -> None:
        """An empty line, unless the page is empty or there is one already."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def command(self, text: str, *, indent: int) -> None:
        """A command to paste: never folded, and further to the left when it is long."""
        widest = max(map(cells, clean(text).split("\n")))
        self.verbatim(text, indent=indent if indent + widest <= self.width else 4, style="cyan")

    def table(self, rows: list[tuple[str, ...]], *, indent: int = 0, style: str = "") -> None:
        """Rows of aligned columns; the last column is folded under itself where it fits."""
        rows = [tuple(one_line(cell) for cell in row) for row in rows]
        if not rows:
            return
        sizes = [max(cells(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
        column = indent + sum(sizes) + 2 * len(sizes)
        for row in rows:
            head = "".join(
                cell + " " * (size - cells(cell) + 2)
                for cell, size in zip(row, sizes, strict=False)
            )
            self._row(" " * indent + head, row[-1], column, style)

    def _row(self, head: str, last: str, column: int, style: str) -> None:
        if self.width - column < MIN_WIDTH < cells(last):
            self._put("", head, style)
            column, head = min(column, 6), " " * min(column, 6)
        lines = fold(last, max(self.width - column, MIN_WIDTH // 2))
        self._put("", head + lines[0], style)
        for line in lines[1:]:
            self._put(" " * column, line, style)

    def _put(self, head: str, line: str, style: str) -> None:
        self._lines.append((head + self._styled(line, style)).rstrip())

    def _styled(self, text: str, style: str) -> str:
        if not (self._color and style and text):
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"

    def render(self) -> str:
        """The page as text, ending in one line break."""
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        text = "\n".join(self._lines) + "\n"
        return text if self._unicode else to_ascii(text)


def to_ascii(text: str) -> str:
    """The text in ASCII: typography spelled plainly, everything else by its escape."""
    if text.isascii():
        return text
    for char, plain in _TYPOGRAPHY.items():
        text = text.replace(char, plain)
    return text.encode("ascii", "backslashreplace").decode("ascii")


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
