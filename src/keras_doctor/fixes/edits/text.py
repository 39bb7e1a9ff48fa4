"""The lines of a program, and exact changes of them."""

from __future__ import annotations

import io
import re
import tokenize

from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Sequence

_LINE_END = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


class Edit(NamedTuple):
    """One line of a file that becomes another text.

    The line `line` is exactly `old`, without its line end. `new` takes its place: it may be empty
    (the line stays, as an empty one) or hold several lines, between which a line feed stands for
    the line end that the file uses.
    """

    path: str
    line: int
    """From 1."""
    old: str
    new: str
    reason: str
    """Why, in one clause for a person."""


class Span(NamedTuple):
    """A part of one line, in characters, and what is to stand there."""

    line: int
    begin: int
    end: int
    new: str


class Place(NamedTuple):
    """Where a node of the syntax tree stands, in characters."""

    first: int
    begin: int
    last: int
    end: int


class NoWay(Exception):  # noqa: N818 -- it is an answer, not an error
    """Raised where no change of the text alone is honest."""


class Text:
    """A source text by its lines, as the Python parser counts them."""

    def __init__(self, source: str) -> None:
        """Args: the text as decoded, with its own line ends."""
        self.bom = _BOM if source.startswith(_BOM) else ""
        self.lines: list[str] = _LINE_END.split(source[len(self.bom) :])
        self._tokens: list[tokenize.TokenInfo] | None = None

    @property
    def plain(self) -> str:
        """The text that a parser takes: without a byte order mark, all line ends alike."""
        return "\n".join(self.lines)

    @property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """Its tokens; empty when they cannot be told apart."""
        if self._tokens is None:
            try:
                self._tokens = list(tokenize.generate_tokens(io.StringIO(self.plain).readline))
            except (tokenize.TokenError, SyntaxError):
                self._tokens = []
        return self._tokens

    def place(self, node: ast.stmt | ast.expr | ast.alias) -> Place:
        """Where a node stands; the tree counts bytes of UTF-8, this counts characters."""
        last = node.end_lineno or node.lineno
        return Place(
            first=node.lineno,
            begin=self.column(node.lineno, node.col_offset),
            last=last,
            end=self.column(last, node.end_col_offset or 0),
        )

    def comments(self, first: int, last: int) -> dict[int, str]:
        """The comments on some lines, by line."""
        return {
            token.start[0]: token.string
            for token in self.tokens
            if token.type == tokenize.COMMENT and first <= token.start[0] <= last
        }

    def is_continued(self, line: int) -> bool:
        """Whether a line goes on with the statement of the line above, after a backslash."""
        return line > 1 and self.lines[line - 2].endswith("\\")

    def ends_below(self, place: Place) -> bool:
        """Whether what follows a statement, after a semicolon, goes on below its last line."""
        for token in self.tokens:
            if token.type == tokenize.NEWLINE and token.start >= (place.last, place.end):
                return token.start[0] != place.last
        return True

    def edits(self, path: str, spans: Iterable[Span], reason: str) -> tuple[Edit, ...]:
        """The lines that change, the last one first; () when spans overlap or change nothing."""
        rows: dict[int, list[Span]] = {}
        for span in sorted(set(spans)):
            rows.setdefault(span.line, []).append(span)
        found = []
        for line in sorted(rows, reverse=True):
            old = self.lines[line - 1]
            new = _spliced(old, rows[line])
            if new is None:
                return ()
            if new != old:
                bom = self.bom if line == 1 else ""
                found.append(
                    Edit(path=path, line=line, old=bom + old, new=bom + new, reason=reason)
                )
        return tuple(found)

    def column(self, line: int, offset: int) -> int:
        """The character of a line that the tree's byte offset means."""
        return len(self.lines[line - 1].encode()[:offset].decode(errors="replace"))


def _spliced(line: str, spans: Sequence[Span]) -> str | None:
    parts = []
    done = 0
    for span in spans:
        if span.begin < done:
            return None
        parts += [line[done : span.begin], span.new]
        done = span.end
    return "".join([*parts, line[done:]])


def replaced(text: Text, node: ast.stmt, statements: Sequence[str]) -> list[Span]:
    """A statement becomes others, at the same depth; none of them: ``pass``.

    Alone on its line each gets a line, and may be a comment; else they are joined by semicolons,
    and comments are ``pass`` there. Comments inside a statement of several lines stay where they
    are.

    Raises:
        NoWay: It is entangled with a statement that follows on its last line.
    """
    place = text.place(node)
    head = text.lines[place.first - 1][: place.begin]
    tail = text.lines[place.last - 1][place.end :]
    if not is_alone(text, node):
        code = [one for one in statements if not one.startswith("#")] or ["pass"]
        if place.first != place.last and text.ends_below(place):
            raise NoWay
        return _over(text, place, "; ".join(code), tail)
    rows = list(statements) or ["pass"]
    if len(rows) == 1 and place.first == place.last:
        return [Span(place.first, place.begin, place.end, rows[0])]
    below = "".join(f"\n{head}{row}" for row in rows[1:])
    return _over(text, place, rows[0], tail.rstrip(), below)


def is_alone(text: Text, node: ast.stmt) -> bool:
    """Whether nothing but white space and a comment shares the lines of a statement."""
    place = text.place(node)
    head = text.lines[place.first - 1][: place.begin]
    tail = text.lines[place.last - 1][place.end :].strip()
    if head.strip() or (tail and not tail.startswith("#")):
        return False
    return not text.is_continued(place.first)


def _over(text: Text, place: Place, code: str, tail: str, below: str = "") -> list[Span]:
    """Put code on the first line of a place, and clear the others but for their comments."""
    line = text.lines[place.first - 1]
    if place.first == place.last:
        return [Span(place.first, place.begin, len(line), code + tail + below)]
    comments = text.comments(place.first, place.last - 1)
    first = comments.pop(place.first, None)
    if first:
        tail += f"  {first}"
    spans = [Span(place.first, place.begin, len(line), code + tail + below)]
    indent = line[: len(line) - len(line.lstrip())]
    for number in range(place.first + 1, place.last + 1):
        kept = comments.get(number)
        new = indent + kept if kept else ""
        spans.append(Span(number, 0, len(text.lines[number - 1]), new))
    return spans


def apply_edits(source: str, edits: Iterable[Edit]) -> str:
    """Carry out the edits of one file.

    Args:
        source: The text that they were made for.
        edits: In any order.

    Raises:
        ValueError: A line is not what an edit says it is, or two edits are for one line.
    """
    ends = _LINE_END.findall(source)
    lines = _LINE_END.split(source)
    usual = max(set(ends), key=ends.count) if ends else "\n"
    done: set[int] = set()
    for edit in edits:
        if not 0 < edit.line <= len(lines) or edit.line in done:
            raise ValueError(f"there is no line {edit.line} to change")
        if lines[edit.line - 1] != edit.old:
            raise ValueError(f"line {edit.line} is not {edit.old!r}")
        done.add(edit.line)
        end = ends[edit.line - 1] if edit.line <= len(ends) else usual
        lines[edit.line - 1] = edit.new.replace("\n", end)
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))
