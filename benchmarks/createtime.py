"""Measures `create` against the same by hand, with a warm cache.

On one side `keras-doctor create`: choose, make, install, import, train one step, save and load a
model, write the locks. On the other what a person needs who knows the set: `uv venv`, `uv pip
install` of the same pins, and one import with a training step. In turns; only ratios count. The
table goes to benchmarks/results/createtime.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SETS = (
    ("jax", "", ""),
    ("tensorflow", "", ""),
    ("tensorflow", "2.2.5", "3.7"),
    ("theano", "2.3.1", "3.8"),
)
STEP = """\
import numpy as np, keras
from keras.layers import Input, Dense
i = Input(shape=(3,))
m = keras.models.Model(i, Dense(1)(Dense(4)(i)))
m.compile(optimizer="sgd", loss="mse")
m.fit(np.zeros((8, 3), "float32"), np.zeros((8, 1), "float32"), epochs=1, verbose=0)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="make bench-create ARGS=...", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    options = parser.parse_args(arguments)
    text = (
        "# The cost of trying\n\n"
        f"`make bench-create`, {options.rounds} rounds in turns, medians, warm cache. The ratio is "
        "`keras-doctor create`\nto `uv venv`, `uv pip install` of the same pins and one training "
        "step; goal: below 1.3.\n\n"
        "| environment | ratio | lowest to highest |\n| --- | --- | --- |\n"
    )
    for backend, keras, python in SETS:
        ratios = _measure(backend, keras, python, options.rounds)
        name = f"Keras {keras or 'newest'} on {backend}"
        text += f"| {name} | {statistics.median(ratios):.2f} | "
        text += f"{min(ratios):.2f} to {max(ratios):.2f} |\n"
        print(f"{name:32} {statistics.median(ratios):.2f}", flush=True)
    (HERE / "results" / "createtime.md").write_text(text, encoding="utf-8")
    return 0


def _measure(backend: str, keras: str, python: str, rounds: int) -> list[float]:
    uv = shutil.which("uv") or "uv"
    ratios = []
    environ = {**os.environ, "KERAS_BACKEND": backend, "THEANO_FLAGS": "mode=FAST_COMPILE"}
    with tempfile.TemporaryDirectory(prefix="keras-doctor-bench-") as place:
        folder = Path(place)
        argv = [sys.executable, "-m", "keras_doctor", "create", "--backend", backend]
        argv += [*(["--keras", keras] if keras else []), *(["--python", python] if python else [])]
        report = _created([*argv, str(folder / "warm"), "--format", "json"], environ)
        pins = folder / "pins.txt"
        pins.write_text("\n".join(report["packages"]) + "\n", encoding="utf-8")
        for number in range(rounds):
            by_hand = folder / f"hand-{number}"
            commands: tuple[list[str], ...] = (
                [uv, "venv", "-q", "--python", report["interpreter"], str(by_hand)],
                [uv, "pip", "install", "-q", "--python", str(by_hand), "-r", str(pins)],
                [str(by_hand / "bin" / "python"), "-c", STEP],
            )
            mine = [[*argv, "-q", str(folder / f"ours-{number}")]]
            ratios.append(_timed(mine, environ) / _timed(commands, environ))
            for made in (by_hand, folder / f"ours-{number}"):
                shutil.rmtree(made)
    return ratios


def _created(argv: Sequence[str], environ: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _timed(commands: Sequence[Sequence[str]], environ: dict[str, str]) -> float:
    strategy = {**environ, "UV_INDEX_STRATEGY": "unsafe-best-match"}
    start = time.monotonic()
    for argv in commands:
        done = subprocess.run(argv, env=strategy, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{argv} failed: {done.stderr[-800:]}")
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main())
