"""Makes the environments that `make bench` measures on.

The first holds real distributions only, resolved and installed by uv: a TensorFlow stack beside
what people install with it. The second is the same with constructed distributions on top, tiny
ones with metadata of ordinary size, up to 500: made, not real, and called so in the table.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

REAL = (
    "tensorflow-cpu==2.18.1",
    "keras==3.8.0",
    "black",
    "fastapi",
    "flask",
    "httpx",
    "ipywidgets",
    "jupyter",
    "jupyterlab",
    "matplotlib",
    "mkdocs",
    "notebook",
    "pandas",
    "pip",
    "pytest",
    "scikit-learn",
    "seaborn",
    "sphinx",
    "sqlalchemy",
)
MANY = 500
FILES = 12
DESCRIPTION = "A line of the description that every METADATA file carries along.\n" * 60


class Patient(NamedTuple):
    """An environment to measure on."""

    name: str
    python: Path
    distributions: int
    constructed: int


def build_patients(folder: Path, uv: str) -> list[Patient]:
    """Builds both environments below a folder; what is already there is used again.

    Args:
        folder: Where.
        uv: The uv program.
    """
    patients = []
    for name, constructed in (("real", False), ("many", True)):
        environment = folder / name
        python = environment / "bin" / "python"
        if not (environment / ".complete").exists():
            _install(uv, environment, REAL)
            if constructed:
                _construct(environment, MANY - _count(environment))
            (environment / ".complete").touch()
        made = sum(1 for _ in _site(environment).glob("constructed_*.dist-info"))
        patients.append(Patient(name, python, _count(environment), made))
    return patients


def _install(uv: str, environment: Path, packages: Sequence[str]) -> None:
    variables = {"UV_LINK_MODE": "hardlink", **os.environ}
    variables.pop("VIRTUAL_ENV", None)
    base = getattr(sys, "_base_executable", sys.executable)
    for arguments in (
        ("venv", "--quiet", "--clear", "--no-project", "--python", base, str(environment)),
        ("pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), *packages),
    ):
        subprocess.run([uv, *arguments], env=variables, check=True, timeout=1200)


def _construct(environment: Path, number: int) -> None:
    """Adds tiny distributions, each requiring the one before: none is on Keras's way."""
    site = _site(environment)
    for index in range(number):
        name = f"constructed_{index:03d}"
        folder = site / f"{name}-1.{index}.dist-info"
        package = site / name
        folder.mkdir()
        package.mkdir()
        files = [f"{name}/module_{part:02d}.py" for part in range(FILES)] + [f"{name}/__init__.py"]
        for file in files:
            (site / file).write_text("VALUE = 1\n")
        requires = [f"Requires-Dist: constructed-{index - 1:03d}>=1.0"] if index else []
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: 1.{index}", *requires]
        (folder / "METADATA").write_text("\n".join(lines) + "\n\n" + DESCRIPTION)
        (folder / "INSTALLER").write_text("uv")
        (folder / "WHEEL").write_text(
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        names = ("METADATA", "INSTALLER", "WHEEL", "RECORD")
        recorded = [f"{file},sha256=x,10" for file in files]
        recorded += [f"{folder.name}/{file},," for file in names]
        (folder / "RECORD").write_text("\n".join(recorded) + "\n")


def _site(environment: Path) -> Path:
    (site,) = (environment / "lib").glob("python*/site-packages")
    return site


def _count(environment: Path) -> int:
    return sum(1 for _ in _site(environment).glob("*.dist-info"))
