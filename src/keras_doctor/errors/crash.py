"""What is left of a process that died by a signal: faulthandler's report, the shell's word."""

from __future__ import annotations

import re

from keras_doctor.errors.lines import clean_lines
from keras_doctor.model import Frame

MAX_FRAMES = 100

# The texts of faulthandler (Modules/faulthandler.c) and of strsignal(), which shells print.
SIGNAL_TEXTS = {
    "Segmentation fault": "SIGSEGV",
    "Aborted": "SIGABRT",
    "Abort trap": "SIGABRT",
    "Bus error": "SIGBUS",
    "Illegal instruction": "SIGILL",
    "Floating point exception": "SIGFPE",
    "Floating-point exception": "SIGFPE",
    "Killed": "SIGKILL",
}
_NAMES = "|".join(re.escape(text) for text in SIGNAL_TEXTS)
_FATAL = re.compile(rf"Fatal Python error: ({_NAMES})\s*$")
# As bash says it ("bash: line 1:  1234 Bus error   (core dumped) python x"), as zsh does ("zsh:
# bus error  python x"), and as it stands alone on a line.
_SHELL = re.compile(
    rf"^(?:[^:]{{1,200}}: line [0-9]+: +[0-9]+ |[^:\s]{{1,40}}:[0-9]*:? +(?:[0-9]+ )?)?({_NAMES})"
    r"(?:: [0-9]+)?(?: *\(core dumped\))?(?:\s{2,}.*)?$",
    re.IGNORECASE,
)
_THREAD = re.compile(r"(Current thread|Thread) 0x[0-9a-fA-F]+.*\(most recent call first\):\s*$")
_FRAME = re.compile(r'^\s*File "(.*)", line ([0-9]+|\?\?\?) in (.*)$')
_BY_LOWER = {text.lower(): name for text, name in SIGNAL_TEXTS.items()}


def tells_of_a_crash(line: str) -> bool:
    """Whether a line is a shell's, or faulthandler's, word for a death by a signal."""
    return _SHELL.match(line) is not None or _FATAL.search(line) is not None


def parse_crash(text: str) -> tuple[str | None, tuple[Frame, ...]]:
    """Reads the last report of faulthandler, or a shell's line about a signal.

    Args:
        text: the output of a program that died, or what faulthandler wrote when it was asked
            where the program hangs.

    Returns:
        The signal's name (``SIGSEGV``) or None, and the frames of the thread that died (else
        of the last thread listed, which is the main one), innermost last. Both are empty for a
        text that tells of no crash.
    """
    signal = None
    told = None
    threads: list[tuple[bool, list[Frame]]] = []
    frames: list[Frame] | None = None
    for line in clean_lines(text):
        if "Fatal Python error" in line:
            found = _FATAL.search(line)
            signal, threads, frames = (found and SIGNAL_TEXTS[found[1]]), [], None
        elif thread := _THREAD.search(line):
            frames = []
            threads.append((thread[1] == "Current thread", frames))
        elif frames is not None and (frame := _FRAME.match(line)):
            if len(frames) < MAX_FRAMES:
                number = int(frame[2][:9]) if frame[2].isdigit() else 0
                frames.append(Frame(file=frame[1], line=number, function=frame[3], text=None))
        else:
            frames = None
            if word := _SHELL.match(line):
                told = _BY_LOWER[word[1].lower()]
    chosen = next((stack for current, stack in threads if current), None)
    if chosen is None:
        chosen = threads[-1][1] if threads else []
    return signal or told, tuple(reversed(chosen))
