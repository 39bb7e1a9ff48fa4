"""The index settings that the user's pip has, as uv takes them.

Sources: pip's documentation of its configuration files, and uv's of its environment variables.
What the user has told uv itself is left alone.
"""

from __future__ import annotations

import configparser
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AS_UV = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": (),
    "constraint": ("UV_CONSTRAINT",),
    "cert": ("SSL_CERT_FILE",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "only-binary": (),
}
_AS_OPTIONS = ("no-index", "only-binary")
"""What uv takes from its command line alone."""
_FALSE = ("n", "no", "f", "false", "off", "0")
_ETC = "/etc"
_MAX_BYTES = 1 << 20


def uv_variables(environ: Mapping[str, str], prefix: str | None) -> dict[str, str]:
    """The variables that make uv install from where the user's pip would.

    Args:
        environ: The user's variables.
        prefix: The environment's folder, which may have a pip.conf of its own.

    Returns:
        Only those that are not set already, under any of their names.
    """
    found = {}
    for name, value in pip_settings(environ, prefix).items():
        names = _AS_UV.get(name, ())
        if names and not any(environ.get(one) for one in names):
            separator = "," if name == "find-links" else " "
            found[names[0]] = separator.join(value.split())
    if "UV_INDEX" in found and not environ.get("UV_INDEX_STRATEGY"):
        # pip takes the best of all indexes; uv by itself would stop at the first that has a name.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def uv_options(environ: Mapping[str, str], prefix: str | None) -> tuple[str, ...]:
    """The options of ``uv pip install`` for what it has no variables for; arguments as above."""
    settings = pip_settings(environ, prefix)
    options = ["--no-index"] if "no-index" in settings else []
    for name in settings.get("only-binary", "").replace(",", " ").split():
        options += ["--only-binary", name]
    return tuple(options)


def pip_settings(environ: Mapping[str, str], prefix: str | None) -> dict[str, str]:
    """What pip's files and variables say about where it installs from.

    Later ones win: the system's files, the user's, the environment's, PIP_CONFIG_FILE; in all of
    them what is said of all commands, then what is said of ``install``; then variables.
    """
    said: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for path in _files(environ, prefix):
        for section, rows in _read(path).items():
            said[section].update(rows)
    settings = {k: v for rows in said.values() for k, v in rows.items() if v}
    for name in _AS_UV:
        value = environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    if settings.get("no-index", "").lower() in _FALSE:
        del settings["no-index"]
    return settings


def _files(environ: Mapping[str, str], prefix: str | None) -> Iterator[str]:
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    yield from (os.path.join(folder, name) for folder in _of_system(environ))
    if not (own and os.path.exists(own)):
        yield from (os.path.join(folder, name) for folder in _of_user(environ, home))
    if prefix:
        yield os.path.join(prefix, name)
    if own:
        yield own


def _of_system(environ: Mapping[str, str]) -> Iterator[str]:
    if os.name == "nt":
        yield os.path.join(environ.get("PROGRAMDATA", r"C:\ProgramData"), "pip")
        return
    usual = "/Library/Application Support" if sys.platform == "darwin" else "/etc/xdg"
    for folder in (environ.get("XDG_CONFIG_DIRS") or usual).split(os.pathsep):
        yield os.path.join(folder, "pip")
    yield _ETC


def _of_user(environ: Mapping[str, str], home: str) -> Iterator[str]:
    if os.name == "nt":
        yield os.path.join(home, "pip")
        yield os.path.join(environ.get("APPDATA", home), "pip")
        return
    yield os.path.join(home, ".pip")
    own = os.path.join(home, "Library", "Application Support", "pip")
    if sys.platform == "darwin" and os.path.isdir(own):
        yield own
        return
    config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    yield os.path.join(config, "pip")


def _read(path: str) -> dict[str, dict[str, str]]:
    """By section, the settings that count."""
    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_string(file.read(_MAX_BYTES))
    except (OSError, ValueError, configparser.Error):
        return {}
    found: dict[str, dict[str, str]] = {}
    for section in ("global", "install"):
        rows = parser.items(section) if parser.has_section(section) else ()
        named = ((key.replace("_", "-").removeprefix("--"), value) for key, value in rows)
        found[section] = {k: " ".join(v.split()) for k, v in named if k in _AS_UV}
    return found
