"""Whether a run failed in the way that a finding predicts."""

from __future__ import annotations

import re

from keras_doctor.rules.context import is_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Outcome, Raised, Sign


def matches(sign: Sign, outcome: Outcome) -> bool:
    """Whether a run failed in the way that a sign predicts."""
    if sign.crash:
        return outcome.status == "died"
    if sign.printed:
        return re.search(sign.printed, _printed(outcome)) is not None
    if any(_matches_exception(sign, raised) for raised in outcome.chain):
        return True
    if sign.types or sign.module or sign.raised_in:
        return False
    if sign.file and any(is_inside(frame.file, sign.file) for frame in outcome.crash_frames):
        return True
    printed = _printed(outcome)
    if sign.file and not sign.text:
        return re.search(re.escape(sign.file) + r"(?![\w.-])", printed) is not None
    return bool(sign.text and not outcome.chain and re.search(sign.text, printed))


def _matches_exception(sign: Sign, raised: Raised) -> bool:
    if sign.types and raised.type.rpartition(".")[2] not in sign.types:
        return False
    if sign.text and not re.search(sign.text, raised.message):
        return False
    if sign.module and not _names_module(sign.module, raised):
        return False
    if sign.file and not any(is_inside(frame.file, sign.file) for frame in raised.frames):
        return False
    return not (
        sign.raised_in and not (raised.frames and is_inside(raised.frames[-1].file, sign.raised_in))
    )


def _names_module(module: str, raised: Raised) -> bool:
    name = raised.name or ""
    if raised.type.rpartition(".")[2] not in ("ModuleNotFoundError", "ImportError"):
        return False
    return name == module or name.startswith(module + ".")


def _printed(outcome: Outcome) -> str:
    return outcome.output[-20000:]
