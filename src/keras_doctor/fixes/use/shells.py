"""The line that sets KERAS_BACKEND, for each shell."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "KERAS_BACKEND"
# Names of backends need no quotes in any of them.
_LINES = {
    "bash": f"export {VARIABLE}={{}}",
    "zsh": f"export {VARIABLE}={{}}",
    "fish": f"set -gx {VARIABLE} {{}}",
    "powershell": f'$env:{VARIABLE} = "{{}}"',
    "cmd": f"set {VARIABLE}={{}}",
}
SHELLS = tuple(_LINES)


def line_for(shell: str, backend: str) -> str:
    """The line for one of :data:`SHELLS`."""
    return _LINES[shell].format(backend)


def shell_of(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """The user's shell, by SHELL; on Windows, where that is not set, PowerShell.

    Every other shell that is no relative of fish or PowerShell is taken for one that reads what
    bash reads.
    """
    given = environ.get("SHELL", "")
    if not given:
        return "powershell" if platform == "win32" else "bash"
    name = os.path.basename(given.replace("\\", "/")).lower().removesuffix(".exe")
    if name in ("pwsh", "powershell"):
        return "powershell"
    return name if name in _LINES else "bash"
