"""Versions and requirement lines, read fast.

``packaging`` is the authority, but importing its requirement parser costs more CPU than the
whole rest of a static diagnosis. Nearly every installed version is plain (digits and dots) and
nearly every Requires-Dist line is simple, so those are decided here and everything else is
handed to ``packaging``. Tests hold the two against each other on generated and on real lines.

Sources: the version specifiers and dependency specifiers pages of packaging.python.org
(PEP 440, PEP 508).
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_PLAIN = re.compile(r"\d+(?:\.\d+)*\Z")
_CLAUSE = re.compile(r"\s*(===|==|!=|<=|>=|~=|<|>)\s*([^\s,]+)\s*\Z")
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"  # name
    r"\s*(?:\[([^\]]*)\])?"  # extras
    r"\s*(?:\(([^)]*)\)|((?:===|==|!=|<=|>=|~=|<|>)[^;@]*))?"  # specifier, bare or in parentheses
    r"\s*(?:;(.*))?\Z",
    re.DOTALL,
)
_LEADING_RELEASE = re.compile(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)")


class Requirement(NamedTuple):
    """One Requires-Dist line, taken apart."""

    name: str
    specifier: str
    """Like ``<2,>=1.23.5``; empty for any version."""
    marker: str
    """As written after the semicolon; empty for always."""


def release(version: str) -> tuple[int, ...]:
    """The release numbers of a version, without what follows them: (2, 5, 0) for 2.5.0rc1.

    An unreadable version gives (), which sorts before everything.
    """
    match = _LEADING_RELEASE.match(version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def minor(version: str) -> tuple[int, ...]:
    """The first two release numbers: (2, 16) for 2.16.2."""
    return release(version)[:2]


def compare_key(version: str) -> tuple[object, ...]:
    """A sort key that puts 2.5.0rc1 before 2.5.0 and 2.5.0.post1 after it."""
    plain = _plain(version)
    if plain is not None:
        return (plain, 1)
    numbers = _strip_zeros(release(version))
    rest = version[len(version) - len(_LEADING_RELEASE.sub("", version, count=1)) :].lower()
    rank = 0 if re.match(r"[-_.]?(a|b|c|rc|alpha|beta|pre|preview|dev)", rest) else 2
    return (numbers, rank if rest and not rest.startswith("+") else 1)


def within(version: str, since: str | None, before: str | None) -> bool:
    """Whether `version` is at least `since` and below `before` (None: no bound)."""
    key = compare_key(version)
    return (since is None or key >= compare_key(since)) and (
        before is None or key < compare_key(before)
    )


def parse_requirement(line: str) -> Requirement | None:
    """Take a Requires-Dist line apart, or None when it is no requirement that names versions.

    A direct reference (``name @ address``) and malformed lines give None: they are not judged.
    """
    match = _REQUIREMENT.match(line)
    if match is None:
        return None
    name, _extras, inner, bare, marker = match.groups()
    return Requirement(
        name=name, specifier=(inner or bare or "").strip(), marker=(marker or "").strip()
    )


def satisfies(version: str, specifier: str) -> bool | None:
    """Whether an installed `version` satisfies a specifier set; None when that cannot be told.

    Pre-releases count as installed: what is there is there.
    """
    if not specifier:
        return True
    numbers = _plain(version.partition("+")[0])
    if numbers is not None and "===" not in specifier:
        result = True
        for clause in specifier.split(","):
            if not clause.strip():
                continue
            verdict = _clause_holds(numbers, clause, local="+" in version)
            if verdict is None:
                break
            result = result and verdict
        else:
            return result
    return _satisfies_by_packaging(version, specifier)


def applies(marker: str, environment: Mapping[str, str]) -> bool | None:
    """Whether a marker holds in `environment` (PEP 508 names to values); None: cannot be told.

    ``extra`` counts as the empty string: extras that nobody asked for do not apply.
    """
    if not marker:
        return True
    if not environment:
        return None  # packaging would judge by the Python that runs it
    if "(" not in marker:
        verdict = _any_of(marker, environment)
        if verdict is not None:
            return verdict
    return _applies_by_packaging(marker, environment)


def _plain(version: str) -> tuple[int, ...] | None:
    """Release numbers without trailing zeros, when the version is nothing but those."""
    if _PLAIN.match(version) is None:
        return None
    return _strip_zeros(tuple(int(part) for part in version.split(".")))


def _strip_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    end = len(numbers)
    while end > 1 and numbers[end - 1] == 0:
        end -= 1
    return numbers[:end]


def _clause_holds(numbers: tuple[int, ...], clause: str, *, local: bool) -> bool | None:
    match = _CLAUSE.match(clause)
    if match is None:
        return None
    operator, wanted = match.groups()
    if wanted.endswith(".*"):
        return _prefix_holds(numbers, operator, wanted[:-2])
    other = _plain(wanted) or _release_of_a_preview(wanted, numbers, operator)
    # `>1.0` does not admit 1.0+local, which the release numbers alone cannot show.
    if other is None or (local and operator in ("<", ">")):
        return None
    if operator == "~=":
        if "." not in wanted:
            return None
        head = wanted.rpartition(".")[0]
        return numbers >= other and bool(_prefix_holds(numbers, "==", head))
    return {
        "==": numbers == other,
        "!=": numbers != other,
        "<=": numbers <= other,
        ">=": numbers >= other,
        "<": numbers < other,
        ">": numbers > other,
    }[operator]


_PREVIEW = re.compile(r"(\d+(?:\.\d+)*)(?:a|b|rc|\.?dev)\d*\Z")


def _release_of_a_preview(
    wanted: str, numbers: tuple[int, ...], operator: str
) -> tuple[int, ...] | None:
    """The release numbers of a bound like ``<6.0.0dev``, when they alone decide.

    They do for a final release with other numbers; packages write such bounds to keep
    previews of the next release out.
    """
    match = _PREVIEW.match(wanted)
    if match is None or operator not in ("<", "<=", ">", ">="):
        return None
    other = _plain(match[1])
    return other if other != numbers else None


def _prefix_holds(numbers: tuple[int, ...], operator: str, wanted: str) -> bool | None:
    if _PLAIN.match(wanted) is None or operator not in ("==", "!="):
        return None
    prefix = tuple(int(part) for part in wanted.split("."))
    padded = numbers + (0,) * (len(prefix) - len(numbers))
    return (padded[: len(prefix)] == prefix) is (operator == "==")


_ATOM = re.compile(
    r"""\s*(\w+)\s*(===|==|!=|<=|>=|~=|<|>|not\s+in|in)\s*(?:"([^"]*)"|'([^']*)')\s*\Z"""
)
_VERSION_NAMES = frozenset({"python_version", "python_full_version", "implementation_version"})


def _any_of(marker: str, environment: Mapping[str, str]) -> bool | None:
    verdicts = [_all_of(part, environment) for part in re.split(r"\bor\b", marker)]
    return None if None in verdicts else any(verdicts)


def _all_of(marker: str, environment: Mapping[str, str]) -> bool | None:
    verdicts = [_atom_holds(part, environment) for part in re.split(r"\band\b", marker)]
    return None if None in verdicts else all(verdicts)


def _atom_holds(atom: str, environment: Mapping[str, str]) -> bool | None:
    match = _ATOM.match(atom)
    if match is None:
        return None
    name, operator, double, single = match.groups()
    wanted = double if double is not None else single
    value = "" if name == "extra" else environment.get(name)
    if value is None:
        return None
    if name in _VERSION_NAMES:
        if operator in ("in", "not in") or _PLAIN.match(value) is None:
            return None
        numbers = _plain(value)
        return None if numbers is None else _clause_holds(numbers, operator + wanted, local=False)
    if name != "extra" and _PLAIN.match(wanted):
        return None  # platform_release and the like may compare as versions
    if operator in ("==", "!="):
        return (value == wanted) is (operator == "==")
    if operator == "in":
        return value in wanted
    if operator.startswith("not"):
        return value not in wanted
    return None


def _satisfies_by_packaging(version: str, specifier: str) -> bool | None:
    try:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.version import InvalidVersion, Version
    except ImportError:  # the tool may be installed beside a damaged packaging
        return None
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def _applies_by_packaging(marker: str, environment: Mapping[str, str]) -> bool | None:
    try:
        from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName
    except ImportError:
        return None
    try:
        return bool(Marker(marker).evaluate({**environment, "extra": ""}))
    except (InvalidMarker, UndefinedEnvironmentName, KeyError, ValueError):
        return None
