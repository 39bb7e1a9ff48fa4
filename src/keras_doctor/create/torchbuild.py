"""The builds of torch for the processor alone, as far as a named folder or index holds them.

PyPI's Linux wheels of torch bring CUDA along, several gigabytes. Those for the processor have the
local version ``+cpu`` (https://docs.pytorch.org/get-started/previous-versions/).
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from keras_doctor.create.wanted import CreateError
from keras_doctor.fixes.pipsettings import pip_settings
from keras_doctor.versions import compare_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_WHEEL = re.compile(
    r"torch-(?P<version>\d[\d.]*\+cpu)-cp(?P<python>\d+)-cp\d+t?-(?P<tags>.+)\.whl\Z"
)


class LargeBuildError(CreateError):
    """Only the large build is there, and nobody has said that it may be taken."""


def small_torch(
    environ: Mapping[str, str], pythons: Collection[str]
) -> tuple[tuple[str, str], ...]:
    """The builds for the processor that pip or uv would find in folders, newest first.

    Args:
        environ: The user's variables, and the configuration of pip that they lead to.
        pythons: Versions like ``3.11`` that will do.

    Returns:
        For each its version, like ``2.13.0+cpu``, and the Python.
    """
    names = (
        name
        for folder in _folders(environ)
        for name in (os.listdir(folder) if os.path.isdir(folder) else ())
    )
    return newest_first(names, pythons)


def newest_first(names: Iterable[str], pythons: Collection[str]) -> tuple[tuple[str, str], ...]:
    """The builds for the processor among the names of some wheels, see :func:`small_torch`."""
    found = set()
    for name in names:
        match = _WHEEL.match(name)
        if match is None or os.uname().machine not in match["tags"]:
            continue
        python = f"{match['python'][0]}.{match['python'][1:]}"
        if python in pythons:
            found.add((match["version"], python))
    key = sorted(found, key=lambda one: (_numbers(one[0]), _numbers(one[1])), reverse=True)
    return tuple(key)


def large_build() -> LargeBuildError:
    """What is said before the large build is taken."""
    return LargeBuildError(
        "PyPI's torch for Linux is a CUDA build of several gigabytes, and no build for the "
        "processor alone is where pip or uv is told to look.",
        hint="--yes takes it all the same. Or name a folder with a +cpu wheel in PIP_FIND_LINKS, "
        "or an index that has them in PIP_EXTRA_INDEX_URL.",
    )


def _folders(environ: Mapping[str, str]) -> Iterator[str]:
    said = [environ.get("UV_FIND_LINKS", "").replace(",", " ")]
    said.append(pip_settings(environ, None).get("find-links", ""))
    for word in " ".join(said).split():
        yield word.removeprefix("file://")


def _numbers(version: str) -> object:
    return compare_key(version.partition("+")[0])
