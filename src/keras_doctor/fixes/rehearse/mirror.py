"""Names in a copied world: the world's folder holds everything under its own absolute path.

What the user knows as ``/opt/env/bin`` lies at ``WORLD/opt/env/bin``: folders inside of each
other stay inside of each other, and a text is led back by taking the world's name out of it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, TypeVar

from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")
_NO_NAME = r"(?![^/\\:;,\s\"')\]])"
"""What follows a path: its end, or a sign that ends a name."""


class Mirror:
    """The names of one world.

    Args:
        world: Its folder, links resolved.
        roots: The folders that are there instead of the user's; links resolved.
        home: The user's HOME: the folder itself has a stand-in there, but what lies in it is
            named as before, unless it is below a root.
    """

    def __init__(self, world: str, roots: Sequence[str], home: str = "") -> None:
        self.world = world
        self.roots = tuple(sorted(roots, key=len, reverse=True))
        self.home = home
        self._pairs = [(self.at(root), root) for root in (*self.roots, *([home] if home else []))]
        self._known: dict[str, str | None] = {}
        self._pattern = re.compile(
            r"(?<![\w./\\~-])(?:" + "|".join(map(re.escape, self.roots)) + ")" + _NO_NAME
            if self.roots
            else r"(?!)"
        )

    def at(self, path: str) -> str:
        """Where an absolute path of the user's lies in the world, whether or not it is there."""
        drive, rest = os.path.splitdrive(path)
        return os.path.join(self.world, drive.replace(":", ""), rest.lstrip("\\/"))

    def real(self, path: str) -> str:
        """The user's name of a path in the world."""
        return self.back(path)

    def holds(self, path: str) -> bool:
        """Whether a path lies in the world by its name."""
        return is_inside(path, self.world)

    def there(self, text: str) -> str:
        """A path, or a list of paths as in PATH, with those that are copied led to the copy."""
        if os.sep not in text:
            return text
        return os.pathsep.join(map(self._led, text.split(os.pathsep)))

    def back(self, text: str) -> str:
        """A text with the world's paths as the user knows them."""
        if self.world not in text:
            return text
        if os.name != "nt":
            return text.replace(self.world + os.sep, os.sep)
        for copy, original in self._pairs:
            text = text.replace(copy, original)
        return text

    def rewritten(self, text: str) -> str:
        """A text with every path below a root led to the copy."""
        return self._pattern.sub(lambda found: self.at(found[0]), text)

    def _led(self, path: str) -> str:
        if not os.path.isabs(path) or self.holds(path):
            return path
        if path == self.home or any(is_inside(path, root) for root in self.roots):
            return self.at(path)
        resolved = self._resolved(path)
        return path if resolved is None else self.at(resolved)

    def _resolved(self, path: str) -> str | None:
        """The path by its real name if a folder of it is a link to a root; the last name stays.

        A program that is a link is told by its own name where it belongs, not by its target's.
        """
        parts = path.rstrip(os.sep).split(os.sep)
        for count in range(2, len(parts) + 1):
            folder = os.sep.join(parts[:count])
            if folder not in self._known:
                self._known[folder] = self._root_behind(folder)
            real = self._known[folder]
            if real is not None and (real != self.home or count == len(parts)):
                return os.path.join(real, *parts[count:])
        return None

    def _root_behind(self, folder: str) -> str | None:
        if not os.path.isdir(folder):
            return None
        real = os.path.realpath(folder)
        if real == self.home or any(is_inside(real, root) for root in self.roots):
            return real
        return None

    # ------------------------------------------------------- what is said to functions

    def led(self, value: Any) -> Any:
        """An argument of a function of ours, with its paths led to the copy."""
        from keras_doctor.fixes.installer import Installer
        from keras_doctor.fixes.trial import Asked
        from keras_doctor.model.plan import Step

        if isinstance(value, str):
            return self.there(value)
        if isinstance(value, Asked):
            return self._led_question(value)
        if isinstance(value, Step):
            return value._replace(
                path=self.led(value.path), to=self.led(value.to), paths=self.led(value.paths)
            )
        if isinstance(value, Installer):
            return value._replace(argv=self.led(value.argv))
        if isinstance(value, dict):
            return {name: self.led(one) for name, one in value.items()}
        if type(value) in (tuple, list):
            return type(value)(map(self.led, value))
        return value

    def _led_question(self, asked: Any) -> Any:
        environ = self.led(asked.environ)
        if self.home and os.name != "nt" and not environ.get("HOME"):
            environ["HOME"] = self.at(self.home)
        return asked._replace(
            python=self.led(asked.python),
            project=self.led(asked.project),
            command=self.led(asked.command),
            environ=environ,
            folder=self.led(asked.folder),
        )

    def said(self, value: _T) -> _T:
        """An answer of a function of ours, with its paths as the user knows them."""
        said: Any = value
        if isinstance(value, str):
            said = self.back(value)
        elif isinstance(value, dict):
            said = {self.said(name): self.said(one) for name, one in value.items()}
        elif isinstance(value, tuple) and hasattr(value, "_make"):
            said = value._make(map(self.said, value))
        elif type(value) in (tuple, list, set, frozenset):
            said = type(value)(map(self.said, value))  # type: ignore[call-arg, call-overload]
        return said  # type: ignore[no-any-return]

    def corrected(self, error: BaseException) -> None:
        """Let an error name its paths as the user knows them."""
        error.args = self.said(error.args)
        if isinstance(error, OSError):
            error.filename = self.said(error.filename)
            error.filename2 = self.said(error.filename2)
