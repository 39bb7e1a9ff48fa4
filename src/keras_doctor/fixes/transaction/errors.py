"""What is said when a change of the environment is refused or could not be finished."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class TransactionError(Exception):
    """One sentence or two: what, where, and what to do."""


class HeldError(TransactionError):
    """Another process is working on the environment."""


def shown(text: str) -> str:
    """A path or name for a message: what cannot be printed is escaped."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def named(paths: Iterable[str], most: int = 5) -> str:
    """A few paths by name, the rest as a number."""
    listed = sorted(set(paths))
    text = ", ".join(shown(path) for path in listed[:most])
    return text if len(listed) <= most else f"{text} and {len(listed) - most} more"


def reason(error: BaseException) -> str:
    """What an exception says, for the middle of a sentence."""
    if isinstance(error, OSError) and error.strerror:
        place = f" ({shown(str(error.filename))})" if error.filename else ""
        return error.strerror.lower() + place
    return shown(str(error)) or type(error).__name__
