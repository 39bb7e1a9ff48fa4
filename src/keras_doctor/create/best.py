"""The best set of Keras and a backend on some Pythons, from what is known of releases. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keras_doctor.compat import CompatError
from keras_doctor.compat.answer import answer
from keras_doctor.compat.asked import read_words
from keras_doctor.compat.choose import ways_in_place
from keras_doctor.compat.seen import bases_of
from keras_doctor.compat.where import Where, platform_from
from keras_doctor.create.accelerator import CPU
from keras_doctor.create.days import also, there_on
from keras_doctor.create.wanted import RANK
from keras_doctor.knowledge.compatibility import oldest_python, python_released
from keras_doctor.knowledge.releases import releases_of
from keras_doctor.knowledge.selection import backends
from keras_doctor.rules.context import KERAS_DISTRIBUTIONS
from keras_doctor.versions import compare_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keras_doctor.compat.answer import Together
    from keras_doctor.create.wanted import Wanted

KERAS = KERAS_DISTRIBUTIONS[0]
_BOUND = re.compile(r"[<>=!~]")
_MOST_REFUSED = 30
"""So many newer releases of a backend may refuse a Keras in their metadata."""
_SLACK = 12
"""Months: what is younger may have been tried on a Python that was about to come."""


def best_set(
    backend: str,
    ranges: Sequence[tuple[str, str]],
    pythons: Sequence[str],
    wanted: Wanted,
) -> Together | None:
    """The best set on any of some Pythons, or None.

    Args:
        backend: Its name.
        ranges: Releases of Keras that run on it, newest first, and the limit of the backend's
            own, both as specifiers.
        pythons: Versions like ``3.8``, newest first.
        wanted: What else is asked for.
    """
    best: tuple[tuple[object, ...], Together] | None = None
    for keras, limit in ranges:
        for distribution in distributions_of(backend, wanted.accelerator):
            bound = also(limit, there_on(distribution, wanted.before))
            words = [f"{KERAS}{keras}", f"{distribution}{bound}"]
            for together in _answers(words, pythons):
                key = _key(together)
                if best is None or key > best[0]:
                    best = key, together
            if best is not None:
                break
        if best is not None and best[1].evidence == "measured":
            break  # older generations of Keras would only be older
    return best[1] if best else None


def _answers(words: Sequence[str], pythons: Sequence[str]) -> Iterator[Together]:
    """The newest set on any Python, if one of these has it, else that on each of them."""
    try:
        newest = _newest(words, None)
        if newest is None:
            return
        here = [python for python in pythons if python in (newest.python, *newest.also_on)]
        if here and newest.evidence == "measured" and _has_wheels(newest._replace(python=here[0])):
            yield newest._replace(python=here[0])
            return
        for python in pythons:
            found = _newest(words, python)
            if found is None or _is_too_new(found) or not _has_wheels(found):
                continue
            # Where it was seen to work elsewhere, that nothing speaks against it is not enough.
            if newest.evidence != "measured" or found.evidence != "none":
                yield found
    except CompatError:
        return


def _newest(words: Sequence[str], python: str | None) -> Together | None:
    """The newest set that no installer refuses, though it may have been seen to work."""
    keras, backend = words
    for _ in range(_MOST_REFUSED):
        found = answer((keras, backend), python=python, platform=None, every_pair=False).newest
        if found is None or all(fact.declared != "forbids" for fact in found.facts):
            return found
        refused = found.members[-1]
        backend = f"{words[1]}{',' if _BOUND.search(words[1]) else ''}<{refused.version}"
    return None


def _is_too_new(together: Together) -> bool:
    """Whether nobody has seen it, and something in it is older than this Python by far.

    Metadata of what is not built for one Python seldom says where it ends to work. On the oldest
    Python that there may be, it is the best that can be had.
    """
    backend = together.members[-1]
    good = [base.python for base in bases_of(backend.name, backend.version) if base.works]
    if backend.how == "sdist" and good:
        newest = max(good, key=compare_key)
        if compare_key(together.python) > compare_key(newest):
            return True
    released = python_released(together.python)
    if together.evidence == "measured" or not released or together.python == oldest_python():
        return False
    dates = [one.date for one in together.members if one.date]
    return any(_months(date) < _months(released) - _SLACK for date in dates)


def _has_wheels(together: Together) -> bool:
    """Whether what must go along in old releases has wheels for this Python: few can build it."""
    where = Where(together.python, *platform_from(None))
    for bound in together.bounds:
        (asked,) = read_words([bound.requirement])
        ways = ways_in_place(asked, where).values()
        if "wheel" not in ways and "sdist" in ways and _publishes_wheels(asked.name):
            return False
    return True


def _publishes_wheels(name: str) -> bool:
    return any(one.tags for one in releases_of(name))


def _months(date: str) -> int:
    year, month = date.split("-")[:2]
    return 12 * int(year) + int(month)


def _key(together: Together) -> tuple[object, ...]:
    versions = [compare_key(one.version) for one in together.members]
    return (RANK[together.evidence], *versions, compare_key(together.python))


def distributions_of(backend: str, accelerator: str = CPU) -> tuple[str, ...]:
    """The distributions that provide a backend, those for the processor alone first or not at all.

    Builds for one system or maker, like ``tensorflow-macos``, are what the plain one asks for.

    Args:
        backend: Its name.
        accelerator: ``cpu``, ``cuda12`` or ``cuda13``.
    """
    wanted = (backend,) if accelerator != CPU else (f"{backend}-cpu", backend)
    names = backends()[backend].distributions
    return tuple(name for name in wanted if name in names) or names[:1]
