"""KD606 api-removed-or-moved: an argument that has another name in this release."""

from __future__ import annotations

import os
import re

from keras_doctor.knowledge.arguments import renamed_arguments
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.arguments import Renamed
    from keras_doctor.model import Finding, Frame, Raised
    from keras_doctor.rules.context import Context

_REFUSED = re.compile(
    r"not recognized|unrecognized keyword|unexpected keyword argument|"
    r"keyword argument not understood",
    re.IGNORECASE,
)
_NAME = re.compile(r"['\"`](\w+)['\"`]")


def renamed_argument(context: Context) -> Iterator[Finding]:
    """An argument of Keras has another name in the installed release.

    What it checks: after a failure that refuses an argument by its name, the line of the user's
    own program that gave it, and whether what is called there is known to take the same under
    another name.

    Why it matters: Keras 2.0 renamed most arguments, and 2.3 the learning rate; the old
    names were accepted for some years. The imports pass, and the call raises.

    How it is fixed: write the name that this release knows, with the same value.

    Example: ``Adam(lr=0.001)`` under Keras 3; ``model.fit(x, y, nb_epoch=5)`` under Keras 2.4.
    """
    if not context.failures:
        raise NotApplicable("nothing failed")
    told: set[str] = set()
    for outcome in context.failures:
        for raised in outcome.chain:
            if not _REFUSED.search(raised.message):
                continue
            own = _own_frame(context, raised)
            for row in renamed_arguments(_NAME.findall(raised.message)):
                called = _called(row, own)
                if own is None or called is None:
                    continue
                result = _finding(context, raised, own, row, called)
                if result.key not in told:
                    told.add(result.key)
                    yield result
    if not told:
        raise RuledOut("no argument was refused that is known by another name")


def _own_frame(context: Context, raised: Raised) -> Frame | None:
    """The innermost line of the user's own."""
    for frame in reversed(raised.frames):
        installed = context.distribution_at(frame.file) or context.is_standard_library(frame.file)
        if not installed and os.path.isabs(frame.file):
            return frame
    return None


def _called(row: Renamed, frame: Frame | None) -> str | None:
    """What the line calls, of those that take the argument."""
    words = re.findall(r"\b(\w+)\s*\(", frame.text or "") if frame else []
    return next((word for word in words if word in row.of), None)


def _finding(context: Context, raised: Raised, own: Frame, row: Renamed, called: str) -> Finding:
    name = os.path.basename(own.file)
    keras = f"Keras {context.keras_version}" if context.keras_version else "this Keras"
    return finding(
        "KD606",
        "api-removed-or-moved",
        name,
        title=f"{called} has no argument {row.given} in {keras}: there it is {row.wanted}",
        why="It was renamed between the releases; the value means the same.",
        evidence=[
            seen(f"{raised.type}: {raised.message}", f"{own.file}:{own.line}"),
            seen(f"{row.given} and {row.wanted} are names of one argument", row.source),
        ],
        stage=CODE,
        weight="risk",
        subject=f"{own.file}:{own.line}:{row.given}",
        blocks=("program",),
        fixes=[
            edit(
                "edit-code",
                f"{own.file}:{own.line}",
                f"Write {row.wanted}= in place of {row.given}= in the calls of {called}.",
                row.wanted,
            )
        ],
        signs=[sign(raised.type.rpartition(".")[2], text=re.escape(raised.message[:200]))],
    )
