"""Hashing for `check`: which distributions, and where what was read is remembered."""

from __future__ import annotations

import os
import sys

from keras_doctor.rules.context import Context, is_inside
from keras_doctor.verify import verify
from keras_doctor.verify.cache import cache_folder
from keras_doctor.verify.merge import with_verified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keras_doctor.model import Snapshot


def verification_of(
    snapshot: Snapshot,
    scope: str,
    *,
    wish: str | None,
    environ: Mapping[str, str],
    share: Callable[[int, int], None] | None = None,
) -> Callable[[Snapshot], Snapshot]:
    """Hash the installed files once.

    Args:
        snapshot: What is installed, on this machine.
        scope: ``way`` or ``all``.
        wish: The backend that the user wants, which decides what is on the way.
        environ: The user's variables.
        share: Told now and then how many bytes of how many are done.

    Returns:
        What puts the result into a snapshot: facts are collected twice at times.
    """
    way = Context(snapshot, wish=wish).way if scope == "way" else None
    seen = verify(snapshot, way, cache=_cache(snapshot, environ), share=share)
    return lambda facts: with_verified(facts, seen)


def _cache(snapshot: Snapshot, environ: Mapping[str, str]) -> str | None:
    """The folder to remember in, unless it is one that looking must not change."""
    folder = cache_folder(environ, sys.platform)
    if folder is None:
        return None
    target = snapshot.target
    home = environ.get("HOME") or os.path.expanduser("~")
    # Who works in the home folder itself has its cache folder inside the project.
    project = None if is_inside(home, target.folder) else target.folder
    prefix = snapshot.interpreter.prefix if snapshot.interpreter else None
    protected = [target.environment, prefix, project]
    protected += [distribution.location for distribution in snapshot.distributions]
    real = os.path.realpath(folder)
    if any(place and is_inside(real, os.path.realpath(place)) for place in set(protected)):
        return None
    return folder
