"""Measures a repair against the same change by hand: broken to verified.

On one side `keras-doctor fix --yes --backend <wish>`: the failing import, the plan, the install and
one training step in the rehearsal, the change, and one training step in the real environment. On
the other side what a person needs who knows the answer: `uv pip install` of the same change, and
one import with a training step (the ratio against one), or two (one to rehearse, one to verify).
Both sides start from the same environment with compiled bytecode, in turns; only ratios count.
The table goes to benchmarks/results/repairtime.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from laboratory import (
    DEFAULT_TOOL,
    LaboratoryError,
    open_laboratory,
    remove_tree,
    run_laboratory,
)

HERE = Path(__file__).resolve().parent
SCENARIOS = (
    "comp-jaxlib-old",
    "comp-tf115-protobuf4",
    "comp-tf210-numpy2",
    "int-init-deleted-k2",
    "int-tf-lib-truncated",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="make bench-fix ARGS=...", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="ID")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--tool", type=lambda text: text.split(), metavar="COMMAND")
    options = parser.parse_args(arguments)
    try:
        laboratory = open_laboratory(options.tool or DEFAULT_TOOL)
    except LaboratoryError as error:
        print(f"make bench-fix: {error}", file=sys.stderr)
        return 2
    rows = []
    for name in options.only or SCENARIOS:
        text = (laboratory.folder / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")
        folder = Path(tempfile.mkdtemp(prefix="keras-doctor-bench-"))
        try:
            status, said = run_laboratory(laboratory, ["build", name, str(folder / name)])
            if status:
                print(f"{name}: {said[-200:]}", file=sys.stderr)
                continue
            rows.append(_measure(tomllib.loads(text), folder / name, laboratory.tool, options))
            print(_line(rows[-1]), flush=True)
        finally:
            remove_tree(folder)
    (HERE / "results" / "repairtime.md").write_text(_table(rows, options.rounds), encoding="utf-8")
    return 0


def _measure(
    scenario: dict[str, Any], folder: Path, tool: Sequence[str], options: argparse.Namespace
) -> dict[str, Any]:
    environ = _environ(folder)
    python = folder / "env" / "bin" / "python"
    site = next((folder / "env" / "lib").glob("python*")) / "site-packages"
    subprocess.run([python, "-m", "compileall", "-q", "-j", "0", site], check=False)
    pristine = folder / "pristine"
    (folder / "env").rename(pristine)
    step = ["-c", f"exec(open({str(folder / '.lab' / 'step.py')!r}).read())", scenario["wish"]]
    by_hand: list[tuple[float, float]] = []
    ours: list[float] = []
    for _ in range(options.rounds):
        _fresh(folder, pristine)
        install = _timed(_install(scenario, python), environ, folder)
        runs = [_timed([str(python), *step], environ, folder) for _ in range(2)]
        by_hand.append((install, statistics.mean(runs)))
        _fresh(folder, pristine)
        argv = [*tool, "fix", "--yes", "--quiet", "--backend", scenario["wish"]]
        ours.append(_timed(argv, environ, folder))
    ratios = [mine / (i + 2 * run) for mine, (i, run) in zip(ours, by_hand, strict=True)]
    ones = [mine / (i + run) for mine, (i, run) in zip(ours, by_hand, strict=True)]
    return {
        "id": scenario["id"],
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "one": statistics.median(ones),
        "install": statistics.median(install for install, _ in by_hand),
        "run": statistics.median(run for _, run in by_hand),
        "ours": statistics.median(ours),
    }


def _environ(folder: Path) -> dict[str, str]:
    """The variables of the scenario, and what leads uv to its cache."""
    done = subprocess.run(
        ["bash", "-c", f". {folder}/activate.sh; env -0"],
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    pairs = [item.split("=", 1) for item in done.stdout.decode().split("\0") if item]
    cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
    passed = {n: v for n, v in os.environ.items() if n.startswith(("UV_", "PIP_", "SSL_"))}
    return {**{pair[0]: pair[1] for pair in pairs}, **passed, "UV_CACHE_DIR": cache}


def _fresh(folder: Path, pristine: Path) -> None:
    """The environment as it was: linked, which nothing that is measured writes through."""
    if (folder / "env").exists():
        remove_tree(folder / "env")
    shutil.copytree(pristine, folder / "env", symlinks=True, copy_function=os.link)
    for file in (folder / "env").rglob("*"):
        if file.suffix == ".pth" or file.name in ("RECORD", "pyvenv.cfg"):
            data = file.read_bytes()
            file.unlink()
            file.write_bytes(data)


def _install(scenario: dict[str, Any], python: Path) -> list[str]:
    """The laboratory's own repair as one command of uv."""
    steps = [step for step in scenario["heal"] if step["op"] in ("install", "uninstall")]
    again = [p for step in steps if step["op"] == "uninstall" for p in step["packages"]]
    packages = [p for step in steps if step["op"] == "install" for p in step["packages"]]
    uv = shutil.which("uv") or "uv"
    argv = [uv, "pip", "install", "--python", str(python), "--no-deps", "--compile-bytecode"]
    for name in again:
        argv += ["--reinstall-package", name]
    return [*argv, *packages]


def _timed(argv: Sequence[str], environ: dict[str, str], folder: Path) -> float:
    start = time.monotonic()
    done = subprocess.run(
        argv, env=environ, cwd=folder / "project", capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - start
    if done.returncode:
        raise SystemExit(f"{argv} failed: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return seconds


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['id']:24} {row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f}) of install and "
        f"two runs; {row['one']:.2f} of install and one run"
    )


def _table(rows: Sequence[dict[str, Any]], rounds: int) -> str:
    head = (
        "# Broken to verified\n\n"
        f"`make bench-fix`, {rounds} rounds in turns, medians. The ratio is `keras-doctor fix "
        "--yes` to\n`uv pip install` of the same change and two imports with one training step "
        "each; goal: below 1.3.\nSeconds only show the sizes.\n\n"
        "| environment | ratio | lowest to highest | against one run | install s | run s | fix s "
        "|\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    return head + "".join(
        f"| {row['id']} | {row['ratio']:.2f} | {row['low']:.2f} to {row['high']:.2f} | "
        f"{row['one']:.2f} | {row['install']:.1f} | {row['run']:.1f} | {row['ours']:.1f} |\n"
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
