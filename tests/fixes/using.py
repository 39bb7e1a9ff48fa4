"""Worlds for the tests of `use`: environments whose packages are names without content."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from targets.targets_help import BASE, constructed_conda, make_venv, program

from keras_doctor import api
from keras_doctor.fixes.use.result import How, Used

WITH_JAX = ("keras-3.12.0", "jax-0.7.2", "jaxlib-0.7.2")


def install(site: Path, *names: str) -> None:
    """Packages like ``jax-0.7.2``: metadata, and a module that can be found."""
    site.mkdir(parents=True, exist_ok=True)
    for each in names:
        name, _, version = each.partition("-")
        info = site / f"{each}.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(text)
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
        (site / name).mkdir(exist_ok=True)
        (site / name / "__init__.py").write_text("VALUE = 1\n")


class User:
    """A user with a HOME, a project with a virtual environment, and other environments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.project = self.home / "project"
        self.project.mkdir(parents=True)
        self.env = make_venv(self.project / ".venv")
        self.environ = {
            "HOME": str(self.home),
            "PATH": f"{self.env}/bin:/usr/bin:/bin",
            "VIRTUAL_ENV": str(self.env),
            "LANG": "C.UTF-8",
        }
        self.config = self.home / ".keras" / "keras.json"

    @property
    def site(self) -> Path:
        (found,) = (self.env / "lib").glob("python3*/site-packages")
        return found

    def other(self, *names: str) -> Path:
        """Another environment in another project of the same user."""
        env = make_venv(self.home / "other" / "env")
        (site,) = (env / "lib").glob("python3*/site-packages")
        install(site, *names)
        return env

    def conda(self) -> Path:
        """A conda environment that holds what the virtual one holds; it becomes the target."""
        env = constructed_conda(self.folder / "conda" / "envs" / "deep")
        text = f'#!/bin/sh\nPYTHONPATH="{self.site}" exec "{BASE}" "$@"\n'
        program(env / "bin" / "python", text)
        del self.environ["VIRTUAL_ENV"]
        self.environ["CONDA_PREFIX"] = str(env)
        return env

    def kernel(self, name: str, **fields: object) -> Path:
        """A kernelspec of the user's that starts the virtual environment."""
        path = self.home / ".local" / "share" / "jupyter" / "kernels" / name / "kernel.json"
        path.parent.mkdir(parents=True)
        argv = [f"{self.env}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "Ger\u00e4t", "language": "python", **fields}
        path.write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
        return path

    def write(self, text: str, path: Path | None = None) -> Path:
        """Write ~/.keras/keras.json, or another file."""
        path = path or self.config
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_500_000_000, 1_500_000_000))
        return path

    def use(
        self,
        backend: str,
        *command: str,
        python: str | None = None,
        kernel: str | None = None,
        **how: Any,
    ) -> Used:
        """`use` without a live run: the packages have no content."""
        asked = How(backend=backend, **{"live": False, **how})
        return api.use(
            asked,
            python=python,
            kernel=kernel,
            command=command,
            environ=self.environ,
            folder=str(self.project),
        )

    def undo(self) -> str | None:
        """Take back the last one; why not, if so."""
        return api.undo(environ=self.environ).refusal


def state(path: Path) -> tuple[bytes, int, int]:
    """What must be the same after an undo."""
    status = path.stat()
    return path.read_bytes(), status.st_mode, status.st_mtime_ns


def words(used: Used) -> list[str]:
    """The commands of what is left to the user."""
    return [command.text for step in used.manual for command in step.commands]
