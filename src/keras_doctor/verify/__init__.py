"""Compare the content of the installed files with the SHA-256 that their RECORD gives.

>>> verify(snapshot, way=None)  # doctest: +SKIP

This runs in the tool's own process: the files are only read, and nothing of the patient's is
started. The one thing that is written is a cache in the user's cache folder, see
:mod:`keras_doctor.verify.cache`.
"""

from __future__ import annotations

import time

from keras_doctor.model import FileAnomaly, Mismatch, NotVerifiable, Verified
from keras_doctor.records import NamedTuple
from keras_doctor.verify.choice import chosen, record_of
from keras_doctor.verify.compare import settle, worth_reading
from keras_doctor.verify.entries import Location
from keras_doctor.verify.hashing import Crew
from keras_doctor.verify.place import ABSENT, OUTSIDE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from keras_doctor.model import Snapshot
    from keras_doctor.verify.entries import Entry
    from keras_doctor.verify.hashing import Share

__all__ = ["MOST_LISTED", "Verification", "verify"]

MOST_LISTED = 200
_MOST_PROBLEMS = 20


class Verification(NamedTuple):
    """What was seen, for the report and for the rules."""

    verified: Verified
    anomalies: dict[str, list[FileAnomaly]]
    """By metadata folder: files whose content is not what was shipped."""
    problems: tuple[str, ...]


def verify(
    snapshot: Snapshot,
    way: Collection[str] | None,
    *,
    cache: str | None = None,
    share: Share | None = None,
) -> Verification:
    """Compare the files of distributions with the hashes in their RECORD.

    Args:
        snapshot: What is installed, on this machine.
        way: Normalised names of the distributions to look at; None for all.
        cache: The folder in which to remember what was read; None to remember nothing.
        share: Told now and then how many bytes of how many are hashed.
    """
    started, started_ns = time.perf_counter(), time.time_ns()
    locations: dict[str, Location] = {}
    without = []
    left_out = distributions = 0
    with Crew() as crew:
        for one in chosen(snapshot, way):
            record, reason = record_of(one)
            if reason is not None:
                without.append(NotVerifiable(one.name, one.version, reason))
            if record is None:
                continue
            distributions += 1
            left_out += record.left_out
            location = locations.get(one.location)
            if location is None:
                location = locations[one.location] = Location(one.location, cache, started_ns)
            location.add(one, record, lambda files: crew.feed(worth_reading(files)))
        crew.finish(share)
    places = list(locations.values())
    everybody = [one.metadata for one in snapshot.distributions]
    conda = snapshot.conda.prefix if snapshot.conda else None
    problems = [problem for location in places for problem in location.problems]
    problems += settle(places, everybody, conda=conda)
    for location in places:
        location.remember([d for d in snapshot.distributions if d.location == location.path])
    entries = [entry for location in places for entry in location.entries.values()]
    compared = [entry for entry in entries if entry.fine is not None]
    changed = sorted((e for e in entries if e.fine is False), key=lambda entry: entry.path)
    mismatches = [_mismatch(entry, claim) for entry in changed for claim in entry.claims]
    from_cache = sum(len(location.known) for location in places)
    verified = Verified(
        scope="all" if way is None else "way",
        distributions=distributions,
        files=from_cache + len(compared),
        bytes=sum(sum(location.known.values()) for location in places)
        + sum(entry.size for entry in compared),
        from_cache=from_cache,
        absent=sum(location.counts[ABSENT] for location in places),
        left_out=left_out + sum(location.counts[OUTSIDE] for location in places),
        mismatches=tuple(mismatches[:MOST_LISTED]),
        mismatches_total=len(changed),
        not_verifiable=tuple(without),
        seconds=round(time.perf_counter() - started, 3),
    )
    return Verification(verified, _anomalies(changed), _bounded(problems))


def _mismatch(entry: Entry, claim: Entry) -> Mismatch:
    return Mismatch(
        distribution=claim.distribution.name,
        metadata=claim.distribution.metadata,
        path=entry.path,
        recorded=claim.digest.hex(),
        found=entry.found.hex() if entry.found else None,
    )


def _anomalies(changed: list[Entry]) -> dict[str, list[FileAnomaly]]:
    """The changed files as facts, by metadata folder."""
    found: dict[str, list[FileAnomaly]] = {}
    for entry in changed:
        for claim in entry.claims:
            zeros = entry.size == claim.recorded_size and entry.is_zeros()
            found.setdefault(claim.distribution.metadata, []).append(
                FileAnomaly(
                    path=entry.path,
                    state="zeros" if zeros else "hash",
                    recorded_size=claim.recorded_size,
                    size=entry.size,
                )
            )
    return found


def _bounded(problems: list[str]) -> tuple[str, ...]:
    if len(problems) <= _MOST_PROBLEMS:
        return tuple(problems)
    more = len(problems) - _MOST_PROBLEMS
    return (*problems[:_MOST_PROBLEMS], f"the content of {more} more files")
