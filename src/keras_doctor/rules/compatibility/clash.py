"""Two installed things that do not go together, whoever says so, and which of them is to change."""

from __future__ import annotations

from keras_doctor.knowledge.compatibility import companions, numpy_abi_pattern
from keras_doctor.knowledge.selection import backends
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from keras_doctor.model import Distribution, Evidence, Sign

KERAS = frozenset({"keras", "keras-nightly", "keras-core", "tf-keras"})


class Clash(NamedTuple):
    """What one source says about one pair."""

    source: str
    """``declared`` (by a requirement), ``measured`` (by runs), ``observed`` (in this failure)."""
    user: Distribution
    """The one that uses the other."""
    used: Distribution
    title: str
    why: str
    evidence: tuple[Evidence, ...]
    signs: tuple[Sign, ...]
    weight: str
    bounds: tuple[str, ...]
    """Clauses for a release of `used` that would fit, like ``>=3.9`` and ``<=3.20.3``."""
    fitting: str | None
    """The nearest release of `used` that was seen to work."""
    culprit: Distribution
    abi: bool
    """Whether it shows as code that was compiled for another release."""

    @property
    def pair(self) -> frozenset[str]:
        """The normalised names of both."""
        return frozenset({normalize(self.user.name), normalize(self.used.name)})


def culprit_of(user: Distribution, used: Distribution) -> Distribution:
    """Which of a pair is to change.

    The backend stays and Keras goes; a companion goes and its main distribution stays; else what
    is used goes, since more of them will fit.
    """
    names = {normalize(user.name): user, normalize(used.name): used}
    for name, one in names.items():
        if name in KERAS and _backends() & (names.keys() - {name}):
            return one
    for name, one in names.items():
        if name in companions() and _main(companions()[name]) & (names.keys() - {name}):
            return one
    return used


def culprit_of_abi(user: Distribution, used: Distribution) -> Distribution:
    """Which of a pair is to change where `user` was compiled for another release of `used`.

    Keras, a backend and its companions stay. Anything else that was compiled goes: numpy serves
    everybody, and a release of one package that was made for it is the smaller change.
    """
    name = normalize(user.name)
    if name in KERAS or name in _backends() or name in companions():
        return culprit_of(user, used)
    return user


def _main(name: str) -> set[str]:
    """A main distribution and its variants; Keras belongs to TensorFlow."""
    known = backends().get(name)
    keras = KERAS if name == "tensorflow" else ()
    return {name, *(known.distributions if known else ()), *keras}


def _backends() -> set[str]:
    """The distributions that are backends; numpy alone is not enough of one."""
    found = {d for b in backends().values() if b.name != "numpy" for d in b.distributions}
    return found - KERAS - {"numpy"}


def slug_of(clashes: Iterable[Clash]) -> str:
    """The cause that a pair's clashes amount to."""
    clashes = tuple(clashes)
    slug = slug_of_pair(clashes[0].pair)
    if slug != "undeclared-incompatibility":
        return slug
    if any(clash.abi for clash in clashes):
        return "abi-mismatch"
    if any(clash.source == "declared" for clash in clashes):
        return "requirement-unmet"
    return slug


def slug_of_pair(pair: frozenset[str]) -> str:
    """The cause that two distributions amount to which do not go together, by their names."""
    if pair & KERAS and pair & _backends():
        return "keras-backend-mismatch"
    if any(n in companions() and _main(companions()[n]) & (pair - {n}) for n in pair):
        return "tensorflow-variant-or-plugin-mismatch"
    return "undeclared-incompatibility"


def speaks_of_abi(message: str) -> bool:
    """Whether a message is that of code compiled for another numpy."""
    return numpy_abi_pattern().search(message) is not None
