"""Measures `check --verify` against a plain hashlib loop and `openssl speed`.

The environment is a real one: tensorflow-cpu 2.18.1 and keras 3.8.0, installed by uv. All programs
run in turn within a round, each in a process of its own, on files that the page cache holds; the
first round only warms it. What other processes use meanwhile is read from /proc/stat (on Linux),
and with --wait a round starts when they are quiet. Writes benchmarks/results/verify.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from verify_task import busy_seconds

from keras_doctor import api
from keras_doctor.collect.load import dumps_snapshot
from keras_doctor.verify.hashing import processors

HERE = Path(__file__).resolve().parent
PACKAGES = ("tensorflow-cpu==2.18.1", "keras==3.8.0")
QUIET = 0.1
"""Processors that others may use while a round is called quiet."""
ENOUGH = 3
BLOCK = 16384
"""Bytes a call in `openssl speed`: the largest that it tries by itself."""
WHOLE = ("check --no-live", "check --no-live --verify", "check --no-live --verify, again")
TITLES = {
    "loop": "hashlib loop, one thread",
    "file_digest": "hashlib.file_digest, one thread",
    "ours": "keras-doctor, nothing remembered",
    "again": "keras-doctor, second run",
}


class Sample(NamedTuple):
    """One run of one task."""

    wall: float
    cpu: float
    memory_mb: float
    others: float
    """Processors that other processes used meanwhile."""


class Round(NamedTuple):
    """Everything once."""

    samples: dict[str, Sample]
    openssl: float
    """Bytes a second on one processor."""
    load: float

    @property
    def others(self) -> float:
        """While the first run of ours wanted all processors."""
        return self.samples["ours"].others


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="make bench-verify ARGS=...", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, metavar="N")
    parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--note", default="", metavar="TEXT", help="what else a reader must know")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep the environment here")
    parser.add_argument("--results", type=Path, default=HERE / "results", metavar="DIR")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="keras-doctor-bench-") as temporary:
        work = Path(temporary)
        environment = (options.folder or work) / "tensorflow"
        build(environment)
        snapshot = work / "snapshot.json"
        snapshot.write_text(dumps_snapshot(api.take_snapshot(python=str(environment))))
        rounds = []
        for number in range(options.rounds + 1):
            wait_for_quiet(options.wait)
            one, size = measure(environment, snapshot, work)
            print(f"round {number}: others used {one.others:.2f} processors", flush=True)
            if number:
                rounds.append(one)
    options.results.mkdir(parents=True, exist_ok=True)
    text = report(rounds, size, options.note)
    (options.results / "verify.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def build(environment: Path) -> None:
    """Installs the environment, unless it is there."""
    if (environment / ".complete").exists():
        return
    uv = Path(sys.executable).with_name("uv")
    # A link that another install adds to a file changes its change time, and it is read again.
    variables = {**os.environ, "UV_LINK_MODE": "copy"}
    variables.pop("VIRTUAL_ENV", None)
    base = getattr(sys, "_base_executable", sys.executable)
    python = str(environment / "bin" / "python")
    for words in (
        ("venv", "--quiet", "--clear", "--no-project", "--python", base, str(environment)),
        ("pip", "install", "--quiet", "--python", python, *PACKAGES),
    ):
        subprocess.run([str(uv), *words], env=variables, check=True, timeout=1200)
    (environment / ".complete").touch()
    time.sleep(3)  # what has just been written is read again, not remembered


def measure(environment: Path, snapshot: Path, work: Path) -> tuple[Round, tuple[int, int]]:
    """One round, and how many files and bytes there are."""
    cache = work / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    samples = {}
    size = (0, 0)
    load = os.getloadavg()[0]
    for title, task, place in (
        ("loop", "loop", ""),
        ("ours", "ours", str(cache)),
        ("again", "ours", str(cache)),
        ("file_digest", "file_digest", ""),
    ):
        samples[title], seen = _run(task, snapshot, place)
        size = (int(seen["files"]), int(seen["bytes"]))
        if seen["mismatches"] or (title == "again" and seen["from_cache"] != seen["files"]):
            raise SystemExit(f"make bench-verify: {title} answered {seen}")
    samples |= dict(zip(WHOLE, whole(environment, work), strict=True))
    return Round(samples, openssl(), load), size


def _run(task: str, snapshot: Path, cache: str) -> tuple[Sample, dict[str, float]]:
    argv = [sys.executable, str(HERE / "verify_task.py"), task, str(snapshot), cache]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=600)
    seen = json.loads(done.stdout)
    return Sample(seen["wall"], seen["cpu"], seen["memory_mb"], seen["others"]), seen


def whole(environment: Path, work: Path) -> list[Sample]:
    """The command itself: without hashing, with it, and with what it remembers."""
    home = work / "home"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    program = str(Path(sys.executable).with_name("keras-doctor"))
    words = [program, "check", "--no-live", "--python", str(environment)]
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    samples = []
    for more in ([], ["--verify"], ["--verify"]):
        busy, started, own = busy_seconds(), time.perf_counter(), sum(os.times()[2:4])
        subprocess.run(
            [*words, *more], env=variables, cwd=home, capture_output=True, check=True, timeout=600
        )
        wall, cpu = time.perf_counter() - started, sum(os.times()[2:4]) - own
        samples.append(Sample(wall, cpu, 0.0, _others(busy, started, own)))
    return samples


def _others(busy: float, started: float, own: float) -> float:
    mine = sum(os.times()[2:4]) - own
    return max(0.0, busy_seconds() - busy - mine) / (time.perf_counter() - started)


def wait_for_quiet(seconds: float) -> None:
    """Returns when others have used little for half a second, or after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        busy, started, own = busy_seconds(), time.perf_counter(), sum(os.times()[2:4])
        time.sleep(0.5)
        if _others(busy, started, own) < QUIET:
            return


def openssl() -> float:
    """Bytes a second of SHA-256 on one processor, as OpenSSL measures itself."""
    done = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "-bytes", str(BLOCK), "-evp", "sha256"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = re.search(r"(?im)^sha256\s+([\d.]+)k", done.stdout)
    if found is None:
        raise SystemExit(f"make bench-verify: openssl speed said {done.stdout!r}")
    return float(found[1]) * 1000


def report(rounds: Sequence[Round], size: tuple[int, int], note: str = "") -> str:
    """The results as Markdown."""
    quiet = [one for one in rounds if one.others < QUIET]
    used = quiet if len(quiet) >= ENOUGH else rounds
    cores = processors()
    files, total = size
    rates = [total / one.samples["ours"].wall for one in used]
    left = [cores - one.others for one in used]
    alone = [rate * cores / part for rate, part in zip(rates, left, strict=True)]
    shares = [100 * rate / (one.openssl * cores) for rate, one in zip(rates, used, strict=True)]
    net = [100 * rate / (one.openssl * cores) for rate, one in zip(alone, used, strict=True)]
    faster = [
        one.samples["loop"].wall / one.samples["ours"].wall * cores / part
        for one, part in zip(used, left, strict=True)
    ]
    openssl_rate = _spread([one.openssl / 1e9 for one in used], 2)
    lines = [
        "# Speed of `check --verify`",
        "",
        (
            f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, {cores} CPUs, "
            f"Python {platform.python_version()}; {' and '.join(PACKAGES)}: {files:,} files, "
            f"{total / 1e6:,.0f} MB, all in the page cache. {len(rounds)} rounds, all programs in "
            f"turn within a round; `make bench-verify`. {_circumstances(used, quiet, rounds)} "
            f"{note + ' ' * bool(note)}"
            "Medians (minimum to maximum); ratios are taken within a round. Wall and CPU: the work "
            "itself, without the start of Python; what keras-doctor does includes reading the "
            "RECORDs, asking for the status of each file, and comparing."
        ),
        "",
        "| | wall s | CPU s | peak memory MB | times the loop |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(_row(title, used) for title in TITLES),
        "",
        "| | |",
        "| --- | ---: |",
        f"| `openssl speed -evp sha256` ({BLOCK} bytes), one CPU | {openssl_rate} GB/s |",
        f"| keras-doctor, nothing remembered | {_spread([r / 1e9 for r in rates], 2)} GB/s |",
        f"| share of OpenSSL times {cores} CPUs | {_spread(shares, 0)} % |",
        f"| the same, of the CPU time that others left | {_spread(net, 0)} % |",
        f"| times the loop, had it had the CPU time that others used | {_spread(faster, 2)} |",
        "",
        "The whole command, with the start of Python and everything else:",
        "",
        "| command | wall s | CPU s |",
        "| --- | ---: | ---: |",
        *(_whole_row(title, used) for title in WHOLE),
        "",
    ]
    return "\n".join(lines)


def _circumstances(used: Sequence[Round], quiet: Sequence[Round], rounds: Sequence[Round]) -> str:
    others = _spread([one.others for one in used], 2)
    load = _spread([one.load for one in used], 2)
    if used is quiet and len(quiet) < len(rounds):
        which = f"The {len(quiet)} rounds in which others used less than {QUIET} CPUs count."
    elif used is quiet:
        which = "All rounds count."
    else:
        which = "The machine was busy with other work: all rounds count."
    return f"{which} Others used {others} CPUs while keras-doctor hashed (load average {load})."


def _row(title: str, used: Sequence[Round]) -> str:
    own = [one.samples[title] for one in used]
    ratios = [one.samples["loop"].wall / one.samples[title].wall for one in used]
    return (
        f"| {TITLES[title]} | {_spread([s.wall for s in own], 3)} "
        f"| {_spread([s.cpu for s in own], 3)} "
        f"| {statistics.median(s.memory_mb for s in own):.0f} "
        f"| {'' if title == 'loop' else _spread(ratios, 2)} |"
    )


def _whole_row(title: str, used: Sequence[Round]) -> str:
    own: list[Sample] = [one.samples[title] for one in used]
    return (
        f"| `{title.removesuffix(', again')}`{', again' * title.endswith(', again')} "
        f"| {_spread([s.wall for s in own], 3)} | {_spread([s.cpu for s in own], 3)} |"
    )


def _spread(values: Sequence[float], digits: int) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
