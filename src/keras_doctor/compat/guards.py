"""Bounds on packages that nobody named, without which a set would not work when installed today.

An installer takes the newest release that metadata lets in. Where that was seen to fail, the line
to paste needs the bound that the metadata lacks.
"""

from __future__ import annotations

from keras_doctor.compat.declared import declared
from keras_doctor.compat.seen import bases_of, edges_of
from keras_doctor.knowledge.releases import installable, known_packages
from keras_doctor.names import normalize
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keras_doctor.compat.where import Where


def guards_of(pinned: Mapping[str, str], where: Where) -> list[tuple[str, str]]:
    """Requirements to install along with a set, each with the reason.

    Args:
        pinned: The set, from name to version.
        where: Its Python and platform.
    """
    bounds: dict[str, tuple[str, str]] = {}
    for name, version in pinned.items():
        for dependency, first_bad, why in _needed(name, version, where):
            before = bounds.get(dependency)
            taken = dependency in pinned
            if not taken and (before is None or compare_key(first_bad) < compare_key(before[0])):
                bounds[dependency] = (first_bad, why)
    return [(f"{name}<{bad}", why) for name, (bad, why) in sorted(bounds.items())]


def _needed(name: str, version: str, where: Where) -> Iterator[tuple[str, str, str]]:
    held = {normalize(n) for base in bases_of(name, version) for n in base.others}
    for edge in edges_of(name, version, where.python):
        if edge.newer is None:
            continue
        says = declared(name, version, edge.dependency, where)
        # What the program imports by name is there because somebody wants it, not as a part.
        wanted = edge.statement == f"import {edge.dependency.replace('-', '_')}"
        needed = bool(says.lines) or (edge.dependency in held and not wanted)
        let_in = says.accepts(edge.newer) is not False
        if needed and let_in and _comes(edge.dependency, edge.newer, where):
            failure = next(iter(edge.newer_failures), None)
            how = f" with {failure.type}" if failure else ""
            run = f"{edge.statement}, Python {edge.python}"
            fails = f"{edge.subject} {edge.release} fails with {edge.dependency} {edge.newer}{how}"
            yield edge.dependency, edge.newer, f"{fails} ({run}), and its metadata lets that in"


def _comes(name: str, first_bad: str, where: Where) -> bool:
    """Whether an installer could take a release that fails there, as far as is known."""
    if name not in known_packages():
        return True
    found = installable(name, python=where.python, platform=where.system, machine=where.machine)
    return bool(found) and compare_key(found[0].release.version) >= compare_key(first_bad)
