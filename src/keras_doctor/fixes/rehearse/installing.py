"""Installers in a copied world: none may reach a file of the user's.

They remove what lists of installed files name, wherever that is: what is not in the copy is taken
out of the lists. Where files are one with the user's, none may write into one: if a file stands
in the way of a new one, some installers replace it and some open it and write, like old releases
of pip, and of uv when it copies. Seen with real ones: pip unlinks first since a line in the module
that installs wheels; uv replaces always when it makes hard links.
"""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.rehearse import leading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keras_doctor.fixes.installer import Installer
    from keras_doctor.fixes.rehearse.world import World

_LINK_MODE = "UV_LINK_MODE"
_WHEEL_MODULES = (
    os.path.join("pip", "_internal", "operations", "install", "wheel.py"),
    os.path.join("pip", "_internal", "wheel.py"),
    os.path.join("pip", "wheel.py"),
)
_REMOVAL = "os.unlink("


def safe_variables(
    world: World, installer: Installer, environ: Mapping[str, str]
) -> dict[str, str] | None:
    """The variables with which an installer replaces files and writes into none.

    Args:
        world: A world of hard links.
        installer: The installer, as it is started there.
        environ: The variables that it is meant to get.

    Returns:
        None when it cannot be known to do so.
    """
    if installer.name == "uv":
        cache = _uv_cache(environ)
        near = _device(cache) == _device(world.mirror.world)
        asked = environ.get(_LINK_MODE) or "hardlink"
        return {**environ, _LINK_MODE: "hardlink"} if near and asked == "hardlink" else None
    if not world.mirror.holds(installer.argv[0]):
        return dict(environ)  # our own pip, which is new
    return dict(environ) if _removes_first(world) else None


def keep_inside(world: World) -> None:
    """Take out of the lists of installed files what lies outside of the copy.

    Such a list stays as it was if nothing else changes it.
    """
    mirror = world.mirror
    roots = [mirror.at(root) for root in world.carried]
    ways_out = world.ways_out()
    for site in _sites(world):
        for record in glob.glob(os.path.join(glob.escape(site), "*.dist-info", "RECORD")):
            data = leading.without_ways_out(record, site, roots, ways_out)
            if data is not None:
                leading.replace(record, data)
                world.led[record] = data


def _uv_cache(environ: Mapping[str, str]) -> str:
    """The folder that uv keeps its files in, by its documentation."""
    if environ.get("UV_CACHE_DIR"):
        return environ["UV_CACHE_DIR"]
    home = environ.get("HOME") or os.path.expanduser("~")
    return os.path.join(environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "uv")


def _device(path: str) -> int:
    """The file system that a path lies on, or will lie on."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_dev


def _removes_first(world: World) -> bool:
    """Whether every pip in the copy takes away what it replaces, by its own source."""
    found = [
        module
        for site in _sites(world)
        for name in _WHEEL_MODULES
        if os.path.isfile(module := os.path.join(site, name))
    ]
    return bool(found) and all(map(_has_removal, found))


def _sites(world: World) -> list[str]:
    """The folders in the copy that packages are installed in."""
    found = []
    for root in world.carried:
        folder = world.mirror.at(root)
        found += [folder, os.path.join(folder, "Lib", "site-packages")]
        for name in ("site-packages", "dist-packages"):
            pattern = os.path.join(glob.escape(folder), "lib", "python3*", name)
            found += glob.glob(pattern)
    return [site for site in found if os.path.isdir(site)]


def _has_removal(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _REMOVAL in file.read()
    except OSError:
        return False
