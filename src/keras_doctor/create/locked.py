"""Read a lock: what `create --from-lock` makes again."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING

from keras_doctor.create.best import KERAS
from keras_doctor.create.wanted import Chosen, CreateError
from keras_doctor.knowledge.selection import backends, generation_of
from keras_doctor.names import normalize
from keras_doctor.versions import satisfies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keras_doctor.create.wanted import Wanted

_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


def read_lock(path: str, wanted: Wanted, interpreters: Mapping[str, str]) -> Chosen:
    """What a lock says.

    Args:
        path: A ``pylock.toml`` (PEP 751), or a requirements file with hashes.
        wanted: Which Python and backend the user names, where the lock does not.
        interpreters: From a version like ``3.8`` to the interpreter.

    Raises:
        CreateError: It cannot be read, or there is no such Python here.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise CreateError(f"{path} cannot be read: {reason}.") from None
    pins, about, requires = _toml(path, text) if path.endswith(".toml") else _lines(path, text)
    python = wanted.python or about.get("python") or _newest(requires, interpreters)
    if python not in interpreters:
        have = ", ".join(sorted(interpreters))
        raise CreateError(f"The lock is for Python {python}; here are {have}.")
    backend = wanted.backend or about.get("backend") or _backend_of(pins)
    return Chosen(
        python=python,
        interpreter=interpreters[python],
        backend=backend,
        keras=f"{KERAS}=={pins[KERAS]}" if KERAS in pins else "",
        requirements=(),
        constraints=(),
        evidence="declared",
        reasons=(f"{os.path.basename(path)} says so",),
        pins=tuple(f"{name}=={version}" for name, version in sorted(pins.items())),
    )


def _toml(path: str, text: str) -> tuple[dict[str, str], dict[str, str], str]:
    try:
        data = tomllib.loads(text)
        pins = {normalize(row["name"]): row["version"] for row in data["packages"]}
        about = dict(data.get("tool", {}).get("keras-doctor", {}))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise CreateError(f"{path} is no lock of PEP 751: {error}.") from None
    return pins, about, str(data.get("requires-python", ""))


def _lines(path: str, text: str) -> tuple[dict[str, str], dict[str, str], str]:
    pins = {normalize(name): version for name, version in _PIN.findall(text)}
    if not pins or "--hash=" not in text:
        raise CreateError(
            f"{path} holds no pins with hashes.",
            hint="A pylock.toml, or what `keras-doctor lock` writes.",
        )
    return pins, {}, ""


def _newest(requires: str, interpreters: Mapping[str, str]) -> str:
    fitting = [one for one in interpreters if satisfies(f"{one}.99", requires) is not False]
    return max(fitting, key=lambda one: [int(part) for part in one.split(".")], default="any")


def _backend_of(pins: Mapping[str, str]) -> str:
    """The backend whose distribution is locked; of several the one that Keras takes by itself."""
    there = [name for name, one in backends().items() if set(one.distributions) & set(pins)]
    generation = generation_of(pins[KERAS]) if KERAS in pins else None
    if generation is not None and generation.default in there:
        return generation.default
    trained = [name for name in there if backends()[name].trains]
    return (trained or there or ["tensorflow"])[0]
