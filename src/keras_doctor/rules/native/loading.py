"""What the rules about libraries share: the problems that were read, and what the loader said."""

from __future__ import annotations

import re
from itertools import groupby

from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.rules.base import Skip, counted, seen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keras_doctor.model import Evidence, Native, NativeProblem
    from keras_doctor.rules.context import Context

PYTHON = "Python"
"""What the collector calls the owner of the standard library's modules."""
VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD")

# The texts of glibc's elf/dl-load.c and elf/dl-version.c. A name with a slash is the object itself,
# which may be there and be for another processor.
# They are compiled where a run failed, not in every check.
_MISSING = r"(?<![\w./+-])(lib[\w.+-]*\.so[\w.]*): cannot open shared object file"
_VERSION = r"(\S+): version [`']([A-Z]+_[\w.]+)' not found(?: \(required by ([^)\s]+)\))?"
_NVIDIA = (
    *("libcuda.", "libcudart.", "libcublas.", "libcublasLt.", "libcudnn", "libcufft", "libcurand."),
    *("libcusolver", "libcusparse", "libnccl.", "libcupti.", "libnvrtc", "libnvJitLink."),
    *("libnvinfer", "libnvToolsExt."),
)


class Lacking(NamedTuple):
    """Symbol versions that the loader said it did not find."""

    library: str
    """The path, as the loader names it."""
    version: str
    by: str | None
    """The object that needs it."""


def native_facts(context: Context) -> Native:
    """What was read of the shared objects.

    Raises:
        Skip: Nothing was.
    """
    native = context.snapshot.native
    if native is None:
        raise Skip("the shared objects were not looked at")
    return native


def problems(context: Context, kind: str) -> list[NativeProblem]:
    """The problems of a kind, on the way of the import."""
    native = context.snapshot.native
    found = native.problems if native else ()
    return [
        p
        for p in found
        if p.kind == kind and (p.distribution == PYTHON or context.on_the_way(p.distribution))
    ]


def grouped(
    found: list[NativeProblem], key: Callable[[NativeProblem], str]
) -> Iterator[list[NativeProblem]]:
    """The problems that have one cause in common, the one with the most modules first."""
    for _, group in groupby(sorted(found, key=key), key=key):
        yield sorted(group, key=lambda p: -p.modules)


def said_missing(context: Context) -> list[str]:
    """Names of libraries that the loader did not find in a run, each once."""
    texts = [raised.message for o in context.failures for raised in o.chain]
    texts += [o.output for o in context.failures if not o.chain]
    return list(dict.fromkeys(name for text in texts for name in re.findall(_MISSING, text)))


def said_lacking(context: Context) -> list[Lacking]:
    """Versions that the loader did not find in a run, each once."""
    texts = [raised.message for o in context.failures for raised in o.chain]
    texts += [o.output for o in context.failures if not o.chain]
    rows = [match.groups() for text in texts for match in re.finditer(_VERSION, text)]
    return [Lacking(library=a, version=b, by=c or None) for a, b, c in dict.fromkeys(rows)]


def is_cuda(library: str) -> bool:
    """Whether a library is one of NVIDIA's."""
    return library.startswith(_NVIDIA)


def weight_of(group: list[NativeProblem]) -> str:
    """What it is worth when no failure was seen.

    An extension module that cannot be loaded does no harm when nothing imports it, so only what
    hits a good part of a package is taken for a cause before the import was tried.
    """
    wide = any(2 * p.modules >= p.modules_total > 0 or p.distribution == PYTHON for p in group)
    return "likely" if wide or any(p.recorded for p in group) else "risk"


def concerned(group: list[NativeProblem]) -> list[Evidence]:
    """How many modules of which distributions, and one of each."""
    return [
        seen(
            f"{counted(p.modules, 'extension module')} of {p.distribution} "
            f"(of {p.modules_total}) {'needs' if p.modules == 1 else 'need'} it",
            p.examples[0] if p.examples else p.needed_by,
        )
        for p in group[:4]
    ]


def keys(cause: str, group: list[NativeProblem]) -> list[str]:
    """The keys by which findings about damaged distributions fold this one."""
    return [f"{cause}:{normalize(p.distribution)}" for p in group]
