"""Which distributions are verified, and which cannot be."""

from __future__ import annotations

import os

from keras_doctor.names import normalize
from keras_doctor.verify.record import Record, parse_record
from keras_doctor.verify.vouchers import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from keras_doctor.model import Distribution, Snapshot

_MOST_URL = 1 << 16


def chosen(snapshot: Snapshot, way: Collection[str] | None) -> list[Distribution]:
    """The distributions to verify: those on the way (normalised names), or all for None.

    The longest RECORD comes first: it is mostly that of the package with the largest files, and
    these are to be read while the other RECORDs are still parsed.
    """
    wanted = [d for d in snapshot.distributions if way is None or normalize(d.name) in way]
    return sorted(wanted, key=lambda one: -_record_size(one))


def _record_size(distribution: Distribution) -> int:
    try:
        return os.stat(os.path.join(distribution.metadata, "RECORD")).st_size
    except (OSError, ValueError):
        return 0


def record_of(distribution: Distribution) -> tuple[Record | None, str | None]:
    """The RECORD with hashes, if there is one, and what nothing vouches for, as a clause."""
    if _is_editable(distribution):
        return None, "it is an editable install: its code is not a copy of what was shipped"
    if distribution.metadata.endswith((".egg-info", "EGG-INFO")):
        return None, "it was installed as egg-info, which records no hashes"
    text = read_record(distribution.metadata)
    if text is None:
        return None, "its RECORD is missing or cannot be read"
    record = parse_record(text)
    reasons = [
        f"{_files(number)} recorded with {name}" for name, number in sorted(record.others.items())
    ]
    if record.damaged:
        reasons.append(f"{record.damaged} damaged rows in its RECORD")
    if not len(record):
        return None, "; ".join(reasons) or "its RECORD gives no hashes"
    return record, "; ".join(reasons) or None


def _files(number: int) -> str:
    return "a file" if number == 1 else f"{number} files"


def _is_editable(distribution: Distribution) -> bool:
    """Whether the code lies elsewhere; off the way the snapshot does not know it."""
    if distribution.editable or distribution.record != "unread":
        return distribution.editable
    try:
        with open(os.path.join(distribution.metadata, "direct_url.json"), "rb") as file:
            data = file.read(_MOST_URL)
    except (OSError, ValueError):
        return False
    import json

    try:
        return json.loads(data)["dir_info"]["editable"] is True
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
