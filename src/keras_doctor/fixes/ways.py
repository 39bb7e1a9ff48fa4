"""From a finding to the ways out of it, as typed steps."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from keras_doctor.fixes.edits import edits_for, place_of
from keras_doctor.model.plan import Command, Step, Way
from keras_doctor.names import normalize
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from keras_doctor.model import Finding, Fix
    from keras_doctor.rules.context import Context

INSTALLS = ("install", "reinstall", "uninstall")
_LINE = re.compile(r":\d+\Z")


def ways_of(
    finding: Finding, context: Context, source_of: Callable[[str], str | None]
) -> tuple[Way, ...]:
    """The ways out that a finding offers, in its own order.

    Args:
        finding: A cause.
        context: What it was concluded from.
        source_of: The text of a program's file; None when it cannot be read.

    Returns:
        Each with at least one step; fixes that are words only become steps of kind ``other``.
    """
    key = key_of(finding)
    found: list[Way] = []
    steps: list[Step] = []
    for fix in finding.fixes:
        steps += _steps(finding, fix, context, source_of)
        if not fix.continues:
            if steps:
                found.append(Way(key=key, steps=tuple(steps)))
            steps = []
    return tuple(found)


def key_of(finding: Finding) -> str:
    """What tells a cause from others, before and after a repair."""
    return f"{finding.code}:{finding.cause}:{finding.culprit}"


def _steps(
    finding: Finding, fix: Fix, context: Context, source_of: Callable[[str], str | None]
) -> Iterator[Step]:
    blank = Step(
        kind="other",
        risk="shown",
        summary=fix.summary,
        code=finding.code,
        cause=finding.cause,
        culprit=finding.culprit,
    )
    if fix.kind in ("set-env", "unset-env"):
        line = (Command("shell", None, fix.command),) if fix.command else ()
        yield blank._replace(kind="set-env", name=fix.name, value=fix.value, commands=line)
    elif fix.kind in INSTALLS and fix.targets:
        yield blank._replace(kind=fix.kind, risk="safe", requirements=fix.targets)
    elif fix.kind == "edit-config" and (fix.name or "").rpartition(":")[0].endswith(".pth"):
        yield _pth_step(blank, fix, context, source_of)
    elif fix.kind == "edit-config":
        yield _config_step(blank, finding, fix, context)
    elif fix.kind in ("delete", "chmod") and fix.targets:
        yield _path_step(blank, fix, context)
    elif fix.kind == "rename-file" and fix.name and fix.value:
        yield _rename_step(blank, fix, context, source_of)
    elif fix.kind == "edit-code":
        yield from _edit_steps(blank, finding, fix, context, source_of)
    elif fix.kind == "use-env":
        python = fix.argv[0] if fix.argv else None
        yield blank._replace(kind="use-env", risk="consent", path=python, value=fix.value)
    elif fix.kind == "system-package":
        line = (Command("shell", fix.argv, fix.command),) if fix.command else ()
        yield blank._replace(kind="system-package", name=fix.name, commands=line)
    else:
        yield blank


def _config_step(blank: Step, finding: Finding, fix: Fix, context: Context) -> Step:
    path = _LINE.sub("", fix.name or "")
    if os.path.basename(path) != "keras.json":
        return blank._replace(path=path or None)
    texts = [c.value for c in finding.changes if c.kind == "config-text" and c.name == path]
    text = texts[0] if texts else None
    if text is None and fix.value and fix.value.lstrip().startswith("{"):
        text = fix.value
    if text is None and fix.value:
        text = with_backend(_config_text(context, path), fix.value)
    if text is None:
        return blank._replace(path=path)
    return blank._replace(kind="write-file", risk="safe", path=path, value=text)


def _config_text(context: Context, path: str) -> str:
    return next((one.text or "" for one in context.snapshot.configs if one.path == path), "")


def with_backend(text: str, backend: str) -> str:
    """The text of a keras.json with another backend and all else as it is.

    A text that is no JSON object becomes a file with Keras' own defaults for the rest.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        data = {"floatx": "float32", "epsilon": 1e-07, "image_data_format": "channels_last"}
    return json.dumps(data | {"backend": backend}, indent=4) + "\n"


def _path_step(blank: Step, fix: Fix, context: Context) -> Step:
    step = blank._replace(kind=fix.kind, paths=fix.targets, value=fix.value)
    ours = all(is_ours(context, path) for path in fix.targets)
    mends = fix.kind == "delete" or fix.value is not None
    return step._replace(risk="safe" if ours and mends else "shown")


def _pth_step(
    blank: Step, fix: Fix, context: Context, source_of: Callable[[str], str | None]
) -> Step:
    """A line of a .pth file that goes; the rest of the file stays."""
    path, _, number = (fix.name or "").rpartition(":")
    lines = (source_of(path) or "").splitlines()
    if not number.isdecimal() or not 0 < int(number) <= len(lines):
        return blank._replace(path=path)
    return blank._replace(
        kind="drop-line",
        risk="safe" if is_ours(context, path) else "shown",
        path=path,
        line=int(number),
        old=lines[int(number) - 1],
    )


def is_ours(context: Context, path: str) -> bool:
    """Whether a path is one that a repair may change: in the environment, or a keras.json."""
    if any(one.path == path and one.kind == "keras.json" for one in context.snapshot.configs):
        return True
    return any(is_inside(path, root) and path != root for root in roots_of(context))


def roots_of(context: Context) -> tuple[str, ...]:
    """The folders that belong to the environment: its prefix, and the user's site-packages."""
    interpreter = context.snapshot.interpreter
    roots = [context.snapshot.target.environment or (interpreter.prefix if interpreter else None)]
    roots += [entry.path for entry in context.snapshot.path if entry.origin == "user-site"]
    return tuple(dict.fromkeys(root for root in roots if root))


def _rename_step(
    blank: Step, fix: Fix, context: Context, source_of: Callable[[str], str | None]
) -> Step:
    """A file of the user's gets another name; a misplaced keras.json is copied to its place."""
    path, to = fix.name or "", fix.value or ""
    if os.path.basename(to) == "keras.json":
        text = source_of(path)
        taken = any(c.path == to and c.state != "absent" for c in context.snapshot.configs)
        if text is not None and not taken:
            return blank._replace(
                kind="write-file", risk="safe", path=to, value=text.removeprefix("\ufeff")
            )
    return blank._replace(kind="rename-file", risk="consent", path=path, to=to)


def _edit_steps(
    blank: Step,
    finding: Finding,
    fix: Fix,
    context: Context,
    source_of: Callable[[str], str | None],
) -> Iterator[Step]:
    place = place_of(fix, context)
    source = source_of(place[0]) if place else None
    edits = edits_for(finding, fix, source, context) if source is not None else ()
    for edit in edits:
        yield blank._replace(
            kind="edit-code",
            summary=edit.reason,
            path=edit.path,
            line=edit.line,
            old=edit.old,
            new=edit.new,
        )
    if not edits:
        yield blank


def distributions_of(step: Step) -> frozenset[str]:
    """The normalised names of the distributions that a step changes."""
    if step.kind not in INSTALLS:
        return frozenset()
    return frozenset(normalize(re.split(r"[^A-Za-z0-9._-]", one)[0]) for one in step.requirements)


def installs(way: Way) -> bool:
    """Whether a way changes what is installed."""
    return any(step.kind in INSTALLS for step in way.steps)


def same_steps(one: Way, other: Way) -> bool:
    """Whether two ways do the same, whatever asked for it."""
    return [what_it_does(step) for step in one.steps] == [
        what_it_does(step) for step in other.steps
    ]


def what_it_does(step: Step) -> Step:
    """A step without what asked for it: two findings may want the same."""
    return step._replace(summary="", code="", cause="", culprit="", commands=())


def environ_after(environ: Mapping[str, str], steps: Iterable[Step]) -> dict[str, str]:
    """The user's variables as they are once the steps about variables are done."""
    result = dict(environ)
    for step in steps:
        if step.kind == "set-env" and step.name:
            result.pop(step.name, None)
            if step.value is not None:
                result[step.name] = step.value
    return result
