"""Which distributions a repair changes, from what was installed before and after it. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.model.plan import DistributionChange
from keras_doctor.names import normalize
from keras_doctor.rules.context import is_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keras_doctor.model import Distribution, Snapshot


def changed_distributions(
    before: Snapshot, after: Snapshot, paths: Iterable[str]
) -> tuple[DistributionChange, ...]:
    """The distributions that a repair changes, in the order of their names.

    Args:
        before: The facts of the world as it was.
        after: The facts after the repair.
        paths: The files that it changes: a distribution of the same version with one of them in
            its folders is installed again.
    """
    old, new = _by_name(before), _by_name(after)
    touched = tuple(paths)
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        again = was is not None and now is not None and was.version == now.version
        if again and now is not None and not _has_file_of(now, touched):
            continue
        shown = now or was
        found.append(
            DistributionChange(
                name=shown.name if shown else name,
                before=was.version if was else None,
                after=now.version if now else None,
                again=again,
            )
        )
    return tuple(found)


def _by_name(snapshot: Snapshot) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    for distribution in snapshot.distributions:
        found.setdefault(normalize(distribution.name), distribution)
    return found


def _has_file_of(distribution: Distribution, paths: Iterable[str]) -> bool:
    folders = tuple(_folders(distribution))
    return any(is_inside(path, folder) for path in paths for folder in folders)


def _folders(distribution: Distribution) -> Iterator[str]:
    yield distribution.metadata
    for name in distribution.import_packages:
        yield os.path.join(distribution.location, name)
