"""What the files of the user's project ask for: requirements.txt, pyproject.toml, environment.yml.

They are honoured when something is installed, and named when they are what asks for a clash: the
next install from them would bring it back.
"""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

from keras_doctor.fixes.requirementfiles import read_text, requirements_in
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import applies, parse_requirement
from keras_doctor.versions import satisfies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keras_doctor.model.plan import DistributionChange

_REQUIREMENTS = re.compile(r"requirements[\w.-]*\.(?:txt|in)\Z", re.IGNORECASE)
_ENVIRONMENT = ("environment.yml", "environment.yaml")
_CONDA_SPEC = re.compile(r"\s*-\s*[\"']?([A-Za-z0-9._-]+)\s*([=<>!~][^\"'#]*)?[\"']?\s*(?:#.*)?\Z")
_POETRY = re.compile(r"([\^~]?)(\d+(?:\.\d+)*(?:\.\*)?)\Z")
"""Poetry's own ways to write a constraint; the others are those of PEP 440."""


class Wanted(NamedTuple):
    """One line of a project's file."""

    name: str
    """Normalised."""
    specifier: str
    line: str
    where: str
    """``file:line``, or ``file`` where lines cannot be told."""


def wanted_by(folder: str, environment: Mapping[str, str] | None = None) -> tuple[Wanted, ...]:
    """The requirements that the files of a folder state; files that cannot be read state none.

    Args:
        folder: The project's.
        environment: The values of environment markers (PEP 508) in the environment that is
            meant: what does not apply there is left out.
    """
    found: list[Wanted] = []
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    for name in names:
        path = os.path.join(folder, name)
        if _REQUIREMENTS.match(name):
            found += _of_lines(path)
        elif name == "pyproject.toml":
            found += _of_pyproject(path)
        elif name in _ENVIRONMENT:
            found += _of_environment(path)
    return tuple(one for one in found if _applies(one, environment or {}))


def _applies(one: Wanted, environment: Mapping[str, str]) -> bool:
    requirement = parse_requirement(one.line)
    return requirement is None or applies(requirement.marker, environment) is not False


def _of_lines(path: str) -> Iterator[Wanted]:
    for line, where in requirements_in(path):
        yield from _wanted(line, where)


def _wanted(line: str, where: str) -> Iterator[Wanted]:
    requirement = parse_requirement(line)
    if requirement is not None and requirement.specifier and _is_valid(requirement.specifier):
        yield Wanted(
            name=normalize(requirement.name),
            specifier=requirement.specifier,
            line=line,
            where=where,
        )


def _is_valid(specifier: str) -> bool:
    """Whether an installer would understand it; what it would not is nobody's constraint."""
    return satisfies("1", specifier) is not None


def _of_pyproject(path: str) -> Iterator[Wanted]:
    """Of ``[project]``, of dependency groups (PEP 735), and of Poetry's own tables."""
    try:
        data = tomllib.loads(read_text(path))
    except (ValueError, RecursionError):
        return
    lists = [_at(data, "project", "dependencies"), *_values(_at(data, "dependency-groups"))]
    for each in lists:
        for line in each if isinstance(each, list) else ():
            if isinstance(line, str):
                yield from _wanted(line, path)
    poetry = _at(data, "tool", "poetry")
    groups = _values(_at(poetry, "group"))
    for table in (_at(poetry, "dependencies"), *(_at(one, "dependencies") for one in groups)):
        for name, said in table.items() if isinstance(table, dict) else ():
            version = said.get("version") if isinstance(said, dict) else said
            if isinstance(version, str) and name != "python":
                yield from _wanted(name + specifier_of_poetry(version), path)


def _at(data: Any, *keys: str) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _values(data: Any) -> list[Any]:
    return list(data.values()) if isinstance(data, dict) else []


def specifier_of_poetry(text: str) -> str:
    """A specifier from a constraint of Poetry's; "" for what says nothing, or more than one thing.

    ``^2.3`` allows what does not change the first part that is not zero, ``~2.3`` what does not
    change the second; a bare version means itself.

    Source: Poetry's documentation of dependency specification.
    """
    found = []
    for clause in text.replace(" ", "").split(","):
        match = _POETRY.match(clause)
        if "|" in clause:
            return ""
        if match is None:
            found += [] if clause == "*" else [clause]
            continue
        sign, version = match[1], match[2]
        if version.endswith("*") or not sign:
            found.append(f"=={version}")
            continue
        parts = [int(part) for part in version.split(".")]
        fixed = 1 if sign == "~" else next((i for i, part in enumerate(parts) if part), 0)
        fixed = min(fixed, len(parts) - 1)
        above = [*parts[:fixed], parts[fixed] + 1]
        found += [f">={version}", "<" + ".".join(map(str, above))]
    return ",".join(found)


def _of_environment(path: str) -> Iterator[Wanted]:
    """The lists of an environment.yml; a full reader of YAML is not needed for plain lists."""
    for number, line in enumerate(read_text(path).splitlines(), 1):
        match = _CONDA_SPEC.match(line)
        if match is None or not match[2]:
            continue
        specifier = match[2].strip()
        if re.match(r"=[^=]", specifier):
            # conda: ``numpy=1.26`` is any 1.26, and a third part names a build.
            specifier = f"=={specifier[1:].partition('=')[0].removesuffix('*').rstrip('.')}.*"
        yield from _wanted(f"{match[1]}{specifier}", f"{path}:{number}")


def clashing(wanted: Iterable[Wanted], changes: Iterable[DistributionChange]) -> tuple[str, ...]:
    """The lines that ask for what a repair has changed, one sentence each."""
    after = {normalize(change.name): change for change in changes if change.after is not None}
    found = []
    for one in wanted:
        change = after.get(one.name)
        if change is None or change.after is None:
            continue
        if satisfies(change.after, one.specifier) is False:
            found.append(
                f"{one.where} asks for {one.line}, which would bring the trouble back: write "
                f"{change.name}=={change.after} there"
            )
    return tuple(found)
