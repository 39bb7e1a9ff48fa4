"""Whose import failed unseen: "X is not installed" is often said of an X that is there. Pure.

A package that tries an import and catches what comes says afterwards that the other package is
missing. Why it does not load is lost with the exception; importing it alone shows it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Outcome, Raised
    from keras_doctor.rules.context import Context

_SAYS_ABSENT = re.compile(
    r"\binstall|\brequire|\bneed|\bnot (?:be )?(?:found|available|imported)|\bno module named|"
    r"\b(?:could|can) ?not (?:be )?import",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z_]\w*")


def swallowed_imports(context: Context) -> tuple[str, ...]:
    """The import names that a failure calls absent though something on the path answers to them.

    Args:
        context: What is known; its last run is the one that is looked at.

    Returns:
        Import names, in the order in which they are mentioned.
    """
    last = context.outcomes[-1] if context.outcomes else None
    if last is None or last.status != "raised" or not last.chain:
        return ()
    raised = last.chain[-1]
    if not _SAYS_ABSENT.search(raised.message):
        return ()
    known = {name.lower(): name for name in context.way_modules | set(context.modules)}
    words = dict.fromkeys(word.lower() for word in _WORD.findall(raised.message))
    named = [known[word] for word in words if word in known]
    there = [name for name in named if _is_there(context, name)]
    return tuple(name for name in there if not _ran(last, raised, name))


def _is_there(context: Context, name: str) -> bool:
    module = context.module(name)
    return module is not None and module.kind in ("package", "module", "extension")


def _ran(outcome: Outcome, raised: Raised, name: str) -> bool:
    """Whether its own code is in the traceback: then nothing was swallowed, or it is who speaks."""
    inside = re.compile(rf"[/\\]{re.escape(name)}(?:[/\\]|\.\w+\Z)")
    if raised.name is not None and raised.name.partition(".")[0] != name:
        return True  # the exception itself tells which module was not found
    return any(inside.search(frame.file) for one in outcome.chain for frame in one.frames)
