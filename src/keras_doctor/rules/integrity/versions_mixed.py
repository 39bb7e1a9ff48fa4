"""KD303 duplicate-metadata and KD304 mixed-version-files."""

from __future__ import annotations

from keras_doctor.rules.base import RuledOut, counted, finding, listing, seen, sign
from keras_doctor.rules.context import same_path
from keras_doctor.rules.integrity.damage import (
    all_states,
    check_of,
    distribution_of,
    is_cut,
    key_name,
    loadable,
    signs_of,
)
from keras_doctor.rules.remedies import install, reinstall, remove
from keras_doctor.rules.stages import FILES
from keras_doctor.versions import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, FileCheck, Finding
    from keras_doctor.rules.context import Context

SEVERAL = 5
"""From so many changed files on, it is another release rather than an edited file."""


def duplicate_metadata(context: Context) -> Iterator[Finding]:
    """One distribution has two sets of metadata in one folder.

    What it checks: whether two .dist-info or .egg-info folders of the same distribution, of
    different versions, lie side by side on the way of the import, and which of them the files
    belong to.

    Why it breaks the import: pip reads one of them and is content ("already satisfied"), Python
    runs the files, which belong to the other. So the version that is shown is not the one that
    runs, and its requirements were never checked.

    How it is fixed: remove the folder and both sets of metadata, and install one version.

    Example: ``numpy-1.26.4.dist-info`` beside ``numpy-2.1.3.dist-info``.
    """
    found = False
    for name, copies in context.distributions.items():
        if not context.on_the_way(name):
            continue
        rivals = [d for d in copies if same_path(d.location, copies[0].location)]
        if len({d.version for d in rivals}) < 2:
            continue
        found = True
        yield _duplicate(context, rivals)
    if not found:
        raise RuledOut("every distribution on the way has one set of metadata")


def _duplicate(context: Context, rivals: list[Distribution]) -> Finding:
    real = min(rivals, key=lambda d: _strangeness(context, d))
    name = key_name(real)
    versions = listing(d.version for d in rivals)
    code = next((c for d in rivals if (c := check_of(context, d)) and c.code_version), None)
    evidence = [seen(f"{d.name} {d.version}", d.metadata) for d in rivals]
    if code:
        evidence.append(seen(f"the code says {code.code_version}", code.code_version_where))
    packages = {p for d in rivals for p in d.import_packages}
    folders = tuple(
        [f"{real.location}/{package}" for package in sorted(packages)]
        + [d.metadata for d in rivals]
    )
    signs = [sign(text=rf"(?i)\b{p}\b") for p in sorted(packages)] + [
        sign(raised_in=f"{real.location}/{p}") for p in sorted(packages)
    ]
    return finding(
        "KD303",
        "duplicate-metadata",
        real.name,
        title=(
            f"{real.name} is recorded twice, as {versions}; the files are those of {real.version}"
        ),
        why=(
            "pip believes one record and changes nothing; Python runs the files of the other, "
            "whose requirements nobody checked."
        ),
        evidence=evidence,
        stage=FILES,
        weight="risk",
        subject=name,
        fixes=[
            remove(context, folders, "Remove the files and both records,", name, continues=True),
            install(context, _wanted(context, rivals), summary="then install one version."),
        ],
        signs=signs,
        explains=[
            f"{cause}:{name}"
            for cause in (
                *("mixed-version-files", "altered-files", "missing-files"),
                "missing-shared-library",
            )
        ]
        + [f"altered-files:{name}+"],
    )


def _strangeness(context: Context, distribution: Distribution) -> tuple[int, int]:
    """How badly the files on disk fit a set of metadata: the smaller the better."""
    check = check_of(context, distribution)
    if check is None:
        return (1, 0)
    stated = check.code_version is not None and _differs(check.code_version, distribution.version)
    return (1 if stated else 0, check.anomalies_total)


def _wanted(context: Context, rivals: list[Distribution]) -> str:
    """The version to keep: the newest that every distribution on the way accepts."""
    from keras_doctor.versions import satisfies

    name = key_name(rivals[0])
    for rival in sorted(rivals, key=lambda d: release(d.version), reverse=True):
        specifiers = [
            specifier
            for parent in context.way
            if (found := context.first(parent))
            for needed, specifier, _line in context.requirements(found)
            if needed == name
        ]
        if all(satisfies(rival.version, s) is not False for s in specifiers):
            return f"{rival.name}=={rival.version}"
    return f"{rivals[0].name}=={rivals[0].version}"


def mixed_version_files(context: Context) -> Iterator[Finding]:
    """The folder of a package holds files of two releases.

    What it checks: for every distribution on the way of the import: whether many of its files have
    other sizes than its RECORD says while other files lie there that no RECORD knows, and whether
    the version that the code states is the one that the metadata states.

    Why it breaks the import: modules of one release import names that the modules of the other do
    not have. It happens when a package was copied over another one, or an install was done over an
    older one that could not be removed.

    How it is fixed: remove the folder of the package (stale files survive a reinstall), then
    install one release.

    Example: numpy 1.26.4 copied over numpy 2.0.2.
    """
    found = False
    for check in context.snapshot.files:
        distribution = distribution_of(context, check)
        if distribution and _is_mixed(distribution, check):
            found = True
            yield _mixed(context, distribution, check)
    if not found:
        raise RuledOut("the files of every package on the way are of one release")


def _differs(stated: str, recorded: str) -> bool:
    width = min(len(release(stated)), len(release(recorded)), 3)
    return width > 0 and release(stated)[:width] != release(recorded)[:width]


def _is_mixed(distribution: Distribution, check: FileCheck) -> bool:
    changed = [a for a in loadable(check.anomalies) if a.state == "size"]
    whole = [a for a in changed if a.size != 0]
    if len(whole) < SEVERAL:
        return False
    says_other = check.code_version is not None and _differs(
        check.code_version, distribution.version
    )
    grown = [a for a in whole if not is_cut(a)]
    return says_other or (len(grown) >= SEVERAL and check.unrecorded_total > 0)


def _mixed(context: Context, distribution: Distribution, check: FileCheck) -> Finding:
    name = key_name(distribution)
    states = all_states(check)
    stated = check.code_version
    other = f", the code says {stated}" if stated and _differs(stated, distribution.version) else ""
    folders = tuple(f"{distribution.location}/{p}" for p in distribution.import_packages)
    evidence = [
        seen(f"{counted(states['size'], 'file')} with another size than shipped"),
        seen(f"{counted(check.unrecorded_total, 'file')} that no record knows"),
        *(seen("for example", path) for path in check.unrecorded[:2]),
    ]
    if other:
        evidence.insert(
            0,
            seen(
                f"the metadata says {distribution.version}{other}",
                check.code_version_where or distribution.metadata,
            ),
        )
    return finding(
        "KD304",
        "mixed-version-files",
        distribution.name,
        title=(
            f"The folder of {distribution.name} {distribution.version} holds files of two releases"
        ),
        why="Modules of one release import what those of the other do not have.",
        evidence=evidence,
        stage=FILES,
        weight="likely",
        subject=name,
        fixes=[
            remove(context, folders, "Remove the folder of the package,", name, continues=True),
            reinstall(context, distribution, "then install one release again."),
        ],
        signs=signs_of(distribution, list(check.anomalies)),
        explains=[
            f"{cause}:{name}"
            for cause in ("altered-files", "missing-files", "missing-shared-library")
        ]
        + [f"altered-files:{name}+"],
    )
