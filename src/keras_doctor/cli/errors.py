"""What can go wrong for the user of the command line, and how it is told."""

from __future__ import annotations

import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

USAGE, BUG, INTERRUPTED = 2, 3, 130
"""Exit statuses: bad usage or no such target, a mistake of ours, Ctrl-C."""
DEBUG = "KERAS_DOCTOR_DEBUG"
"""The variable that asks for the traceback of a mistake of ours."""

# By name, so that no module is imported only to know its error.
_EXPECTED = (
    ("keras_doctor.targets", "TargetError", "target"),
    ("keras_doctor.collect", "CollectError", "collect"),
    ("keras_doctor.collect.load", "SnapshotError", "snapshot"),
    ("keras_doctor.compat", "CompatError", "package"),
    ("keras_doctor.fixes.transaction.errors", "TransactionError", "repair"),
    ("keras_doctor.create.wanted", "CreateError", "create"),
)


class UsageError(Exception):
    """Something that the user can put right; one sentence, and perhaps a hint."""

    def __init__(self, message: str, *, hint: str | None = None, code: str = "usage") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def expected(error: Exception) -> UsageError | None:
    """The error as one for the user, when a part of the tool raised it for them; else None."""
    for module, name, code in _EXPECTED:
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and isinstance(error, kind):
            text = str(error)
            text = text[:1].upper() + text[1:]
            if not text.endswith((".", "?", "!")):
                text += "."
            return UsageError(text, hint=getattr(error, "hint", None), code=code)
    return None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one is most probably meant to be, or None."""
    import difflib

    lower = {item.lower(): item for item in known}
    found = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def complain(text: str) -> None:
    """Say something on stderr; a closed or full stderr is no reason to fail."""
    from keras_doctor.report.layout import clean

    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"keras-doctor: {clean(text)}\n")
        sys.stderr.flush()


def report_bug(error: Exception, *, verbose: bool) -> None:
    """Say on stderr that the tool itself failed, and how to report it."""
    if verbose or os.environ.get(DEBUG):
        import traceback

        complain("".join(traceback.format_exception(error)).rstrip("\n"))
        where = "Please report it with the lines above"
    else:
        where = f"Please report it with what {DEBUG}=1 in front of the same command shows"
    complain(
        "This is a mistake of keras-doctor and says nothing about your environment "
        f"({type(error).__name__}: {error}). {where} and, if you can, with the file that "
        "`keras-doctor snapshot` writes."
    )
