"""Real virtual environments, and folders made by hand that look like installations."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from keras_doctor.targets import Found

BASE = os.path.realpath(sys.executable)

Find = Callable[..., Found]


def interpreters() -> list[str]:
    """Every interpreter of pyenv on this machine, oldest first; this process's own at least."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = [place / "bin" / "python" for place in root.glob("3.*") if (place / "bin").is_dir()]
    ordered = sorted(found, key=lambda path: int(path.parts[-3].split(".")[1]))
    return [str(path) for path in ordered] or [BASE]


def make_venv(folder: Path, python: str = BASE) -> Path:
    """A real virtual environment without pip."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
    return folder


def program(path: Path, text: str) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def constructed_python(folder: Path) -> Path:
    """A folder that looks like an installed Python; the interpreter is this process's."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").write_bytes(b"\x7fELF Py_BytesMain")
    (folder / "bin" / "python").chmod(0o755)
    return folder


def constructed_conda(folder: Path, version: str = "3.11.7") -> Path:
    """A conda environment made by hand: conda itself is not needed to recognise one."""
    constructed_python(folder)
    (folder / "conda-meta").mkdir()
    (folder / "conda-meta" / f"python-{version}-h1_0_cpython.json").write_text("{}")
    return folder
