"""Small real environments to collect from, and the Pythons of this machine."""

from __future__ import annotations

import atexit
import base64
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from keras_doctor.model import Target


def installed_pythons() -> list[str]:
    """Every Python 3 that pyenv or PATH knows, one for each minor version."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = {}
    for path in sorted(root.glob("versions/3.*/bin/python")):
        found[".".join(path.parts[-3].split(".")[:2])] = str(path)
    for minor in range(6, 15):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = Path(folder, f"python3.{minor}")
            if "shims" not in folder and path.is_file():
                found.setdefault(f"3.{minor}", str(path))
    return [found[key] for key in sorted(found, key=lambda key: int(key.split(".")[1]))]


@functools.cache
def _template(python: str) -> Path:
    """A virtual environment to copy: making one takes a hundred times as long."""
    folder = Path(tempfile.mkdtemp(prefix="keras-doctor-venv-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [python, "-m", "venv", "--without-pip", str(folder / "env")]
    subprocess.run(command, check=True, timeout=60)
    return folder / "env"


class Patient:
    """A virtual environment with a home and a project folder, and nothing else set."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.home = folder / "home"
        self.project.mkdir(parents=True)
        self.home.mkdir()
        shutil.copytree(_template(python), folder / "env", symlinks=True)
        self.python = str(folder / "env" / "bin" / "python")
        self.site = next((folder / "env" / "lib").glob("python3.*")) / "site-packages"
        self.environ = {
            "HOME": str(self.home),
            "PATH": f"{folder / 'env' / 'bin'}:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def target(self, **changes: object) -> Target:
        target = Target(
            python=self.python,
            chosen="a test",
            folder=str(self.project),
            start="script",
            path0=str(self.project),
            script=None,
            command=(),
            environment=str(self.folder / "env"),
            manager="venv",
        )
        return target._replace(**changes)  # type: ignore[arg-type]

    def install(
        self,
        name: str,
        version: str = "1.0",
        files: Mapping[str, str] | None = None,
        *,
        requires: tuple[str, ...] = (),
        site: Path | None = None,
        more: Mapping[str, str] | None = None,
        record: bool = True,
    ) -> Path:
        """Lay down a distribution as an installer would; returns its dist-info."""
        site = site or self.site
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        files = {f"{name}/__init__.py": f"__version__ = '{version}'\n"} if files is None else files
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in requires]
        texts = {
            "METADATA": "\n".join(lines) + "\n\nName: not a header\n",
            "INSTALLER": "pip\n",
            "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
            **(more or {}),
        }
        rows = []
        for path, text in files.items():
            place = site / path
            place.parent.mkdir(parents=True, exist_ok=True)
            data = text.encode()
            place.write_bytes(data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            rows.append(f"{path},sha256={digest},{len(data)}")
        for key, text in texts.items():
            (info / key).write_text(text)
            rows.append(f"{info.name}/{key},,")
        if record:
            (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,"]) + "\n")
        return info


def tree(folder: Path) -> dict[str, tuple[int, int, int, int]]:
    """Every name below a folder with inode, size, mode and time of change."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(root, name)
            status = os.lstat(path)
            found[path] = (status.st_ino, status.st_size, status.st_mode, status.st_mtime_ns)
    return found
