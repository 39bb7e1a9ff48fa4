"""KD901 upstream-bug."""

from __future__ import annotations

from keras_doctor.knowledge.compatibility import bad_releases
from keras_doctor.rules.base import NotApplicable, RuledOut, Skip, finding, seen, sign
from keras_doctor.rules.compatibility.choice import best_release
from keras_doctor.rules.remedies import install
from keras_doctor.rules.stages import VERSIONS
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.compatibility import BadRelease
    from keras_doctor.model import Distribution, Finding
    from keras_doctor.rules.context import Context


def upstream_bug(context: Context) -> Iterator[Finding]:
    """An installed release is known to be bad, or was withdrawn by its maintainers.

    What it checks: after a failure, the distributions on the way of the import against the
    releases that are known not to work on this system, and against those that were yanked (PEP
    592): pip no longer takes a yanked release by itself, but leaves an installed one alone.

    Why it breaks the import: the fault is in the release; nothing in the environment is wrong.

    How it is fixed: the release before or after it.

    Example: numpy 1.19.4 on Windows.
    """
    if context.works:
        raise NotApplicable("it works")
    if not context.failures:
        raise Skip("nothing was run")
    found = False
    for name in context.way:
        distribution = context.first(name)
        if distribution is None:
            continue
        for result in (*_known(context, distribution), *_yanked(context, distribution)):
            found = True
            yield result
    if not found:
        raise RuledOut("no release on the way is known to be bad, and none was withdrawn")


def _known(context: Context, distribution: Distribution) -> Iterator[Finding]:
    interpreter = context.snapshot.interpreter
    for bad in bad_releases(distribution.name):
        if compare_key(bad.version) != compare_key(distribution.version):
            continue
        if interpreter is not None and interpreter.platform not in bad.platforms:
            continue
        if bad.backends and context.choice.backend not in bad.backends:
            continue
        yield _report(context, distribution, bad)


def _report(context: Context, distribution: Distribution, bad: BadRelease) -> Finding:
    name, version = distribution.name, distribution.version
    return finding(
        "KD901",
        "upstream-bug",
        name,
        title=f"{name} {version} is known not to work on this system",
        why="The fault is in that release, not in this environment.",
        evidence=[seen(f"{name} {version}", distribution.metadata), seen(bad.source)],
        stage=VERSIONS,
        weight="likely",
        fixes=[install(context, f"{name}=={bad.instead}")],
        signs=[sign(text=bad.pattern)],
    )


def _yanked(context: Context, distribution: Distribution) -> Iterator[Finding]:
    from keras_doctor.knowledge.releases import release

    known = release(distribution.name, distribution.version)
    if known is None or not known.yanked:
        return
    name, version = distribution.name, distribution.version
    other = best_release(context, distribution, (), of_the_time_of=None)
    yield finding(
        "KD901",
        "upstream-bug",
        name,
        title=f"{name} {version} was withdrawn by its maintainers",
        why="A release is withdrawn when it turned out to be broken.",
        evidence=[seen(f"{name} {version} is yanked", distribution.metadata)],
        stage=VERSIONS,
        weight="risk",
        fixes=[install(context, f"{name}=={other}" if other else name)],
        # Why it was withdrawn is not known: a failure in its code may have another reason.
        signs=[
            sign(raised_in=f"{distribution.location}/{p}", weak=True)
            for p in distribution.import_packages
        ],
    )
