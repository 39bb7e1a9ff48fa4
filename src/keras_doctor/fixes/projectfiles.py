"""What the files of the user's project ask for: requirements.txt, pyproject.toml, environment.yml.

They are honoured when something is installed, and named when they are what asks for a clash: the
next install from them would bring it back.
"""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

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
_COMMENT = re.compile(r"(?:^|\s)#.*")
_MAX_BYTES = 1 << 20


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


def _text(path: str) -> str:
    try:
        if not os.path.isfile(path):  # a pipe would wait for a writer
            return ""
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.read(_MAX_BYTES)
    except OSError:
        return ""


def requirement_lines(text: str) -> Iterator[tuple[int, str]]:
    """The requirements of a requirements or constraints file, each with its line's number.

    Lines that a backslash continues are joined; comments and options are left out.
    """
    number, begun = 0, ""
    for count, line in enumerate([*text.splitlines(), ""], 1):
        number = number if begun else count
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            begun += line[:-1] or " "
            continue
        plain = _COMMENT.sub("", begun + line).partition(" --")[0].strip()
        begun = ""
        if plain and not plain.startswith("-"):
            yield number, plain


def _of_lines(path: str) -> Iterator[Wanted]:
    for number, line in requirement_lines(_text(path)):
        yield from _wanted(line, f"{path}:{number}")


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
    try:
        data: Any = tomllib.loads(_text(path))
        lines = data.get("project", {}).get("dependencies", [])
    except (ValueError, AttributeError, RecursionError):
        return
    for line in lines if isinstance(lines, list) else ():
        if isinstance(line, str):
            yield from _wanted(line, path)


def _of_environment(path: str) -> Iterator[Wanted]:
    """The lists of an environment.yml; a full reader of YAML is not needed for plain lists."""
    for number, line in enumerate(_text(path).splitlines(), 1):
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
