"""What an installer is asked for: one joint request from all steps, and what must stay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keras_doctor.fixes.ways import INSTALLS, distributions_of
from keras_doctor.knowledge import measured
from keras_doctor.knowledge.imports import twins_of
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import parse_requirement
from keras_doctor.rules.compatibility.measured import subjects_of
from keras_doctor.versions import parse_version, satisfies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keras_doctor.model import Distribution
    from keras_doctor.model.plan import Step
    from keras_doctor.rules.context import Context

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^,;\s]+)\Z")
_NAME = re.compile(r"[^A-Za-z0-9._-]")
_NEVER = 'python_version < "0"'
"""A marker that holds nowhere: what is overridden with it is left out."""


class Request(NamedTuple):
    """One run of an installer, or two: what to remove, and what to install jointly."""

    requirements: tuple[str, ...]
    reinstall: tuple[str, ...]
    """Names whose files are installed again although the release stays."""
    uninstall: tuple[str, ...]
    constraints: tuple[str, ...]
    overrides: tuple[str, ...]
    complete: bool = False
    """Whether the requirements are all that is needed, so that none is looked for."""
    before: str | None = None
    """A date: what was uploaded later is not taken; only uv obeys it."""
    lock: str | None = None
    """A lock file that says all instead: pylock.toml for uv, or requirements with hashes."""


def request_of(
    steps: Sequence[Step],
    context: Context,
    *,
    keep: Sequence[str] = (),
    constraints: Sequence[str] = (),
    loose: bool = False,
) -> Request | None:
    """The joint request of all steps that install, or None when none does.

    Args:
        steps: Of one plan.
        context: The environment in which it will run.
        keep: Requirements that must still hold: names, or specifiers.
        constraints: Lines of the user's constraint files and of their project's files.
        loose: Whether what else is installed may change, where it would not resolve otherwise.
    """
    steps = [step for step in steps if step.kind in INSTALLS]
    if not steps:
        return None
    wanted = _one_of_twins([one for s in steps if s.kind != "uninstall" for one in s.requirements])
    again = {n for s in steps if s.kind == "reinstall" for n in distributions_of(s)}
    gone = {n for s in steps if s.kind == "uninstall" for n in distributions_of(s)}
    named = {n for s in steps for n in distributions_of(s)}
    moved = [] if loose else sorted(_displaced(wanted, context, named))
    free = named | {normalize(name) for name in moved}
    held = tuple(_held(context, free, loose=loose))
    stay = {normalize(one.partition("==")[0]) for one in held}
    return Request(
        requirements=tuple(dict.fromkeys([*wanted, *moved])),
        reinstall=tuple(sorted(again)),
        uninstall=tuple(sorted(gone)),
        constraints=tuple(
            dict.fromkeys(
                [
                    *_kept(keep, context),
                    *_free_of(constraints, wanted),
                    *held,
                    *_measured(context, named, stay),
                ]
            )
        ),
        overrides=tuple(_without_twins(context, gone, named)),
    )


def _one_of_twins(requirements: Sequence[str]) -> list[str]:
    """The requirements without later ones that would own the files of an earlier one."""
    found: list[str] = []
    names: set[str] = set()
    for one in requirements:
        name = normalize(_NAME.split(one)[0])
        twins = twins_of(name)
        if twins is None or not names.intersection(map(normalize, twins[1])):
            found.append(one)
            names.add(name)
    return found


def _free_of(constraints: Sequence[str], wanted: Sequence[str]) -> Iterator[str]:
    """The constraints without those that the plan contradicts: these are the clash.

    They are written without extras, which pip does not take in a constraint.
    """
    asked = {normalize(r.name): r.specifier for one in wanted if (r := parse_requirement(one))}
    for line in constraints:
        requirement = parse_requirement(line)
        if requirement is None:
            yield line
        elif not _contradict(asked.get(normalize(requirement.name), ""), requirement.specifier):
            marker = f"; {requirement.marker}" if requirement.marker else ""
            yield f"{requirement.name}{requirement.specifier}{marker}"


def _contradict(one: str, other: str) -> bool:
    """Whether one of two specifiers names a release that the other does not allow."""
    return any(
        left.startswith("==") and satisfies(left.strip("= "), right) is False
        for left, right in ((one, other), (other, one))
    )


def _kept(keep: Sequence[str], context: Context) -> Iterator[str]:
    """What must stay: a bare name means the installed release."""
    for line in keep:
        found = context.first(line.strip())
        yield f"{found.name}=={found.version}" if found else line


def _displaced(wanted: Sequence[str], context: Context, named: set[str]) -> Iterator[str]:
    """What is installed and would lose a requirement that is met now: it has to move along."""
    pins = {normalize(m[1]): m[2] for one in wanted if (m := _PIN.match(one))}
    for distribution in context.snapshot.distributions:
        name = normalize(distribution.name)
        if name in named or name in context.roots:
            continue
        for needed, specifier, _line in context.requirements(distribution):
            installed = context.first(needed)
            if needed not in pins or installed is None:
                continue
            was_met = satisfies(installed.version, specifier) is not False
            if was_met and satisfies(pins[needed], specifier) is False:
                yield distribution.name
                break


def _held(context: Context, free: set[str], *, loose: bool) -> Iterator[str]:
    """Everything else stays as it is; when `loose`, only Keras and its backend do."""
    for name, found in context.distributions.items():
        if name in free or (loose and name not in context.roots):
            continue
        if _is_public(found[0]):
            yield f"{found[0].name}=={found[0].version}"


def _is_public(distribution: Distribution) -> bool:
    """Whether an index may have it: what came from a folder or an address is no constraint.

    Nor is a text that is no version, which no installer reads.
    """
    from_index = distribution.origin_url is None and not distribution.editable
    return from_index and parse_version(distribution.version) is not None


def _measured(context: Context, named: set[str], stay: set[str]) -> Iterator[str]:
    """What was measured to fail with the Keras and the backend that stay, of what may change."""
    python = context.marker_environment.get("python_version")
    for subject, found in subjects_of(context):
        if normalize(found.name) in named:
            continue
        for edge in measured.edges_of(subject, found.version):
            if edge.dependency in stay or edge.dependency in context.roots or edge.python != python:
                continue
            if edge.newer is not None:
                yield f"{edge.dependency}<{edge.newer}"
            if edge.older is not None:
                yield f"{edge.dependency}>{edge.older}"


def _without_twins(context: Context, gone: set[str], named: set[str]) -> Iterator[str]:
    """Leave out the other distributions of an import package that one of them provides.

    tf-keras asks for ``tensorflow``; installed over tensorflow-cpu, two would own its files.
    """
    for name in sorted(set(context.distributions) | named):
        twins = twins_of(name)
        if twins is None or name in gone:
            continue
        for twin in twins[1]:
            if normalize(twin) not in context.distributions and normalize(twin) not in named:
                yield f"{twin}; {_NEVER}"


def newly_broken(before: Context, after: Context) -> tuple[str, ...]:
    """Requirements that were met before a repair and are not after it, one clause each.

    A first look does not read what lies off the way of the import: what one side has not read of
    a release, the other tells. Copies that only came into sight do not count.
    """
    found: set[str] = set()
    for distribution in after.snapshot.distributions:
        earlier = before.first(distribution.name)
        if earlier is None:
            found |= _unmet(distribution, after, before)
        elif earlier.location == distribution.location:
            now = distribution
            if earlier.version == now.version:
                now = earlier = now if now.record != "unread" else earlier
            found |= _unmet(now, after, before) - _unmet(earlier, before, after)
    return tuple(sorted(found))


def _unmet(distribution: Distribution, here: Context, other: Context) -> set[str]:
    """The requirements of a distribution that are not met in one of two worlds."""
    found = set()
    for needed, specifier, line in here.requirements(distribution):
        installed, there = here.first(needed), other.first(needed)
        if installed and there and installed.location != there.location:
            continue
        if installed is None or satisfies(installed.version, specifier) is False:
            found.add(f"{distribution.name} needs {line.partition(';')[0].strip()}")
    return found
