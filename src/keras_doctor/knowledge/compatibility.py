"""How releases that do not go together show it, beyond what was measured."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.versions import compare_key, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Sequence
    from typing import Any


@cache
def numpy_abi_pattern() -> re.Pattern[str]:
    """Matches what an extension module says that was compiled for another numpy."""
    import re

    return re.compile("|".join(load("compatibility")["numpy_abi"]["patterns"]))


@cache
def refusals() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Distributions that refuse what uses them, and how their message reads."""
    import re

    rows = load("compatibility")["refusal"]
    return tuple((row["used"], re.compile(row["pattern"])) for row in rows)


def lost_in(module: str, names: Sequence[str] = ()) -> str | None:
    """The first Python whose standard library lacks a module, or a name of it; None: none does.

    Args:
        module: As imported; of a dotted one its first part counts.
        names: Of ``from module import a, b``.
    """
    top = module.partition(".")[0]
    modules, lost_names = _lost()
    found = [row["since"] for row in modules if top in row["modules"]]
    found += [
        row["since"]
        for row in lost_names
        if module == row["module"] and set(names) & set(row["names"])
    ]
    return min(found, key=compare_key, default=None)


@cache
def _lost() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the standard library lost: modules, and names of modules."""
    data = load("compatibility")
    return data["python_lost"], data["python_lost_names"]


def python_released(python: str) -> str | None:
    """The date of the first release of a Python like ``3.8``; None for one that is not known."""
    dates: dict[str, str] = load("compatibility")["python_released"]["dates"]
    return dates.get(python)


def venv_seed(python: str) -> tuple[str, ...]:
    """The distributions that an environment of a Python has from the start, its pip aside."""
    row = load("compatibility")["venv_seed"]
    return tuple(row["names"]) if within(python, "0", row["before"]) else ()


def oldest_python() -> str:
    """The oldest Python 3 whose release is known: none older is looked after here."""
    dates: dict[str, str] = load("compatibility")["python_released"]["dates"]
    return min((one for one in dates if one.startswith("3.")), key=compare_key)


class BadRelease(NamedTuple):
    """A release that is known not to work somewhere."""

    version: str
    platforms: tuple[str, ...]
    """Values of ``sys.platform``."""
    backends: tuple[str, ...]
    """Of Keras, the backends with which it is bad; () for all."""
    pattern: str
    """How the failure reads."""
    instead: str
    source: str


def bad_releases(distribution: str) -> tuple[BadRelease, ...]:
    """The releases of a distribution that are known to be bad."""
    return tuple(
        BadRelease(
            version=row["version"],
            platforms=tuple(row["platforms"]),
            backends=tuple(row.get("backends", ())),
            pattern=row["pattern"],
            instead=row["instead"],
            source=row["source"],
        )
        for row in load("compatibility")["bad_release"]
        if row["distribution"] == normalize(distribution)
    )


def lost_since(module: str, python: str) -> str | None:
    """Since when this Python's standard library is without a module; None when it never had it.

    Args:
        module: A top-level name.
        python: A Python version, like ``3.12.1``.
    """
    for row in load("compatibility")["python_lost"]:
        if module in row["modules"] and within(python, row["since"], None):
            since: str = row["since"]
            return since
    return None


def keyword_since(line: str, python: str) -> tuple[str, str] | None:
    """A word in a line of code that is a keyword of this Python: (word, since when)."""
    import re

    for row in load("compatibility")["python_keyword"]:
        for word in row["words"]:
            if re.search(rf"\b{word}\b", line) and within(python, row["since"], None):
                return word, row["since"]
    return None


@cache
def companions() -> dict[str, str]:
    """Distributions that are released together with a main one, from name to main."""
    rows = load("compatibility")["companions"]
    return {name: row["main"] for row in rows for name in row["names"]}


class PrivateCopy(NamedTuple):
    """A copy of Keras inside another package."""

    path: str
    distribution: str
    releases: str
    """The specifier of the releases in which nobody looks after it."""
    instead: str


def private_copies() -> tuple[PrivateCopy, ...]:
    """The private copies of Keras that are no longer looked after."""
    return tuple(
        PrivateCopy(
            path=row["path"],
            distribution=row["distribution"],
            releases=row["releases"],
            instead=row["instead"],
        )
        for row in load("compatibility")["private_copy"]
    )


def implied_keras(text: str, tensorflow: str | None) -> str | None:
    """A Keras release that stands for the generation that a text, or a TensorFlow, implies."""
    import re

    from keras_doctor.versions import satisfies

    for row in load("compatibility")["generation_sign"]:
        by_text = re.search(row["paths"], text) is not None
        told = tensorflow and row["tensorflow"] and satisfies(tensorflow, row["tensorflow"])
        if by_text or told:
            version: str = row["version"]
            return version
    return None
