"""The packages that a user names, read from words like ``tensorflow==2.10`` or ``keras<3``."""

from __future__ import annotations

import re
from functools import cache

from keras_doctor.knowledge import copies
from keras_doctor.knowledge.releases import known_packages, releases_of
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import parse_requirement
from keras_doctor.versions import parse_version, satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from keras_doctor.knowledge.releases import Release

_SHORT = re.compile(r"==\s*(\d+(?:\.\d+)?)\Z")


class CompatError(ValueError):
    """A question that cannot be answered as it stands: one sentence, and perhaps a hint."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Asked(NamedTuple):
    """A package that was named."""

    name: str
    specifier: str
    """Which releases will do, like ``==2.10.*``; empty for all."""

    def takes(self, version: str) -> bool:
        """Whether a release will do."""
        return satisfies(version, self.specifier) is True

    @property
    def prereleases(self) -> bool:
        """Whether a release that is not final is named."""
        words = re.findall(r"[^\s,<>=!~]+", self.specifier)
        parsed = [parse_version(word.removesuffix(".*")) for word in words]
        return any(one is not None and one.is_prerelease for one in parsed)


def read_words(words: Iterable[str]) -> tuple[Asked, ...]:
    """The packages that are named, in their order.

    Raises:
        CompatError: A word is no package with releases that are known here.
    """
    asked = tuple(_read(word) for word in words)
    if not asked:
        raise CompatError("Which packages?", hint="Like this: compat keras tensorflow.")
    names = [one.name for one in asked]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise CompatError(f"{twice} is named twice.")
    return asked


@cache
def releases_asked(asked: Asked) -> tuple[Release, ...]:
    """The releases that will do, oldest first: not withdrawn, and final unless it is named."""
    rows = [row for row in releases_of(asked.name) if not row.yanked and asked.takes(row.version)]
    final = tuple(row for row in rows if _is_final(row.version))
    return tuple(rows) if asked.prereleases else final


def _is_final(version: str) -> bool:
    parsed = parse_version(version)
    return parsed is not None and not parsed.is_prerelease


def _read(word: str) -> Asked:
    # One `=` is how conda writes it, and what is meant is clear.
    parsed = parse_requirement(re.sub(r"(?<![=<>!~])=(?!=)", "==", word))
    if parsed is None or parsed.marker:
        raise CompatError(
            f"{word!r} is no package.", hint="Name it like tensorflow, tensorflow==2.10 or keras<3."
        )
    name = normalize(parsed.name)
    if name not in known_packages():
        raise _unknown(parsed.name)
    specifier = _SHORT.sub(r"==\1.*", parsed.specifier)
    if satisfies("1", specifier) is None:
        raise CompatError(f"{parsed.specifier!r} names no releases.", hint="Like ==2.10 or <3.")
    asked = Asked(name=name, specifier=specifier)
    if not releases_asked(asked):
        if not specifier:
            raise CompatError(
                f"{name} has development releases only.", hint="Name one of them with ==."
            )
        raise CompatError(f"{name} has no release {parsed.specifier}.", hint=_span(name))
    return asked


def _span(name: str) -> str:
    rows = releases_asked(Asked(name=name, specifier=""))
    return f"Known are {rows[0].version} to {rows[-1].version}." if rows else "None is known."


def _unknown(name: str) -> CompatError:
    from difflib import get_close_matches

    from keras_doctor.knowledge.selection import meant_by

    normal = normalize(name)
    missing = dict(copies.in_use()[0].gaps)
    if normal in missing:
        return CompatError(f"The releases of {normal} are not known here: {missing[normal]}.")
    known = sorted(known_packages())
    meant = meant_by(name)
    close = [meant] if meant in known else get_close_matches(normal, known, n=1, cutoff=0.6)
    hint = f"Did you mean {close[0]}?" if close else "Known are " + ", ".join(known) + "."
    return CompatError(f"The releases of {name!r} are not known here.", hint=hint)
