"""Everything that is known to clash on the way of the import, put together by who is to change."""

from __future__ import annotations

from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.rules.compatibility.clash import Clash, slug_of
from keras_doctor.rules.compatibility.declared import declared_clashes
from keras_doctor.rules.compatibility.measured import measured_clashes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.context import Context

_SLUGS = (
    "keras-backend-mismatch",
    "tensorflow-variant-or-plugin-mismatch",
    "abi-mismatch",
    "requirement-unmet",
    "undeclared-incompatibility",
)
"""What a clash may be, the most telling first."""


class Verdict(NamedTuple):
    """All that is said about one culprit; never empty."""

    clashes: tuple[Clash, ...]
    """Declared first, then measured, then observed."""
    slug: str

    @property
    def first(self) -> Clash:
        """The one that speaks for all."""
        return self.clashes[0]


def verdicts(context: Context) -> tuple[Verdict, ...]:
    """Everything that is known to clash on the way of the import, by who is to change.

    One distribution that does not fit several others is one verdict of all of them.
    """
    found: tuple[Verdict, ...] | None = context.memory.get("clashes")
    if found is None:
        found = context.memory["clashes"] = _gather(context)
    return found


def _gather(context: Context) -> tuple[Verdict, ...]:
    clashes = [*declared_clashes(context), *measured_clashes(context)]
    if context.failures:
        from keras_doctor.rules.compatibility.observed import observed_clashes

        clashes += observed_clashes(context)
    culprits: dict[str, list[Clash]] = {}
    for clash in _blamed_together(clashes):
        culprits.setdefault(normalize(clash.culprit.name), []).append(clash)
    return tuple(
        Verdict(clashes=tuple(members), slug=_slug_of_all(members)) for members in culprits.values()
    )


def _blamed_together(clashes: list[Clash]) -> Iterator[Clash]:
    """One change for all: what was compiled for another release stays where that has to go anyway.

    A numpy that TensorFlow does not go with is not to be served by moving h5py as well.
    """
    blamed = {normalize(c.culprit.name) for c in clashes if c.source != "observed"}
    for clash in clashes:
        if clash.source == "observed" and clash.abi and normalize(clash.used.name) in blamed:
            yield clash._replace(culprit=clash.used)
        else:
            yield clash


def _slug_of_all(clashes: list[Clash]) -> str:
    """The most telling of what the pairs amount to: what is to be done is one thing."""
    pairs: dict[frozenset[str], list[Clash]] = {}
    for clash in clashes:
        pairs.setdefault(clash.pair, []).append(clash)
    return min((slug_of(members) for members in pairs.values()), key=_SLUGS.index)
