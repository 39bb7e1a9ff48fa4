"""Measure which of the distributions that an import requires it really loads code from.

Builds one working environment for each generation of Keras and each backend with uv, imports
Keras and trains one step there, and prints the rows ``[[loads]]`` of
``knowledge/sources/imports.toml``: what ``import keras`` loaded, without which of these it fails
(the import once more, with one of them hidden), what a training step loaded more, and what stayed
idle although the metadata requires it. Run it from the repository's folder::

    python -m tools.measure_loads [--only NAME ...]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from keras_doctor.targets.named import by_version

STEP = Path(__file__).parent.parent / "src" / "keras_doctor" / "live" / "patient" / "step.py"
# Runs in the environment, on any Python from 3.6 on.
PROGRAM = """
import glob, json, os, re, sys
site, backend, step = sys.argv[1:4]
owner, names = {}, []
for folder in glob.glob(os.path.join(site, "*.dist-info")):
    with open(os.path.join(folder, "METADATA"), encoding="utf-8", errors="replace") as file:
        name = re.search(r"(?m)^Name: *(.+)$", file.read()).group(1).strip()
    name = re.sub(r"[-_.]+", "-", name).lower()
    names.append(name)
    with open(os.path.join(folder, "RECORD"), encoding="utf-8", errors="replace") as file:
        for line in file:
            owner[os.path.normpath(os.path.join(site, line.split(",")[0].strip('"')))] = name
def modules():
    found = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        distribution = owner.get(os.path.normpath(file)) if file and os.path.isabs(file) else None
        if distribution:
            found.setdefault(distribution, []).append(name)
    return found
def loaded():
    return sorted(modules())
class Hide(object):
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in HIDDEN):
            raise ModuleNotFoundError("No module named %r" % name, name=name)
HIDDEN = json.loads(sys.argv[4])
if HIDDEN:
    sys.meta_path.insert(0, Hide())
import keras
from keras.models import Sequential
imported = loaded()
if HIDDEN:
    print("\\n@@passed")
    sys.exit()
tops = {}
for distribution, own in modules().items():
    tops[distribution] = sorted(n for n in own if n.rpartition(".")[0] not in own)
namespace = {"__name__": "step"}
with open(step) as file:
    exec(compile(file.read(), step, "exec"), namespace)
namespace["train_step"](keras, backend)
result = {"imported": imported, "trained": loaded(), "installed": sorted(names), "tops": tops}
print("\\n@@" + json.dumps(result))
"""


class Recipe(NamedTuple):
    """One environment that works."""

    what: str
    python: str
    keras: str
    backend: str
    packages: str
    """Requirements for uv, beside Keras itself."""


RECIPES = (
    Recipe(
        "keras 2.2.4 with theano 1.0.5 on Python 3.6",
        "3.6",
        "2.2.4",
        "theano",
        "theano==1.0.5 numpy==1.16.6 h5py<3 setuptools",
    ),
    Recipe(
        "keras 2.3.1 with tensorflow 1.15.5 on Python 3.7",
        "3.7",
        "2.3.1",
        "tensorflow",
        "tensorflow==1.15.5 protobuf<3.21 h5py<3 setuptools",
    ),
    Recipe(
        "keras 2.4.3 with tensorflow 2.4.4 on Python 3.8",
        "3.8",
        "2.4.3",
        "tensorflow",
        "tensorflow-cpu==2.4.4 protobuf<3.21 setuptools",
    ),
    Recipe(
        "keras 2.6.0 with tensorflow-cpu 2.6.5 on Python 3.9",
        "3.9",
        "2.6.0",
        "tensorflow",
        "tensorflow-cpu==2.6.5 protobuf<3.21 setuptools",
    ),
    Recipe(
        "keras 2.10.0 with tensorflow-cpu 2.10.1 on Python 3.10",
        "3.10",
        "2.10.0",
        "tensorflow",
        "tensorflow-cpu==2.10.1 numpy<2",
    ),
    Recipe(
        "keras 2.13.1 with tensorflow-cpu 2.13.1 on Python 3.11",
        "3.11",
        "2.13.1",
        "tensorflow",
        "tensorflow-cpu==2.13.1",
    ),
    Recipe(
        "keras 2.15.0 with tensorflow-cpu 2.15.1 on Python 3.11",
        "3.11",
        "2.15.0",
        "tensorflow",
        "tensorflow-cpu==2.15.1",
    ),
    Recipe(
        "keras 3.8.0 with tensorflow-cpu 2.18.1 on Python 3.12",
        "3.12",
        "3.8.0",
        "tensorflow",
        "tensorflow-cpu==2.18.1",
    ),
    Recipe(
        "keras 3.12.0 with tensorflow-cpu 2.20.0 on Python 3.13",
        "3.13",
        "3.12.0",
        "tensorflow",
        "tensorflow-cpu==2.20.0",
    ),
    Recipe("keras 3.8.0 with jax 0.5.0 on Python 3.12", "3.12", "3.8.0", "jax", "jax==0.5.0"),
    Recipe("keras 3.14.1 with jax 0.8.0 on Python 3.13", "3.13", "3.14.1", "jax", "jax==0.8.0"),
    Recipe(
        "keras 3.6.0 with torch 2.13.0+cpu on Python 3.11",
        "3.11",
        "3.6.0",
        "torch",
        "torch==2.13.0+cpu",
    ),
    Recipe(
        "keras 3.12.0 with openvino 2025.3.0 on Python 3.12",
        "3.12",
        "3.12.0",
        "openvino",
        "openvino==2025.3.0",
    ),
)


def measure(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Build the environment, run the import and the step, and take the row from what is loaded.

    Raises:
        RuntimeError: It could not be built, or did not train.
    """
    environment = folder / "env"
    variables = {"UV_LINK_MODE": "hardlink", "UV_PYTHON_DOWNLOADS": "never", **os.environ}
    base = by_version(recipe.python, os.environ, os.getcwd())
    if base is None:
        raise RuntimeError(f"{recipe.what}: this machine has no Python {recipe.python}")
    python = environment / "bin" / "python"
    packages = [f"keras=={recipe.keras}", *recipe.packages.split()]
    for argv in (
        ["uv", "venv", "-q", "--no-project", "--python", base, str(environment)],
        ["uv", "pip", "install", "-q", "--python", str(python), *packages],
    ):
        done = _run(argv, variables, folder)
        if done.returncode:
            raise RuntimeError(f"{recipe.what}: {done.stderr.strip()[-800:]}")
    (site,) = (environment / "lib").glob("python*/site-packages")
    variables.update(KERAS_BACKEND=recipe.backend, HOME=str(folder), TF_CPP_MIN_LOG_LEVEL="3")
    argv = [str(python), "-c", PROGRAM, str(site), recipe.backend, str(STEP)]
    done = _run([*argv, "[]"], variables, folder)
    _, found, answer = done.stdout.rpartition("@@")
    if not found:
        raise RuntimeError(f"{recipe.what}: {done.stderr.strip()[-800:]}")
    result = json.loads(answer)
    imported, trained = set(result["imported"]), set(result["trained"])
    needed = [
        name
        for name in sorted(imported)
        if "@@passed"
        not in _run([*argv, json.dumps(result["tops"][name])], variables, folder).stdout
    ]
    return {
        "what": recipe.what,
        "keras": recipe.keras,
        "backend": recipe.backend,
        "distributions": sorted(imported),
        "needed": needed,
        "training": sorted(trained - imported),
        "idle": sorted(set(result["installed"]) - imported - trained),
    }


def _run(
    argv: list[str], variables: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, env=variables, cwd=folder, capture_output=True, text=True, timeout=1800, check=False
    )


def render(row: dict[str, Any]) -> str:
    """The row as TOML."""
    lines = ["[[loads]]", *(f'{key} = "{row[key]}"' for key in ("what", "keras", "backend"))]
    lines += [f'date = "{time.strftime("%Y-%m-%d")}"']
    for key in ("distributions", "needed", "training", "idle"):
        lines += [f"{key} = [", *_wrapped(row[key]), "]"]
    return "\n".join(lines) + "\n"


def _wrapped(names: list[str]) -> list[str]:
    lines = [" "]
    for name in names:
        if len(lines[-1]) + len(name) > 92:
            lines.append(" ")
        lines[-1] += f' "{name}",'
    return [line for line in lines if line.strip()]


def main() -> int:
    """Measure every recipe and print the rows; return the exit code."""
    parser = argparse.ArgumentParser(description="Measure what an import of Keras loads.")
    parser.add_argument("--only", nargs="*", default=[], metavar="TEXT", help="parts of `what`")
    options = parser.parse_args()
    failed = 0
    for recipe in RECIPES:
        if options.only and not any(text in recipe.what for text in options.only):
            continue
        with tempfile.TemporaryDirectory(prefix="keras-doctor-loads-") as folder:
            try:
                print(render(measure(recipe, Path(folder))), flush=True)
            except (RuntimeError, subprocess.SubprocessError) as error:
                print(error, file=sys.stderr, flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
