"""Measures what `run` costs over the bare command, and how fast `explain` reads a long log.

Both sides of each pair run once a round, interleaved, so that a busy machine slows both alike.
Writes benchmarks/results/wrapping.md.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCTOR = [str(Path(sys.executable).parent / "keras-doctor")]
LINE = b"2024-01-01 00:00:00.000001 step %07d loss 0.12345 accuracy 0.98765 lr 1e-3 ok\n"
END = b"""Traceback (most recent call last):
  File "train.py", line 1, in <module>
    import keras
ModuleNotFoundError: No module named 'keras'
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--megabytes", type=int, default=1024)
    options = parser.parse_args(arguments)
    text = "\n".join(
        [
            "# What a wrapped command costs, and how fast a log is read",
            "",
            f"`make bench-wrap`; Python {sys.version.split()[0]}, wall clock.",
            "",
            *_wrapped(options.rounds),
            "",
            *_log(options.megabytes),
            "",
        ]
    )
    (HERE / "results" / "wrapping.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def _seconds(argv: Sequence[str]) -> float:
    """One run, with stderr in a pipe of its own, which is the way that is relayed."""
    start = time.perf_counter()
    subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    return time.perf_counter() - start


def _wrapped(rounds: int) -> list[str]:
    bare = [sys.executable, "-c", "pass"]
    wrapped = [*DOCTOR, "run", "--", *bare]
    pairs = [(_seconds(bare), _seconds(wrapped)) for _ in range(rounds + 1)][1:]
    extra = [1000 * (after - before) for before, after in pairs]
    ratio = [after / before for before, after in pairs]
    low, high = min(extra), max(extra)
    row = (
        f"| `python -c pass` | {1000 * statistics.median(b for b, _ in pairs):.0f} | "
        f"{1000 * statistics.median(w for _, w in pairs):.0f} | "
        f"{statistics.median(extra):.0f} ({low:.0f} to {high:.0f}) | "
        f"{statistics.median(ratio):.2f} |"
    )
    return [
        "| command | bare, ms | under `run`, ms | difference, ms (min to max) | ratio |",
        "| --- | --- | --- | --- | --- |",
        row,
        "",
        f"Medians of {rounds} interleaved rounds. The goal is below 60 ms.",
    ]


def _log(megabytes: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.txt"
        block = b"".join(LINE % number for number in range(13_000))
        with path.open("wb") as file:
            for _ in range(megabytes * 1_000_000 // len(block)):
                file.write(block)
            file.write(END)
        size = path.stat().st_size / 1e6
        _seconds(["cat", str(path)])
        peers = {
            "`keras-doctor explain`": [*DOCTOR, "explain", str(path)],
            "`wc -l`": ["wc", "-l", str(path)],
            "`grep -c Traceback`": ["grep", "-c", "Traceback", str(path)],
        }
        taken = {name: min(_seconds(argv) for _ in range(2)) for name, argv in peers.items()}
    rows = [f"| {name} | {seconds:.2f} | {size / seconds:.0f} |" for name, seconds in taken.items()]
    head = [f"A log of {size:.0f} MB with one traceback at its end:", ""]
    return [*head, "| program | s | MB/s |", "| --- | --- | --- |", *rows]


if __name__ == "__main__":
    sys.exit(main())
