"""Hash what is not known, and ask others about what does not fit."""

from __future__ import annotations

import os

from keras_doctor.verify.hashing import CHANGED, Crew

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keras_doctor.verify.entries import Entry, Location

LARGEST = 1 << 36
"""Bytes of the largest file that is hashed."""


def worth_reading(entries: Iterable[Entry]) -> list[Entry]:
    """The files whose content must be looked at; the others are told by their size alone."""
    chosen = []
    for entry in entries:
        if entry.size > LARGEST:
            entry.trouble = "it is too large"
        # A file that several have recorded must be read to know whose it is.
        elif entry.twins or entry.recorded_size in (None, entry.size):
            chosen.append(entry)
    return chosen


def settle(
    locations: Sequence[Location], everybody: Sequence[str], *, conda: str | None = None
) -> list[str]:
    """Tell of every file whether it is what was shipped.

    Args:
        locations: The files, after they were read; their ``fine`` is filled in.
        everybody: The metadata folders of all distributions.
        conda: The folder of the conda environment, if it is one.

    Returns:
        What could not be read, a clause each.
    """
    problems = []
    for location in locations:
        location.settle_known()
        left = [entry for entry in location.entries.values() if not entry.fine]
        _read_late([entry for entry in left if entry.found is None and entry.may_fit()])
        for entry in left:
            if entry.found is not None:
                entry.fine = any(claim.digest == entry.found for claim in entry.claims)
            elif entry.trouble is None:
                entry.fine = False
        suspects = [entry for entry in left if entry.fine is False]
        for entry in suspects:
            if entry.changed_meanwhile():
                entry.fine, entry.trouble = None, CHANGED
        _ask_others(location, [e for e in suspects if e.fine is False], everybody, conda)
        problems += [f"{entry.path}: {entry.trouble}" for entry in left if entry.trouble]
    return problems


def _read_late(entries: Iterable[Entry]) -> None:
    """Hash files that were passed over before."""
    files = [entry for entry in entries if entry.found is None and entry.trouble is None]
    with Crew() as crew:
        crew.feed(files)
        crew.finish()


def _ask_others(
    location: Location, suspects: Sequence[Entry], everybody: Sequence[str], conda: str | None
) -> None:
    """Absolve what another distribution or conda vouches for."""
    if not suspects:
        return
    from keras_doctor.verify.vouchers import recorded_by_conda, recorded_by_others

    known = set(location.metadata)
    others = [
        one for one in everybody if one not in known and os.path.dirname(one) == location.path
    ]
    paths = [entry.path for entry in suspects]
    vouched = recorded_by_others(location.path, others, paths)
    if conda is not None:
        for path, digests in recorded_by_conda(conda, paths).items():
            vouched.setdefault(path, set()).update(digests)
    _read_late(entry for entry in suspects if vouched.get(entry.path))
    for entry in suspects:
        if entry.path not in vouched:
            continue
        if not vouched[entry.path]:
            entry.fine, entry.trouble = None, "conda changed it and does not say into what"
        elif entry.found in vouched[entry.path]:
            entry.fine = True
