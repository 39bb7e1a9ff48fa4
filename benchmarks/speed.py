"""Measures `check --no-live` against other checkers, in CPU seconds and peak memory.

Every program runs once a round, all of them interleaved, so that a busy machine slows all alike;
ratios are taken within a round. CPU seconds are user + system of all processes of a run, which
the kernel adds up for the parent (wait4). The first round only warms caches and is not counted.
Writes benchmarks/results/speed.md. Programs that find problems exit with 1; that is their answer.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from parts import budget
from patients import Patient, build_patients

HERE = Path(__file__).resolve().parent
DOCTOR = "keras-doctor check --no-live"
# A process's peak memory includes that of the process it was started from, so the programs are
# started by an interpreter that imports nothing. It cannot report less than its own 7 MB.
LAUNCHER = """
import posix, sys, time
null = [(posix.POSIX_SPAWN_OPEN, fd, "/dev/null", posix.O_RDWR, 0) for fd in (0, 1, 2)]
start = time.perf_counter()
pid = posix.posix_spawn(sys.argv[1], sys.argv[1:], posix.environ, file_actions=null)
_, status, used = posix.wait4(pid, 0)
wall = time.perf_counter() - start
print(posix.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, wall, used.ru_maxrss)
"""
BASELINES = ("uv pip check", "pip check", "pipdeptree", "bare interpreter")


class Sample(NamedTuple):
    """One run of one program."""

    cpu: float
    wall: float
    memory_mb: float
    """Peak of the largest process."""


class Measured(NamedTuple):
    """All rounds on one environment."""

    patient: Patient
    samples: dict[str, list[Sample]]
    parts: list[tuple[str, float]]
    """Parts of `check --no-live` and their CPU seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, metavar="N")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the environments here")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="keras-doctor-bench-") as temporary:
        folder = options.folder or Path(temporary)
        variables = _variables(folder)
        print("building two environments", flush=True)
        measured = []
        for patient in build_patients(folder, _uv()):
            print(f"measuring on {patient.distributions} distributions", flush=True)
            measured.append(measure(patient, options.rounds, variables))
    options.results.mkdir(parents=True, exist_ok=True)
    text = report(measured, options.rounds)
    (options.results / "speed.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def programs(patient: Patient) -> dict[str, list[str]]:
    """The command of each contestant for one environment."""
    python = str(patient.python)
    beside = Path(sys.executable).parent
    return {
        "bare interpreter": [python, "-I", "-c", "pass"],
        "uv pip check": [_uv(), "pip", "check", "--python", python],
        "pipdeptree": [str(beside / "pipdeptree"), "--python", python],
        "pip check": [python, "-m", "pip", "check"],
        DOCTOR: [str(beside / "keras-doctor"), "check", "--no-live", "--python", python],
    }


def measure(patient: Patient, rounds: int, variables: Mapping[str, str]) -> Measured:
    """Runs all programs in turn, `rounds` times after one round that does not count."""
    commands = programs(patient)
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, argv in commands.items():
            sample = run_once(argv, variables)
            if number:
                samples[name].append(sample)
    return Measured(patient, samples, budget(patient.python, variables, rounds))


def run_once(argv: Sequence[str], variables: Mapping[str, str]) -> Sample:
    """Starts a program, waits for it, and reads what it and its children used.

    Raises:
        RuntimeError: It could not do its work (neither 0 nor 1).
    """
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, *argv],
        env=dict(variables),
        cwd=variables["HOME"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    status, cpu, wall, memory = launched.stdout.split()
    if int(status) not in {0, 1}:
        raise RuntimeError(f"{' '.join(argv)}: exit status {status}")
    # Kilobytes on Linux, bytes on macOS.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Sample(cpu=float(cpu), wall=float(wall), memory_mb=float(memory) / unit)


def report(measured: Sequence[Measured], rounds: int) -> str:
    """The results as Markdown."""
    lines = [
        "# Speed of `check --no-live`",
        "",
        (
            f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, "
            f"{os.cpu_count()} CPUs, Python {platform.python_version()}; {rounds} rounds, all "
            "programs in turn within a round; `make bench`. CPU: user + system seconds of all "
            "processes, median (minimum to maximum). Ratio: CPU of keras-doctor over CPU of that "
            "program in the same round. Memory: peak of the largest process."
        ),
        "",
    ]
    for one in measured:
        patient = one.patient
        made = f", {patient.constructed} of them constructed" if patient.constructed else ""
        lines += [
            f"## {patient.distributions} distributions{made}",
            "",
            "| program | CPU s | wall s | memory MB | keras-doctor takes |",
            "| --- | ---: | ---: | ---: | ---: |",
            *(_row(name, one.samples) for name in (DOCTOR, *BASELINES)),
            "",
            "By part, measured apart from the above:",
            "",
            "| part | CPU ms |",
            "| --- | ---: |",
            *(f"| {part} | {seconds * 1000:.1f} |" for part, seconds in one.parts),
            f"| sum | {sum(seconds for _, seconds in one.parts) * 1000:.1f} |",
            "",
        ]
    return "\n".join(lines)


def _row(name: str, samples: Mapping[str, list[Sample]]) -> str:
    own = samples[name]
    ratios = [doctor.cpu / other.cpu for doctor, other in zip(samples[DOCTOR], own, strict=True)]
    return (
        f"| `{name}` | {_spread([sample.cpu for sample in own], 3)} "
        f"| {statistics.median(sample.wall for sample in own):.3f} "
        f"| {statistics.median(sample.memory_mb for sample in own):.0f} "
        f"| {'' if name == DOCTOR else _spread(ratios, 2) + ' times'} |"
    )


def _spread(values: Sequence[float], digits: int) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _variables(folder: Path) -> dict[str, str]:
    """A plain shell. Bytecode may be written: without it Python tools are measured cold."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}


def _uv() -> str:
    """The uv program itself: a shim in front of it would be measured too."""
    path = Path(sys.executable).with_name("uv")
    if not path.is_file() or path.read_bytes()[:2] == b"#!":
        raise SystemExit("make bench: no uv program in the development environment")
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
