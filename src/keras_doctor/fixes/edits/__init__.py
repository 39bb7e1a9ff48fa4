"""Exact edits of a user's program: lines that a script, or a person, can change as they stand.

Pure: the text of a file and the facts go in, edits come out. What an edit does to the program is
seen afterwards, when it is rehearsed; but none is offered that only may be meant.
"""

from __future__ import annotations

import re

from keras_doctor.fixes.edits.text import Edit, NoWay, apply_edits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.fixes.edits.program import Program
    from keras_doctor.model import Finding, Fix
    from keras_doctor.rules.context import Context

__all__ = ["Edit", "apply_edits", "edits_for", "place_of"]

_PLACE = re.compile(r"(?P<path>.+\.pyw?):(?P<line>\d+)\Z", re.DOTALL)
_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:[/\\]")


def place_of(fix: Fix, context: Context) -> tuple[str, int] | None:
    """The file and the line that a fix names; None when it is no line of a Python file."""
    match = _PLACE.match(fix.name or "") if fix.kind == "edit-code" else None
    if match is None:
        return None
    path = match["path"]
    if not _ABSOLUTE.match(path):
        folder = context.snapshot.target.folder
        path = f"{folder.rstrip('/')}/{path}"
    return path, int(match["line"])


def edits_for(finding: Finding, fix: Fix, source: str, context: Context) -> tuple[Edit, ...]:
    """The exact edits that carry out a fix of the kind ``edit-code``.

    Args:
        finding: What is wrong.
        fix: One of its fixes; it names the file and the line. Where one program uses two Kerases,
            the edits are those of all lines of that file, not of that line alone.
        source: The text of the file.
        context: The facts that the finding was concluded from.

    Returns:
        Edits of one file, the last line first, so that carrying them out in order keeps the line
        numbers valid. None when no change of single lines is surely what is meant: then a person
        must look.
    """
    from keras_doctor.fixes.edits.program import read

    place = place_of(fix, context)
    program = read(source) if place else None
    if place is None or program is None:
        return ()
    try:
        return _edits(finding, fix, program, context, *place)
    except (NoWay, RecursionError):
        return ()


def _edits(
    finding: Finding, fix: Fix, program: Program, context: Context, path: str, line: int
) -> tuple[Edit, ...]:
    if finding.code == "KD606":
        from keras_doctor.fixes.edits.arguments import renamed

        return renamed(program, path, line, finding.key.rpartition(":")[2], fix.value or "")
    if finding.cause in ("mixed-keras-and-tf-keras", "api-removed-or-moved", "api-never-existed"):
        return _of_imports(finding, fix, program, context, path, line)
    from keras_doctor.fixes.edits.switches import earlier, other_value, removed

    if any(context.set_at_start(one) == fix.name for one in context.variables) and not fix.value:
        reason = "it is set each time that this Python starts, whatever the shell says"
        return removed(program, path, line, reason)
    if finding.cause == "legacy-keras-switch":
        return removed(program, path, line, "without it tf.keras is Keras itself")
    if fix.value:
        return other_value(program, path, line, fix.value)
    if finding.cause == "backend-setting-ignored" and _is_read(context):
        return earlier(program, context, path, line)
    return ()


def _is_read(context: Context) -> bool:
    """Whether a setting is one that Keras would read, were it set before the import."""
    generation = context.generation
    return generation is not None and generation.variable and not generation.fixed


def _of_imports(
    finding: Finding, fix: Fix, program: Program, context: Context, path: str, line: int
) -> tuple[Edit, ...]:
    from keras_doctor.fixes.edits.doors import door_edits
    from keras_doctor.fixes.edits.gone import gone_edits
    from keras_doctor.fixes.edits.places import DOOR, Places
    from keras_doctor.rules.code.mixed import OWN_COPY, package_behind

    places = Places(context)
    subject = finding.key.partition(":")[2]
    if finding.cause == "mixed-keras-and-tf-keras":
        keep = fix.value or "keras"
        door = DOOR if keep == OWN_COPY else keep
        others = (None, keep)
        return door_edits(
            program, places, path, door, lambda one: package_behind(context, one) not in others
        )
    if finding.code == "KD605":
        return door_edits(
            program,
            places,
            path,
            fix.value or DOOR,
            lambda one: f"{one}.".startswith(subject + "."),
        )
    misspelt = finding.cause == "api-never-existed"
    return gone_edits(program, places, path, line, subject, misspelt=misspelt)
