"""The index settings that the user's pip has, as uv takes them.

Sources: pip's documentation of its configuration files, and uv's of its environment variables.
What the user has told uv itself is left alone.
"""

from __future__ import annotations

import configparser
import os
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AS_UV = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
    "constraint": ("UV_CONSTRAINT",),
    "cert": ("SSL_CERT_FILE",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "only-binary": (),
}
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
            found[names[0]] = separator.join(shlex.split(value)) if " " in value else value
    return found


def pip_settings(environ: Mapping[str, str], prefix: str | None) -> dict[str, str]:
    """What pip's files and variables say about where it installs from.

    Later ones win: the system's file, the user's, the environment's, PIP_CONFIG_FILE, variables.
    """
    settings: dict[str, str] = {}
    for path in _files(environ, prefix):
        settings.update(_read(path))
    for name in _AS_UV:
        value = environ.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    if settings.get("no-index", "").lower() in ("0", "false", "no", "off"):
        del settings["no-index"]
    return settings


def _files(environ: Mapping[str, str], prefix: str | None) -> Iterator[str]:
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return
    home = environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    if os.name == "nt":
        yield os.path.join(environ.get("PROGRAMDATA", r"C:\ProgramData"), "pip", name)
        yield os.path.join(environ.get("APPDATA", home), "pip", name)
    else:
        yield "/etc/pip.conf"
        if sys.platform == "darwin":
            yield os.path.join(home, "Library", "Application Support", "pip", name)
        yield os.path.join(home, ".pip", name)
        config = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        yield os.path.join(config, "pip", name)
    if prefix:
        yield os.path.join(prefix, name)
    if own:
        yield own


def _read(path: str) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_string(file.read(_MAX_BYTES))
    except (OSError, ValueError, configparser.Error):
        return {}
    found: dict[str, str] = {}
    for section in ("global", "install"):
        if parser.has_section(section):
            found.update(
                (key, " ".join(value.split()))
                for key, value in parser.items(section)
                if key in _AS_UV
            )
    return found
