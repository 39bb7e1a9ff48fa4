"""Which distributions the imports of a program come from. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.create.needs import is_standard
from keras_doctor.knowledge.compatibility import lost_in
from keras_doctor.knowledge.import_names import distributions_of
from keras_doctor.knowledge.moved_paths import moved_paths
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from keras_doctor.knowledge.moved_paths import Moved
    from keras_doctor.model import ScriptImport


class Found(NamedTuple):
    """One import package of a program, and what provides it."""

    module: str
    """As first imported."""
    where: str
    """File and line."""
    guarded: bool
    """Whether the program can do without it everywhere."""
    providers: tuple[str, ...]
    """Normalised names of distributions, the usual one first; () when none is known."""
    moved: tuple[Moved, ...]
    """Paths of it that only some releases have."""

    def provider_in(self, pins: Container[str]) -> str | None:
        """The provider that is among some distributions."""
        return next((name for name in self.providers if name in pins), None)


def distributions_for(imports: Iterable[ScriptImport]) -> tuple[Found, ...]:
    """What third-party packages are imported, each once, with their providers.

    Args:
        imports: Of what is not the user's own.
    """
    found: dict[str, Found] = {}
    for one in imports:
        if is_standard(one.module) or lost_in(one.module):
            continue
        paths = [f"{one.module}.{name}" for name in one.names] or [one.module]
        for path in paths:
            providers = tuple(normalize(p.distribution) for p in distributions_of(path))
            key = providers[0] if providers else one.module.partition(".")[0]
            moved = tuple(m for m in moved_paths(one.module, one.names) if not one.guarded)
            before = found.get(key)
            if before is None:
                where = f"{one.path}:{one.line}"
                found[key] = Found(one.module, where, one.guarded, providers, moved)
            else:
                found[key] = before._replace(
                    guarded=before.guarded and one.guarded,
                    moved=tuple(dict.fromkeys((*before.moved, *moved))),
                )
    return tuple(found.values())
