"""KD501 missing-shared-library."""

from __future__ import annotations

import os
import re

from keras_doctor.knowledge.native import debian_package
from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, finding, listing, seen, sign
from keras_doctor.rules.native.loading import (
    concerned,
    grouped,
    is_cuda,
    native_facts,
    problems,
    said_missing,
    weight_of,
)
from keras_doctor.rules.remedies import command, edit, reinstall
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Fix, NativeProblem
    from keras_doctor.rules.context import Context

# auditwheel and delvewheel put a hash into the name of what they copy into a wheel.
_COPIED = r"-[0-9a-f]{8}\."


def missing_shared_library(context: Context) -> Iterator[Finding]:
    """An extension module needs a library that the dynamic loader does not find.

    What it checks: what the extension modules on the way of the import are linked to, and what
    these libraries need in turn, looked for as the loader does: in the folders that the files
    themselves name, in LD_LIBRARY_PATH, in the loader's cache and in the system's folders. A
    library that some installed distribution brings is taken for found, because code may load it
    by itself. The names that the loader complained about in a run count too.

    Why it breaks the import: Python can only load an extension module together with all that it
    is linked to. "libgomp.so.1: cannot open shared object file: No such file or directory".

    How it is fixed: a library of the system is installed with the system's package manager; one
    that belongs to the wheel comes back with a reinstall.

    Example: a slim container without ``libgomp1``, or ``numpy.libs`` without its OpenBLAS.
    """
    known = [p for p in problems(context, "missing") if p.library and not is_cuda(p.library)]
    found = False
    for group in grouped(known, _subject):
        found = True
        yield _read(context, group)
    told = [name for name in said_missing(context) if not is_cuda(name)]
    for name in told:
        if name not in {p.library for p in known}:
            found = True
            yield _system(context, name, [])
    if not found:
        native = native_facts(context)
        raise RuledOut(f"{native.modules} extension modules find what they are linked to")


def _subject(problem: NativeProblem) -> str:
    return problem.distribution if _is_own(problem) else problem.library or ""


def _is_own(problem: NativeProblem) -> bool:
    """Whether the library is a part of the distribution, and not of the system."""
    return problem.recorded or bool(re.search(_COPIED, problem.library or ""))


def _read(context: Context, group: list[NativeProblem]) -> Finding:
    first = group[0]
    if not _is_own(first):
        return _system(context, first.library or "", group)
    distribution = context.first(first.distribution)
    libraries = list(dict.fromkeys(p.library or "" for p in group))
    return finding(
        "KD501",
        "missing-shared-library",
        first.distribution,
        title=f"{first.distribution} has lost {listing(libraries)}, which it is linked to",
        why="The loader refuses an extension module that lacks what it is linked to.",
        evidence=[
            seen(f"{os.path.basename(p.needed_by)} needs {p.library}", p.needed_by) for p in group
        ]
        + concerned(group),
        stage=LOADER,
        weight=weight_of(group),
        subject=normalize(first.distribution),
        fixes=[reinstall(context, distribution)] if distribution else [],
        signs=[sign(text=re.escape(library)) for library in libraries],
    )


def _system(context: Context, library: str, group: list[NativeProblem]) -> Finding:
    evidence = concerned(group)
    if group:
        needing = group[0].needed_by
        evidence.insert(0, seen(f"{os.path.basename(needing)} needs {library}", needing))
    else:
        evidence.append(seen(f"{library}: cannot open shared object file", "live run"))
    return finding(
        "KD501",
        "missing-shared-library",
        library,
        title=f"The shared library {library} is not on this system",
        why="The loader refuses an extension module that lacks what it is linked to.",
        evidence=evidence,
        stage=LOADER,
        weight=weight_of(group) if group else "risk",
        fixes=_system_fixes(context, library),
        signs=[sign(text=rf"(?<![\w./+-]){re.escape(library)}: cannot open shared object file")],
    )


def _system_fixes(context: Context, library: str) -> list[Fix]:
    package = debian_package(library)
    interpreter = context.snapshot.interpreter
    bits = "()(64bit)" if interpreter is None or interpreter.bits == 64 else ""
    fixes = []
    if package:
        fixes.append(
            command(
                context,
                "system-package",
                f"On Debian and Ubuntu: install {package}.",
                ("apt-get", "install", package),
                package,
            )
        )
    else:
        fixes.append(
            edit("system-package", library, f"Install the system package that holds {library}.")
        )
    # RPM packages say which libraries they provide, so no package name is needed.
    fixes.append(
        command(
            context,
            "system-package",
            "On Fedora and its kin: install what provides it.",
            ("dnf", "install", f"{library}{bits}"),
            library,
        )
    )
    return fixes
