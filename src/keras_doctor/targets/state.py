"""What a command line has changed so far: folder, variables, and who set them."""

from __future__ import annotations

import os
import re

from keras_doctor.targets import files
from keras_doctor.targets.environments import python_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_DEPTH = 5
"""Scripts that read scripts are followed so far."""
ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
"""A word that sets a variable."""
COMMAND_LINE = "the command line"
_REFERENCE = re.compile(r"\$(?:\{([^{}]*)\}|([A-Za-z_][A-Za-z0-9_]*)|([0-9@*?#$!-]))")
_DEFAULT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[0-9@*]):?-(.*)", re.DOTALL)


class State:
    """The world as the next simple command would see it. Mutable; `copy` for a subshell.

    `notes` and `problems` are shared by all copies: they tell the user what was seen.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: str,
        *,
        by: str = COMMAND_LINE,
        arguments: Sequence[str] = (),
    ) -> None:
        self.environ = dict(environ)
        self.folder = folder
        self.by = by
        self.arguments = list(arguments)
        """Positional parameters; the first is the script's own path."""
        self.variables: dict[str, str] = {}
        """Shell variables that are not exported."""
        self.marked: set[str] = set()
        """Names that are exported as soon as they have a value."""
        self.set_by: dict[str, str] = {}
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.depth = 0

    def copy(self) -> State:
        """The same world for a subshell or a child: changes there do not come back."""
        other = State(self.environ, self.folder, by=self.by, arguments=self.arguments)
        other.variables = dict(self.variables)
        other.marked = set(self.marked)
        other.set_by = dict(self.set_by)
        other.notes = self.notes
        other.problems = self.problems
        other.depth = self.depth
        return other

    def export(self, name: str, value: str, by: str | None = None) -> None:
        """Put a variable into the environment."""
        self.environ[name] = value
        self.set_by[name] = by or self.by

    def unset(self, name: str) -> None:
        """Take a variable out of the environment."""
        self.variables.pop(name, None)
        self.marked.discard(name)
        self.set_by.pop(name, None)
        self.environ.pop(name, None)

    def assign(self, name: str, value: str) -> None:
        """What ``NAME=value`` alone does in a shell: exported only if it was before."""
        if name in self.environ or name in self.marked:
            self.export(name, value)
        else:
            self.variables[name] = value

    def enter(self, path: str) -> None:
        """What ``cd`` does; a folder that is not there is noted and not entered."""
        target = files.absolute(path, self.environ, self.folder)
        if os.path.isdir(target):
            self.folder = target
            self.environ["PWD"] = target
        else:
            self.problems.append(f"`cd {path}`: there is no folder {target}")

    def activate(self, folder: str, by: str, *, variable: str = "VIRTUAL_ENV") -> None:
        """What activating the environment in `folder` does: its variable and its bin folder."""
        self.export(variable, folder, by)
        python = python_in(folder)
        place = os.path.dirname(python) if python else os.path.join(folder, files.BIN)
        rest = self.environ.get("PATH", "")
        self.environ["PATH"] = place + os.pathsep + rest if rest else place

    def expand(self, text: str) -> str:
        """`text` with ``$NAME``, ``${NAME}``, ``${NAME:-default}`` and ``$1`` replaced."""
        return _REFERENCE.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[3] or ""
        default = ""
        with_default = _DEFAULT.fullmatch(name)
        if with_default:
            name, default = with_default[1], self.expand(with_default[2])
        if name in ("@", "*"):
            return " ".join(self.arguments[1:]) or default
        if name.isdecimal():
            number = int(name) if len(name) < 4 else len(self.arguments)
            return self.arguments[number] if number < len(self.arguments) else default
        if name in ("BASH_SOURCE", "BASH_SOURCE[0]"):
            return self.arguments[0] if self.arguments else default
        if name == "PWD":
            return self.folder
        return self.variables.get(name) or self.environ.get(name) or default
