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
    if os.path.basename(first) == "__main__.py":
        return f"{_python()} -m keras_doctor"
    parts = os.path.normpath(sys.prefix).split(os.sep)
    if any(part.startswith("archive-v") for part in parts):
        return f"uvx {NAME}"
    if "pipx" in parts and ".cache" in parts and "venvs" not in parts:
        return f"pipx run {NAME}"
    return NAME


def quote(words: tuple[str, ...]) -> str:
    """Words as one line for the user's shell."""
    if os.name == "nt":
        import subprocess

        return subprocess.list2cmdline(words)
    import shlex

    return shlex.join(words)


def _python() -> str:
    """The shortest word that starts this interpreter: its name, if PATH leads to it."""
    name = os.path.basename(sys.executable)
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidate = os.path.join(folder, name)
        if os.path.exists(candidate):
            same = os.path.normcase(candidate) == os.path.normcase(sys.executable)
            return name if same else quote((sys.executable,))
    return quote((sys.executable,))
