"""KD604 circular-import."""

from __future__ import annotations

import re

from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.stages import CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context

_HALFWAY = re.compile(r"partially initialized module '([\w.]+)'")


def circular_import(context: Context) -> Iterator[Finding]:
    """Two modules import each other, and one is asked for a name before it has it.

    What it checks: after a failure, the words "partially initialized module", where no file of
    the user's hides the package: that is the far more frequent reason, and another rule's.

    Why it breaks the import: a module that is still being loaded has only the names that were
    defined so far.

    How it is fixed: import the second module later, in the function that needs it; in an installed
    package, another release of it.

    Example: a program of two files that import from each other.
    """
    if not context.failures:
        raise NotApplicable("nothing failed")
    found = False
    for outcome in context.failures:
        for raised in outcome.chain:
            match = _HALFWAY.search(raised.message)
            if match is None:
                continue
            found = True
            place = raised.frames[-1] if raised.frames else None
            where = f"{place.file}:{place.line}" if place else outcome.what
            yield finding(
                "KD604",
                "circular-import",
                match[1],
                title=f"{match[1]} is asked for a name while it is still being loaded",
                why="Something that it imports imports it in turn.",
                evidence=[seen(f"{raised.type}: {raised.message}", where)],
                stage=CODE,
                weight="risk",
                signs=[sign(text=re.escape(raised.message[:200]), weak=True)],
            )
            break
    if not found:
        raise RuledOut("no module was asked for something while it was being loaded")
