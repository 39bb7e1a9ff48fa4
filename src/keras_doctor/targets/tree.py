"""The programs below some folders: scripts and notebooks, not what is installed there."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES = (".py", ".ipynb", ".ipy", ".pyw")
_SKIPPED = {
    *("__pycache__", "node_modules", "site-packages", "dist-packages", ".ipynb_checkpoints"),
    *("build", "dist", ".tox", ".nox", ".eggs"),
}
MAX_FILES = 50_000


def programs(paths: Sequence[str]) -> Iterator[str]:
    """The programs that some paths name or hold, in the order of their names.

    Hidden folders, environments, and folders of installed packages are left out, unless they are
    named themselves. Links to folders are not followed.
    """
    count = 0
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(
                name
                for name in folders
                if name not in _SKIPPED
                and not name.startswith(".")
                and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
                and not os.path.isdir(os.path.join(folder, name, "conda-meta"))
            )
            for name in sorted(files):
                if name.endswith(SUFFIXES) and count < MAX_FILES:
                    count += 1
                    yield os.path.join(folder, name)
