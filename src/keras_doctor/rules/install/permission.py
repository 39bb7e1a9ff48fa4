"""KD703 network-or-permission: folders that may not be written."""

from __future__ import annotations

import os
import re

from keras_doctor.model import Change
from keras_doctor.rules.base import RuledOut, finding, seen, sign
from keras_doctor.rules.context import is_inside, same_path
from keras_doctor.rules.remedies import edit, set_variable
from keras_doctor.rules.stages import COMPILER, PRESENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Fix, Theano
    from keras_doctor.rules.context import Context

# EACCES and EROFS, as Python writes an OSError with a file name.
_REFUSED = r"\[Errno (?:13|30)\] ([^:\n]+): '([^'\n]+)'"
_COMPILEDIR = r"(?:Unable to create the compiledir|compiledir '[^']*' exists but you don't have)"


def network_or_permission(context: Context) -> Iterator[Finding]:
    """A folder that the import writes to may not be written.

    What it checks: when Theano is the backend, whether its ``base_compiledir`` (by default
    ``~/.theano``) can be made and written; and whether a run was refused a file in the home folder
    or in another folder that holds no packages.

    Why it breaks the import: Theano makes its folder while it is imported and gives up when it
    cannot. Keras itself does without a writable home folder; other packages may not.

    How it is fixed: make the folder writable, or name another one.

    Example: a container that runs as a user whose HOME is ``/``.
    """
    found = False
    theano = context.snapshot.theano
    chosen = "theano" in (context.choice.backend, context.wish)
    if theano and chosen and not theano.compiledir_writable:
        found = True
        yield _compiledir(context, theano)
    for index, name, line in _empty_indexes(context):
        found = True
        yield _index(context, index, name, line)
    for path, said in _refused(context):
        if theano and is_inside(path, theano.compiledir) and found:
            continue
        found = True
        yield _refusal(context, path, said)
    if not found:
        raise RuledOut("no run was refused to write, and no folder that is needed is locked")


_INDEXES = re.compile(r"^Looking in indexes: (.+)$", re.MULTILINE)
_IN_VAIN = re.compile(r"satisfies the requirement ([\w.-]+)[^\n]*\(from versions: none\)")


def _empty_indexes(context: Context) -> Iterator[tuple[str, str, str]]:
    """Indexes that offered nothing of a package: the index, the package, and pip's line."""
    for outcome in context.failures:
        indexes = _INDEXES.search(outcome.output)
        match = _IN_VAIN.search(outcome.output)
        if match is None:
            continue
        from keras_doctor.rules.install.no_matching import asked_in_vain

        if asked_in_vain(context, match[1]):
            yield indexes[1].strip() if indexes else "the index of pip", match[1], match[0]


def _index(context: Context, index: str, name: str, line: str) -> Finding:
    from keras_doctor.rules.remedies import command

    python = context.snapshot.target.python or "python"
    return finding(
        "KD703",
        "network-or-permission",
        index,
        title=f"{index} offers nothing of {name}: it is another index, or it was not reached",
        why=f"Releases of {name} fit this Python; pip says the same words when it gets no answer.",
        evidence=[seen(f"Could not find a version that {line}")],
        stage=PRESENCE,
        weight="fatal",
        blocks=(),
        fixes=[
            command(
                context,
                "other",
                "See which setting names that index (a pip.conf, or a variable), and correct it.",
                (python, "-m", "pip", "config", "debug"),
                "pip",
            )
        ],
        signs=[sign(printed=re.escape(line[:200]))],
        explains=[f"no-matching-distribution:{name}", "python-unsupported:*"],
    )


def _refused(context: Context) -> list[tuple[str, str]]:
    """Paths outside the packages that a run was refused, with its words."""
    rows: dict[str, str] = {}
    for outcome in context.failures:
        for raised in outcome.chain:
            for match in re.finditer(_REFUSED, raised.message):
                if not _is_code(context, match[2]):
                    rows.setdefault(match[2], match[0])
    return list(rows.items())


def _is_code(context: Context, path: str) -> bool:
    """Whether the path is one of the import's own files: other rules judge those."""
    if any(same_path(path, c.path) for c in context.snapshot.configs):
        return True
    return any(is_inside(path, e.path) for e in context.snapshot.path if e.origin != "script")


def _home(context: Context) -> str | None:
    variable = context.variables.get("HOME")
    return variable.value if variable else None


def _compiledir(context: Context, theano: Theano) -> Finding:
    home = _home(context)
    culprit = "HOME"
    if theano.compiledir_where:
        culprit = theano.compiledir_where.rpartition(":")[0] or theano.compiledir_where
    elif home is None or not is_inside(theano.compiledir, home):
        culprit = theano.compiledir
    place = theano.compiledir_where or "the default"
    return finding(
        "KD703",
        "network-or-permission",
        culprit,
        title=f"Theano may not write its folder {context.shown(theano.compiledir)}",
        why="Theano makes that folder while it is imported, and gives up when it cannot.",
        evidence=[
            seen("may not be written", theano.compiledir),
            seen(f"base_compiledir by {place}", theano.compiledir_where),
        ],
        stage=COMPILER,
        weight="likely" if theano.compiler else "risk",
        subject="theano",
        fixes=[
            _other_folder(context),
            edit("chmod", theano.compiledir, "Or make the folder that holds it writable."),
        ],
        signs=[
            sign(text=_COMPILEDIR),
            sign("PermissionError", "OSError", text=re.escape(theano.compiledir)),
        ],
        changes=[_change(context)],
    )


_ELSEWHERE = "/tmp/theano"  # noqa: S108 - a proposal; the user may name any other folder


def _flags(context: Context) -> str:
    variable = context.variables.get("THEANO_FLAGS")
    parts = variable.value.split(",") if variable else []
    kept = [p for p in parts if p.strip() and p.partition("=")[0].strip() != "base_compiledir"]
    return ",".join([*kept, f"base_compiledir={_ELSEWHERE}"])


def _other_folder(context: Context) -> Fix:
    return set_variable(
        context, "THEANO_FLAGS", _flags(context), "Let Theano write to another folder."
    )


def _change(context: Context) -> Change:
    return Change(kind="set-variable", name="THEANO_FLAGS", value=_flags(context))


def _refusal(context: Context, path: str, said: str) -> Finding:
    home = _home(context)
    inside = home is not None and len(home) > 1 and is_inside(path, home)
    culprit = "HOME" if inside else os.path.dirname(path) or path
    return finding(
        "KD703",
        "network-or-permission",
        culprit,
        title=f"The import may not use {context.shown(path)}",
        why="A package keeps files there, and the user who runs Python may not.",
        evidence=[seen(said, "live run")],
        stage=COMPILER,
        weight="risk",
        subject=path,
        fixes=[
            edit(
                "chmod",
                path,
                "Give that user the right to write there, or set HOME to a folder "
                "that may be written.",
            ),
        ],
        signs=[sign("PermissionError", "OSError", text=re.escape(path))],
    )
