"""One release beside another: what is declared, in both directions, and what was measured."""

from __future__ import annotations

from keras_doctor.compat.declared import declared
from keras_doctor.compat.seen import seen
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.compat.declared import Declared
    from keras_doctor.compat.seen import Seen
    from keras_doctor.compat.where import Where

ACCEPTS, FORBIDS, SILENT, UNREAD = "accepts", "forbids", "silent", "not-read"
"""What metadata says of a pair: nothing that was read speaks of it (silent), or nothing speaks of
it and part of it was not read."""


class Pair(NamedTuple):
    """Two releases."""

    declared: str
    """``accepts``, ``forbids``, ``silent`` or ``not-read``."""
    says: tuple[str, ...]
    """What is declared, like ``tensorflow 2.10.1 requires protobuf<3.20``."""
    seen: Seen | None
    """None: not measured."""

    @property
    def contradiction(self) -> str | None:
        """``accepts-what-fails`` or ``forbids-what-works``, where the two disagree."""
        return contradiction(self.declared, None if self.seen is None else self.seen.works)


def contradiction(says: str, works: bool | None) -> str | None:  # noqa: FBT001
    """How metadata and runs disagree; None when they do not, or one of them is not known."""
    if works is False and says in (ACCEPTS, SILENT):
        return "accepts-what-fails"
    if works is True and says == FORBIDS:
        return "forbids-what-works"
    return None


def pair(one: str, version: str, other: str, other_version: str, where: Where) -> Pair:
    """What is known of two releases together."""
    there = declared(one, version, other, where)
    back = declared(other, other_version, one, where)
    return Pair(
        declared=verdict(there.accepts(other_version), back.accepts(version), there, back),
        says=tuple(f"{d.by} requires {line}" for d in (there, back) for line in d.lines),
        seen=seen(one, version, other, other_version, where.python),
    )


def verdict(there: bool | None, back: bool | None, one: Declared, other: Declared) -> str:  # noqa: FBT001
    """What two directions say together."""
    if there is False or back is False:
        return FORBIDS
    if there or back:
        return ACCEPTS
    return SILENT if one.read and other.read else UNREAD
