"""KD401 requirement-unmet and KD403 keras-backend-mismatch, from declared requirements."""

from __future__ import annotations

import re

from keras_doctor.knowledge.imports import import_name_of
from keras_doctor.knowledge.selection import backends
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.rules.base import RuledOut, Skip, finding, listing, seen, sign
from keras_doctor.rules.remedies import install
from keras_doctor.rules.stages import VERSIONS
from keras_doctor.versions import compare_key, release, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Finding, Sign
    from keras_doctor.rules.context import Context


class Clash(NamedTuple):
    """A requirement that an installed version does not satisfy."""

    installed: Distribution
    needed_by: tuple[Distribution, ...]
    lines: tuple[str, ...]
    """The requirement lines, one for each of `needed_by`."""


def requirement_unmet(context: Context) -> Iterator[Finding]:
    """A declared requirement is violated by the installed version.

    What it checks: every Requires-Dist line of the distributions on the way of the import that
    applies to this Python and system, against what is installed. Where Keras and its backend do
    not go together, `keras-backend-mismatch` says so instead.

    Why it breaks the import: sometimes not at all: many sets that violate their metadata import
    and train. So it is a cause only when the failure comes from that package; else it is a note.

    How it is fixed: install a version that all who need it accept, all of them at once.

    Example: jax 0.4.35 with jaxlib 0.4.26.
    """
    yield from _findings(context, pairs=False)


def keras_backend_mismatch(context: Context) -> Iterator[Finding]:
    """This Keras release does not go with this TensorFlow, JAX, torch or Theano release.

    What it checks: declared requirements between Keras and a backend, in both directions. From
    2.6 to 2.15, tf.keras is the separate package keras of the same minor version, and only
    TensorFlow declares it: Keras itself declares nothing.

    Why it breaks the import: Keras uses the inside of TensorFlow and the other way round; one minor
    release apart, names are missing.

    How it is fixed: install the Keras that the backend asks for.

    Example: Keras 2.7 under TensorFlow 2.6.
    """
    yield from _findings(context, pairs=True)


def _findings(context: Context, *, pairs: bool) -> Iterator[Finding]:
    if not context.way:
        raise Skip("no distribution on the way of the import is known")
    found = False
    for clash in _clashes(context):
        is_pair = _is_pair(clash)
        if is_pair is pairs:
            found = True
            yield _report(context, clash, is_pair=is_pair)
    if not found:
        raise RuledOut("the declared requirements on the way are met")


def _clashes(context: Context) -> list[Clash]:
    """Violated requirements on the way, gathered by the distribution that violates them."""
    found: dict[str, list[tuple[Distribution, str]]] = {}
    for name in context.way:
        parent = context.first(name)
        if parent is None:
            continue
        for needed, specifier, line in context.requirements(parent):
            installed = context.first(needed)
            if installed and satisfies(installed.version, specifier) is False:
                found.setdefault(needed, []).append((parent, line))
    clashes = []
    for needed, rows in found.items():
        installed = context.first(needed)
        if installed is not None:
            clashes.append(
                Clash(
                    installed=installed,
                    needed_by=tuple(parent for parent, _line in rows),
                    lines=tuple(line for _parent, line in rows),
                )
            )
    return clashes


def _is_pair(clash: Clash) -> bool:
    keras = {"keras", "keras-nightly", "tf-keras"}
    others = {d for b in backends().values() if b.name != "numpy" for d in b.distributions}
    installed = normalize(clash.installed.name)
    needing = {normalize(d.name) for d in clash.needed_by}
    return bool(
        (installed in keras and needing & others) or (installed in others and needing & keras)
    )


def _report(context: Context, clash: Clash, *, is_pair: bool) -> Finding:
    installed = clash.installed
    who = listing(f"{d.name} {d.version}" for d in clash.needed_by)
    first = clash.lines[0].partition(";")[0].strip()
    return finding(
        "KD403" if is_pair else "KD401",
        "keras-backend-mismatch" if is_pair else "requirement-unmet",
        installed.name,
        title=f"{installed.name} {installed.version} is installed, and {who} needs {first}",
        why=(
            "Keras and its backend use each other's inside, which changes with every release."
            if is_pair
            else f"{clash.needed_by[0].name} was made for other releases of {installed.name}."
        ),
        evidence=[
            seen(f"{d.name} {d.version} requires {line}", d.metadata)
            for d, line in zip(clash.needed_by, clash.lines, strict=True)
        ]
        + [seen(f"{installed.name} {installed.version}", installed.metadata)],
        stage=VERSIONS,
        weight="risk",
        subject=normalize(installed.name),
        fixes=[
            install(
                context,
                _joint(context, clash),
                summary=f"Install a {installed.name} that all of them accept.",
            )
        ],
        signs=_signs(clash),
    )


def _joint(context: Context, clash: Clash) -> str:
    """One requirement that holds every specifier which the way puts on the distribution."""
    name = normalize(clash.installed.name)
    specifiers = [
        specifier
        for parent in context.way
        if (found := context.first(parent))
        for needed, specifier, _line in context.requirements(found)
        if needed == name and specifier
    ]
    return clash.installed.name + ",".join(_tightest(specifiers, clash.installed.version))


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


def _signs(clash: Clash) -> list[Sign]:
    """The failure must come from the package that does not fit, or speak of it."""
    installed = clash.installed
    packages = installed.import_packages or (import_name_of(installed.name),)
    names = {re.escape(n) for n in (*packages, installed.name, installed.name.replace("-", "_"))}
    text = rf"(?i)\b({'|'.join(sorted(names))})\b"
    signs = [sign(text=text)]
    signs += [sign(module=p) for p in packages]
    signs += [sign(raised_in=f"{installed.location}/{p}") for p in packages]
    # What it breaks often fails elsewhere: in the middle of a traceback, or in who needs it.
    signs += [sign(file=f"{installed.location}/{p}", weak=True) for p in packages]
    signs += [
        sign(raised_in=f"{d.location}/{p}", weak=True)
        for d in clash.needed_by
        for p in d.import_packages
    ]
    return signs
