"""KD505 cuda-mismatch."""

from __future__ import annotations

import re

from keras_doctor.knowledge.native import oldest_driver
from keras_doctor.rules.base import RuledOut, finding, listing, seen, sign
from keras_doctor.rules.native.loading import is_cuda, native_facts, problems, said_missing
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Evidence, Finding, NativeProblem
    from keras_doctor.rules.context import Context

_WHEEL = "nvidia-cuda-runtime"
_DRIVER = r"\s(\d{3,4})\.\d+"
# The CUDA runtime's words for a driver that is too old (cudaErrorInsufficientDriver).
_TOO_OLD = r"CUDA driver version is insufficient|driver on your system is too old"


def cuda_mismatch(context: Context) -> Iterator[Finding]:
    """The GPU libraries and the NVIDIA driver do not go with what the packages were built for.

    What it checks: which of NVIDIA's libraries the extension modules on the way of the import are
    linked to and the loader does not find, and whether the driver is at least as new as the CUDA
    release of the installed ``nvidia-…`` wheels asks for.

    Why it breaks the import: a library that a module is linked to must be there, GPU or not:
    "libcublas.so.10.0: cannot open shared object file". A driver that is too old does not stop the
    import: the GPU is then not used, which is a note here.

    How it is fixed: the release of the package for the CUDA that is there, the CUDA that the
    package asks for, the build for the processor alone, or a newer driver.

    Example: tensorflow-gpu 1.14, built for CUDA 10.0, on a machine with CUDA 10.1.
    """
    known = [p for p in problems(context, "missing") if p.library and is_cuda(p.library)]
    by_name = {p.library: p for p in known}
    told = [name for name in said_missing(context) if is_cuda(name)]
    names = list(dict.fromkeys([*told, *(p.library or "" for p in known)]))
    found = False
    if names:
        found = True
        holders = list(dict.fromkeys(p.distribution for p in known)) or _backend(context)
        evidence = [
            seen(f"{name} is not found", by_name[name].needed_by if name in by_name else "live run")
            for name in names[:5]
        ]
        yield _missing(holders, names, evidence, wide=bool(told) or _is_wide(known))
    wheel, cuda = _cuda_wheel(context)
    native = context.snapshot.native
    driver = _driver(native.driver if native else None)
    needed = oldest_driver(cuda) if cuda else None
    if wheel and driver and needed and driver < needed:
        found = True
        yield _old_driver(wheel, cuda or 0, driver, needed, native.driver if native else "")
    if not found:
        native_facts(context)
        raise RuledOut("no module on the way misses a library of NVIDIA's")


def _is_wide(known: list[NativeProblem]) -> bool:
    return any(2 * p.modules >= p.modules_total > 0 for p in known)


def _backend(context: Context) -> list[str]:
    backend = context.choice.backend
    found = context.backend_distribution(backend) if backend else None
    return [found.name] if found else ["CUDA"]


def _missing(
    holders: list[str], names: list[str], evidence: list[Evidence], *, wide: bool
) -> Finding:
    return finding(
        "KD505",
        "cuda-mismatch",
        holders[0],
        title=f"{holders[0]} is linked to {listing(names[:3])}, which this system does not have",
        why="What a module is linked to must be there when it is loaded, with or without a GPU.",
        evidence=evidence,
        stage=LOADER,
        weight="likely" if wide else "risk",
        fixes=[
            edit(
                "install",
                holders[0],
                f"Install the CUDA libraries that {holders[0]} was built for, a release of it for "
                "the CUDA that is there, or its build without GPU support.",
            )
        ],
        signs=[sign(text=re.escape(name)) for name in names],
        explains=[f"missing-shared-library:{name}" for name in names],
    )


def _cuda_wheel(context: Context) -> tuple[Distribution | None, int | None]:
    """The wheel with the CUDA runtime, and the first number of its CUDA."""
    for name in context.distributions:
        distribution = context.first(name) if name.startswith(_WHEEL) else None
        if distribution and context.on_the_way(name):
            number = name[len(_WHEEL) :].removeprefix("-cu")
            number = number or distribution.version.partition(".")[0]
            return distribution, int(number) if number.isdigit() else None
    return None, None


def _driver(text: str | None) -> int | None:
    match = re.search(_DRIVER, text or "")
    return int(match[1]) if match else None


def _old_driver(
    wheel: Distribution, cuda: int, driver: int, needed: int, said: str | None
) -> Finding:
    return finding(
        "KD505",
        "cuda-mismatch",
        "driver",
        title=f"The NVIDIA driver {driver} is older than CUDA {cuda} needs ({needed})",
        why="The import works, and the GPU is not used.",
        evidence=[
            seen(said or "", "/proc/driver/nvidia/version"),
            seen(f"{wheel.name} {wheel.version}", wheel.metadata),
        ],
        stage=LOADER,
        weight="risk",
        fixes=[edit("system-package", "driver", f"Install an NVIDIA driver from {needed} on.")],
        signs=[sign(text=_TOO_OLD)],
    )
