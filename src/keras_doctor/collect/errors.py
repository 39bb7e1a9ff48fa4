"""The one error of the collector."""

from __future__ import annotations


class CollectError(Exception):
    """The target cannot be examined; one sentence: what, where, what to do."""
