"""Text of a Python traceback to a chain of exceptions.

The text is whatever people paste and programs print: colours, a collector's prefix before
every line, log lines in between, several tracebacks one after the other. Reading it is pure
and takes linear time; a text without a traceback gives an empty chain, never an error.

The layout that is read is that of `traceback.TracebackException.format` in Python 3.6 to 3.14.
"""

from __future__ import annotations

import re

from keras_doctor.errors.crash import parse_crash
from keras_doctor.errors.fragment import read_fragment
from keras_doctor.errors.lines import MAX_PREFIX, clean_lines, prefix_pattern
from keras_doctor.errors.message import LINKS, raised_of
from keras_doctor.model import Frame, Raised
from keras_doctor.records import NamedTuple

__all__ = ["Found", "find_tracebacks", "parse_crash", "parse_traceback", "read_failures"]

MAX_CHAIN = 50
MAX_MESSAGE_LINES = 60
MAX_TRACEBACKS = 500
_LOOK_AHEAD = 6
_MAX_NOISE = 50
_SYNTAX_LINES = 8

_HEADER = "Traceback (most recent call last)"
_GROUP_HEADER = "+ Exception Group " + _HEADER
_SURVIVED = ("Exception ignored ", "Error processing line ", "--- Logging error ---")
_FRAME = re.compile(r'^\s*File "(.*)", line ([0-9]+)(?:, in (.*))?$')
_MARKS = re.compile(r"^[\s~^]+$")
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.<>]*)(?::(?: (.*))?)?$")
_BARE = re.compile(r"^(?:E +)?((?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Exit|Interrupt)): (.*)$")
# IPython begins with the type and has frames of its own kind.
_IPYTHON = re.compile(r"^[\w.]*(?:Error|Exception|Exit|Interrupt|Warning)\s{3,}$")
_LEVEL = re.compile(r"^(?:[A-Z]{4,8}|[Ww]arning|[Ii]nfo|[Nn]ote|[Hh]int)$")
_LOG_LINE = re.compile(
    r"^(?:\[?\d{4}[-/]\d\d[-/]\d\d[ T]|\[?\d\d:\d\d:\d\d|[EWIF]\d{4} \d\d:|[A-Z]{4,8}:\w)"
)
_GROUP_RULE = re.compile(r"^\s*\+[-+]")
# Their messages never have a second line: what follows belongs to somebody else.
_ONE_LINE = {"ModuleNotFoundError", "KeyError", "SyntaxError", "IndentationError", "TabError"}


class Found(NamedTuple):
    """One traceback of a text, with the exceptions that led to it."""

    chain: tuple[Raised, ...]
    """The exception raised first at the start."""
    survived: bool
    """Python itself says that the program went on: an exception ignored in a destructor, a
    line of a .pth file, a logging error, the end of another thread."""
    first_line: int
    stop: int
    """The line after its last."""
    after: int
    """How many lines that are not blank follow its last exception line, less the lines that
    belong to the message."""


class _Block(NamedTuple):
    """One ``Traceback`` with its exception line."""

    raised: Raised
    link: str | None
    """How it came from the block before it."""
    start: int
    stop: int
    """The line after its message."""
    depth: int
    """Of a member of an exception group: its indentation; 0 elsewhere."""
    group: bool


def parse_traceback(text: str) -> tuple[Raised, ...]:
    """Reads the last traceback of a text.

    Args:
        text: a pasted traceback, a log, the output of a program.

    Returns:
        The chain of exceptions, the one raised first at the start: that of the last traceback
        that the program did not survive, else a single exception without frames when the text
        holds only a line such as ``ModuleNotFoundError: No module named 'keras'``, else ().
    """
    lines = clean_lines(text)
    found = [each for each in _find(lines) if not each.survived]
    if found:
        return found[-1].chain
    for line in reversed(lines):
        if bare := _BARE.match(line.strip()):
            return (raised_of(bare[1], bare[2], []),)
    return ()


def read_failures(text: str) -> tuple[tuple[Raised, ...], ...]:
    """Reads every failure of a text, those included of which only a part was quoted.

    Args:
        text: whatever somebody pasted.

    Returns:
        One chain for each, in the order of the text. What the program survived is left out,
        unless there is nothing else.
    """
    lines = clean_lines(text)
    chains: list[tuple[Raised, ...]] = []
    survived: list[tuple[Raised, ...]] = []
    at = 0
    for found in _find(lines):
        before = [_without_prefix(line) for line in lines[at : found.first_line]]
        quoted = read_fragment(before)
        chain = found.chain
        link = next((told for line in reversed(before[-3:]) if (told := _link_in(line))), None)
        if quoted and link:
            *quoted, head = quoted
            chain = (*head[:-1], head[-1]._replace(link=link), *chain)
        chains += quoted
        (survived if found.survived else chains).append(chain)
        at = found.stop
    chains += read_fragment([_without_prefix(line) for line in lines[at:]])
    return tuple(chains or survived)


# What collectors of logs, build systems and mail put before a line.
_PREFIX = re.compile(
    r"^(?:\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s+|#\d+ \d+\.\d+ |[\w.-]{1,40}\s+\| "
    r"|\[(?:stderr|stdout|\d+(?:,\d+)?)\]\s?|(?:> ){1,8})"
)


def _without_prefix(line: str) -> str:
    found = _PREFIX.match(line)
    bare = line[found.end() :] if found else line
    # Where two underscores mean bold.
    return bare.replace("**init**", "__init__").replace("**main**", "__main__")


def find_tracebacks(text: str) -> tuple[Found, ...]:
    """Finds every traceback of a text, in the order in which they were printed.

    Args:
        text: the output of a program.

    Returns:
        At most `MAX_TRACEBACKS` of them, the last ones.
    """
    return tuple(_find(clean_lines(text)))


def _find(lines: list[str]) -> list[Found]:
    blocks = _blocks(lines)[-MAX_TRACEBACKS:]
    found: list[Found] = []
    row: list[_Block] = []
    for block in blocks:
        member = block.depth and any(each.group and each.depth < block.depth for each in row)
        if row and block.link is None and not member:
            found.append(_assemble(row, lines))
            row = []
        row.append(block)
    if row:
        found.append(_assemble(row, lines))
    return found


def _assemble(row: list[_Block], lines: list[str]) -> Found:
    """Makes one chain of blocks that belong together.

    A group's members are printed after it and happened before it, so they go before it.
    """
    ordered: list[_Block] = []
    for block in row:
        group = next((i for i, each in enumerate(ordered) if each.group), None)
        if block.depth and group is not None and block.depth > ordered[group].depth:
            ordered.insert(group, block)
        else:
            ordered.append(block)
    chain: list[Raised] = []
    for block, later in zip(ordered, [*ordered[1:], None], strict=True):
        link = None
        if later is not None:
            link = later.link or ("cause" if later.group or block.depth else "context")
        chain.append(block.raised._replace(link=link))
    if len(chain) > MAX_CHAIN:
        chain = chain[: MAX_CHAIN // 2] + chain[-MAX_CHAIN // 2 :]
    start, stop = row[0].start, row[-1].stop
    before = [line.strip() for line in lines[max(0, start - 3) : start]]
    survived = any(line.startswith(_SURVIVED) for line in before)
    survived = survived or any(line.startswith("Exception in thread ") for line in before)
    after = sum(1 for line in lines[stop:] if line and not _GROUP_RULE.match(line))
    return Found(chain=tuple(chain), survived=survived, first_line=start, stop=stop, after=after)


def _blocks(lines: list[str]) -> list[_Block]:
    blocks: list[_Block] = []
    link: str | None = None
    linked = 0
    index = 0
    while index < len(lines):
        line = lines[index]
        block = None
        if _HEADER in line:
            block = _read_block(lines, index, link)
        elif 'File "' in line and (frame := _FRAME.match(line)) and frame[3] is None:
            # A syntax error in the program's own file is printed without a header.
            block = _read_syntax_error(lines, index, link)
        if block is not None:
            blocks.append(block)
            link = None
            index = block.stop
            continue
        if told := _link_in(line):
            link, linked = told, index
        elif index > linked + 2:
            link = None  # the next header follows at once, after one blank line
        index += 1
    return blocks


def _read_syntax_error(lines: list[str], index: int, link: str | None) -> _Block | None:
    """Reads place, source, mark and exception; a few lines, so that the time stays linear."""
    few = lines[index : index + _SYNTAX_LINES]
    block = _read_frames(few, 0, 0, "", link, depth=0, group=False)
    if block is None or not block.raised.type.endswith(
        ("SyntaxError", "IndentationError", "TabError")
    ):
        return None
    return block._replace(start=index, stop=index + block.stop)


def _link_in(line: str) -> str | None:
    if not line.endswith(":"):
        return None
    return next((link for text, link in LINKS.items() if line.endswith(text)), None)


def _read_block(lines: list[str], header: int, link: str | None) -> _Block | None:
    """Reads the block whose header line is at `header`; None when no exception line follows."""
    line = lines[header]
    group = _GROUP_HEADER in line
    prefix = line[: line.index(_GROUP_HEADER if group else _HEADER)]
    if len(prefix) > MAX_PREFIX or _IPYTHON.match(prefix):
        return None
    depth = 0
    member = re.search(r"\s*\| $", prefix)
    if group:
        depth = len(prefix) or 1
        prefix += "| "
    elif member:
        depth = len(prefix)
    following = next((each for each in lines[header + 1 : header + 4] if each), "")
    if prefix and not prefix_pattern(prefix).match(following) and _FRAME.match(following):
        prefix = ""  # a log line's own head stands only before the first line
    return _read_frames(lines, header, header + 1, prefix, link, depth=depth, group=group)


def _read_frames(
    lines: list[str],
    start: int,
    index: int,
    prefix: str,
    link: str | None,
    *,
    depth: int,
    group: bool,
) -> _Block | None:
    """Reads frames until the exception line, then its message."""
    strip = _Stripper(prefix)
    frames: list[Frame] = []
    noise = 0
    while index < len(lines) and noise < _MAX_NOISE:
        line = strip(lines[index])
        if _HEADER in lines[index]:
            return None
        frame = _FRAME.match(line) if line is not None else None
        if frame is not None:
            noise = 0
            frames.append(_frame(frame))
        elif line is None or not line:
            noise += 1
        elif line[0].isspace():
            _add_text(frames, line)
        elif (found := _EXCEPTION.match(line)) and not _is_noise(found, lines, index, strip):
            message, stop = _read_message(lines, index, found, strip)
            raised = raised_of(found[1], "\n".join(message), frames)
            return _Block(raised, link, start, stop, depth, group)
        else:
            noise += 1
        index += 1
    return None


class _Stripper:
    """Takes the prefix of one traceback off a line; None for a line that lacks it."""

    __slots__ = ("bare", "pattern")

    def __init__(self, prefix: str) -> None:
        self.pattern = prefix_pattern(prefix) if prefix else None
        self.bare = prefix_pattern(prefix.strip())

    def __call__(self, line: str) -> str | None:
        if self.pattern is None:
            return line
        found = self.pattern.match(line)
        if found:
            return line[found.end() :]
        # Blank lines lose the blanks at the end of their prefix.
        return "" if self.bare.fullmatch(line.strip()) else None


def _frame(found: re.Match[str]) -> Frame:
    function = "<module>" if found[3] is None else found[3]
    return Frame(file=found[1], line=int(found[2][:9]), function=function, text=None)


def _add_text(frames: list[Frame], line: str) -> None:
    """The first line of source below a frame is its text; marks and further lines are not."""
    if frames and frames[-1].text is None and not _MARKS.match(line):
        text = line.strip()
        if not text.startswith("[Previous line repeated "):
            frames[-1] = frames[-1]._replace(text=text)


def _is_noise(found: re.Match[str], lines: list[str], index: int, strip: _Stripper) -> bool:
    """Whether a line between frames only looks like the exception: a level, more frames."""
    name = found[1]
    if _LEVEL.match(name) or name[-1] == ".":
        return True
    if found[2] is None and ":" not in found[0] and "." not in name and not name[0].isupper():
        return True
    for line in lines[index + 1 : index + 1 + _LOOK_AHEAD]:
        if not line or _HEADER in line:
            return False
        rest = strip(line)
        if rest is not None and rest.startswith('  File "') and _FRAME.match(rest):
            return True
    return False


def _read_message(
    lines: list[str], index: int, found: re.Match[str], strip: _Stripper
) -> tuple[list[str], int]:
    """Reads the message: what stands behind the colon, and the lines after it.

    Python does not mark where a message (and the notes below it) ends, so lines belong to it
    until something else begins.
    """
    message = [found[2] or ""]
    stop = index + 1
    if found[1] in _ONE_LINE:
        return message, stop
    for line in lines[index + 1 : index + 1 + MAX_MESSAGE_LINES]:
        rest = strip(line)
        if rest is None or _ends_message(line, rest):
            break
        message.append(rest)
        stop += 1
    while len(message) > 1 and not message[-1].strip():
        message.pop()
        stop -= 1
    return message, stop


def _ends_message(line: str, rest: str) -> bool:
    if _HEADER in line or _link_in(line) or line.startswith(_SURVIVED) or _GROUP_RULE.match(line):
        return True
    if _LOG_LINE.match(rest) or rest.startswith("Fatal Python error"):
        return True
    return rest.startswith(("Exception in thread ", '  File "'))
