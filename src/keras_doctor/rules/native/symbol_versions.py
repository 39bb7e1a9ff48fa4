"""KD502 toolchain-too-old, KD508 library-path-contaminated."""

from __future__ import annotations

import os
import re

from keras_doctor.model import Change
from keras_doctor.rules.base import RuledOut, finding, listing, seen, sign
from keras_doctor.rules.context import is_inside, same_path
from keras_doctor.rules.native.loading import (
    VARIABLES,
    concerned,
    grouped,
    native_facts,
    problems,
    said_lacking,
    weight_of,
)
from keras_doctor.rules.remedies import edit, set_variable
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix, LibraryTaken, NativeProblem, Sign
    from keras_doctor.rules.context import Context

FAMILIES = {"GLIBC": "glibc", "GLIBCXX": "libstdc++", "CXXABI": "libstdc++", "GCC": "libgcc"}
"""Whose versions they are, by how their names begin."""


def toolchain_too_old(context: Context) -> Iterator[Finding]:
    """The system's C or C++ library is older than the one a package was built for.

    What it checks: the symbol versions (GLIBC_…, GLIBCXX_…, CXXABI_…) that the extension modules on
    the way of the import need, against those that the library which the loader takes defines.

    Why it breaks the import: the loader refuses the module: "version `GLIBC_2.38' not found".

    How it is fixed: a release of the package that was built for older systems, or a newer system
    (a newer container image). glibc itself cannot be replaced in place. A newer libstdc++ comes
    with the system's updates.

    Example: a wheel built on Ubuntu 24.04 and copied to Debian 11.
    """
    known = [p for p in problems(context, "version") if not _is_contaminated(p)]
    found = False
    for group in grouped(known, lambda p: p.found or ""):
        found = True
        yield _too_old(group)
    read = {p.found for p in problems(context, "version")}
    for path, rows in _told(context).items():
        if path in read or _brought_by(context, path):
            continue
        found = True
        versions = [version for version, _by in rows]
        yield _old(path, versions, [seen(f"needed by {by}", by) for _v, by in rows if by])
    if not found:
        native_facts(context)
        raise RuledOut("the C and C++ libraries have all symbol versions that are needed")


def library_path_contaminated(context: Context) -> Iterator[Finding]:
    """A variable or an environment's own folder puts another library before the system's.

    What it checks: which libraries LD_LIBRARY_PATH, LD_PRELOAD or the interpreter's own library
    folder (conda) bring to the extension modules on the way of the import, and whether these have
    the symbol versions that are needed.

    Why it breaks the import: the loader takes the first library of the right name, also when it is
    too old, and refuses the module: "oldlib/libstdc++.so.6: version `GLIBCXX_3.4.19' not found".
    One without versions may lack a symbol, or crash; a file that is no library at all is taken
    too, and refused.

    How it is fixed: unset the variable, or take that folder out of it.

    Example: LD_LIBRARY_PATH with the libstdc++ of an old compiler or of MATLAB.
    """
    known = [p for p in problems(context, "version") if _is_contaminated(p)]
    found = False
    for group in grouped(known, lambda p: p.found or ""):
        found = True
        yield _contaminated(context, group)
    told = _told(context)
    for path, rows in told.items():
        variable = _brought_by(context, path)
        if variable and path not in {p.found for p in known}:
            found = True
            evidence = [seen(f"{path} lacks {listing(v for v, _ in rows)}", "live run")]
            yield _blame(context, variable, path, evidence, "risk", [sign(text=re.escape(path))])
    refused = _refused(context)
    for path, said in refused.items():
        variable = _brought_by(context, path)
        if variable and path not in told and path not in {p.found for p in known}:
            found = True
            evidence = [seen(said, "live run")]
            yield _blame(context, variable, path, evidence, "likely", [sign(text=re.escape(path))])
            told[path] = []
    native = context.snapshot.native
    rest = [
        taken
        for taken in (native.libraries if native else ())
        if taken.path not in told and taken.path not in {p.found for p in known}
    ]
    for variable in VARIABLES:
        suspects = [taken for taken in rest if taken.by == variable]
        if suspects:
            found = True
            yield _suspect(context, variable, suspects)
    if not found:
        native_facts(context)
        raise RuledOut("no variable brings other libraries than the system's")


def _is_contaminated(problem: NativeProblem) -> bool:
    """Whether the library was taken although a better one is there, or by a variable's word."""
    if problem.by in VARIABLES:
        return True
    foreign = problem.by in ("rpath", "loaded", "runpath") and problem.otherwise is not None
    return foreign and bool(problem.found)


def _told(context: Context) -> dict[str, list[tuple[str, str | None]]]:
    """What the loader complained about, by the library's path."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for row in said_lacking(context):
        found.setdefault(row.library, []).append((row.version, row.by))
    return found


_NO_LIBRARY = re.compile(
    r"(?P<path>/[^\s:'\"]+): (?:file too short|invalid ELF header|wrong ELF class|undefined symbol|"
    r"cannot read file data|only ET_DYN|ELF file|internal error)[^\n]*"
)
"""What the loader says of a file that it takes and cannot use. Source: glibc, elf/dl-load.c."""


def _refused(context: Context) -> dict[str, str]:
    """Files that the loader took and could not use, each with its words."""
    found: dict[str, str] = {}
    for outcome in context.failures:
        for text in (*(raised.message for raised in outcome.chain), outcome.output[-20_000:]):
            for match in _NO_LIBRARY.finditer(text):
                found.setdefault(match["path"], match[0])
    return found


def _brought_by(context: Context, path: str) -> str | None:
    """The variable whose folder or file a library is."""
    for name in VARIABLES:
        variable = context.variables.get(name)
        for part in re.split(r"[:; ]", variable.value) if variable else ():
            if part and (same_path(part, path) or is_inside(path, part)):
                return name
    return None


def _families(versions: list[str]) -> str:
    names = [FAMILIES.get(v.partition("_")[0], v.partition("_")[0]) for v in versions]
    return listing(dict.fromkeys(names))


def _too_old(group: list[NativeProblem]) -> Finding:
    versions = sorted({v for p in group for v in p.versions})
    first = group[0]
    evidence = [
        seen(
            f"{os.path.basename(first.needed_by)} needs {listing(first.versions)}", first.needed_by
        )
    ]
    if first.newest:
        evidence.append(seen(f"the newest that it has is {first.newest}", first.found))
    found = _old(first.found or "", versions, evidence + concerned(group))
    return found._replace(weight=weight_of(group), fixes=tuple(_older_release(group)))


def _old(path: str, versions: list[str], evidence: list[Evidence]) -> Finding:
    family = _families(versions)
    # The newest says most, and numbers do not sort as text.
    newest = max(versions, key=lambda v: [int(n) for n in re.findall(r"\d+", v)])
    wanted = "|".join(re.escape(v) for v in versions)
    return finding(
        "KD502",
        "toolchain-too-old",
        family,
        title=f"{family} of this system is too old: {newest} is needed",
        why=f"The loader refuses a module that needs symbol versions which {path} lacks.",
        evidence=evidence or [seen(f"version {newest} not found", path)],
        stage=LOADER,
        weight="risk",
        fixes=[
            edit("use-env", family, "Use a newer system, such as a newer container image."),
        ],
        signs=[sign(text=rf"version [`']({wanted})' not found")],
    )


def _older_release(group: list[NativeProblem]) -> Iterator[Fix]:
    names = listing(dict.fromkeys(p.distribution for p in group))
    yield edit(
        "install",
        group[0].distribution,
        f"Install a release of {names} that was built for older systems; pip takes only "
        f"wheels whose tag fits this system, so look for what was installed by other means.",
    )
    family = _families(list(group[0].versions))
    yield edit("use-env", family, "Or use a newer system, such as a newer container image.")


def _contaminated(context: Context, group: list[NativeProblem]) -> Finding:
    first = group[0]
    path = first.found or ""
    evidence = [
        seen(f"{first.by} brings {path}", None if first.by not in VARIABLES else "environment"),
        seen(
            f"{os.path.basename(first.needed_by)} needs {listing(first.versions)}", first.needed_by
        ),
    ]
    if first.newest:
        evidence.append(seen(f"the newest that it has is {first.newest}", path))
    if first.otherwise:
        evidence.append(seen("the one that it hides has them all", first.otherwise))
    evidence += concerned(group)
    wanted = "|".join(re.escape(v) for v in sorted({v for p in group for v in p.versions}))
    signs = [sign(text=rf"version [`']({wanted})' not found"), sign(text=re.escape(path))]
    culprit = first.by if first.by in VARIABLES else path
    return _blame(context, culprit or path, path, evidence, weight_of(group), signs)


def _suspect(context: Context, variable: str, taken: list[LibraryTaken]) -> Finding:
    """Libraries that a variable brings, with all the versions that are needed."""
    evidence = [seen(f"{one.path} hides {one.hides}", "environment") for one in taken[:5]]
    path = taken[0].path
    signs = [
        *(sign(text=re.escape(one.path)) for one in taken),
        sign(text=r"undefined symbol|symbol lookup error", weak=True),
        sign(crash=True, weak=True),
    ]
    return _blame(context, variable, path, evidence, "risk", signs)


def _blame(
    context: Context,
    culprit: str,
    path: str,
    evidence: list[Evidence],
    weight: str,
    signs: list[Sign],
) -> Finding:
    fixes: list[Fix] = []
    changes: list[Change] = []
    if culprit in VARIABLES:
        fixes, changes = _without(context, culprit, path)
    else:
        fixes = [
            edit(
                "use-env",
                path,
                f"Update the environment that {path} belongs to, or use another Python.",
            )
        ]
    return finding(
        "KD508",
        "library-path-contaminated",
        culprit,
        title=f"{culprit} puts {path} before the system's own library"
        if culprit in VARIABLES
        else f"{path} hides the system's newer library",
        why="The loader takes the first library of the right name, whether or not it fits.",
        evidence=evidence,
        stage=LOADER,
        weight=weight,
        subject=f"{culprit}:{path}",
        fixes=fixes,
        signs=signs,
        explains=[f"toolchain-too-old:{_family_of(path)}"],
        changes=changes,
    )


def _family_of(path: str) -> str:
    name = os.path.basename(path)
    return "libstdc++" if name.startswith("libstdc++") else "glibc"


def _without(context: Context, variable: str, path: str) -> tuple[list[Fix], list[Change]]:
    """Take what brings libraries out of the variable, or unset it when nothing else is in it."""
    value = context.variables[variable].value if variable in context.variables else ""
    native = context.snapshot.native
    paths = [path, *(t.path for t in (native.libraries if native else ()) if t.by == variable)]
    kept = [
        part
        for part in value.split(":")
        if part and not any(same_path(part, p) or is_inside(p, part) for p in paths)
    ]
    if not kept:
        fix = set_variable(context, variable, None, f"Unset {variable}.")
        return [fix], [Change(kind="unset-variable", name=variable, value=None)]
    rest = ":".join(kept)
    folder = os.path.dirname(path)
    fix = set_variable(context, variable, rest, f"Take {folder} out of {variable}.")
    return [fix], [Change(kind="set-variable", name=variable, value=rest)]
