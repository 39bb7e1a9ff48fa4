"""Arguments of Keras that got another name."""

from __future__ import annotations

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Renamed(NamedTuple):
    """One argument, as it is refused and as it is known."""

    given: str
    """The name that is refused."""
    wanted: str
    of: frozenset[str]
    """The last names of the callables that take it."""
    source: str


def renamed_arguments(names: Iterable[str]) -> tuple[Renamed, ...]:
    """The other names of refused arguments, in both directions.

    Args:
        names: The refused ones.
    """
    refused = set(names)
    found = []
    for row in load("arguments")["argument"]:
        for given, wanted in ((row["old"], row["new"]), (row["new"], row["old"])):
            if given in refused:
                found.append(
                    Renamed(
                        given=given,
                        wanted=wanted,
                        of=frozenset(row["of"]),
                        source=row["source"],
                    )
                )
    return tuple(found)
