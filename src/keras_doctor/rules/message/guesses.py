"""What a guess is, and the repairs that several guesses name."""

from __future__ import annotations

import posixpath

from keras_doctor.records import NamedTuple
from keras_doctor.rules.remedies import edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Evidence, Fix


class Guess(NamedTuple):
    """One cause that a failure may have."""

    cause: str
    confidence: str
    """``certain``, ``likely`` or ``possible``."""
    culprit: str
    title: str
    why: str
    fixes: tuple[Fix, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def rename_it(file: str) -> Fix:
    """Give a file of the user's another name."""
    folder, name = posixpath.split(file.replace("\\", "/"))
    if name == "__init__.py":
        folder, name = posixpath.split(folder)
    new = posixpath.join(folder, "my_" + name)
    old = posixpath.join(folder, name)
    return edit("rename-file", old, f"Rename {old}, and remove its .pyc file.", new)


def again(name: str) -> Fix:
    """Install a distribution anew, over nothing."""
    return edit("reinstall", name, f"Remove {name}, delete what is left of it, install it again.")
