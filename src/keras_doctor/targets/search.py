"""What is looked at while the target is searched for, and which environment is this tool's own."""

import os
import sys
from collections.abc import Mapping

from keras_doctor.records import NamedTuple
from keras_doctor.targets import files

_PATIENTS = ("keras", "tf_keras", "tensorflow", "jax", "torch", "theano", "openvino", "numpy")
OWN = "this tool's own environment"


class Choice(NamedTuple):
    """An interpreter, and why that one."""

    python: str
    why: str


class Search:
    """The places that are looked at, and what was seen there."""

    def __init__(self, environ: Mapping[str, str], folder: str, own: str | None) -> None:
        self.given = dict(environ)
        self.folder = folder
        self.considered: list[str] = []
        self.own = own if own and not self._is_active(own) and not _holds_packages(own) else None
        self.environ = self._without_own(environ)

    def _is_active(self, own: str) -> bool:
        active = (self.given.get("VIRTUAL_ENV"), self.given.get("CONDA_PREFIX"))
        return any(place and files.same_file(place, own) for place in active)

    def is_own(self, folder: str) -> bool:
        """Whether an environment is the one that this tool runs in, and nobody asked for it."""
        return self.own is not None and files.same_file(folder, self.own)

    def _without_own(self, environ: Mapping[str, str]) -> dict[str, str]:
        if self.own is None:
            return dict(environ)
        programs = os.path.join(self.own, files.BIN)
        entries = environ.get("PATH", "").split(os.pathsep)
        kept = [entry for entry in entries if not (entry and files.same_file(entry, programs))]
        if len(kept) == len(entries):
            return dict(environ)
        self.considered.append(f"PATH holds {programs}, {OWN}: passed over")
        return {**environ, "PATH": os.pathsep.join(kept)}

    @property
    def run_environ(self) -> dict[str, str]:
        """The variables in which the user's command is run.

        Programs that lie only beside this tool (uv, in an environment for development) are
        found there too, but none of them before the user's own.
        """
        given = self.given.get("PATH", "")
        if self.own is None or given == self.environ.get("PATH", ""):
            return self.environ
        last = [self.environ.get("PATH", ""), os.path.join(self.own, files.BIN)]
        return {**self.environ, "PATH": os.pathsep.join(filter(None, last))}

    def note(self, line: str) -> None:
        """Add a line about a place."""
        self.considered.append(line)


def own_environment() -> str | None:
    """The virtual environment that this tool runs in, if it is one."""
    return sys.prefix if sys.prefix != sys.base_prefix else None


def _holds_packages(prefix: str) -> bool:
    """Whether the tool was installed into an environment in which people work."""
    lib = os.path.join(prefix, "Lib" if files.WINDOWS else "lib")
    inner = [""] if files.WINDOWS else files.listing(lib)
    return any(
        os.path.isdir(os.path.join(lib, name, "site-packages", package))
        for name in inner
        for package in _PATIENTS
    )
