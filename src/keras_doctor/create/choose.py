"""Choose the newest set of Keras, backend and Python that is known to work here. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keras_doctor.compat import CompatError
from keras_doctor.compat.answer import answer
from keras_doctor.create.accelerator import CPU, with_extra
from keras_doctor.create.best import KERAS, best_set, distributions_of
from keras_doctor.create.days import also, there_on
from keras_doctor.create.torchbuild import large_build
from keras_doctor.create.wanted import Chosen, CreateError
from keras_doctor.knowledge.compatibility import bad_releases
from keras_doctor.knowledge.releases import releases_of
from keras_doctor.knowledge.selection import generation_of, generations
from keras_doctor.versions import compare_key, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keras_doctor.compat.answer import Together
    from keras_doctor.create.wanted import Wanted
    from keras_doctor.knowledge.selection import Generation

TORCH = "torch"
_VERSION = re.compile(r"\d+(?:\.\d+)*\Z")


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
    found = best_set(backend, ranges, pythons, wanted)
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
    here = best_set(backend, ranges, sorted(interpreters, key=compare_key, reverse=True), wanted)
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
