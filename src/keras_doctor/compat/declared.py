"""What the metadata of a release says about another package."""

from __future__ import annotations

import re
from functools import cache

from keras_doctor.compat.family import family_of, names_meant
from keras_doctor.compat.where import Where, environment
from keras_doctor.knowledge.releases import release
from keras_doctor.knowledge.selection import backends, generation_of
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import applies, parse_requirement
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KERAS = "keras"
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Declared(NamedTuple):
    """What one release declares about one package."""

    read: bool
    """Whether its requirements are known at all."""
    lines: tuple[str, ...] = ()
    """Its Requires-Dist lines about the package that apply; () when it says nothing."""
    specifier: str = ""
    by: str = ""
    """Whose metadata it is, like ``tensorflow-cpu 2.10.1``."""
    never: bool = False
    """Whether no release of the package will do: it is a backend that this Keras has not."""

    def accepts(self, version: str) -> bool | None:
        """Whether a release of the package is accepted; None when nothing is said about it."""
        if self.never:
            return False
        return _satisfies(version, self.specifier) if self.lines else None


NOT_READ = Declared(read=False)


@cache
def declared(name: str, version: str, about: str, where: Where) -> Declared:
    """What a release declares about a package, on a Python and platform.

    Where its own requirements were not read, those of the same release under another name of the
    package count, and so do those of another name that it requires exactly: on Windows,
    tensorflow requires nothing but tensorflow-intel. A Keras that has no such backend says so by
    its code, which counts like metadata.
    """
    backend = _unknown_backend(name, version, about)
    if backend is not None:
        line = f"another backend: it has none for {backend}"
        return Declared(read=True, lines=(line,), by=f"{name} {version}", never=True)
    found = _requirements(name, version, where)
    if found is None:
        return NOT_READ
    by, requires = found
    names = names_meant(about, name)
    lines = list(_about(requires, names, where))
    for line in _about(requires, family_of(name), where):
        exact = _exact(line)
        inner = release(*exact) if exact and exact[0] != normalize(name) else None
        if exact and inner and not lines:
            lines = list(_about(inner.requires_for(where.platform) or (), names, where))
            by = f"{exact[0]} {inner.version}"
    specifiers = [parsed.specifier for line in lines if (parsed := parse_requirement(line))]
    return Declared(
        read=True, lines=tuple(lines), specifier=",".join(filter(None, specifiers)), by=by
    )


def _unknown_backend(name: str, version: str, about: str) -> str | None:
    """The backend that a distribution provides and a release of Keras does not have."""
    if normalize(name) != _KERAS:
        return None
    for backend in backends().values():
        # numpy serves every Keras, whether it has a backend of that name or not.
        if backend.name != "numpy" and normalize(about) in backend.distributions:
            generation = generation_of(version)
            known = generation is None or generation.runs_on(backend.name)
            return None if known else backend.name
    return None


def _requirements(name: str, version: str, where: Where) -> tuple[str, tuple[str, ...]] | None:
    own = normalize(name)
    for one in (own, *(other for other in family_of(own) if other != own)):
        row = release(one, version)
        requires = row.requires_for(where.platform) if row else None
        if requires is not None:
            return f"{one} {version}", requires
    return None


def _about(lines: tuple[str, ...], names: tuple[str, ...], where: Where) -> Iterator[str]:
    for line in lines:
        if _name_of(line) in names:
            parsed = parse_requirement(line)
            if parsed and applies(parsed.marker, environment(where)) is not False:
                yield line


@cache
def _name_of(line: str) -> str:
    match = _NAME.match(line)
    return normalize(match[1].rstrip("._-")) if match else ""


def _exact(line: str) -> tuple[str, str] | None:
    """The release that a line requires exactly."""
    parsed = parse_requirement(line)
    if parsed is None or not re.fullmatch(r"==\s*[^,*]+", parsed.specifier):
        return None
    return normalize(parsed.name), parsed.specifier.lstrip("= ").strip()


@cache
def _satisfies(version: str, specifier: str) -> bool | None:
    return satisfies(version, specifier)
