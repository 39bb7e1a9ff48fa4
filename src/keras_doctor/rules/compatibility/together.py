"""KD401, KD402, KD403, KD405, KD407: versions that do not go together."""

from __future__ import annotations

import re

from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, Skip, finding, listing, seen
from keras_doctor.rules.compatibility.choice import (
    best_release,
    day_of,
    is_of_the_time,
    requirements_on,
)
from keras_doctor.rules.compatibility.verdicts import verdicts
from keras_doctor.rules.remedies import install
from keras_doctor.rules.stages import VERSIONS
from keras_doctor.versions import compare_key, release, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Finding, Fix
    from keras_doctor.rules.compatibility.clash import Clash
    from keras_doctor.rules.compatibility.verdicts import Verdict
    from keras_doctor.rules.context import Context


def requirement_unmet(context: Context) -> Iterator[Finding]:
    """A declared requirement is violated by the installed version.

    What it checks: every Requires-Dist line of the distributions on the way of the import that
    applies to this Python and system, against what is installed. Where Keras and its backend do
    not go together, `keras-backend-mismatch` says so instead.

    Why it breaks the import: sometimes not at all: many sets that violate their metadata import
    and train. So it is a cause only when the failure comes from that package; else it is a note.

    How it is fixed: install a version that all who need it accept, all of them at once.

    Example: jax 0.4.35 with ml-dtypes 0.1.0.
    """
    yield from _findings(context, "KD401", "requirement-unmet")


def undeclared_incompatibility(context: Context) -> Iterator[Finding]:
    """Versions clash though no metadata forbids it.

    What it checks: pairs that were measured to fail (real environments, the import and a training
    step), on the way of the import; and after a failure, whether one package asked another for
    something that the installed release of the other does not have.

    Why it breaks the import: older releases could not know what the next release of their
    dependencies would drop, so they set no upper bound, and an installer takes the newest.

    How it is fixed: the nearest release that was seen to work, or one from the same time.

    Example: TensorFlow 1.15 with protobuf 4; Theano 1.0.5 with numpy 1.22.
    """
    yield from _findings(context, "KD402", "undeclared-incompatibility")


def keras_backend_mismatch(context: Context) -> Iterator[Finding]:
    """This Keras release does not go with this TensorFlow, JAX, torch or Theano release.

    What it checks: declared requirements between Keras and a backend, in both directions; pairs
    that were measured to fail; and whether one asked the other for what it does not have. From
    2.6 to 2.15, tf.keras is the separate package keras of the same minor version, and only
    TensorFlow declares it: Keras itself declares nothing.

    Why it breaks the import: Keras uses the inside of TensorFlow and the other way round; one minor
    release apart, names are missing.

    How it is fixed: install the Keras that the backend asks for.

    Example: Keras 2.7 under TensorFlow 2.6; Keras 2.2.4 on TensorFlow 2.2.
    """
    yield from _findings(context, "KD403", "keras-backend-mismatch")


def abi_mismatch(context: Context) -> Iterator[Finding]:
    """A compiled module was made for another numpy.

    What it checks: pairs that were measured to fail so, and after a failure the messages that
    numpy and compiled modules give ("numpy.dtype size changed", "compiled against API version",
    "cannot be run in NumPy 2", "Unable to convert function return value to a Python type").

    Why it breaks the import: extension modules hold the layout of numpy's C structures. numpy 2
    changed it, and a numpy older than the one at compile time lacks functions.

    How it is fixed: a numpy of the series that the package was compiled for, or a newer release of
    the package.

    Example: TensorFlow 2.10 with numpy 2.
    """
    yield from _findings(context, "KD405", "abi-mismatch")


def plugin_mismatch(context: Context) -> Iterator[Finding]:
    """Packages that are released together are of releases that do not go together.

    What it checks: jax and jaxlib, TensorFlow and its plug-ins (estimator, io, text, addons,
    probability ...), torch and torchvision: what they declare about each other, what was measured,
    and what one did not find in the other.

    Why it breaks the import: a companion calls the inside of its main package, which changes with
    every release.

    How it is fixed: the companion's release that was made for the main package.

    Example: jax 0.4.35 with jaxlib 0.4.26; TensorFlow 1.14 with tensorflow-estimator 2.2.
    """
    yield from _findings(context, "KD407", "tensorflow-variant-or-plugin-mismatch")


def _findings(context: Context, code: str, slug: str) -> Iterator[Finding]:
    if not context.way:
        raise Skip("no distribution on the way of the import is known")
    found = [one for one in verdicts(context) if one.slug == slug]
    for verdict in found:
        yield _report(context, code, verdict)
    if not found:
        raise RuledOut("the versions on the way go together, as far as is declared and measured")


def _report(context: Context, code: str, verdict: Verdict) -> Finding:
    culprit = verdict.first.culprit
    evidence = dict.fromkeys(e for clash in verdict.clashes for e in clash.evidence)
    evidence.setdefault(seen(f"{culprit.name} {culprit.version}", culprit.metadata))
    return finding(
        code,
        verdict.slug,
        culprit.name,
        title=_title(verdict),
        why=_why(verdict),
        evidence=evidence,
        stage=VERSIONS,
        weight=_weight(verdict),
        subject=normalize(culprit.name),
        fixes=_fixes(context, verdict),
        signs=dict.fromkeys(s for clash in verdict.clashes for s in clash.signs),
    )


def _title(verdict: Verdict) -> str:
    declared = [clash for clash in verdict.clashes if clash.source == "declared"]
    if not declared:
        return verdict.first.title
    used = declared[0].used
    users = {f"{c.user.name} {c.user.version}": None for c in declared}
    verb = "needs" if len(users) == 1 else "need"
    needed = _needs(declared[0])
    return f"{used.name} {used.version} is installed, and {listing(users)} {verb} {needed}"


def _needs(clash: Clash) -> str:
    return clash.title.partition(" needs ")[2]


def _why(verdict: Verdict) -> str:
    if verdict.slug == "keras-backend-mismatch" and verdict.first.source == "declared":
        return "Keras and its backend use each other's inside, which changes with every release."
    observed = next((c for c in verdict.clashes if c.source == "observed"), None)
    return (observed or verdict.first).why


def _weight(verdict: Verdict) -> str:
    return "likely" if any(clash.weight == "likely" for clash in verdict.clashes) else "risk"


def _fixes(context: Context, verdict: Verdict) -> list[Fix]:
    """A release of the culprit that fits; or, as another way, one of its counterpart."""
    culprit = verdict.first.culprit
    ways = [_other_release(context, verdict, culprit)]
    ways += _counterparts_of_the_time(context, verdict, culprit)
    counterparts = {
        c.used.name: c.used
        for c in verdict.clashes
        if c.used != culprit and not (c.abi and c.source == "observed")
    }
    for other in counterparts.values():
        bounds = _tightest(requirements_on(context, other.name, context.way), other.version)
        if bounds:
            version = best_release(context, other, bounds, of_the_time_of=None)
            requirement = f"{other.name}=={version}" if version else other.name + ",".join(bounds)
            summary = f"Install a {other.name} that {culprit.name} {culprit.version} accepts."
            ways.append(install(context, requirement, summary=summary))
    return [way for way in ways if way is not None] or [_somehow(context, culprit)]


def _other_release(context: Context, verdict: Verdict, culprit: Distribution) -> Fix | None:
    """The nearest release of the culprit that is known, or likely, to fit."""
    measured = next((c for c in verdict.clashes if c.source == "measured"), None)
    bounds = _tightest(requirements_on(context, culprit.name, context.way), culprit.version)
    violated = any(satisfies(culprit.version, one) is False for one in bounds)
    if measured is None and not violated:
        # What is declared is met, and it fails all the same.
        clash = verdict.first
        other = clash.used if clash.culprit == clash.user else clash.user
        return _of_the_same_time(context, culprit, other)
    clauses = bounds
    if measured is not None and measured.used == culprit and measured.fitting is not None:
        accepted = all(satisfies(measured.fitting, one) is not False for one in bounds)
        clauses = [*bounds, *(measured.bounds if accepted else ())]
    version = best_release(context, culprit, clauses, of_the_time_of=None)
    if version is None and measured is not None and measured.used == culprit:
        version = measured.fitting
    if version is None and (not bounds or satisfies(culprit.version, ",".join(bounds))):
        return None
    requirement = culprit.name + (f"=={version}" if version else ",".join(bounds))
    summary = f"Install a {culprit.name} that goes with the others."
    return install(context, requirement, summary=summary)


def _counterparts_of_the_time(
    context: Context, verdict: Verdict, culprit: Distribution
) -> Iterator[Fix | None]:
    """The other way round, where code was compiled for another release: either may change."""
    others = {
        one.name: one
        for clash in verdict.clashes
        if clash.abi and clash.source == "observed"
        for one in (clash.user, clash.used)
        if one != culprit
    }
    for other in others.values():
        yield _of_the_same_time(context, other, culprit)


def _of_the_same_time(context: Context, culprit: Distribution, other: Distribution) -> Fix | None:
    """Where nobody says what fits, releases of one time were at least tried together."""
    day = day_of(other)
    version = best_release(context, culprit, (), of_the_time_of=day) if day else None
    if version is None:
        return None
    told = f"which is of the time of {other.name} {other.version}"
    if not is_of_the_time(culprit.name, version, day or ""):
        told = f"the first release after {other.name} {other.version} that installs here"
    summary = f"Install {culprit.name} {version}, {told}."
    return install(context, f"{culprit.name}=={version}", summary=summary)


def _somehow(context: Context, culprit: Distribution) -> Fix:
    summary = f"Install another release of {culprit.name}, one from the time of the others."
    return install(context, culprit.name, summary=summary)


_BOUND = re.compile(r"(>=|<=|<|>)\s*(\d+(?:\.\d+)*)\Z")


def _tightest(specifiers: list[str], installed: str) -> list[str]:
    """The bounds that decide, and an upper one beside a lower one that the installed misses.

    An upgrade goes to the nearest series that is good: the newest release of all may be too new
    for everybody else, and metadata of older packages sets no upper bound.
    """
    clauses = dict.fromkeys(c.strip() for s in specifiers for c in s.split(",") if c.strip())
    lower, upper, rest = [], [], []
    for clause in clauses:
        match = _BOUND.match(clause)
        if match is None:
            rest.append(clause)
        elif match[1] in (">=", ">"):
            lower.append((compare_key(match[2]), match[1] == ">", clause))
        else:
            upper.append((compare_key(match[2]), match[1] == "<=", clause))
    kept = [max(lower)[2]] if lower else []
    kept += [min(upper)[2]] if upper else []
    if lower and not upper and not rest and compare_key(installed) < max(lower)[0]:
        series = release(kept[0].lstrip("><= "))
        if len(series) > 1:
            kept.append(f"<{series[0]}.{series[1] + 1}")
    return kept + rest
