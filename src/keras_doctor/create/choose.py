"""Choose the newest set of Keras, backend and Python that is known to work here. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keras_doctor.compat import CompatError
from keras_doctor.compat.answer import answer
from keras_doctor.compat.asked import read_words
from keras_doctor.compat.choose import ways_in_place
from keras_doctor.compat.seen import bases_of
from keras_doctor.compat.where import Where, platform_from
from keras_doctor.create.accelerator import CPU, with_extra
from keras_doctor.create.days import also, there_on
from keras_doctor.create.torchbuild import large_build
from keras_doctor.create.wanted import RANK, Chosen, CreateError
from keras_doctor.knowledge.compatibility import bad_releases, oldest_python, python_released
from keras_doctor.knowledge.releases import releases_of
from keras_doctor.knowledge.selection import backends, generation_of, generations
from keras_doctor.rules.context import KERAS_DISTRIBUTIONS
from keras_doctor.versions import compare_key, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keras_doctor.compat.answer import Together
    from keras_doctor.create.wanted import Wanted
    from keras_doctor.knowledge.selection import Generation

KERAS, TORCH = KERAS_DISTRIBUTIONS[0], "torch"
_VERSION = re.compile(r"\d+(?:\.\d+)*\Z")
_BOUND = re.compile(r"[<>=!~]")
_MOST_REFUSED = 30
"""So many newer releases of a backend may refuse a Keras in their metadata."""
_SLACK = 12
"""Months: what is younger may have been tried on a Python that was about to come."""


def choose(wanted: Wanted, interpreters: Mapping[str, str]) -> Chosen:
    """The newest set that is known to work on a Python of this machine.

    What was seen to work counts before what is only declared, a newer Keras before an older one,
    then a newer backend, then a newer Python.

    Args:
        wanted: What is asked for.
        interpreters: From a version like ``3.8`` to the interpreter.

    Raises:
        CreateError: There is none; it names what comes nearest.
    """
    backend = wanted.backend or _default_backend(wanted)
    ranges = tuple(_ranges(backend, wanted))
    if not ranges:
        raise _unknown_to(backend, wanted)
    pythons = _allowed(wanted, interpreters)
    if backend == TORCH and wanted.accelerator == CPU and not wanted.large:
        return _with_small_torch(ranges, pythons, wanted, interpreters)
    if wanted.below is not None:
        ranges = tuple((keras, also(limit, f"<{wanted.below}")) for keras, limit in ranges)
    found = _best(backend, ranges, pythons, wanted)
    if found is None:
        raise _impossible(backend, ranges, wanted, interpreters)
    return _chosen(found, backend, interpreters, wanted)


def as_specifier(text: str) -> str:
    """A specifier from what people write: ``2.2.5``, ``2.2``, ``<3``, ``==2.15.*``."""
    text = text.strip()
    if not _VERSION.match(text):
        return text
    return f"=={text}" if text.count(".") > 1 else f"=={text}.*"


def _with_small_torch(
    ranges: Sequence[tuple[str, str]],
    pythons: Sequence[str],
    wanted: Wanted,
    interpreters: Mapping[str, str],
) -> Chosen:
    """The newest Keras with a build of torch for the processor alone.

    Raises:
        LargeBuildError: There is none for a Python that will do.
    """
    for version, python in wanted.small_torch:
        if python not in pythons:
            continue
        public = version.partition("+")[0]
        for keras, _limit in ranges:
            if satisfies(public, there_on(TORCH, wanted.before)) is False:
                break
            words = [f"{KERAS}{keras}", f"{TORCH}=={public}"]
            try:
                found = answer(words, python=python, platform=None, every_pair=False).newest
            except CompatError:
                continue
            if found is not None:
                members = (*found.members[:-1], found.members[-1]._replace(version=version))
                return _chosen(found._replace(members=members), TORCH, interpreters, wanted)
    raise large_build()


def _default_backend(wanted: Wanted) -> str:
    """The backend that the newest release asked for takes by itself."""
    known = [one.version for one in releases_of(KERAS) if satisfies(one.version, wanted.keras)]
    newest = max(known, key=compare_key, default=None)
    generation = generation_of(newest) if newest else None
    return (generation or generations()[-1]).default


def _ranges(backend: str, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """The releases of Keras that run on a backend and will do, newest first, and their limit.

    As specifiers: of Keras, and of the backend.
    """
    allowed = also(wanted.keras, there_on(KERAS, wanted.before))
    for generation in reversed(generations()):
        if generation.runs_on(backend) and _has(generation, allowed, backend):
            bounds = [f">={generation.since}"]
            bounds += [f"<{generation.before}"] if generation.before else []
            limit = dict(generation.limits).get(backend, "")
            bounds += [f"!={bad.version}" for bad in bad_releases(KERAS) if backend in bad.backends]
            yield also(allowed, *bounds), limit


def _has(generation: Generation, specifier: str, backend: str) -> bool:
    """Whether any release of a generation is allowed, and none of the bad ones."""
    bad = [one.version for one in bad_releases(KERAS) if backend in one.backends]
    return any(
        one.version not in bad
        and satisfies(one.version, specifier) is not False
        and generation_of(one.version) == generation
        for one in releases_of(KERAS)
    )


def _allowed(wanted: Wanted, interpreters: Mapping[str, str]) -> list[str]:
    """The Pythons that are here and will do, newest first."""
    pythons = sorted(interpreters, key=compare_key, reverse=True)
    return [python for python in pythons if will_do(python, wanted.python)]


def will_do(python: str, spec: str | None) -> bool:
    """Whether a Python like ``3.8`` is meant by a version, or allowed by a specifier; None: any."""
    if spec is None:
        return True
    if _VERSION.match(spec):
        return python == ".".join(spec.split(".")[:2])
    return satisfies(python, spec) is not False


def _best(
    backend: str,
    ranges: Sequence[tuple[str, str]],
    pythons: Sequence[str],
    wanted: Wanted,
) -> Together | None:
    """The best set on any of some Pythons."""
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


def _chosen(
    together: Together, backend: str, interpreters: Mapping[str, str], wanted: Wanted
) -> Chosen:
    pins = tuple(f"{one.name}=={one.version}" for one in together.members)
    asked = tuple(with_extra(pin, backend, wanted.accelerator) for pin in pins)
    keras = together.members[0]
    known = {
        "measured": "they were run together, and trained",
        "declared": "their metadata says that they go together",
        "none": "nothing speaks against it; it was not tried before",
    }
    return Chosen(
        python=together.python,
        interpreter=interpreters[together.python],
        backend=backend,
        keras=f"{keras.name}=={keras.version}",
        requirements=(*asked, *wanted.others),
        constraints=(*(bound.requirement for bound in together.bounds), *wanted.constraints),
        evidence=together.evidence,
        reasons=(
            f"{' with '.join(pins)} on Python {together.python}: {known[together.evidence]}",
            *(f"{bound.requirement}: {bound.why}" for bound in together.bounds),
        ),
    )


# ------------------------------------------------------------------------ what is impossible


def _unknown_to(backend: str, wanted: Wanted) -> CreateError:
    """No release that was asked for runs on the backend."""
    for bad in bad_releases(KERAS):
        if backend in bad.backends and wanted.keras == f"=={bad.version}":
            return CreateError(
                f"Keras {bad.version} does not work on {backend} by a mistake in it.",
                hint=f"--keras {bad.instead}",
            )
    which = f"Keras {wanted.keras}" if wanted.keras else "Keras"
    which += f" as of {wanted.before}" if wanted.before else ""
    known = [
        f"{generation.title}"
        for generation in reversed(generations())
        if generation.runs_on(backend)
    ]
    nearest = known[0] if known else None
    return CreateError(
        f"{which} does not run on {backend}.",
        hint=f"The newest that does: {nearest}." if nearest else None,
    )


def _impossible(
    backend: str, ranges: Sequence[tuple[str, str]], wanted: Wanted, interpreters: Mapping[str, str]
) -> CreateError:
    """No Python that is here, and allowed, holds it."""
    what = f"Keras {wanted.keras}".strip() + f" on {backend}"
    what += f", as of {wanted.before}," if wanted.before else ""
    asked = f"Python {wanted.python}" if wanted.python else "any Python of this machine"
    here = _best(backend, ranges, sorted(interpreters, key=compare_key, reverse=True), wanted)
    if here is not None:
        pins = " ".join(f"{one.name}=={one.version}" for one in here.members)
        hint = f"The nearest that is possible here: {pins} on Python {here.python}."
        return CreateError(f"{what} does not work on {asked}.", hint=hint)
    for keras, limit in ranges:
        for distribution in distributions_of(backend):
            bound = also(limit, there_on(distribution, wanted.before))
            words = [f"{KERAS}{keras}", f"{distribution}{bound}"]
            try:
                newest = answer(words, python=None, platform=None, every_pair=False).newest
            except CompatError:
                continue
            if newest is not None:
                pins = " ".join(f"{one.name}=={one.version}" for one in newest.members)
                return CreateError(
                    f"{what} does not work on {asked}.",
                    hint=f"{pins} would, on Python {newest.python}, which is not here "
                    f"(uv python install {newest.python}).",
                )
    return CreateError(f"{what}: no set is known that works.")
