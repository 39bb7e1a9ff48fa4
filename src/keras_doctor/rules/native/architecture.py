"""KD504 wrong-architecture."""

from __future__ import annotations

import os
import re

from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, finding, listing, seen, sign
from keras_doctor.rules.native.loading import native_facts, problems
from keras_doctor.rules.remedies import edit, reinstall
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, NativeProblem
    from keras_doctor.rules.context import Context

# dyld's words on macOS: "(mach-o file, but is an incompatible architecture (have 'x86_64', need
# 'arm64'))", in older releases "wrong architecture".
_MACOS = (
    r"([^\s'(]+\.(?:so|dylib))[^\n]*?incompatible architecture \(have '([^']+)', need '([^']+)'"
)


def wrong_architecture(context: Context) -> Iterator[Finding]:
    """A package holds code for another processor than this Python's.

    What it checks: the first bytes of the extension modules on the way of the import (processor
    and 32 or 64 bit) against those of the interpreter, and what macOS says about architectures.

    Why it breaks the import: the loader passes over such a file as if it were not there: "cannot
    open shared object file: No such file or directory", though it is; or it says "wrong ELF class"
    or "incompatible architecture".

    How it is fixed: install the package again with this environment's own pip, which takes the
    right wheel. On a Mac with an Apple processor, use a Python that is not translated by Rosetta.

    Example: site-packages copied from an ARM machine, or from a container for one.
    """
    found = False
    groups = problems(context, "machine")
    for problem in groups:
        found = True
        yield _foreign(context, problem)
    for file, have, need in _told(context):
        if not any(file in p.examples for p in groups):
            found = True
            yield _translated(context, file, have, need)
    if not found:
        native = native_facts(context)
        raise RuledOut(f"{native.modules} extension modules are for this processor")


def _told(context: Context) -> list[tuple[str, str, str]]:
    texts = [raised.message for o in context.failures for raised in o.chain]
    rows = [match.groups() for text in texts for match in re.finditer(_MACOS, text)]
    return [(a, b, c) for a, b, c in dict.fromkeys(rows)]


def _foreign(context: Context, problem: NativeProblem) -> Finding:
    native = native_facts(context)
    distribution = context.first(problem.distribution)
    evidence = [seen(f"made for {listing(problem.versions, 'or')}", problem.needed_by)]
    if native.machine and context.snapshot.interpreter:
        executable = context.snapshot.interpreter.executable
        evidence.append(seen(f"this Python is {native.machine}", executable))
    tags = distribution.tags if distribution else ()
    evidence += [seen(f"the wheel was {tag}", f"{problem.metadata}/WHEEL") for tag in tags]
    packages = distribution.import_packages if distribution else ()
    folder = distribution.location if distribution else ""
    signs = [sign(text=re.escape(path)) for path in problem.examples]
    signs += [
        sign("ImportError", "OSError", text=rf"{re.escape(folder)}/{re.escape(package)}/.*\.so")
        for package in packages
    ]
    signs += [sign(module=package) for package in packages]
    signs.append(sign(text=r"wrong ELF class|invalid ELF header"))
    whole = problem.modules >= problem.modules_total > 0
    return finding(
        "KD504",
        "wrong-architecture",
        problem.distribution,
        title=(
            f"{problem.distribution} was built for another processor: "
            f"{listing(problem.versions, 'or')}"
        ),
        why="The loader passes over files for another processor as if they were not there.",
        evidence=evidence,
        stage=LOADER,
        weight="fatal" if whole else "likely" if problem.modules > 1 else "risk",
        subject=normalize(problem.distribution),
        fixes=[reinstall(context, distribution)]
        if distribution
        else [edit("use-env", "python", "Install this Python again, for this processor.")],
        signs=signs,
        explains=[f"abi-mismatch:{normalize(problem.distribution)}"]
        + [f"missing-shared-library:{os.path.basename(path)}" for path in problem.examples],
    )


def _translated(context: Context, file: str, have: str, need: str) -> Finding:
    owner = next(
        (d for d in context.snapshot.distributions if file.startswith(d.location + os.sep)), None
    )
    package = file[len(owner.location) + 1 :].partition(os.sep)[0] if owner else ""
    owners = context.owners(package)
    fixes = [reinstall(context, owners[0])] if owners else []
    fixes.append(
        edit(
            "use-env",
            "python",
            "Or use a Python for this Mac's own processor; one that runs under Rosetta takes "
            "packages for Intel.",
        )
    )
    return finding(
        "KD504",
        "wrong-architecture",
        owners[0].name if owners else os.path.basename(file),
        title=f"{os.path.basename(file)} is for {have}, this Python is {need}",
        why="macOS loads only code for the processor that the Python itself was started for.",
        evidence=[seen(f"have {have}, need {need}", file)],
        stage=LOADER,
        weight="risk",
        fixes=fixes,
        signs=[sign(text=re.escape(file))],
    )
