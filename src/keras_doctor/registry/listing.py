"""The files of a project as an index lists them, whatever form it answered in."""

from __future__ import annotations

from keras_doctor.records import NamedTuple


class File(NamedTuple):
    """One file of a project."""

    filename: str
    url: str
    requires_python: str | None
    yanked: bool
    uploaded: str | None
    """The day, like ``2024-03-11``; None when the index does not say."""
    has_metadata: bool
    """Whether its METADATA lies beside it (PEP 658, PEP 714)."""


class Listing(NamedTuple):
    """All files of a project."""

    name: str
    read: str
    """When, like ``2026-11-25T02:40:00Z``."""
    files: tuple[File, ...]
