"""Builds small real environments from PyPI and runs `check` on them.

Two stacks, installed once per session with uv: Keras 3 with JAX on the Python that runs the
tests, and Keras 2.3 with Theano on Python 3.7 or 3.8 where the machine has one. Each test gets
its own copy through hard links, so damage must replace files and never write into them.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

# Upper bounds, so that releases of later years do not change what is tested.
JAX_STACK = (
    "keras==3.12.0",
    "jax==0.7.2",
    "jaxlib==0.7.2",
    "numpy<2.6",
    "scipy<1.19",
    "h5py<3.17",
    "ml-dtypes<0.7",
    "optree<0.21",
    "rich<16",
    "packaging<27",
)
THEANO_STACK = (
    "keras==2.3.1",
    "theano==1.0.5",
    "keras-applications==1.0.8",
    "keras-preprocessing==1.1.2",
    "h5py==2.10.0",
    "numpy==1.18.5",
    "pyyaml==6.0.1",
    "scipy==1.7.3",
    "six==1.17.0",
    "setuptools==59.8.0",
)
# Every module of an import is compiled once; the copies then import in a second.
WARM_UP = """\
import numpy as np
import keras
model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(3,))])
model.compile(optimizer="sgd", loss="mse")
model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=1, verbose=0)
print("trained on", keras.backend.backend())
"""


class Environment(NamedTuple):
    """A virtual environment with a HOME and a project, and the user's variables."""

    folder: Path
    site: Path
    variables: dict[str, str]

    @property
    def python(self) -> Path:
        return self.folder / "env" / "bin" / "python"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def keras_json(self, **values: object) -> Path:
        """Writes ~/.keras/keras.json as Keras does, with some values changed."""
        path = self.home / ".keras" / "keras.json"
        path.parent.mkdir(exist_ok=True)
        content = {
            "floatx": "float32",
            "epsilon": 1e-07,
            "backend": "tensorflow",
            "image_data_format": "channels_last",
            **values,
        }
        path.write_text(json.dumps(content, indent=4), encoding="utf-8")
        return path

    def replace(self, path: Path, data: bytes) -> None:
        """Gives a file new content through a new inode: the old one is shared."""
        path.unlink(missing_ok=True)
        path.write_bytes(data)

    def metadata(
        self, name: str, version: str, *lines: str, site: Path | None = None, prefix: str = ""
    ) -> Path:
        """Writes the metadata of a constructed distribution.

        Args:
            name: Its name.
            version: Its version.
            lines: More lines of METADATA.
            site: Where, when not in the environment's site-packages.
            prefix: Put before the folder's name (`~` as pip leaves it).
        """
        folder = (site or self.site) / f"{prefix}{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        text = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines])
        (folder / "METADATA").write_text(text + "\n", encoding="utf-8")
        (folder / "INSTALLER").write_text("pip\n", encoding="utf-8")
        (folder / "RECORD").write_text(
            f"{folder.name}/METADATA,,\n{folder.name}/INSTALLER,,\n{folder.name}/RECORD,,\n",
            encoding="utf-8",
        )
        return folder


class Checked(NamedTuple):
    """What `check` answered."""

    status: int
    report: dict[str, Any]

    @property
    def causes(self) -> list[tuple[str, str]]:
        return [(cause["cause"], cause["culprit"]) for cause in self.report["causes"]]


def keras_doctor(
    environment: Environment, *arguments: str, timeout: float = 240
) -> subprocess.CompletedProcess[str]:
    """Runs keras-doctor in the user's shell: variables, PATH and folder of the environment."""
    return subprocess.run(
        [sys.executable, "-m", "keras_doctor", *arguments],
        cwd=environment.project,
        env=environment.variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def check(environment: Environment, *arguments: str, command: Sequence[str] = ()) -> Checked:
    """Runs `check --format json` and reads its report."""
    tail = ["--", *command] if command else []
    done = keras_doctor(environment, "check", "--format", "json", *arguments, *tail)
    assert done.returncode in {0, 1}, done.stderr or done.stdout
    return Checked(done.returncode, json.loads(done.stdout))


def runs(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the environment's Python as the user would, with a copy of HOME.

    An import writes keras.json into HOME when there is none: the doctor must not find that.
    """
    with tempfile.TemporaryDirectory(prefix="keras-doctor-home-") as folder:
        home = shutil.copytree(environment.home, Path(folder) / "home")
        return subprocess.run(
            [str(environment.python), *arguments],
            cwd=environment.project,
            env={**environment.variables, "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=240,
        )


def fingerprint(*folders: Path) -> dict[str, tuple[object, ...]]:
    """Everything below some folders: kind, mode, size, modification time, and content."""
    found: dict[str, tuple[object, ...]] = {}
    for folder in folders:
        for root, directories, files in os.walk(folder):
            for name in [*directories, *files, "."]:
                path = os.path.join(root, name)
                state = os.lstat(path)
                content = ""
                if stat.S_ISLNK(state.st_mode):
                    content = os.readlink(path)
                elif stat.S_ISREG(state.st_mode):
                    content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                found[path] = (state.st_mode, state.st_size, state.st_mtime_ns, content)
    return found


@functools.cache
def uv() -> str:
    """The uv of the development environment, else the one on PATH."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    assert found, "uv is missing: it belongs to the development dependencies"
    return found


def run_uv(*arguments: str) -> None:
    variables = {"UV_LINK_MODE": "hardlink", "UV_NO_PROGRESS": "1", **os.environ}
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        variables.pop(name, None)
    done = subprocess.run(
        [uv(), *arguments], env=variables, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr


def find_python(version: str) -> str | None:
    """A Python of this machine that starts (pyenv, PATH), like ``3.8``."""
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    places = sorted(glob.glob(f"{root}/versions/{version}.*/bin/python"))
    on_path = shutil.which(f"python{version}")
    for candidate in [*places, *([on_path] if on_path else [])]:
        if subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return candidate
    return None


def old_python() -> str | None:
    """A Python 3.8 or 3.7, for which Theano and Keras 2.3 were made."""
    return find_python("3.8") or find_python("3.7")


def build_stack(folder: Path, python: str, packages: Sequence[str], *options: str) -> None:
    """Installs a stack and trains one step in it, which also compiles its modules."""
    environment = folder / "env"
    run_uv("venv", "--quiet", "--no-project", "--python", python, str(environment))
    run_uv(
        "pip", "install", "--quiet", *options, "--python", f"{environment}/bin/python", *packages
    )
    (folder / "home").mkdir()
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "KERAS_BACKEND": "theano" if "--no-deps" in options else "jax",
        # One step is enough: no C++ for every node of the graph.
        "THEANO_FLAGS": "mode=FAST_COMPILE",
    }
    done = subprocess.run(
        [str(environment / "bin" / "python"), "-c", WARM_UP],
        env=variables,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "trained on" in done.stdout, done.stderr


def copy_stack(stack: Path, folder: Path, *, compiled: bool = True) -> Environment:
    """A copy of a stack through hard links, with a HOME and a project of its own.

    Args:
        stack: What `build_stack` made.
        folder: A new folder.
        compiled: With the bytecode; without it an import would like to write some.
    """

    def link(source: str, target: str) -> None:
        if os.path.dirname(source) == f"{stack}/env/bin" or source.endswith((".cfg", ".pth")):
            shutil.copy2(source, target)
        else:
            os.link(source, target)

    shutil.copytree(
        stack / "env",
        folder / "env",
        symlinks=True,
        copy_function=link,
        ignore=None if compiled else shutil.ignore_patterns("__pycache__"),
    )
    for script in (folder / "env" / "bin").iterdir():
        if not script.is_symlink():
            text = script.read_bytes()
            script.write_bytes(text.replace(str(stack).encode(), str(folder).encode()))
    (folder / "home").mkdir()
    (folder / "project").mkdir()
    (folder / "tmp").mkdir()
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    variables = {
        "PATH": f"{folder}/env/bin:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder / "home"),
        "VIRTUAL_ENV": str(folder / "env"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
    }
    return Environment(folder, site, variables)
