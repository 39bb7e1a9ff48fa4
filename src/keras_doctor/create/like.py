"""A sibling of an environment: the same packages, on another backend. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.create.best import KERAS
from keras_doctor.knowledge.selection import backends, generation_of
from keras_doctor.names import normalize
from keras_doctor.rules.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.create.wanted import Wanted
    from keras_doctor.model import Snapshot

_TOOLS = frozenset({"pip", "setuptools", "wheel", "uv", "keras-doctor"})


def wanted_like(snapshot: Snapshot, wanted: Wanted) -> Wanted:
    """What a sibling shall hold: what is installed by itself there, in the same releases.

    Keras stays as it is if that release runs on the backend; the backends, and what only they
    need, do not come along.

    Args:
        snapshot: The environment that it shall be like.
        wanted: What the user says besides.
    """
    context = Context(snapshot)
    keras = context.keras_version
    generation = generation_of(keras) if keras else None
    backend = wanted.backend or context.choice.backend
    specifier = wanted.keras
    if not specifier and keras and generation and backend and generation.runs_on(backend):
        specifier = f"=={keras}"
    python = wanted.python
    if python is None and snapshot.interpreter is not None:
        python = ".".join(snapshot.interpreter.version.split(".")[:2])
    return wanted._replace(
        backend=backend,
        keras=specifier,
        python=python,
        others=(*_others(context), *wanted.others),
    )


def _others(context: Context) -> Iterator[str]:
    """What nothing else requires, as exact requirements."""
    left = {KERAS, *_TOOLS, *(n for one in backends().values() for n in one.distributions)}
    needed = {
        normalize(needed)
        for found in context.distributions.values()
        for needed, _specifier, _line in context.requirements(found[0])
    }
    for name, found in sorted(context.distributions.items()):
        of_backend = any(name.startswith(f"{one}-") for one in ("tensorflow", "jax", "nvidia"))
        if name in needed or name in left or of_backend or found[0].origin_url is not None:
            continue
        yield f"{found[0].name}=={found[0].version}"
