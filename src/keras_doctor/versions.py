"""Versions and version specifiers, read fast.

``packaging`` is the authority, but importing its specifiers costs more CPU than a third of a
static diagnosis, so the order of versions and the meaning of specifiers are written here once
more. Tests hold the two against each other on generated and on real texts.

Source: the version specifiers page of packaging.python.org (PEP 440).
"""

from __future__ import annotations

import re
from functools import cache

from keras_doctor.records import NamedTuple

_LEADING_RELEASE = re.compile(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)")
_OPERATORS = ("===", "==", "!=", "<=", ">=", "~=", "<", ">")
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
_LONGEST = 200
"""Longer texts are no versions; Python refuses to read numbers of thousands of digits."""
_LAST = float("inf")
"""Sorts after every number: no pre-release, no development release."""


class Version(NamedTuple):
    """A version in parts that sort as PEP 440 wants, trailing zeros of the release left out."""

    epoch: int
    release: tuple[int, ...]
    pre: tuple[float, ...]
    """(rank, number) of a pre-release; what has none sorts after all that do, and the
    development releases of a final release before them."""
    post: float
    """-1 without one."""
    dev: float
    local: tuple[tuple[int, int, str], ...]
    """Numbers after texts."""

    @property
    def is_prerelease(self) -> bool:
        """Whether it is an alpha, a beta, a candidate or a development release."""
        return self.dev != _LAST or len(self.pre) > 1


def release(version: str) -> tuple[int, ...]:
    """The release numbers of a version, without what follows them: (2, 5, 0) for 2.5.0rc1.

    An unreadable version gives (), which sorts before everything.
    """
    match = _LEADING_RELEASE.match(version[:_LONGEST])
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def minor(version: str) -> tuple[int, ...]:
    """The first two release numbers: (2, 16) for 2.16.2."""
    return release(version)[:2]


def compare_key(version: str) -> Version:
    """A sort key in the order of PEP 440; what is no version sorts before everything."""
    return parse_version(version) or Version(-1, (), (), -1, _LAST, ())


def within(version: str, since: str | None, before: str | None) -> bool:
    """Whether `version` is at least `since` and below `before` (None: no bound)."""
    key = compare_key(version)
    return (since is None or key >= compare_key(since)) and (
        before is None or key < compare_key(before)
    )


def satisfies(version: str, specifier: str) -> bool | None:
    """Whether an installed `version` satisfies a specifier set; None when that cannot be told.

    Pre-releases count as installed: what is there is there.
    """
    clauses = [clause.strip() for clause in specifier.split(",") if clause.strip()]
    if not clauses:
        return True
    parsed = parse_version(version)
    if parsed is None:
        return None
    verdicts = [_clause_holds(version, parsed, clause) for clause in clauses]
    return None if None in verdicts else all(verdicts)


@cache
def parse_version(text: str) -> Version | None:
    """The parts of a version, or None when PEP 440 does not know such a text."""
    if len(text) > _LONGEST:
        return None
    if text.replace(".", "0").isdecimal() and text.isascii() and _well_dotted(text):
        numbers = tuple(int(part) for part in text.split("."))
        return Version(0, _strip_zeros(numbers), (_LAST,), -1, _LAST, ())
    match = _full_pattern().fullmatch(text.strip())
    return None if match is None else _from_match(match)


def _well_dotted(text: str) -> bool:
    return text[0] != "." and text[-1] != "." and ".." not in text


@cache
def _full_pattern() -> re.Pattern[str]:
    # Compiled when the first version is not plain: most are.
    return re.compile(
        r"""v?(?:(?P<epoch>[0-9]+)!)?(?P<release>[0-9]+(?:\.[0-9]+)*)
        (?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_number>[0-9]*))?
        (?P<post>-(?P<post_bare>[0-9]+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>[0-9]*))?
        (?P<dev>[-_.]?dev[-_.]?(?P<dev_number>[0-9]*))?
        (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?""",
        re.VERBOSE | re.IGNORECASE | re.ASCII,
    )


def _from_match(match: re.Match[str]) -> Version:
    part = match.groupdict()
    post = int(part["post_bare"] or part["post_number"] or 0) if part["post"] else -1
    dev = int(part["dev_number"] or 0) if part["dev"] else _LAST
    pre: tuple[float, ...] = (_LAST,)
    if part["pre"]:
        pre = (_PRE[part["pre"].lower()], int(part["pre_number"] or 0))
    elif post < 0 and dev != _LAST:
        pre = (-1,)
    return Version(
        epoch=int(part["epoch"] or 0),
        release=_strip_zeros(tuple(int(number) for number in part["release"].split("."))),
        pre=pre,
        post=post,
        dev=dev,
        local=_local(part["local"] or ""),
    )


def _local(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = text.lower().replace("-", ".").replace("_", ".").split(".") if text else ()
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)


def _strip_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    end = len(numbers)
    while end > 1 and numbers[end - 1] == 0:
        end -= 1
    return numbers[:end]


def _clause_holds(text: str, version: Version, clause: str) -> bool | None:
    operator = next((o for o in _OPERATORS if clause.startswith(o)), None)
    if operator is None:
        return None
    wanted = clause[len(operator) :].strip()
    if operator == "===":
        return text.strip().lower() == wanted.lower()
    if wanted.endswith(".*"):
        return _prefix_holds(version, operator, wanted[:-2])
    other = parse_version(wanted)
    if other is None or (other.local and operator not in ("==", "!=")):
        return None
    public = version._replace(local=())
    if operator in ("==", "!="):
        return ((version if other.local else public) == other) is (operator == "==")
    if operator == "<=":
        return public <= other
    if operator == ">=":
        return public >= other
    if operator == "~=":
        head = _compatible_head(wanted)
        return (
            None if head is None else public >= other and bool(_prefix_holds(version, "==", head))
        )
    return _strictly(version, operator, other)


def _strictly(version: Version, operator: str, other: Version) -> bool:
    """``<`` leaves out previews of the bound, ``>`` its post-releases and local versions."""
    same_base = (version.epoch, version.release) == (other.epoch, other.release)
    if operator == "<":
        preview = version.is_prerelease and not other.is_prerelease
        return version < other and not (preview and same_base)
    later = (version.post >= 0 and other.post < 0) or bool(version.local)
    return version > other and not (later and same_base)


def _compatible_head(wanted: str) -> str | None:
    """``~=2.2.1rc1`` wants ``==2.2.*`` too: the release without its last number."""
    match = _LEADING_RELEASE.match(wanted)
    if match is None or "." not in match[1]:
        return None
    return wanted[: match.start(1)] + match[1].rpartition(".")[0]


def _prefix_holds(version: Version, operator: str, wanted: str) -> bool | None:
    if operator not in ("==", "!="):
        return None
    other = parse_version(wanted)
    if other is None or other.pre != (_LAST,) or other.post >= 0 or other.dev != _LAST:
        return None
    if other.local:
        return None
    prefix = release(wanted)
    padded = version.release + (0,) * (len(prefix) - len(version.release))
    same = version.epoch == other.epoch and padded[: len(prefix)] == prefix
    return same is (operator == "==")
