"""Whether an environment may be changed in place, and who has it in use.

Sources: PEP 668 (``EXTERNALLY-MANAGED`` beside the standard library), conda's CEP 22 (the file
``conda-meta/frozen``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from keras_doctor.model import Snapshot

_SYSTEM_PREFIXES = ("/usr",)
_SYSTEM_FOLDERS = ("/System", "/Library/Developer", "/Applications/Xcode.app")
"""On macOS: every Python below them."""


def refusal(snapshot: Snapshot) -> str | None:
    """Why an environment may not be changed in place; None when it may.

    Args:
        snapshot: Its facts.

    Returns:
        One clause, as in "this Python is changed by … only".
    """
    interpreter = snapshot.interpreter
    if interpreter is None:
        return "its interpreter does not start, so that nothing could be tried"
    prefix, environment = interpreter.prefix, snapshot.target.environment
    is_virtual = interpreter.prefix != interpreter.base_prefix
    marker = os.path.join(interpreter.stdlib, "EXTERNALLY-MANAGED")
    if not is_virtual and os.path.exists(marker):
        return f"it is not for installers to change, as {marker} says (PEP 668)"
    of_system = prefix in _SYSTEM_PREFIXES or any(is_inside(prefix, f) for f in _SYSTEM_FOLDERS)
    if not is_virtual and of_system:
        return f"it is the operating system's own Python, in {prefix}"
    frozen = os.path.join(environment or prefix, "conda-meta", "frozen")
    if os.path.exists(frozen):
        return f"it is frozen by {frozen}"
    folders = [entry.path for entry in snapshot.path if entry.origin == "site-packages"]
    for folder in folders[:1] or [prefix]:
        if is_inside(folder, environment or prefix) and not os.access(folder, os.W_OK):
            return f"you may not write to {folder}"
    return None


def users_of(prefix: str) -> tuple[str, ...]:
    """The running processes that have files of an environment loaded (Linux).

    Returns:
        Each as a clause like ``process 4711 (python -m ipykernel_launcher …)``; those of other
        users cannot be seen.
    """
    found = []
    needle = os.fsencode(os.path.join(os.path.realpath(prefix), ""))
    for pid in _processes():
        if pid == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/maps", "rb") as maps:
                uses = any(needle in line for line in maps)
            if uses:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read(400).split(b"\0")
                found.append(_shown(pid, [os.fsdecode(word) for word in words if word]))
        except OSError:
            continue
    return tuple(found)


def _shown(pid: int, words: list[str]) -> str:
    line = " ".join(words)
    line = line if len(line) <= 80 else line[:79] + "…"
    if any("ipykernel" in word for word in words):
        return f"the Jupyter kernel {pid}: restart it"
    return f"process {pid} ({line}): start it again"


def _processes() -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except OSError:
        return []
