"""Whether a failure says what a signature describes."""

from __future__ import annotations

import re
from functools import cache

from keras_doctor.names import normalize
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.knowledge.signatures import Condition, Signature
    from keras_doctor.model import Outcome
    from keras_doctor.rules.context import Context

MAX_TEXT = 200_000
"""So many of a text's last characters are searched."""


def said(signature: Signature, outcome: Outcome) -> re.Match[str] | None:
    """Where a failure says what a signature describes, or None."""
    text = outcome.output[-MAX_TEXT:]
    places = [text]
    if signature.scope == "exception" and outcome.chain:
        places = [f"{raised.type}: {raised.message}" for raised in outcome.chain]
    pattern = _compiled(signature.pattern)
    found = None
    for place in places:
        lowered = place.lower()
        if any(literal in lowered for literal in signature.literals):
            found = found or _first(pattern, place, loud=any(r.frames for r in outcome.chain))
    if found is None or (signature.unless and _compiled(signature.unless).search(text)):
        return None
    if signature.frames and not _shows_frame(signature.frames, outcome, text):
        return None
    return found


# Lines of a log that are no errors: those of TensorFlow and absl, and of Python's logging.
_MILD = re.compile(r"^\S* ?\d\d:\d\d:\d\d[.,]\d+:? [WI]\b|^[WI]\d{4} \d\d:|^(?:WARNING|INFO)\b")
_MATCHES = 20


def _first(pattern: re.Pattern[str], text: str, *, loud: bool) -> re.Match[str] | None:
    """The first match; beside a traceback (`loud`), a warning in the log is none."""
    for count, found in enumerate(pattern.finditer(text)):
        if not loud or count >= _MATCHES:
            return found
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
        if not _MILD.match(line):
            return found
    return None


def _shows_frame(pattern: str, outcome: Outcome, text: str) -> bool:
    frames = [frame.file for raised in outcome.chain for frame in raised.frames]
    frames += [frame.file for frame in outcome.crash_frames]
    search = _compiled(pattern).search
    return any(search(place.replace("\\", "/")) for place in frames or [text])


def holds(condition: Condition, context: Context, text: str) -> bool:
    """Whether every part of a condition is known to be so."""
    for name, specifier in condition.packages:
        found = context.first(normalize(name))
        if found is None or (specifier and not satisfies(found.version, specifier)):
            return False
    interpreter, machine = context.snapshot.interpreter, context.snapshot.machine
    if condition.python and not (interpreter and satisfies(interpreter.version, condition.python)):
        return False
    if condition.systems and not (machine and machine.system.lower() in _systems(condition)):
        return False
    if condition.managers and context.snapshot.target.manager not in condition.managers:
        return False
    if condition.text and not _compiled(condition.text).search(text):
        return False
    return not (condition.not_text and _compiled(condition.not_text).search(text))


def _systems(condition: Condition) -> set[str]:
    return {"darwin" if name == "macos" else name for name in condition.systems}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
