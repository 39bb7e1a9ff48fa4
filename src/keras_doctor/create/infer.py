"""From what programs need to a Python and a complete set of releases. Pure, and offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.compat import CompatError
from keras_doctor.compat.answer import answer
from keras_doctor.create.best import KERAS
from keras_doctor.create.choose import will_do
from keras_doctor.create.days import also, there_on
from keras_doctor.create.distributions import Found, distributions_for
from keras_doctor.create.keras_release import keras_for
from keras_doctor.create.small import smaller
from keras_doctor.create.tiers import TENSORFLOW, TF_KERAS, tiers
from keras_doctor.create.wanted import Chosen, CreateError
from keras_doctor.knowledge.compatibility import lost_in, venv_seed
from keras_doctor.knowledge.paths import exists_in, was_in
from keras_doctor.knowledge.releases import releases_of
from keras_doctor.knowledge.stacks import StackError, closure, load_stack, stacks
from keras_doctor.records import NamedTuple
from keras_doctor.rules.base import listing
from keras_doctor.versions import compare_key, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from keras_doctor.create.keras_release import KerasRelease
    from keras_doctor.create.needs import Needs
    from keras_doctor.create.wanted import Wanted
    from keras_doctor.knowledge.moved_paths import Moved
    from keras_doctor.knowledge.stacks import Stack, Summary
    from keras_doctor.model.uses import Use


class Candidate(NamedTuple):
    """One stack, and how well it fits."""

    stack: Stack
    keras: KerasRelease | None
    """The release of Keras that takes the place of the stack's own; None: none goes with it."""
    missing: tuple[str, ...]
    """Distributions that are needed and not in it."""
    broken: tuple[str, ...]
    """Paths that are needed and not in its releases."""

    @property
    def lacks(self) -> tuple[int, int]:
        """How much of what is needed it has not, and how much of that are whole distributions."""
        return len(self.missing) + len(self.broken), len(self.missing)

    @property
    def is_whole(self) -> bool:
        """Whether it has all of it."""
        return not self.missing and not self.broken


class Inferred(NamedTuple):
    """What was found."""

    chosen: Chosen
    unknown: tuple[Found, ...]
    remarks: tuple[str, ...]


def infer(needs: Needs, wanted: Wanted, interpreters: Mapping[str, str]) -> Inferred:
    """The newest stack in which everything that is imported exists at once.

    Args:
        needs: What was read in the programs.
        wanted: What else the user has asked for.
        interpreters: From a version like ``3.8`` to the interpreter.

    Raises:
        CreateError: It is a program for Python 2, or no Python of this machine holds it.
    """
    if needs.python2 is not None:
        raise _is_python2(needs)
    found = distributions_for(needs.imports)
    best = None
    for allowed in tiers(needs, wanted):
        candidates = [
            candidate
            for summary in stacks()
            if summary.backend in allowed and _is_possible(summary, wanted, interpreters)
            for candidate in [_candidate(summary, needs, wanted, found)]
            if candidate is not None
        ]
        here = max(candidates, key=lambda one: _key(one, needs), default=None)
        if best is None or (here is not None and here.lacks < best.lacks):
            best = here
        if best is not None and best.is_whole:
            break
    if best is None:
        raise CreateError(
            "No set is known for this program on a Python of this machine.",
            hint=f"Pythons here: {', '.join(sorted(interpreters, key=compare_key))}.",
        )
    return _inferred(best, needs, wanted, found, interpreters)


def _is_possible(summary: Summary, wanted: Wanted, interpreters: Mapping[str, str]) -> bool:
    """Whether a stack has a Python of this machine and is as old as the user wants it."""
    if summary.python not in interpreters or not will_do(summary.python, wanted.python):
        return False
    return satisfies(summary.release, there_on(summary.backend, wanted.before)) is not False


def _candidate(
    summary: Summary, needs: Needs, wanted: Wanted, found: Sequence[Found]
) -> Candidate | None:
    stack = load_stack(summary.id)
    uses = [use for use in needs.uses if not use.guarded]
    keras = keras_for(stack, uses, also(wanted.keras, there_on(KERAS, wanted.before)))
    if keras is None and (wanted.keras or _imports(KERAS, uses)):
        return None
    pins = {name: pin.version for name, pin in stack.pins.items()}
    if keras is not None:
        pins[KERAS] = keras.version
    covered = tuple(f"{moved.path}." for one in found for moved in one.moved)
    broken = [
        use.path
        for use in uses
        if not f"{use.path}.".startswith(covered) and not _exists(use, pins)
    ]
    missing = []
    for one in found:
        if one.guarded or not one.providers:
            continue
        name = one.provider_in(pins)
        if name is None:
            missing.append(one.providers[0])
        broken += [
            moved.path
            for moved in one.moved
            if moved.distribution in pins and not _goes(moved, pins, stack.python)
        ]
    for each in needs.imports:
        since = lost_in(each.module, each.names)
        if since and not each.guarded and compare_key(stack.python) >= compare_key(since):
            broken.append(each.module)
    return Candidate(stack, keras, tuple(dict.fromkeys(missing)), tuple(dict.fromkeys(broken)))


def _goes(moved: Moved, pins: Mapping[str, str], python: str) -> bool:
    """Whether a path is in the release of a distribution that is in a set, and runs there."""
    return (
        satisfies(pins[moved.distribution], moved.releases) is not False
        and satisfies(python, moved.python) is not False
    )


def _imports(top: str, uses: Iterable[Use]) -> bool:
    return any(use.path.partition(".")[0] == top for use in uses)


def _exists(use: Use, pins: Mapping[str, str]) -> bool:
    """Whether a path of Keras' world is in the releases; what is not known counts as there."""
    top = use.path.partition(".")[0]
    version = pins.get(top.replace("_", "-"))
    if version is None:
        return top not in (KERAS, TENSORFLOW, TF_KERAS)
    path = use.path
    if not use.is_import:
        # An attribute leads out of what the index knows at some point: a class, a function.
        while "." in path and exists_in(path, version, pins.get(KERAS)) is None:
            path = path.rpartition(".")[0]
    return was_in(path, version, pins.get(KERAS)) is not False


def _key(candidate: Candidate, needs: Needs) -> tuple[object, ...]:
    """All that is needed before what was measured, then what is newest."""
    stack, keras = candidate.stack, candidate.keras
    of_its_time = True
    if needs.date is not None:
        dates = {one.version: one.date for one in releases_of(stack.backend)}
        of_its_time = (dates.get(stack.release) or "") <= needs.date
    newest = compare_key(keras.version) if keras and _imports(KERAS, needs.uses) else ()
    return (
        tuple(-count for count in candidate.lacks),
        of_its_time,
        keras.rank if keras else 0,
        newest,
        compare_key(stack.release),
        compare_key(stack.python),
    )


def _inferred(
    best: Candidate,
    needs: Needs,
    wanted: Wanted,
    found: Sequence[Found],
    interpreters: Mapping[str, str],
) -> Inferred:
    stack = best.stack
    pins = {name: pin.version for name, pin in stack.pins.items()}
    roots = {stack.backend} | ({KERAS} & set(pins) if best.keras is not None else set())
    roots |= set(venv_seed(stack.python)) & set(pins)
    for one in found:
        name = one.provider_in(pins)
        if name is not None:
            roots.add(name)
        for moved in one.moved:
            roots.update(set(moved.needs) & set(pins))
    tops = {use.path.partition(".")[0] for use in needs.uses}
    roots |= {top.replace("_", "-") for top in tops} & set(pins)
    if best.keras is not None:
        roots |= set(best.keras.needs) & set(pins)
    try:
        whole = {pin.name: pin.version for pin in closure(stack, sorted(roots))}
    except StackError as error:  # a mistake in the data, said as such
        raise CreateError(str(error)) from error
    if best.keras is not None and KERAS in whole:
        whole[KERAS] = best.keras.version
        whole.update(best.keras.instead)
    whole = smaller(whole, stack, accelerator=wanted.accelerator)
    asked = [(name, whole[name]) for name in sorted(roots & set(whole))]
    # The days of what else a stack pins are not known: the installer keeps to them.
    dated = wanted.before is not None
    exact = {name for name, _ in asked if not dated or name in (KERAS, stack.backend)}
    chosen = Chosen(
        python=stack.python,
        interpreter=interpreters[stack.python],
        backend=_backend(best, needs),
        keras=f"{KERAS}=={whole.get(KERAS, '')}",
        requirements=tuple(f"{name}=={one}" if name in exact else name for name, one in asked),
        constraints=wanted.constraints,
        evidence=best.keras.evidence if best.keras else "declared",
        reasons=tuple(_reasons(best, needs, found, pins | whole)),
        pins=() if dated else tuple(f"{name}=={one}" for name, one in sorted(whole.items())),
    )
    unknown = tuple(one for one in found if not one.providers)
    return Inferred(chosen=chosen, unknown=unknown, remarks=tuple(_remarks(best, needs)))


def _backend(best: Candidate, needs: Needs) -> str:
    """The one that the program is for where the stack holds it, else the stack's."""
    own = needs.backend
    return own if own is not None and own in best.stack.pins else best.stack.backend


def _reasons(
    best: Candidate, needs: Needs, found: Sequence[Found], pins: Mapping[str, str]
) -> list[str]:
    stack = best.stack
    said = [
        f"Python {stack.python} with {stack.backend} {stack.release}: the newest set in which all "
        "that is imported exists at once"
        if best.is_whole
        else f"Python {stack.python} with {stack.backend} {stack.release}: the set in which most "
        "of what is imported exists"
    ]
    if needs.backend is not None:
        said.append(f"the {needs.backend} backend: {needs.backend_why}")
    for one in found:
        name = one.provider_in(pins)
        if name is not None:
            said.append(f"import {one.module}: {name} {pins[name]}")
        said += [f"{moved.path}: {moved.distribution}{moved.releases}" for moved in one.moved]
    return said


def _remarks(best: Candidate, needs: Needs) -> list[str]:
    said = list(needs.problems)
    if best.broken:
        said.append(f"no set has all of it; this one is without {listing(best.broken)}")
    if best.missing:
        said.append(f"not known for that Python and backend: {listing(best.missing)}")
    lost = [
        f"{one.module} (line {one.line})"
        for one in needs.imports
        if lost_in(one.module, one.names) == "3.0" and not one.guarded
    ]
    if lost:
        said.append(f"only Python 2 has {listing(lost)}")
    return said


def _is_python2(needs: Needs) -> CreateError:
    hint = "Convert it to Python 3 first (the tool 2to3 does most of it)."
    try:
        newest = answer(["keras", TENSORFLOW], python="2.7", platform=None, every_pair=False).newest
    except CompatError:
        newest = None
    if newest is not None:
        pins = " ".join(f"{one.name}=={one.version}" for one in newest.members)
        hint += f" The newest that runs on Python 2.7: {pins}."
    return CreateError(f"This is a program for Python 2: {needs.python2}.", hint=hint)
