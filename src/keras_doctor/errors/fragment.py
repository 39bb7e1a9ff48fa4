"""A failure as people quote it: the end of a traceback, an IPython excerpt, a lone message.

The careful reader of whole tracebacks is :mod:`keras_doctor.errors.traceback`; this one reads
what lies between those, line by line, and takes every layout of a frame that is in use.
"""

from __future__ import annotations

import re

from keras_doctor.errors.crash import tells_of_a_crash
from keras_doctor.errors.message import LINKS, STRAY, exception_in, raised_of
from keras_doctor.model import Frame, Raised
from keras_doctor.model.outcome import CUT_OFF

MAX_MESSAGE_LINES = 30
MAX_CHAIN = 50

# Python's own, also without its indentation.
_PYTHON = re.compile(r'^[\s>|]*(?:E\s+)?File "?([^"\n]{1,400})"?, line (\d+)(?:, in (.*))?$')
# IPython 5 to 7: "~/keras/__init__.py in <module>", "<ipython-input-1-ab> in <module>()".
_IPYTHON_OLD = re.compile(r"^([^\s\"'].{0,300}?(?:\.py|\.pyx|>)) in ([\w<>.]+)(?:\(.*\))?:?$")
# IPython 8: "File ~/keras/__init__.py:37, in f(x)", "Cell In[1], line 1", "Input In [1], in <f>".
_IPYTHON_NEW = re.compile(r"^File ([^\"\n]{1,300}?):(\d+)(?:, in (.*))?$")
_CELL = re.compile(r"^(?:Cell|Input) In ?\[(\d+)\](?:, line (\d+))?(?:, in .*)?$")
# TensorFlow's filtered ones and pytest's: "tensorflow/python/x.py:1795 f", "keras/a.py:3: in f".
_SHORT = re.compile(r"^\s*([\w./\\~:-]{1,300}\.py):(\d+):?(?: (?:in )?([\w<>]+)(?:\s+\S.*)?)?$")
_ARROW = re.compile(r"^-+> ?(\d+)(?: (.*))?$")
_IMPORT = re.compile(r"\s*(?:import|from)\s")


def read_fragment(lines: list[str]) -> list[tuple[Raised, ...]]:
    """Reads the exceptions that some lines show, with the frames before each.

    Args:
        lines: clean lines, none of which belongs to a whole traceback.

    Returns:
        One chain for each failure, in order; [] when the lines show none.
    """
    chains: list[list[Raised]] = []
    frames: list[Frame] = []
    linked = False
    index = 0
    while index < len(lines):
        line = lines[index]
        frame = frame_in(line)
        found = None if frame else exception_in(line)
        if frame is not None:
            frames.append(frame)
        elif found is not None:
            more = _more(lines, index + 1)
            raised = raised_of(found.type, "\n".join([found.message, *more]), frames)
            if linked and chains and len(chains[-1]) < MAX_CHAIN:
                chains[-1][-1] = chains[-1][-1]._replace(link="context")
                chains[-1].append(raised)
            elif _repeats(chains, raised):
                pass  # the head line of IPython and its last line are one exception
            else:
                chains.append([raised])
            frames, linked = [], False
            index += len(more)
        elif any(link in line for link in LINKS):
            linked = True
        elif frames:
            _add_text(frames, line)
        elif (arrow := _ARROW.match(line.strip())) and _IMPORT.match(arrow[2] or ""):
            # The head of the frame was not quoted, only the line with the arrow.
            number = int(arrow[1][:9])
            text = arrow[2].strip()
            frames.append(Frame(file="<cell>", line=number, function="<module>", text=text))
        index += 1
    linked = linked and bool(chains)
    if frames and (linked or not chains):
        # The end was cut off: what is left tells where it was, not what was raised.
        cut = raised_of(CUT_OFF, "", frames)
        if linked:
            chains[-1][-1] = chains[-1][-1]._replace(link="context")
            chains[-1].append(cut)
        elif any(frame.text for frame in frames):
            chains.append([cut])
    return [tuple(chain) for chain in chains]


def frame_in(line: str) -> Frame | None:
    """The frame that a line shows, in any of the layouts, or None."""
    for pattern in (_PYTHON, _IPYTHON_NEW, _SHORT):
        if found := pattern.match(line):
            return Frame(
                file=found[1].strip('"'),
                line=int(found[2][:9]),
                function=(found[3] or "<module>").partition("(")[0],
                text=None,
            )
    if found := _CELL.match(line):
        number = int((found[2] or "0")[:9])
        return Frame(file=f"<cell {found[1]}>", line=number, function="<module>", text=None)
    if (found := _IPYTHON_OLD.match(line)) and " " not in found[1].strip("<>")[-40:]:
        return Frame(file=found[1], line=0, function=found[2], text=None)
    return None


def _add_text(frames: list[Frame], line: str) -> None:
    """The line of source below a frame: the one with the arrow, or the only one."""
    last = frames[-1]
    if arrow := _ARROW.match(line.strip()):
        frames[-1] = last._replace(
            line=last.line or int(arrow[1][:9]), text=(arrow[2] or "").strip() or last.text
        )
    elif last.text is None and line.strip() and not re.match(r"\s*\d+(?: |$)", line):
        frames[-1] = last._replace(text=line.strip())


def _more(lines: list[str], start: int) -> list[str]:
    """The further lines of a message."""
    more: list[str] = []
    for line in lines[start : start + MAX_MESSAGE_LINES]:
        if not line or STRAY.match(line) or tells_of_a_crash(line):
            break
        if frame_in(line) or exception_in(line):
            break
        if any(link in line for link in LINKS):
            break
        more.append(line)
    return more


def _repeats(chains: list[list[Raised]], raised: Raised) -> bool:
    return bool(chains) and chains[-1][-1]._replace(frames=()) == raised._replace(frames=())
