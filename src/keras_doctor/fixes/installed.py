"""Which distributions a repair changes, from what was installed before and after it. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.model.plan import DistributionChange
from keras_doctor.names import normalize

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
        paths: The files that it changes. A distribution of the same version with one of them in
            its folders is installed again; one of another version with none was only hidden.
    """
    old, new = _by_name(before), _by_name(after)
    moved = {n for n in old.keys() | new.keys() if _version(old.get(n)) != _version(new.get(n))}
    not_telling = {p for side in (old, new) for n in moved if n in side for p in _modules(side[n])}
    touched = _places(paths)
    found = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        again = was is not None and now is not None and was.version == now.version
        if again and now is not None and not _has_file_of(now, touched, not_telling):
            continue
        # Without a PYTHONPATH others come into sight that nobody installed.
        if not again and not any(_has_file_of(d, touched, set()) for d in (was, now) if d):
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


def _version(distribution: Distribution | None) -> str | None:
    return distribution.version if distribution else None


def _places(paths: Iterable[str]) -> frozenset[str]:
    """Some paths, without what follows a dot of their names, and the folders that they lie in."""
    found: set[str] = set()
    stems: set[str] = set()
    for path in paths:
        place = os.path.normpath(path)
        folder, name = os.path.split(place)
        if "__pycache__" in (name, os.path.basename(folder)):
            continue  # an import has compiled it
        stems.add(os.path.join(folder, name.partition(".")[0]))
        while place not in found and os.path.dirname(place) != place:
            found.add(place)
            place = os.path.dirname(place)
    return frozenset(found | stems)


def _has_file_of(
    distribution: Distribution, touched: frozenset[str], not_telling: set[str]
) -> bool:
    """Whether one of its files is touched.

    Modules that do not tell are those that it shares with a distribution whose release changes,
    as several distributions share ``google``.
    """
    if os.path.normpath(distribution.metadata) in touched:
        return True
    return any(one in touched for one in _modules(distribution) if one not in not_telling)


def _modules(distribution: Distribution) -> Iterator[str]:
    # auditwheel puts the libraries of a wheel beside its packages, under the wheel's name.
    libraries = distribution.name.replace("-", "_") + ".libs"
    for name in (*distribution.import_packages, libraries):
        yield os.path.normpath(os.path.join(distribution.location, name))
