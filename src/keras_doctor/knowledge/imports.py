"""What an import of Keras loads, and which names go with which distributions."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.names import normalize
from keras_doctor.versions import compare_key, release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@cache
def _data() -> dict[str, Any]:
    return load("imports")


@cache
def needed_stdlib() -> frozenset[str]:
    """Standard-library modules that an import of Keras was seen to load."""
    return frozenset(_data()["stdlib"]["needed"])


@cache
def loaded_distributions() -> frozenset[str]:
    """Normalised names of distributions that an import of Keras was seen to load code from."""
    return frozenset(name for row in _data()["loads"] for name in row["distributions"])


def needed_distributions(keras: str, backend: str) -> frozenset[str]:
    """Normalised names of distributions without which an import of Keras was seen to fail.

    Args:
        keras: A release; the nearest one of its first number that was measured with the backend
            answers, an older one first.
        backend: The backend in use. With one that was not measured: what all need.
    """
    kin = [row for row in _data()["loads"] if release(row["keras"])[:1] == release(keras)[:1]]
    rows = [row for row in kin if row["backend"] == backend]
    if not rows:
        return frozenset.intersection(
            *(frozenset(row["needed"]) for row in kin or [{"needed": ()}])
        )
    rows.sort(key=lambda row: compare_key(row["keras"]))
    older = [row for row in rows if compare_key(row["keras"]) <= compare_key(keras)]
    return frozenset((older or rows[:1])[-1]["needed"])


def idle_distributions() -> dict[tuple[int, str], tuple[str, ...]]:
    """What imports require and were never seen to load.

    Returns:
        From the first number of a Keras release and a backend to the normalised names that
        stayed idle, also in a training step, in every environment measured with the two.
    """
    idle: dict[tuple[int, str], set[str]] = {}
    used: dict[tuple[int, str], set[str]] = {}
    for row in _data()["loads"]:
        key = (int(row["keras"].partition(".")[0]), row["backend"])
        idle.setdefault(key, set()).update(row["idle"])
        used.setdefault(key, set()).update(row["distributions"], row["training"])
    return {key: tuple(sorted(names - used[key])) for key, names in idle.items()}


def import_names() -> tuple[str, ...]:
    """The import names of distributions whose own name does not tell them."""
    return tuple(_data()["import_names"].values())


def distributions_named() -> frozenset[str]:
    """The distributions whose import name is known."""
    return frozenset(_data()["import_names"])


def import_name_of(distribution: str) -> str:
    """The import name that a distribution most likely provides, for one that is not installed."""
    name = normalize(distribution)
    known: str = _data()["import_names"].get(name, name.replace("-", "_"))
    return known


def distribution_of(import_name: str) -> str:
    """The distribution that most likely provides an import name, for one that is not installed."""
    for distribution, module in _data()["import_names"].items():
        if import_name == module and not any(
            distribution in row["distributions"][1:] for row in _data()["twins"]
        ):
            return str(distribution)
    return normalize(import_name)


def twins_of(distribution: str) -> tuple[str, tuple[str, ...]] | None:
    """The import package that a distribution shares with others, and those others."""
    name = normalize(distribution)
    for row in _data()["twins"]:
        if name in row["distributions"]:
            others = tuple(d for d in row["distributions"] if d != name)
            return row["import_package"], others
    return None
