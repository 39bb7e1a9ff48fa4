"""Which release of a distribution would fit: one that exists and installs on this Python."""

from __future__ import annotations

from keras_doctor.knowledge import measured
from keras_doctor.knowledge.imports import twins_of
from keras_doctor.names import normalize
from keras_doctor.requirements import applies, parse_requirement
from keras_doctor.rules.compatibility.measured import subjects_of
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keras_doctor.knowledge.releases import Release
    from keras_doctor.model import Distribution
    from keras_doctor.rules.context import Context

TIME = 60
"""Days: what came up to two months after a release is of its time."""


def best_release(
    context: Context, culprit: Distribution, clauses: Sequence[str], *, of_the_time_of: str | None
) -> str | None:
    """The version to install in place of an installed one; None when the data cannot tell.

    It satisfies the clauses and what the way of the import requires, was not measured to fail
    with what is there, has a wheel for this Python and system, and is the nearest to the
    installed one. Of those, one that also satisfies everything else that is installed comes
    first.

    Args:
        context: The target.
        culprit: The distribution that is to change.
        clauses: Further clauses, like ``<4``.
        of_the_time_of: A day like ``2020-07-27``: then the newest release up to two months
            later is taken, or the first one after that, since nothing better is known.
    """
    asked = [*clauses, *requirements_on(context, culprit.name, context.way)]
    everybody = requirements_on(context, culprit.name, context.distributions)
    for wanted in ([*asked, *everybody], asked):
        found = _choose(context, culprit, wanted, of_the_time_of)
        if found is not None:
            return found
    return None


def _choose(
    context: Context, culprit: Distribution, wanted: Sequence[str], day: str | None
) -> str | None:
    from keras_doctor.knowledge.releases import installable, nearest

    interpreter, machine = context.snapshot.interpreter, context.snapshot.machine
    if interpreter is None:
        return None
    libc = machine.libc if machine else None
    if day is None:
        found = nearest(
            culprit.name,
            lambda release: _will_do(context, culprit, release, wanted),
            to=culprit.version,
            python=interpreter.version,
            platform=interpreter.platform,
            machine=interpreter.machine,
            libc=libc,
        )
        return found.release.version if found else None
    rows = [
        one.release
        for one in installable(
            culprit.name,
            python=interpreter.version,
            platform=interpreter.platform,
            machine=interpreter.machine,
            libc=libc,
        )
        if one.how == "wheel" and _will_do(context, culprit, one.release, wanted)
    ]
    in_time = [row for row in rows if _is_of_the_time(row, day)]
    chosen = in_time[:1] or rows[-1:]  # newest first
    return chosen[0].version if chosen else None


def requirements_on(context: Context, name: str, parents: Iterable[str]) -> list[str]:
    """Every specifier that some distributions put on another one."""
    name = normalize(name)
    return [
        specifier
        for parent in parents
        if (found := context.first(parent))
        for needed, specifier, _line in context.requirements(found)
        if needed == name and specifier
    ]


def _will_do(
    context: Context,
    culprit: Distribution,
    release: Release,
    wanted: Sequence[str],
) -> bool:
    if release.version == culprit.version or any(
        satisfies(release.version, one) is False for one in wanted
    ):
        return False
    if _drags_others_along(context, release):
        return False
    return not fails_here(context, culprit.name, release.version)


def _drags_others_along(context: Context, release: Release) -> bool:
    """Whether installing it would change what else is installed, or bring a twin of it."""
    for line in release.requires or ():
        needed = parse_requirement(line)
        if needed is None or "extra" in needed.marker:
            continue
        if applies(needed.marker, context.marker_environment) is False:
            continue
        installed = context.first(needed.name)
        if installed is not None:
            if satisfies(installed.version, needed.specifier) is False:
                return True
            continue
        twins = twins_of(needed.name)
        if twins is not None and any(context.first(twin) for twin in twins[1]):
            return True
    return False


def _is_of_the_time(release: Release, day: str) -> bool:
    import datetime as dt

    if release.date is None:
        return False
    limit = dt.date.fromisoformat(day) + dt.timedelta(days=TIME)
    return dt.date.fromisoformat(str(release.date)) <= limit


def is_of_the_time(name: str, version: str, day: str) -> bool:
    """Whether a release came out at most two months after a day."""
    from keras_doctor.knowledge.releases import release

    found = release(name, version)
    return found is not None and _is_of_the_time(found, day)


def fails_here(context: Context, name: str, version: str) -> bool:
    """Whether a release was measured to fail with a Keras or backend on the way."""
    for subject, found in subjects_of(context):
        if found.name == name:
            continue
        for edge in measured.edges_of(subject, found.version):
            if edge.dependency == normalize(name) and edge.side_of(version) is not None:
                return True
    return False


def day_of(distribution: Distribution) -> str | None:
    """When the installed release of a distribution came out, like ``2020-07-27``."""
    from keras_doctor.knowledge.releases import release

    found = release(distribution.name, distribution.version)
    return str(found.date) if found is not None and found.date is not None else None
