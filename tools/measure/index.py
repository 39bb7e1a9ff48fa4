"""Which releases of a package an interpreter can install, and since when: asked of pip's index."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import urllib.request
from functools import cache
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import compatible_tags, cpython_tags, platform_tags
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

_JSON = "application/vnd.pypi.simple.v1+json"


class Release(NamedTuple):
    """A final release that an interpreter can install."""

    version: str
    date: dt.date


def releases_for(name: str, python: str, *, source: bool = False) -> list[Release]:
    """The final, not yanked releases that have a wheel for a CPython on this machine, in order.

    Args:
        name: The package.
        python: Like ``3.9``.
        source: Whether a source distribution will do.
    """
    found: dict[Version, dt.date] = {}
    tags = _tags(python)
    for file in _files(name):
        version = _installable(file, python, tags, source=source)
        if version is not None and not version.is_prerelease:
            date = dt.date.fromisoformat(file["upload-time"][:10])
            found[version] = min(date, found.get(version, date))
    return [Release(str(version), found[version]) for version in sorted(found)]


def _installable(
    file: dict[str, str], python: str, tags: frozenset[object], *, source: bool
) -> Version | None:
    if file.get("yanked"):
        return None
    try:
        if not SpecifierSet(file.get("requires-python") or "").contains(f"{python}.99"):
            return None
    except InvalidSpecifier:
        pass
    try:
        if file["filename"].endswith(".whl"):
            _name, version, _build, own = parse_wheel_filename(file["filename"])
            return version if tags & own else None
        return parse_sdist_filename(file["filename"])[1] if source else None
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


@cache
def _tags(python: str) -> frozenset[object]:
    major, minor = (int(part) for part in python.split("."))
    platforms = list(platform_tags())
    both = [*cpython_tags((major, minor), platforms=platforms)]
    both += compatible_tags((major, minor), platforms=platforms)
    return frozenset(both)


@cache
def _files(name: str) -> list[dict[str, str]]:
    request = urllib.request.Request(f"{_address()}/{name}/", headers={"Accept": _JSON})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        files: list[dict[str, str]] = json.load(answer)["files"]
    return files


@cache
def _address() -> str:
    """The index that pip is configured with, else the one that pip itself knows."""
    for key in ("global.index-url", "install.index-url", ":env:.index-url"):
        argv = [sys.executable, "-m", "pip", "config", "get", key]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip().rstrip("/")
    program = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"
    argv = [sys.executable, "-c", program]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=60, check=True
    ).stdout.strip()
