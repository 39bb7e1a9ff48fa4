"""Distributions that are one package under several names, like those of TensorFlow."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge.selection import backends
from keras_doctor.names import normalize


@cache
def family_of(name: str) -> tuple[str, ...]:
    """The normalised names that a package has, the one that the measurements use first.

    jax and jaxlib are a backend of two packages, so a backend with several imports is none.
    """
    name = normalize(name)
    for backend in backends().values():
        if len(backend.imports) == 1 and name in backend.distributions:
            return backend.distributions
    return (name,)


@cache
def subject_of(name: str) -> str:
    """The name under which a package was measured."""
    return family_of(name)[0]


def names_meant(name: str, beside: str) -> tuple[str, ...]:
    """The names by which the metadata of one package may speak of another.

    Args:
        name: Who is spoken of.
        beside: Who speaks; of its own variants a package speaks by their names.
    """
    family = family_of(name)
    return (normalize(name),) if normalize(beside) in family else family
