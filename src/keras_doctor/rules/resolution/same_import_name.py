"""KD204 same-import-name."""

from __future__ import annotations

from keras_doctor.knowledge.imports import twins_of
from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, counted, finding, listing, seen, sign
from keras_doctor.rules.integrity.damage import all_states, check_of
from keras_doctor.rules.remedies import reinstall, uninstall
from keras_doctor.rules.stages import FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, FileCheck, Finding
    from keras_doctor.rules.context import Context

MOSTLY = 0.9
"""The share of missing files from which on a distribution was not damaged but removed."""


def same_import_name(context: Context) -> Iterator[Finding]:
    """Two distributions own one import name, or one of the two took the files of both along.

    What it checks: distributions that install the same import package (tensorflow and
    tensorflow-cpu, keras and keras-nightly): whether two of them are installed and the files of
    one were overwritten by the other; and whether the metadata of one is complete while nearly
    all of its files are gone, which is what uninstalling its twin leaves behind.

    Why it breaks the import: they write the same files. The one installed last wins file by file,
    and uninstalling either deletes the files of both. pip then says "already satisfied" for ever.

    How it is fixed: remove both, install one.

    Example: ``pip uninstall tensorflow-cpu`` beside an installed tensorflow.
    """
    found = False
    for distribution in context.snapshot.distributions:
        twins = twins_of(distribution.name)
        if twins is None or not context.on_the_way(distribution.name):
            continue
        check = check_of(context, distribution)
        others = [d for name in twins[1] for d in context.distributions.get(name, ())]
        if check is None:
            continue
        if others:
            if check.anomalies_total:
                found = True
                yield _overwritten(context, distribution, others[0], check)
        elif _is_gone(check):
            found = True
            yield _taken_along(context, distribution, twins, check)
    if not found:
        raise RuledOut("no two distributions on the way write the same files")


def _is_gone(check: FileCheck) -> bool:
    missing = all_states(check)["missing"]
    return bool(check.checked) and missing >= MOSTLY * check.checked


def _taken_along(
    context: Context,
    distribution: Distribution,
    twins: tuple[str, tuple[str, ...]],
    check: FileCheck,
) -> Finding:
    package, others = twins
    name = normalize(distribution.name)
    return finding(
        "KD204",
        "same-import-name",
        distribution.name,
        title=(
            f"The files of {distribution.name} {distribution.version} are gone, as after "
            f"uninstalling {listing(others[:3], 'or')}, which has the same files"
        ),
        why=(
            f"pip still lists {distribution.name}, so it installs nothing, and `import {package}` "
            "finds no code."
        ),
        evidence=[
            seen(
                f"{all_states(check)['missing']} of {counted(check.checked, 'file')} are missing",
                distribution.metadata,
            ),
            seen("its metadata is whole", distribution.metadata),
        ],
        stage=FILES,
        weight="fatal",
        subject=name,
        fixes=[reinstall(context, distribution)],
        signs=[
            sign(module=package),
            sign(text=rf"\b{package}\b"),
            sign(file=f"{distribution.location}/{package}"),
        ],
        explains=[
            f"missing-files:{name}",
            f"altered-files:{name}",
            f"namespace-remnant:{package}",
            f"not-installed:{package}",
            f"not-installed:{name}",
            f"backend-not-installed:{package}",
        ],
    )


def _overwritten(
    context: Context, distribution: Distribution, other: Distribution, check: FileCheck
) -> Finding:
    name = normalize(distribution.name)
    return finding(
        "KD204",
        "same-import-name",
        other.name,
        title=(
            f"{distribution.name} {distribution.version} and {other.name} {other.version} write "
            "the same files, and those of one are no longer whole"
        ),
        why="The one that was installed last wins file by file; together they are neither release.",
        evidence=[
            seen(f"{counted(check.anomalies_total, 'file')} differ", distribution.metadata),
            seen(f"{other.name} {other.version} is installed too", other.metadata),
        ],
        stage=FILES,
        weight="likely",
        subject=name,
        fixes=[
            uninstall(context, other.name, f"Remove {other.name},"),
            reinstall(
                context, distribution, f"then install {distribution.name} again, over what is left."
            ),
        ],
        signs=[
            sign(file=f"{distribution.location}/{package}")
            for package in distribution.import_packages
        ],
        explains=[
            f"{cause}:{normalize(d.name)}"
            for cause in ("missing-files", "altered-files", "mixed-version-files")
            for d in (distribution, other)
        ],
    )
