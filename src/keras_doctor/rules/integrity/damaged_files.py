"""KD301 missing-files, KD302 altered-files, KD305 unreadable-files."""

from __future__ import annotations

import os

from keras_doctor.rules.base import RuledOut, Skip, finding, seen, sign
from keras_doctor.rules.integrity.code_gone import without_code
from keras_doctor.rules.integrity.damage import (
    all_states,
    check_of,
    describe,
    distribution_of,
    is_code,
    is_cut,
    is_edit,
    is_top_init,
    key_name,
    loadable,
    signs_of,
)
from keras_doctor.rules.remedies import make_readable, reinstall, remove
from keras_doctor.rules.stages import FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keras_doctor.model import Distribution, FileAnomaly, FileCheck, Finding, Fix
    from keras_doctor.rules.context import Context


def missing_files(context: Context) -> Iterator[Finding]:
    """Files that a distribution shipped are gone.

    What it checks: for every distribution on the way of the import, whether each file of its
    RECORD that an import can load (.py, .so, .pyd, .dll, .dylib) is there. Tests and examples do
    not count. And whether anything at all answers to the import names of a distribution that no
    RECORD tells about, such as an editable install whose folder is gone.

    Why it breaks the import: the module that loads the file does not find it. A missing
    ``__init__.py`` makes the package an empty namespace; a half-missing package says "partially
    initialized module … (most likely due to a circular import)".

    How it is fixed: install the same version again over what is there. A plain ``pip install``
    says "already satisfied" and changes nothing.

    Example: ``keras/__init__.py`` was deleted.
    """
    found = False
    for gone in without_code(context):
        found = True
        yield gone
    try:
        yield from _judge(
            context,
            code="KD301",
            cause="missing-files",
            wanted=lambda a: a.state == "missing",
            verb="missing",
            why="The import may need what is missing, and pip believes that it is there.",
            explains=(
                *("namespace-remnant", "not-installed", "backend-not-installed"),
                "missing-shared-library",
            ),
        )
    except (RuledOut, Skip):
        if not found:
            raise


def altered_files(context: Context) -> Iterator[Finding]:
    """Installed files were cut short, emptied, or filled with zero bytes.

    What it checks: for every distribution on the way of the import, the size of each loadable file
    against its RECORD, and whether its content is zero bytes. A file that is longer than shipped
    was edited rather than damaged: it counts only when the failure comes from it. So does, with
    ``check --verify``, a file that has the right size and another SHA-256 than its RECORD says.

    Why it breaks the import: a full disk, a power cut or an interrupted copy leaves files with the
    right name and not the right content. "source code string cannot contain null bytes", "file
    too short", a bus error without any message, or an error in quite another place.

    How it is fixed: install the same version again over what is there.

    Example: ``libtensorflow_framework.so.2`` was copied only halfway.
    """
    found = False
    try:
        for result in _judge(
            context,
            code="KD302",
            cause="altered-files",
            wanted=is_cut,
            verb="damaged",
            why="What was shipped is no longer in there, though the name is right.",
            explains=("missing-shared-library",),
        ):
            found = True
            yield result
    except RuledOut:
        pass
    for check in context.snapshot.files:
        distribution = distribution_of(context, check)
        edited = [a for a in loadable(check.anomalies) if is_edit(a)]
        if distribution and edited:
            found = True
            yield _edited(context, distribution, edited)
    if not found:
        what = "content (SHA-256)" if context.snapshot.verified else "size"
        raise RuledOut(f"every file on the way has the {what} that was shipped")


def _edited(context: Context, distribution: Distribution, edited: list[FileAnomaly]) -> Finding:
    """A note, unless the failure comes from one of the files."""
    found = _finding(
        context,
        distribution,
        edited,
        code="KD302",
        cause="altered-files",
        verb="not as it was shipped",
        why="Somebody or something changed them after the install.",
        explains=(),
    )
    signs = [sign(file=a.path) for a in edited[:20]]
    # Hashes tell of single bytes too, which nobody edits: these may fail far from their file.
    broken = [a for a in edited if a.state == "hash" and is_code(a)]
    if broken and context.on_the_way(distribution.name):
        signs += [one._replace(weak=True) for one in signs_of(distribution, broken)]
    return found._replace(weight="risk", signs=tuple(signs), key=found.key + "+")


def unreadable_files(context: Context) -> Iterator[Finding]:
    """Installed files may not be read by the user who runs Python.

    What it checks: for every distribution on the way of the import, whether this user may read
    its loadable files and the folders that they lie in.

    Why it breaks the import: Python raises PermissionError, or, for a folder, does not see the
    module at all. Mostly the install was done with sudo and a strict umask.

    How it is fixed: give the files back their read permission.

    Example: ``keras/src/backend/config.py`` has mode 000.
    """
    yield from _judge(
        context,
        code="KD305",
        cause="unreadable-files",
        wanted=lambda a: a.state in ("unreadable", "folder-unreadable"),
        verb="unreadable",
        why="Python may not open them.",
        explains=("not-installed", "namespace-remnant"),
    )


def _judge(
    context: Context,
    *,
    code: str,
    cause: str,
    wanted: Callable[[FileAnomaly], bool],
    verb: str,
    why: str,
    explains: tuple[str, ...] = (),
) -> Iterator[Finding]:
    if not context.snapshot.files:
        raise Skip("the files of no distribution were compared with their RECORD")
    found = False
    for check in context.snapshot.files:
        distribution = distribution_of(context, check)
        anomalies = [a for a in loadable(check.anomalies) if wanted(a)]
        if distribution and anomalies:
            found = True
            yield _finding(
                context,
                distribution,
                anomalies,
                code=code,
                cause=cause,
                verb=verb,
                why=why,
                explains=explains,
            )
    if not found:
        raise RuledOut("no file on the way is concerned")


def _common_folder(distribution: Distribution, anomalies: list[FileAnomaly]) -> str:
    """What to give back its permissions: the import package, else the first file."""
    if distribution.import_packages:
        return os.path.join(distribution.location, distribution.import_packages[0])
    return anomalies[0].path


def _number(context: Context, distribution: Distribution, anomalies: list[FileAnomaly]) -> int:
    """How many files: the list in the snapshot is bounded, its total is not."""
    check = check_of(context, distribution)
    if check is None or check.anomalies_total <= len(check.anomalies):
        return len(anomalies)
    return sum(all_states(check)[state] for state in {a.state for a in anomalies})


_FEW = 10
"""So many links are named one by one; of more, the folders go that hold them."""


def _without_links(context: Context, distribution: Distribution, check: FileCheck) -> Fix:
    """Take the links away that an installer would write through, or stumble over."""
    links = check.dangling
    if len(links) > _FEW or check.anomalies_total > len(check.anomalies):
        site = distribution.location
        inside = (os.path.relpath(link, site).replace("\\", "/") for link in links)
        tops = sorted({path.partition("/")[0] for path in inside})
        links = tuple(os.path.join(site, name) for name in tops)
    summary = "Remove the links that lead nowhere,"
    return remove(context, links, summary, distribution.name, continues=True)


def _finding(
    context: Context,
    distribution: Distribution,
    anomalies: list[FileAnomaly],
    *,
    code: str,
    cause: str,
    verb: str,
    why: str,
    explains: tuple[str, ...],
) -> Finding:
    # The file that the import runs first is the one to show first.
    anomalies = sorted(anomalies, key=lambda a: not is_top_init(distribution, a))
    number = _number(context, distribution, anomalies)
    files = "A file" if number == 1 else f"{number} files"
    verb_form = "is" if number == 1 else "are"
    fixes = [reinstall(context, distribution)]
    evidence = [describe(a) for a in anomalies[:5]]
    check = check_of(context, distribution)
    if code == "KD301" and check is not None and check.dangling:
        fixes.insert(0, _without_links(context, distribution, check))
        evidence.insert(0, seen("a link that leads nowhere", check.dangling[0]))
    signs = signs_of(distribution, anomalies)
    if code == "KD305":
        folder = _common_folder(distribution, anomalies)
        fixes.insert(
            0,
            make_readable(context, folder, "u+rX", "Make them readable."),
        )
        signs.append(sign("PermissionError"))
    return finding(
        code,
        cause,
        distribution.name,
        title=f"{files} of {distribution.name} {distribution.version} {verb_form} {verb}",
        why=why,
        evidence=evidence,
        stage=FILES,
        weight="fatal" if is_top_init(distribution, anomalies[0]) else "likely",
        subject=key_name(distribution),
        fixes=fixes,
        signs=signs,
        explains=[
            f"{slug}:{name}"
            for slug in explains
            for name in sorted({*distribution.import_packages, key_name(distribution)})
        ],
    )
