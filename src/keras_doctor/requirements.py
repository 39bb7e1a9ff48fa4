"""Requirement lines and environment markers, read fast.

Nearly every Requires-Dist line is simple; those are decided here, because importing the
requirement parser of ``packaging``, the authority, costs more CPU than the whole rest of a
static diagnosis. Markers that are not simple are handed to it. Tests hold the two against each
other.

Source: the dependency specifiers page of packaging.python.org (PEP 508).
"""

from __future__ import annotations

import re

from keras_doctor.records import NamedTuple
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"  # name
    r"\s*(?:\[([^\]]*)\])?"  # extras
    r"\s*(?:\(([^)]*)\)|((?:===|==|!=|<=|>=|~=|<|>)[^;@]*))?"  # specifier, bare or in parentheses
    r"\s*(?:;(.*))?\Z",
    re.DOTALL,
)
_ATOM = re.compile(
    r"""\s*(\w+)\s*(===|==|!=|<=|>=|~=|<|>|not\s+in|in)\s*(?:"([^"]*)"|'([^']*)')\s*\Z"""
)
_VERSION_NAMES = frozenset({"python_version", "python_full_version", "implementation_version"})


class Requirement(NamedTuple):
    """One Requires-Dist line, taken apart."""

    name: str
    specifier: str
    """Like ``<2,>=1.23.5``; empty for any version."""
    marker: str
    """As written after the semicolon; empty for always."""


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
        return None if "in" in operator else satisfies(value, operator + wanted)
    if name != "extra" and wanted[:1].isdigit():
        return None  # platform_release and the like may compare as versions
    if operator in ("==", "!="):
        return (value == wanted) is (operator == "==")
    if operator == "in":
        return value in wanted
    if operator.startswith("not"):
        return value not in wanted
    return None


def _applies_by_packaging(marker: str, environment: Mapping[str, str]) -> bool | None:
    try:
        from packaging.markers import InvalidMarker, Marker, UndefinedEnvironmentName
    except ImportError:  # the tool may be installed beside a damaged packaging
        return None
    try:
        return bool(Marker(marker).evaluate({**environment, "extra": ""}))
    except (InvalidMarker, UndefinedEnvironmentName, KeyError, ValueError):
        return None
