"""What was measured: releases that were run together and failed."""

from __future__ import annotations

import re

from keras_doctor.knowledge import measured
from keras_doctor.names import normalize
from keras_doctor.rules.base import seen, sign
from keras_doctor.rules.compatibility.clash import Clash, culprit_of, speaks_of_abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.measured import Edge, Failure
    from keras_doctor.model import Distribution, Sign
    from keras_doctor.rules.context import Context

SUBJECTS = ("keras", "tensorflow", "jax", "theano")
SAVING = "save and load"
"""How the names of the programs begin that do more than import and train."""


def measured_clashes(context: Context) -> Iterator[Clash]:
    """Pairs on the way of the import that were seen to fail, of the same minor releases."""
    for subject, distribution in subjects_of(context):
        edges = measured.edges_of(subject, distribution.version)
        for dependency in dict.fromkeys(edge.dependency for edge in edges):
            used = context.first(dependency)
            if used is None or not _matters(context, used):
                continue
            about = [e for e in edges if e.dependency == dependency and _is_run(context, e)]
            for edge in _nearest(context, about):
                side = edge.side_of(used.version)
                if side is not None:
                    yield _clash(context, distribution, used, edge, side)
                    break


def subjects_of(context: Context) -> Iterator[tuple[str, Distribution]]:
    """The measured subjects on the way of the import, and what provides them here."""
    for subject in SUBJECTS:
        found = (
            context.keras_distribution
            if subject == "keras"
            else context.backend_distribution(subject)
        )
        if found is not None and context.on_the_way(found.name):
            yield subject, found


def _matters(context: Context, used: Distribution) -> bool:
    """Whether the import, or the program, comes past it."""
    return context.on_the_way(used.name) or bool(set(used.import_packages) & context.script_modules)


def _is_run(context: Context, edge: Edge) -> bool:
    """Whether what was measured is what this program does.

    A plug-in that it does not import does no harm.
    """
    match = re.match(r"import (\w+)$", edge.statement)
    if match is None or match[1] in ("keras", *SUBJECTS):
        return True
    return match[1] in context.script_modules or context.on_the_way(edge.dependency)


def _nearest(context: Context, edges: list[Edge]) -> list[Edge]:
    """Those of this Python, else all; a plain import before a program that saves."""
    python = python_of(context)
    own = [edge for edge in edges if edge.python == python]
    return sorted(own or edges, key=lambda edge: edge.statement.startswith(SAVING))


def python_of(context: Context) -> str | None:
    """The Python of the target, like ``3.10``."""
    interpreter = context.snapshot.interpreter
    return ".".join(interpreter.version.split(".")[:2]) if interpreter else None


def _clash(
    context: Context, subject: Distribution, used: Distribution, edge: Edge, side: str
) -> Clash:
    failures = edge.failures(side)
    low, high = edge.good
    inferred = edge.python != python_of(context)
    edge_version = edge.newer if side == "newer" else edge.older
    limit = f"from {edge_version} on" if side == "newer" else f"with {edge_version} and older"
    worked = low if low == high else f"{low} to {high}"
    told = f"was seen to work with {used.name} {worked}, and to fail {limit}"
    saving = edge.statement.startswith(SAVING)
    return Clash(
        source="measured",
        user=subject,
        used=used,
        title=f"{used.name} {used.version} does not go with {subject.name} {subject.version}",
        why=_why(subject, used, failures, saving=saving),
        evidence=(
            seen(f"{subject.name} {subject.version}", subject.metadata),
            seen(
                f"{subject.name} {edge.release} {told}",
                f"measured on Python {edge.python}, {edge.date}",
            ),
        ),
        signs=tuple(_signs(failures, used, inferred=inferred)),
        weight="risk" if saving else "likely",
        bounds=(f">={low}", f"<={high}"),
        fitting=high if side == "newer" else low,
        culprit=culprit_of(subject, used),
        abi=normalize(used.name) == "numpy" and any(speaks_of_abi(f.message) for f in failures),
    )


def _why(
    subject: Distribution, used: Distribution, failures: tuple[Failure, ...], *, saving: bool
) -> str:
    does = "saving and loading a model" if saving else "the import or the first training step"
    seen_as = f", with {failures[0].type}: {failures[0].message}" if failures else ""
    return (
        f"No metadata has to say so: {does} of {subject.name} {_series(subject)} fails with this "
        f"{used.name}{seen_as.rstrip('.')}."
    )


def _series(distribution: Distribution) -> str:
    return ".".join(str(number) for number in measured.series(distribution.version))


def _signs(failures: tuple[Failure, ...], used: Distribution, *, inferred: bool) -> Iterator[Sign]:
    """The failures that were measured; from another Python they make nothing certain."""
    for failure in failures:
        if failure.type.startswith("SIG"):
            yield sign(crash=True, weak=inferred)
            continue
        if failure.message:
            name = failure.type.rpartition(".")[2]
            yield sign(name, text=_pattern(failure.message), weak=inferred)
    for package in used.import_packages:
        yield sign(raised_in=f"{used.location}/{package}", weak=True)


def _pattern(message: str) -> str:
    """A regular expression for a message: numbers may differ, what was masked too."""
    text = re.escape(message[:80].rpartition("…")[0] or message[:80])
    return re.sub(r"\d+", r"\\d+", text).replace("…", ".*")
