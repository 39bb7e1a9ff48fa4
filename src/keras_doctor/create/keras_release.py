"""Which release of Keras goes into a stack: old ones came apart from their backend. Pure."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from keras_doctor.compat.pair import pair
from keras_doctor.compat.where import Where, platform_from
from keras_doctor.create.wanted import RANK
from keras_doctor.knowledge.moved_paths import moved_paths
from keras_doctor.knowledge.paths import was_in
from keras_doctor.knowledge.releases import releases_of
from keras_doctor.knowledge.selection import generation_of
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import parse_requirement
from keras_doctor.versions import compare_key, parse_version, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keras_doctor.knowledge.stacks import Stack
    from keras_doctor.model.uses import Use

TENSORFLOW = "tensorflow"
KERAS, TWIN = "keras", "keras-nightly"
"""Two distributions of one import package: some TensorFlow asks for the second."""
_EXTRA = re.compile(r"\bextra\b")


class KerasRelease(NamedTuple):
    """A release of Keras in a stack."""

    version: str
    evidence: str
    """``measured`` | ``declared`` | ``none``: what is known of it with the stack's backend."""
    needs: tuple[str, ...]
    """Normalised names of what it requires."""
    instead: tuple[tuple[str, str], ...] = ()
    """Of some of these, the release that it wants instead of the stack's."""

    @property
    def rank(self) -> int:
        """The better known, the higher."""
        return RANK[self.evidence]


def keras_for(stack: Stack, uses: Sequence[Use], specifier: str) -> KerasRelease | None:
    """The newest release of Keras that has all that is used and goes with a stack.

    Where the backend brings its own release of Keras along, that is the one.

    Args:
        stack: The stack.
        uses: What the program needs of Keras.
        specifier: What the user allows.

    Returns:
        None when no release that is allowed goes with it.
    """
    own = stack.pins.get(KERAS)
    if own is None or TWIN in stack.pins:
        return None
    generation = generation_of(own.version)
    if generation is None or generation.only is not None or _is_three(own.version):
        good = satisfies(own.version, specifier) is not False
        return KerasRelease(own.version, _evidence(stack, own.version), ()) if good else None
    fitting = [
        version
        for version in _separate_releases()
        if satisfies(version, specifier) is not False and _fits(stack, version)
    ]
    if not fitting:
        return None
    paths = {use.path for use in uses if use.path.partition(".")[0] == KERAS}
    counts = {version: _present(paths, version) for version in fitting}
    most = max(counts.values())
    best = max(
        (version for version in fitting if counts[version] == most),
        key=lambda version: (RANK[_evidence(stack, version)], compare_key(version)),
    )
    needs = _needs(KERAS, best)
    names = tuple(name for name, _specifier in needs)
    return KerasRelease(best, _evidence(stack, best), names, tuple(_instead(stack, needs)))


def _present(paths: set[str], version: str) -> int:
    return sum(_has(path, version) for path in paths)


@cache
def _has(path: str, version: str) -> bool:
    """Whether a release has a path, as far as is known."""
    module, _, name = path.rpartition(".")
    moved = (one for one in moved_paths(module, [name]) if one.distribution == KERAS)
    return was_in(path, version) is not False and all(
        satisfies(version, one.releases) is not False for one in moved
    )


def _is_three(version: str) -> bool:
    parsed = parse_version(version)
    return parsed is not None and parsed.release[0] > 2


@cache
def _separate_releases() -> tuple[str, ...]:
    """Final releases of Keras that several backends go with, before it became part of one."""
    return tuple(
        one.version
        for one in releases_of(KERAS)
        for generation in [generation_of(one.version)]
        for parsed in [parse_version(one.version)]
        if generation is not None
        and parsed is not None
        and not parsed.is_prerelease
        and not _is_three(one.version)
        and generation.only != TENSORFLOW
    )


@cache
def _pair(backend: str, release: str, python: str, version: str) -> tuple[str, bool]:
    """What is known of a Keras with a backend: the evidence, and whether they go together."""
    where = Where(python, *platform_from(None))
    found = pair(KERAS, version, backend, release, where)
    if found.seen is not None:
        return "measured", found.seen.works
    if found.declared == "forbids":
        return "declared", False
    return ("declared" if found.declared == "accepts" else "none"), True


def _fits(stack: Stack, version: str) -> bool:
    generation = generation_of(version)
    if generation is None or not generation.runs_on(stack.backend):
        return False
    limit = dict(generation.limits).get(stack.backend, "")
    if satisfies(stack.release, limit) is False:
        return False
    if not _pair(stack.backend, stack.release, stack.python, version)[1]:
        return False
    wanted = dict(_needs(KERAS, version))
    for name, specifier in _needs(stack.backend, stack.release):
        if name in wanted and not _meet(name, wanted[name], specifier):
            return False
    return True


@cache
def _meet(name: str, one: str, other: str) -> bool:
    """Whether any release satisfies two specifiers; of what is not known, yes."""
    known = releases_of(name)
    return not known or any(
        satisfies(r.version, one) is not False and satisfies(r.version, other) is not False
        for r in known
    )


def _evidence(stack: Stack, version: str) -> str:
    return _pair(stack.backend, stack.release, stack.python, version)[0]


def _instead(stack: Stack, needs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The newest releases that a Keras allows, where the stack's is not allowed."""
    for name, specifier in needs:
        pin = stack.pins.get(name)
        if pin is None or satisfies(pin.version, specifier) is not False:
            continue
        allowed = [r.version for r in releases_of(name) if satisfies(r.version, specifier)]
        if allowed:
            yield name, max(allowed, key=compare_key)


@cache
def _needs(name: str, version: str) -> tuple[tuple[str, str], ...]:
    """What a release requires without any extra, with specifiers, as far as that was read."""
    rows = [one.requires for one in releases_of(name) if one.version == version]
    found = []
    for line in rows[0] or () if rows else ():
        requirement = parse_requirement(line)
        if requirement is not None and not _EXTRA.search(str(requirement.marker or "")):
            found.append((normalize(requirement.name), str(requirement.specifier)))
    return tuple(found)
