"""The names of the Keras world, and whose they are."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge.compatibility import companions
from keras_doctor.knowledge.imports import distribution_of, import_name_of
from keras_doctor.knowledge.releases import known_packages
from keras_doctor.knowledge.selection import backends


@cache
def world() -> frozenset[str]:
    """The import names of every package whose releases are known."""
    names = {import_name_of(name).partition(".")[0] for name in known_packages()}
    return frozenset(names | {"tensorflow_core", "keras", "tf_keras", "theano", "cntk"})


def is_of_the_world(top: str) -> bool:
    """Whether an import name belongs to the Keras world."""
    return top in world()


@cache
def mains() -> frozenset[str]:
    """What people set out to import: Keras and its backends (numpy is more than one)."""
    names = {n for b in backends().values() if b.name != "numpy" for n in b.imports}
    return frozenset({"keras", "tf_keras"} | names)


def distribution_for(path: str) -> str:
    """The distribution that most likely provides a dotted path, or an import package."""
    parts = path.split(".")
    for count in (2, 1):
        name = ".".join(parts[:count])
        if len(parts) >= count and (count == 1 or name in import_names_with_dots()):
            return distribution_of({"tensorflow_core": "tensorflow"}.get(name, name))
    return path


@cache
def import_names_with_dots() -> frozenset[str]:
    """Packages below a namespace that several distributions share: ``google.protobuf``."""
    names = {import_name_of(name) for name in known_packages()}
    return frozenset(name for name in names if "." in name)


def clash_slug(user: str, used: str) -> str:
    """The cause that two import packages which do not go together amount to."""
    from keras_doctor.rules.compatibility.clash import slug_of_pair

    return slug_of_pair(frozenset({distribution_for(user), distribution_for(used)}))


def is_companion(top: str) -> bool:
    """Whether a package uses the inside of a main one and is released beside it."""
    return distribution_for(top) in companions()
