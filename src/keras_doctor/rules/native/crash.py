"""KD507 crash-on-import."""

from __future__ import annotations

import re

from keras_doctor.rules.base import NotApplicable, RuledOut, finding, listing, seen, sign
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import reinstall, set_variable
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Evidence, Finding, Outcome
    from keras_doctor.rules.context import Context

# Intel's and LLVM's OpenMP run time, when a second copy of it starts in one process.
_OPENMP = r"OMP: Error #15: Initializing (\S+?), but found (\S+?) already initialized"
_CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")
_LAST = 3


def crash_on_import(context: Context) -> Iterator[Finding]:
    """The process dies while a package is loaded, instead of raising.

    What it checks: whether a run was ended by a segmentation fault, an abort, a bus error or an
    illegal instruction, and what Python was doing at that moment. It is an answer only where no
    other rule predicts the crash (damaged files, other libraries by LD_LIBRARY_PATH, missing
    instructions of the processor). Two copies of Intel's OpenMP in one process, which end it with
    "OMP: Error #15", are told apart.

    Why it breaks the import: native code has no exceptions; whoever made the mistake, the process
    is gone.

    How it is fixed: install the package again that was being loaded; if that does not help, look
    for two packages that bring the same native library in different builds.

    Example: a package built from source against other headers than the installed numpy.
    """
    died = [o for o in context.failures if o.status == "died" and o.signal in _CRASHES]
    if not context.outcomes:
        raise NotApplicable("nothing was run")
    if not died:
        raise RuledOut("no run was ended by a signal")
    for outcome in died:
        match = re.search(_OPENMP, outcome.output)
        if match:
            yield _two_openmp(context, match)
            return
    yield _crash(context, died[0])


def _owner(context: Context, file: str) -> Distribution | None:
    """The distribution in whose import package a file lies."""
    for distribution in context.snapshot.distributions:
        for package in distribution.import_packages:
            if is_inside(file, f"{distribution.location}/{package}"):
                return distribution
    return None


def _crash(context: Context, outcome: Outcome) -> Finding:
    frames = outcome.crash_frames
    owners = [_owner(context, frame.file) for frame in reversed(frames)]
    owner = next((o for o in owners if o is not None), None)
    evidence: list[Evidence] = [seen(f"ended by {outcome.signal}", outcome.what)]
    evidence += [
        seen(f"in {frame.function}", f"{frame.file}:{frame.line}")
        for frame in reversed(frames[-_LAST:])
    ]
    if not frames:
        evidence += [
            seen(line, "what it printed") for line in outcome.output.strip().splitlines()[-_LAST:]
        ]
    name = f"{owner.name} {owner.version}" if owner else None
    last = frames[-1] if frames else None
    if name and last:
        loading = f"while {name} was loaded, at {context.shown(last.file)}:{last.line}"
    else:
        loading = "and left no trace of where"
    return finding(
        "KD507",
        "crash-on-import",
        owner.name if owner else (last.file if last else "native code"),
        title=f"The process was ended by {outcome.signal} {loading}",
        why="Native code crashed; nothing that was read explains it.",
        evidence=evidence,
        stage=LOADER,
        weight="risk",
        fixes=[reinstall(context, owner)] if owner else [],
        signs=[sign(crash=True, weak=True)],
    )


def _two_openmp(context: Context, match: re.Match[str]) -> Finding:
    first, second = match[2], match[1]
    names = list(dict.fromkeys([second, first]))
    return finding(
        "KD507",
        "crash-on-import",
        second,
        title=f"Two OpenMP run times meet in one process: {listing(names)}",
        why="The second one ends the process, because two of them can give wrong results.",
        evidence=[seen(match[0], "what it printed")],
        stage=LOADER,
        weight="risk",
        fixes=[
            set_variable(
                context,
                "KMP_DUPLICATE_LIB_OK",
                "TRUE",
                "For a try, allow both; results may be wrong. The cure is an environment whose "
                "packages come from one source (all from pip, or all from conda).",
            )
        ],
        signs=[sign(text=_OPENMP), sign(printed=_OPENMP)],
    )
