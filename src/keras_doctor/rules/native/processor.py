"""KD503 cpu-instruction-missing."""

from __future__ import annotations

import re

from keras_doctor.knowledge.native import needed_instruction
from keras_doctor.names import normalize
from keras_doctor.rules.base import RuledOut, Skip, finding, seen, sign
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import LOADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Distribution, Evidence, Finding, Outcome
    from keras_doctor.rules.context import Context

# TensorFlow's and jaxlib's cpu_feature_guard, and numpy's check of its baseline.
_REFUSALS = {
    "tensorflow": r"compiled to use (\S+) instructions, but these aren't available",
    "jaxlib": r"jaxlib was built using (\S+) instructions, which your CPU",
    "numpy": r"NumPy was built with baseline optimizations:\s*\(([^)]*)\)",
}
_USUAL = ("sse4_2", "avx", "avx2", "fma")
"""Flags that processors of the last years have; without one of them an illegal instruction is
no riddle."""


def cpu_instruction_missing(context: Context) -> Iterator[Finding]:
    """The package was compiled for a newer processor than this one.

    What it checks: the flags of the processor against what the published wheels of TensorFlow and
    jaxlib need (AVX), the refusals of TensorFlow, jaxlib and numpy themselves, and a run that was
    ended by an illegal instruction (SIGILL) on a processor that lacks common ones.

    Why it breaks the import: the processor meets an instruction that it does not have, and the
    process dies: "Illegal instruction (core dumped)". Virtual machines often hide instructions
    that the processor below them has; so does a Python for Intel that runs on an Apple processor.

    How it is fixed: give the virtual machine the host's processor model, take an older release, a
    build for this processor (conda-forge, or from source), or, on a Mac, a Python for its own
    processor.

    Example: TensorFlow 2.10 in a virtual machine of the model "Common KVM processor".
    """
    machine, interpreter = context.snapshot.machine, context.snapshot.interpreter
    found = False
    for name, flags_told, said in _refused(context):
        found = True
        yield _finding(context, name, flags_told, [seen(said, "live run")], "risk")
    flags = machine.cpu_flags if machine else ()
    if flags and interpreter and interpreter.machine.lower() in ("x86_64", "amd64"):
        refused = {normalize(name) for name, _, _ in _refused(context)}
        for distribution in _on_the_way(context):
            need = needed_instruction(distribution.name, distribution.version)
            if need and need[0] not in flags and _family(distribution.name) not in refused:
                found = True
                yield _unfit(context, distribution, *need)
        if not found and (outcome := _illegal(context)):
            missing = [flag for flag in _USUAL if flag not in flags]
            if missing:
                found = True
                yield _died(context, outcome, missing)
    elif not found and not flags:
        raise Skip("the instructions of the processor are not known")
    if not found:
        raise RuledOut("the processor has the instructions that the packages are known to need")


def _on_the_way(context: Context) -> list[Distribution]:
    return [d for name in context.way if (d := context.first(name)) and d.installer != "conda"]


def _family(name: str) -> str:
    return "tensorflow" if normalize(name).startswith(("tensorflow", "tf-")) else normalize(name)


def _refused(context: Context) -> list[tuple[str, str, str]]:
    """(the package, the instructions, its words) of each refusal in the runs."""
    rows: list[tuple[str, str, str]] = []
    for outcome in context.failures:
        texts = [raised.message for raised in outcome.chain] + [outcome.output]
        for name, pattern in _REFUSALS.items():
            match = next((m for text in texts if (m := re.search(pattern, text))), None)
            if match and name not in [row[0] for row in rows]:
                rows.append((name, match[1], match[0]))
    return rows


def _illegal(context: Context) -> Outcome | None:
    return next((o for o in context.failures if o.signal == "SIGILL"), None)


def _finding(
    context: Context, name: str, flags: str, evidence: list[Evidence], weight: str
) -> Finding:
    installed = context.backend_distribution(name) or context.first(name)
    shown = f"{installed.name} {installed.version}" if installed else name
    interpreter = context.snapshot.interpreter
    fixes = [
        edit(
            "use-env",
            name,
            f"Use a build of {name} without {flags.upper()} (an older release, one from source), "
            "or another machine; in a virtual machine, choose the host's processor model.",
        )
    ]
    if interpreter and interpreter.platform == "darwin":
        fixes.insert(
            0, edit("use-env", "python", "Use a Python for this Mac's own processor (arm64).")
        )
    return finding(
        "KD503",
        "cpu-instruction-missing",
        installed.name if installed else name,
        title=f"{shown} needs {flags.upper()} instructions, which this processor does not have",
        why="The processor stops the process at an instruction that it does not know.",
        evidence=evidence,
        stage=LOADER,
        weight=weight,
        fixes=fixes,
        signs=[
            *(sign(text=pattern) for pattern in _REFUSALS.values()),
            sign(crash=True),
        ],
    )


def _unfit(context: Context, distribution: Distribution, flag: str, source: str) -> Finding:
    evidence = [
        seen(f"no {flag} among the flags of the processor", "/proc/cpuinfo"),
        seen(f"{distribution.name} {distribution.version}", distribution.metadata),
        seen(f"known from {source}"),
    ]
    return _finding(context, distribution.name, flag, evidence, "likely")


def _died(context: Context, outcome: Outcome, missing: list[str]) -> Finding:
    frames = outcome.crash_frames
    where = frames[-1] if frames else None
    owner = None
    for distribution in context.snapshot.distributions:
        folders = [f"{distribution.location}/{p}" for p in distribution.import_packages]
        if where and any(is_inside(where.file, folder) for folder in folders):
            owner = distribution.name
    evidence = [
        seen("ended by SIGILL", f"{where.file}:{where.line}" if where else "live run"),
        seen(f"no {', '.join(missing)} among the flags of the processor", "/proc/cpuinfo"),
    ]
    name = owner or context.choice.backend or "keras"
    return _finding(context, name, missing[0], evidence, "risk")
