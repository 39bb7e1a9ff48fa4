"""What hashing the installed files showed."""

from keras_doctor.records import NamedTuple


class Mismatch(NamedTuple):
    """A file whose content is not the one that was shipped."""

    distribution: str
    metadata: str
    """The metadata folder whose RECORD knows the file."""
    path: str
    recorded: str
    """SHA-256 by the RECORD, in hexadecimal."""
    found: str | None
    """SHA-256 of the file; None when its size alone already differs."""


class NotVerifiable(NamedTuple):
    """A distribution, or a part of it, whose content nothing vouches for."""

    distribution: str
    version: str
    reason: str
    """A clause: ``it has no RECORD``."""


class Verified(NamedTuple):
    """The files that were compared with the SHA-256 that their RECORD gives."""

    scope: str
    """``way``: of the distributions on the way of the import; ``all``: of all that were found."""
    distributions: int
    """How many of them have a RECORD with hashes."""
    files: int
    """How many files were compared, those from the cache included."""
    bytes: int
    """Their size in sum."""
    from_cache: int
    """How many of them were as they had been when an earlier run read them."""
    absent: int
    """Recorded files that are not there."""
    left_out: int
    """Recorded files that are no matter of content: bytecode, what installers rewrite, what
    lies outside the location (scripts), and those without a hash."""
    mismatches: tuple[Mismatch, ...]
    """At most 200 of them."""
    mismatches_total: int
    not_verifiable: tuple[NotVerifiable, ...]
    seconds: float
