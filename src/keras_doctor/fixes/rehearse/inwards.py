"""Keep installers inside of the environment, whatever its lists of files say.

An uninstaller removes what a RECORD names, also through a link that leads out of the environment
(seen with uv). In a rehearsal nothing outside may be touched, so such rows are taken out first.
"""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.rehearse.leading import replace, without_ways_out
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def keep_records_inside(roots: Sequence[str]) -> dict[str, bytes]:
    """Take out of every RECORD what lies outside of some folders.

    Args:
        roots: The folders of the environment; called in the world of the rehearsal.

    Returns:
        The new content of each RECORD that was changed, by its path.
    """
    links = [link for root in roots for link in _links_out(root, roots)]
    changed = {}
    for record in _records(roots):
        site = os.path.dirname(os.path.dirname(record))
        data = without_ways_out(record, site, roots, links)
        if data is not None:
            replace(record, data)
            changed[record] = data
    return changed


def _records(roots: Sequence[str]) -> Iterator[str]:
    for root in roots:
        for below in (("lib", "python3*", "*-packages"), ("Lib", "site-packages"), ()):
            pattern = os.path.join(glob.escape(root), *below, "*.dist-info", "RECORD")
            yield from glob.iglob(pattern)


def _links_out(folder: str, roots: Sequence[str]) -> Iterator[str]:
    """The links below a folder that lead to folders outside."""
    for place, names, _files in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.islink(path):
                real = os.path.realpath(path)
                if not any(is_inside(real, root) for root in roots):
                    yield path
