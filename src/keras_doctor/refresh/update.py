"""Refreshes the user's copy of the release files, or leaves it as it was.

The new copy is written into a folder of its own, read back as the reader reads it, compared with
the old one, and only then named in the file ``current``, which is replaced whole.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.packages import wanted_packages
from keras_doctor.knowledge.releasefile import DamagedError
from keras_doctor.records import NamedTuple
from keras_doctor.refresh.copyfiles import verify, write_copy, write_file
from keras_doctor.refresh.gather import gather
from keras_doctor.registry import RegistryError
from keras_doctor.registry.address import find_index
from keras_doctor.registry.answers import Answers
from keras_doctor.registry.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.knowledge.packages import Wanted
    from keras_doctor.knowledge.releasefile import Package
    from keras_doctor.registry.address import Index

HOW = "Read by `keras-doctor knowledge update` from the index that pip is configured with."
_ABANDONED = 86_400
"""Seconds after which an unfinished copy is no one's work any more."""
_LOST = 0.1
"""The part of a package's releases that an index may take back between two updates."""


class UpdateError(Exception):
    """The copy was not refreshed and is as it was; one sentence says why."""


class Updated(NamedTuple):
    """What an update did."""

    folder: str
    packages: int
    releases: int
    new: tuple[tuple[str, int], ...]
    """Packages with releases that were not known before, and how many."""
    missing: tuple[str, ...]
    """Packages that the index refuses."""
    asked: int
    """How many questions were sent."""


def update(
    folder: str,
    *,
    index: Index | None = None,
    wanted: Sequence[Wanted] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Updated:
    """Refresh the copy in `folder`.

    Args:
        folder: Where the user's copies lie.
        index: Which index is asked; default: the one that pip is configured with.
        wanted: The packages; default: all.
        progress: Told before each package.

    Raises:
        UpdateError: It was not refreshed.
    """
    wanted = wanted_packages() if wanted is None else wanted
    say = progress or (lambda _: None)
    try:
        answers = Answers(Client(index or find_index()))
        old = _old_copy(folder)
        packages, new, missing = _gather_all(answers, wanted, old, say)
        path = _put_in_place(folder, packages, missing)
    except RegistryError as error:
        raise UpdateError(f"{_sentence(str(error))} The knowledge in use is as it was.") from None
    except DamagedError as error:
        raise UpdateError(
            f"The new copy cannot be read back: {error}. The knowledge in use is as it was."
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UpdateError(
            f"The new copy cannot be written below {folder}: {reason}. "
            "The knowledge in use is as it was."
        ) from None
    return Updated(
        folder=path,
        packages=len(packages),
        releases=sum(len(package.releases) for package in packages),
        new=tuple(new),
        missing=tuple(missing),
        asked=answers.client.asked,
    )


def _old_copy(folder: str) -> copies.Copy:
    try:
        users = copies.users_copy(folder)
    except DamagedError:
        users = None
    shipped = copies.shipped()
    return users if users is not None and users.date > shipped.date else shipped


def _gather_all(
    answers: Answers, wanted: Sequence[Wanted], old: copies.Copy, say: Callable[[str], None]
) -> tuple[list[Package], list[tuple[str, int]], list[str]]:
    packages, new, missing = [], [], []
    for number, row in enumerate(wanted, 1):
        say(f"Reading the releases of {row.name} ({number} of {len(wanted)})")
        known = _known(old, row.name)
        package = gather(answers, row, known=known)
        if package is None:
            missing.append(row.name)
            if known is not None:
                packages.append(known)
            continue
        before = {release.version for release in known.releases} if known else set()
        added = sum(release.version not in before for release in package.releases)
        _check_not_shrunk(package, len(before))
        if added:
            new.append((row.name, added))
        packages.append(package)
    if len(missing) == len(wanted):
        raise RegistryError("the index refuses every package")
    return packages, new, missing


def _known(old: copies.Copy, name: str) -> Package | None:
    for copy in (old, copies.shipped()):
        with contextlib.suppress(DamagedError):
            package = copies.read_package(copy, name)
            if package is not None:
                return package
    return None


def _check_not_shrunk(package: Package, before: int) -> None:
    lost = before - len(package.releases)
    if lost > max(3, before * _LOST):
        raise RegistryError(
            f"the index lists {len(package.releases)} releases of {package.name} "
            f"where {before} were known"
        )


def _put_in_place(folder: str, packages: Sequence[Package], missing: Sequence[str]) -> str:
    os.makedirs(folder, exist_ok=True)
    name = f"copy-{time.time_ns():x}-{os.getpid()}"
    unfinished, finished = (os.path.join(folder, name + end) for end in (".new", ""))
    pointer = os.path.join(folder, f".{copies.CURRENT}.{os.getpid()}")
    os.mkdir(unfinished)
    try:
        write_copy(unfinished, packages, [(n, "the index refuses it") for n in missing], HOW)
        verify(copies.open_copy(unfinished, "user"))
        os.rename(unfinished, finished)
        write_file(pointer, name.encode("ascii") + b"\n")
        os.replace(pointer, os.path.join(folder, copies.CURRENT))
    except BaseException:
        if not _names(folder, name):  # Ctrl-C may come just after the last step
            for path in (unfinished, finished):
                shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.unlink(pointer)
        raise
    _clear(folder, name)
    copies.in_use.cache_clear()
    return finished


def _names(folder: str, name: str) -> bool:
    """Whether the file ``current`` names a copy."""
    try:
        with open(os.path.join(folder, copies.CURRENT), encoding="utf-8") as file:
            return file.read(len(name) + 2).strip() == name
    except (OSError, ValueError):
        return False


def _clear(folder: str, keep: str) -> None:
    """Remove older copies, and what an update left that was killed; never one under way."""
    now = time.time()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == keep or not entry.name.startswith("copy-"):
                continue
            with contextlib.suppress(OSError):
                old = now - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED
                if not entry.name.endswith(".new") or old:
                    shutil.rmtree(entry.path, ignore_errors=True)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
