"""Which index pip is configured with, as pip itself says: no address stands in this package.

pip's own option parser is asked, in the Python that has it, so that its configuration files, its
variables and its built-in default count as they do for ``pip install``.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from urllib.parse import unquote, urlsplit, urlunsplit

from keras_doctor.records import NamedTuple
from keras_doctor.registry import RegistryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_MARK = "keras-doctor-index:"
_ASK_PIP = f"""
import json
from pip._internal.commands import create_command
options, _ = create_command("download").parse_args(["nothing"])
print({_MARK!r} + json.dumps({{
    "url": None if options.no_index else options.index_url,
    "certificate": options.cert,
    "proxy": options.proxy,
    "trusted": list(options.trusted_hosts or ()),
}}))
"""
_LOCAL = ("localhost", "127.0.0.1", "::1")


class Index(NamedTuple):
    """A package index, and how it is reached."""

    url: str
    """The address of its simple pages, without credentials and without a slash at the end."""
    authorization: str | None = None
    """The value of the header that identifies the user to it; never to be shown."""
    certificate: str | None = None
    """A file of certificates to trust."""
    proxy: str | None = None


def find_index(pythons: Sequence[str] | None = None) -> Index:
    """The index that pip is configured with.

    Args:
        pythons: Interpreters that may have pip, tried in this order; default: this one, then
            what ``python3`` and ``python`` mean.

    Raises:
        RegistryError: None has a pip that says, or it may not be asked.
    """
    if pythons is None:
        named = (shutil.which("python3"), shutil.which("python"))
        pythons = [sys.executable, *(path for path in named if path)]
    for python in dict.fromkeys(pythons):
        answer = _ask(python)
        if answer is not None:
            return index_from(**answer)
    raise RegistryError("no pip was found that says which index it is configured with")


def index_from(
    url: str | None,
    *,
    certificate: str | None = None,
    proxy: str | None = None,
    trusted: Sequence[str] = (),
) -> Index:
    """The index at an address as pip has it, credentials taken out.

    Raises:
        RegistryError: There is none, or pip would not ask it either.
    """
    if not url:
        raise RegistryError("pip is configured to use no index")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise RegistryError(
            f"the index that pip is configured with is no web address ({parts.scheme}:)"
        )
    known = {name.lower() for name in trusted} | set(_LOCAL)
    if parts.scheme == "http" and not known & {host, parts.netloc.rpartition("@")[2].lower()}:
        raise RegistryError(
            f"the index at {host} is reached without encryption, and pip is not told to trust it"
        )
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
    return Index(
        url=urlunsplit(bare).rstrip("/"),
        authorization=_basic(parts.username, parts.password),
        certificate=certificate or None,
        proxy=proxy or None,
    )


def _basic(user: str | None, password: str | None) -> str | None:
    if not user:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")


def _ask(python: str) -> dict[str, Any] | None:
    # Isolated: a file json.py or pip.py in the working folder must not run.
    try:
        done = subprocess.run(
            [python, "-I", "-c", _ASK_PIP],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    for line in done.stdout.splitlines():
        if line.startswith(_MARK):
            answer: dict[str, Any] = json.loads(line.removeprefix(_MARK))
            return answer
    return None
