"""Patients for the live runner: real interpreters, a HOME, a project, a stand-in for Keras."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from keras_doctor.model import Target

FAKE_KERAS = """
import json, os
__version__ = "9.9.9"
_home = os.path.expanduser("~")
if "KERAS_HOME" in os.environ:
    _folder = os.environ["KERAS_HOME"]
elif os.access(_home, os.W_OK):
    _folder = os.path.join(_home, ".keras")
else:
    _folder = "/tmp/.keras"
_file = os.path.expanduser(os.path.join(_folder, "keras.json"))
_backend = "tensorflow"
if os.path.exists(_file):
    with open(_file) as stream:
        _backend = json.load(stream).get("backend", _backend)
else:
    try:
        os.makedirs(_folder)
    except OSError:
        pass
    try:
        with open(_file, "w") as stream:
            stream.write("{}")
    except OSError:
        pass
_backend = os.environ.get("KERAS_BACKEND") or _backend
print("file", _file)
from keras import backend
"""


def find_pythons() -> dict[str, str]:
    """Every Python 3 that pyenv or PATH has, by its minor version."""
    found: dict[str, str] = {}
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for path in sorted(glob.glob(os.path.join(root, "versions", "3.*", "bin", "python"))):
        match = re.search(r"/versions/(3\.\d+)[.\d]*/bin", path)
        if match:
            found[match[1]] = path
    for minor in range(6, 16):
        version = f"3.{minor}"
        if version in found:
            continue
        elsewhere = shutil.which(f"python{version}")
        if elsewhere and subprocess.run([elsewhere, "-c", ""], capture_output=True).returncode == 0:
            found[version] = elsewhere
    return found


PYTHONS = find_pythons()
ORDER = sorted(PYTHONS, key=lambda version: int(version.split(".")[1]))
EDGES = sorted({ORDER[0], ORDER[-1]}) if ORDER else []


class Patient:
    """A folder with a HOME and a project, and a Python to run there."""

    def __init__(self, root: Path, python: str) -> None:
        self.root = root
        self.home = root / "home"
        self.project = root / "project"
        self.home.mkdir()
        self.project.mkdir()
        self.python = python
        self.environ = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }

    @property
    def target(self) -> Target:
        return Target(
            python=self.python,
            chosen="a test",
            folder=str(self.project),
            start="script",
            path0=str(self.project),
            script=None,
            command=(),
            environment=None,
            manager=None,
        )

    def module(self, name: str, text: str) -> None:
        path = self.project / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def fake_keras(self) -> None:
        self.module("keras.__init__", FAKE_KERAS)
        self.module("keras.backend", "import keras\ndef backend(): return keras._backend\n")


def listing(root: Path) -> dict[str, tuple[int, ...]]:
    """Names, sizes, modes, times and inodes of a tree."""
    found: dict[str, tuple[int, ...]] = {}
    for folder, names, files in os.walk(root):
        for name in [*names, *files, "."]:
            path = os.path.join(folder, name)
            state = os.lstat(path)
            found[path] = (state.st_size, state.st_mode, state.st_mtime_ns, state.st_ino)
    return found


def lab_target(folder: Path) -> tuple[Target, dict[str, str]]:
    """The target of a built scenario, and its variables and nothing else."""
    script = f". {folder}/activate.sh; env -0"
    output = subprocess.run(
        ["/bin/bash", "-c", script],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    environ = dict(entry.split("=", 1) for entry in output.split("\0") if entry)
    target = Target(
        python=str(folder / "env" / "bin" / "python"),
        chosen="a test",
        folder=str(folder / "project"),
        start="script",
        path0=str(folder / "project"),
        script=None,
        command=(),
        environment=str(folder / "env"),
        manager="venv",
    )
    return target, environ


UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def as_plain_user(command: list[str]) -> list[str]:
    """The command as somebody who obeys permission bits; skips where that cannot be had."""
    if os.geteuid() != 0:
        return command
    if not shutil.which("setpriv"):
        pytest.skip("root obeys no permission bits, and setpriv is missing")
    return [*UNPRIVILEGED, *command]
