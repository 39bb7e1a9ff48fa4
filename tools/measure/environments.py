"""Real environments, made and changed with uv."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
from pathlib import Path

from keras_doctor.names import normalize
from keras_doctor.targets.named import by_version

LATER = dt.timedelta(days=60)
"""An environment is of the time of its release: what came up to two months later counts."""
COMPANIONS = {
    "jax": ("jaxlib", "ml-dtypes", "opt-einsum", "numpy", "scipy"),
    "numpy": ("h5py", "scipy", "pandas", "ml-dtypes", "optree", "contourpy"),
}
"""Extension modules compiled against the distribution that is varied: they go along with it,
or their failure would be taken for the subject's."""
_NOT_BUILT = ("numpy", "scipy", "h5py", "grpcio", "protobuf", "pandas", "ml-dtypes", "optree")
"""Building these from source takes long or fails, and is not what is measured; small ones of old
releases (termcolor, wrapt, gast) exist as source only."""
_TIME_LIMIT = 1500


class NotInstallableError(Exception):
    """uv could not make it; the last lines of what it said."""


class Environment:
    """One virtual environment, with the set of distributions that it is brought back to."""

    def __init__(self, folder: Path, python: str, no_binary: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.python = folder / "env" / "bin" / "python"
        self.home = folder / "home"
        self._no_binary = no_binary
        self.base: dict[str, str] = {}
        self.home.mkdir(parents=True)
        (folder / "project").mkdir()
        base = by_version(python, os.environ, os.getcwd())
        if base is None:
            raise NotInstallableError(f"this machine has no Python {python}")
        _uv("venv", "--no-project", "--python", base, str(folder / "env"))

    def create(self, requirements: tuple[str, ...], until: dt.date) -> None:
        """Install what a release needed at its time, and keep that as the base."""
        self._install(*requirements, until=until)
        self.base = self.packages()

    def reset(self) -> None:
        """Bring the base back, exactly."""
        pins = self.folder / "base.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in self.base.items()))
        self._pip("sync", str(pins))

    def change(self, name: str, version: str, until: dt.date) -> None:
        """Put one release of a distribution in, and bring along what it needs where that fits."""
        self.reset()
        companions = [c for c in COMPANIONS.get(name, ()) if c in self.base]
        others = {n: v for n, v in self.base.items() if n not in (normalize(name), *companions)}
        constraints, override = self.folder / "others.txt", self.folder / "override.txt"
        constraints.write_text("".join(f"{n}=={v}\n" for n, v in others.items()))
        lines = [f"{name}=={version}"]
        if "tensorflow-cpu" in self.base:
            # What asks for `tensorflow` must not bring a second one over it.
            lines.append("tensorflow==0; sys_platform == 'never'")
        override.write_text("\n".join(lines) + "\n")
        options = ["--constraint", str(constraints), "--override", str(override)]
        for companion in companions:
            options += ["--upgrade-package", companion]
        try:
            self._install(f"{name}=={version}", *companions, *options, until=until)
        except NotInstallableError:
            self.reset()
            self._install(f"{name}=={version}", "--no-deps", until=until)

    def compile(self) -> None:
        """Byte code, which the runs themselves do not write: without it they take minutes."""
        site = next((self.folder / "env" / "lib").glob("python*/site-packages"))
        argv = [str(self.python), "-m", "compileall", "-q", "-x", "/(tests?|include)/", str(site)]
        subprocess.run(argv, capture_output=True, timeout=_TIME_LIMIT, check=False)

    def packages(self) -> dict[str, str]:
        """Normalised names and versions of what is installed."""
        rows = json.loads(self._pip("list", "--format", "json"))
        return {normalize(row["name"]): row["version"] for row in rows}

    def _install(self, *arguments: str, until: dt.date) -> None:
        options = ["--exclude-newer", until.isoformat()]
        if "--no-deps" not in arguments:
            for name in _NOT_BUILT:
                options += ["--only-binary", name]
        for name in self._no_binary:
            options += ["--no-binary", name]
        self._pip("install", *arguments, *options)

    def _pip(self, command: str, *arguments: str) -> str:
        return _uv("pip", command, "--python", str(self.python), *arguments)


def _uv(*arguments: str) -> str:
    variables = {**os.environ, "UV_LINK_MODE": "hardlink", "UV_PYTHON_DOWNLOADS": "never"}
    variables.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        ["uv", *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=_TIME_LIMIT,
        check=False,
    )
    if done.returncode:
        raise NotInstallableError(_reason(done.stderr))
    return done.stdout


def _reason(text: str) -> str:
    """The lines of uv's answer that say why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Using Python", "Resolved"))]
    return " ".join(told)[:600]


def forget_cached(*names: str) -> None:
    """Take large distributions out of uv's cache, so that the disk stays small."""
    if names:
        _uv("cache", "clean", *names)
