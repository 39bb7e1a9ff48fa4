"""KD604 circular-import."""

from __future__ import annotations

import os
import re

from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Frame, Raised
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
            cycle = _cycle(context, raised, match[1])
            if cycle:
                yield _between(context, raised, match[1], cycle)
                break
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


def _cycle(context: Context, raised: Raised, module: str) -> list[Frame]:
    """The import lines of the user's own files that lead back to the module; () when none do."""
    own = [f for f in raised.frames if _is_own(context, f) and f.function == "<module>"]
    stem = module.rpartition(".")[2]
    inside = [i for i, frame in enumerate(own) if _stem(frame) == stem]
    if not inside or all(_stem(frame) == stem for frame in own[inside[0] :]):
        return []
    return own[inside[0] :]


def _is_own(context: Context, frame: Frame) -> bool:
    installed = context.distribution_at(frame.file) or context.is_standard_library(frame.file)
    return not installed and frame.file.endswith(".py")


def _stem(frame: Frame) -> str:
    """The name of the module that a file is, by its path alone."""
    folder, name = os.path.split(frame.file)
    stem = name[: -len(".py")]
    return os.path.basename(folder) if stem == "__init__" else stem


def _between(context: Context, raised: Raised, module: str, cycle: list[Frame]) -> Finding:
    first, last = cycle[0], cycle[-1]
    one, other = context.shown(first.file), context.shown(last.file)
    return finding(
        "KD604",
        "circular-import",
        one,
        title=f"{one} and {other} import each other",
        why=(
            f"{module} is still being loaded, and has only the names that were defined above its "
            f"line {first.line}, when {other} asks it for one."
        ),
        evidence=[
            *(seen((f.text or "import").strip(), f"{f.file}:{f.line}") for f in cycle),
            seen(f"{raised.type}: {raised.message}"),
        ],
        stage=CODE,
        weight="risk",
        subject=module,
        blocks=("program",),
        fixes=[
            edit(
                "edit-code",
                f"{first.file}:{first.line}",
                f"Move the import of line {first.line} of {one} into the function that needs it, "
                "or what both need into a third file.",
            )
        ],
        signs=[sign(text=re.escape(raised.message[:200]))],
    )
