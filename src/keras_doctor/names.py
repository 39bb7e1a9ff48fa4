"""Names of distributions, compared as the packaging specifications say."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[-_.]+")


def normalize(name: str) -> str:
    """The normalised form of a distribution name, like ``ml-dtypes`` for ``ml_dtypes``.

    Source: https://packaging.python.org/en/latest/specifications/name-normalization/ (PEP 503).
    """
    return _SEPARATORS.sub("-", name).lower()
