"""Which releases there were on a day. Pure."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge.releases import releases_of
from keras_doctor.versions import compare_key


@cache  # every stack is asked about
def there_on(name: str, day: str | None) -> str:
    """The releases of a distribution that were uploaded by the end of a day, as a specifier.

    Args:
        name: A distribution whose releases are known; of others nothing is said.
        day: Like ``2019-06-30``; None: any.

    Returns:
        Like ``<=2.2.4``, with what came later though its number is lower left out.
    """
    if day is None:
        return ""
    known = [one for one in releases_of(name) if one.date is not None]
    early = [one.version for one in known if (one.date or "") <= day]
    if not early:
        return f"<{min((one.version for one in known), key=compare_key)}" if known else ""
    newest = max(early, key=compare_key)
    late = [
        f"!={one.version}"
        for one in known
        if (one.date or "") > day and compare_key(one.version) < compare_key(newest)
    ]
    return ",".join([f"<={newest}", *late])


def also(*specifiers: str) -> str:
    """All of some specifiers at once; those that are empty say nothing."""
    return ",".join(filter(None, specifiers))
