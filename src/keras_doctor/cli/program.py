"""How the user called this program, for the commands that a report tells them to paste."""

from __future__ import annotations

import os
import sys

NAME = "keras-doctor"


def program_name() -> str:
    """The words that start this program again from the user's shell.

    A runner such as `uvx` puts the program into a cache that is not on the user's PATH, so
    `keras-doctor` alone would not be found there. Which runner it was shows in the folder
    that this Python lives in: uv unpacks into ``archive-v0`` of its cache (tried with uv
    0.13), pipx into ``.cache`` of its own folder or ``pipx`` of the user's cache.
    """
    first = sys.argv[0] if sys.argv else ""
    name = os.path.basename(first)
    if name == "__main__.py":
        return f"{_as_typed(sys.executable)} -m keras_doctor"
    parts = os.path.normpath(sys.prefix).split(os.sep)
    if any(part.startswith("archive-v") for part in parts):
        return f"uvx {NAME}"
    if "pipx" in parts and ".cache" in parts and "venvs" not in parts:
        return f"pipx run {NAME}"
    return _as_typed(first) if name.startswith(NAME) else NAME


def quote(words: tuple[str, ...]) -> str:
    """Words as one line for the user's shell."""
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline(words)
    import shlex

    return shlex.join(words)


def _as_typed(path: str) -> str:
    """A program's bare name when the shell would find this very file by it, else its path."""
    name = os.path.basename(path)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = os.path.join(folder, name)
        if os.path.isfile(candidate):
            same = os.path.normcase(candidate) == os.path.normcase(os.path.abspath(path))
            return name.removesuffix(".exe") if same else quote((path,))
    return quote((path,))
