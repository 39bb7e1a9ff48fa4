"""The folder that a distribution is installed in, and what of it may be looked at.

A RECORD is not trusted, and neither are links: nothing outside the location is opened on its word.
"""

from __future__ import annotations

import os
import stat

OUTSIDE = "outside"
ABSENT = "absent"
UNREADABLE = "unreadable"


class Place:
    """One location (an entry of sys.path).

    Attributes:
        location: Its path, as the patient's Python writes it.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self._start = location.rstrip(os.sep) + os.sep
        self._root = os.path.realpath(location)
        self._folders: dict[str, str | None] = {"": None}

    def path(self, folder: str, name: str = "") -> str:
        """The absolute path of a relative folder, or of a file in it."""
        below = f"{folder}/{name}" if folder and name else folder or name
        return self._start + below.replace("/", os.sep)

    def refusal(self, folder: str) -> str | None:
        """Why a folder is not looked into, or None: it is one, and lies inside."""
        known = self._folders.get(folder, "")
        if known != "":
            return known
        answer = self.refusal(folder.rpartition("/")[0])
        if answer is None:
            answer = self._look(self.path(folder))
        self._folders[folder] = answer
        return answer

    def _look(self, path: str) -> str | None:
        try:
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                if not self._holds(path):
                    return OUTSIDE
                mode = os.stat(path).st_mode
        except PermissionError:
            return UNREADABLE
        except (OSError, ValueError):
            return ABSENT
        return None if stat.S_ISDIR(mode) else ABSENT

    def status(self, path: str) -> os.stat_result | str:
        """The status of a regular file in a folder that is not refused, or why there is none."""
        try:
            found = os.lstat(path)
            if stat.S_ISLNK(found.st_mode):
                if not self._holds(path):
                    return OUTSIDE
                found = os.stat(path)
        except PermissionError:
            return UNREADABLE
        except (OSError, ValueError):
            return ABSENT
        return found if stat.S_ISREG(found.st_mode) else ABSENT

    def _holds(self, path: str) -> bool:
        """Whether a link ends inside the location."""
        real = os.path.realpath(path)
        return real.startswith(self._root.rstrip(os.sep) + os.sep)
