"""KD404 python-unsupported."""

from __future__ import annotations

import re

from keras_doctor.knowledge import measured
from keras_doctor.knowledge.compatibility import keyword_since, lost_since
from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, Skip, finding, listing, seen, sign
from keras_doctor.rules.compatibility.measured import python_of, subjects_of
from keras_doctor.rules.compatibility.observed import lacking
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import VERSIONS
from keras_doctor.versions import compare_key, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Evidence, Finding, Raised, Sign
    from keras_doctor.rules.context import Context


def python_unsupported(context: Context) -> Iterator[Finding]:
    """This Python is too new or too old for a package on the way.

    What it checks: Requires-Python of every distribution on the way of the import against the
    Python that runs; whether the release was seen to work on this Python; and after a failure,
    whether a package asked Python's own library for something that it no longer has, or uses a
    word that has become a keyword.

    Why it breaks the import: the code uses what this Python does not have, or no longer has. pip
    refuses such an install where it is declared, so it comes from a copied environment,
    ``--ignore-requires-python``, or an upgrade of Python below the packages; old releases declare
    nothing.

    How it is fixed: an environment with a Python that the package supports.

    Example: Keras 3.13, which needs Python 3.11, on a Python 3.9; Theano 1.0.5 on Python 3.10.
    """
    interpreter = context.snapshot.interpreter
    if interpreter is None:
        raise Skip("the Python version is not known")
    told: set[str] = set()
    for result in (*_observed(context), *_measured(context), *_declared(context)):
        if result.key not in told:
            told.add(result.key)
            yield result
    if not told:
        raise RuledOut("every package on the way accepts this Python")


def _declared(context: Context) -> Iterator[Finding]:
    version = _version(context)
    for name in context.way:
        found = context.first(name)
        if found is None or not found.requires_python:
            continue
        if satisfies(version, found.requires_python) is not False:
            continue
        yield _report(
            context,
            found,
            title=f"{found.name} {found.version} needs Python {found.requires_python}; "
            f"this is {version}",
            evidence=[seen(f"Requires-Python: {found.requires_python}", found.metadata)],
            weight="risk",
            signs=[sign(raised_in=f"{found.location}/{p}") for p in found.import_packages],
            wanted=found.requires_python,
        )


def _measured(context: Context) -> Iterator[Finding]:
    """Releases that were seen to fail on this Python, with everything else as it should be."""
    python = python_of(context)
    for subject, found in subjects_of(context):
        if subject == "keras":
            continue  # its runs stand on a backend, which may be what does not go there
        bases = measured.bases_of(subject, found.version)
        failed = next((b for b in bases if b.python == python and b.failure is not None), None)
        good = [b.python for b in bases if b.works]
        if failed is None or failed.failure is None or not good:
            continue
        failure = failed.failure
        yield _report(
            context,
            found,
            title=f"{found.name} {found.version} does not work on Python {python}",
            evidence=[
                seen(
                    f"{found.name} {failed.release} was run on Python {python}: {failure.type}: "
                    f"{failure.message}; it works on {listing(good)}",
                    "measured",
                )
            ],
            weight="likely",
            signs=[sign(failure.type.rpartition(".")[2], text=re.escape(failure.message[:60]))],
            wanted=max(good, key=compare_key),
        )


def _observed(context: Context) -> Iterator[Finding]:
    """A package that asked this Python for what it no longer has."""
    for outcome in context.failures:
        for raised in outcome.chain:
            user = _user(context, raised)
            if user is None:
                continue
            missing = _missing(context, raised)
            if missing is None:
                continue
            frame = raised.frames[-1]
            yield _report(
                context,
                user,
                title=f"{user.name} {user.version} does not work on Python {_version(context)}: "
                f"{missing}",
                evidence=[seen(f"{raised.type}: {raised.message}", f"{frame.file}:{frame.line}")],
                weight="risk",
                signs=[sign(raised.type.rpartition(".")[2], text=re.escape(raised.message))],
                wanted=None,
            )


def _user(context: Context, raised: Raised) -> Distribution | None:
    """The distribution whose line asked: none when it is the user's own, or Python's."""
    files = [frame.file for frame in raised.frames if not frame.file.startswith("<")]
    return context.distribution_at(files[-1]) if files else None


def _missing(context: Context, raised: Raised) -> str | None:
    """What this Python does not have, in words; None when the failure is of another kind."""
    version = _version(context)
    if raised.type == "ModuleNotFoundError" and raised.name:
        since = lost_since(raised.name.partition(".")[0], version)
        return f"the module {raised.name} is gone since {since}" if since else None
    if raised.type == "SyntaxError" and raised.frames:
        word = keyword_since(raised.frames[-1].text or "", version)
        return f"{word[0]} is a keyword since {word[1]}" if word else None
    asked = lacking(raised)
    if asked is None or not _is_standard(context, asked[0]):
        return None
    if raised.path and not context.is_standard_library(raised.path):
        return None  # a file of that name was loaded in its place
    return f"{asked[0]} has no {asked[1]} there"


def _is_standard(context: Context, module: str) -> bool:
    """Whether a module is Python's own: not one that a file of the user hides."""
    top = module.partition(".")[0]
    if any(own.name == top for own in context.snapshot.local_modules):
        return False
    found = context.module(top)
    if found is not None and found.path:
        return context.is_standard_library(found.path)
    return top in _standard_names() and not context.owners(top)


def _standard_names() -> frozenset[str]:
    import sys

    return sys.stdlib_module_names


def _version(context: Context) -> str:
    interpreter = context.snapshot.interpreter
    return interpreter.version if interpreter else ""


def _report(
    context: Context,
    found: Distribution,
    *,
    title: str,
    evidence: list[Evidence],
    weight: str,
    signs: list[Sign],
    wanted: str | None,
) -> Finding:
    interpreter = context.snapshot.interpreter
    executable = interpreter.executable if interpreter else None
    python = f"Python {wanted}" if wanted else "an older Python, one from its time"
    return finding(
        "KD404",
        "python-unsupported",
        "python",
        title=title,
        why=f"{found.name} {found.version} was not made for this Python.",
        evidence=[*evidence, seen(f"Python {_version(context)}", executable)],
        stage=VERSIONS,
        weight=weight,
        subject=normalize(found.name),
        fixes=[edit("use-env", found.name, f"Make an environment with {python}.")],
        signs=signs,
    )
