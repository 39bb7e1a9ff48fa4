"""Which releases of a package a Python of this machine can install, and since when."""

from __future__ import annotations

import datetime as dt
import platform
from functools import cache
from typing import NamedTuple

from keras_doctor.knowledge.releases import installable
from keras_doctor.versions import compare_key


class Release(NamedTuple):
    """A final release that an interpreter can install."""

    version: str
    date: dt.date


@cache
def releases_for(name: str, python: str, *, source: bool = False) -> tuple[Release, ...]:
    """The final, not yanked releases that have a wheel for a CPython on this machine, in order.

    Args:
        name: The package; one of which nothing is known has no releases.
        python: Like ``3.9``.
        source: Whether a source distribution will do.
    """
    libc = " ".join(platform.libc_ver())
    rows = [
        Release(one.release.version, dt.date.fromisoformat(one.release.date))
        for one in installable(name, python=python, libc=libc)
        if one.release.date is not None and (source or one.how == "wheel")
    ]
    return tuple(sorted(rows, key=lambda row: compare_key(row.version)))
