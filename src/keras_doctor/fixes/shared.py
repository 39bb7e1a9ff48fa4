"""Whom a change of a shared keras.json would switch.

``~/.keras/keras.json`` is read by every environment of a user. A change that mends one may give
another one a backend that it does not have. What the file alone decides is told here; variables
that are set somewhere else are not known.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from keras_doctor.knowledge.selection import generation_of
from keras_doctor.live.home import SHARED_KERAS
from keras_doctor.model import ConfigFile
from keras_doctor.records import NamedTuple
from keras_doctor.rules.selection.config_text import read_config
from keras_doctor.targets import files
from keras_doctor.targets.environments import environment_of
from keras_doctor.targets.inventory import list_environments

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keras_doctor.knowledge.selection import Generation
    from keras_doctor.model.plan import Step
    from keras_doctor.rules.context import Context
    from keras_doctor.targets.inventory import EnvironmentFound

NAME = "keras.json"
_KERAS = ("keras", "keras-nightly")
"""The distributions that provide ``keras``."""
_NAMED = 2
"""So many Pythons are named in a clause."""


class Switched(NamedTuple):
    """Another environment whose backend a change of the file would change."""

    python: str
    keras: str
    """The version of its Keras."""
    before: str | None
    after: str | None
    """None: with this file its import ends in an error."""


class Reader(NamedTuple):
    """Another environment that reads the file."""

    python: str
    keras: str
    obeys: bool
    """Whether it takes its backend from it, and not only the number format."""


def switched_by(
    path: str,
    old_text: str | None,
    new_text: str | None,
    environments: Sequence[EnvironmentFound],
    here: str | None,
    platform: str = sys.platform,
) -> tuple[Switched, ...]:
    """The other environments that would select another backend.

    One whose import the old file ends in an error is none of them: it can only be mended.

    Args:
        path: The keras.json in HOME, or the one in /tmp that stands for it.
        old_text: What it says now; None when it is absent.
        new_text: What it would say; None when it would go.
        environments: Every Python with a Keras.
        here: The interpreter of the target, which is left out.
        platform: As :data:`sys.platform`.
    """
    found = []
    for one, version, generation in _others(path, environments, here):
        if not generation.config:
            continue
        before = selected_by(old_text, version, generation, platform)
        after = selected_by(new_text, version, generation, platform)
        if before not in (None, after):
            found.append(Switched(python=one.python, keras=version, before=before, after=after))
    return tuple(found)


def readers_of(
    path: str, environments: Sequence[EnvironmentFound], here: str | None
) -> tuple[Reader, ...]:
    """The other environments whose Keras reads the file at all; arguments as above."""
    return tuple(
        Reader(python=one.python, keras=version, obeys=generation.config)
        for one, version, generation in _others(path, environments, here)
    )


def selected_by(
    text: str | None, version: str, generation: Generation, platform: str = sys.platform
) -> str | None:
    """The backend that a Keras takes when nothing but this text says one.

    Args:
        text: Of its keras.json; None when there is none.
        version: The release of Keras.
        generation: Its generation.
        platform: As :data:`sys.platform`.

    Returns:
        The name, known to that Keras or not; None when its import ends in an error.
    """
    default = generation.fixed or generation.default_on(platform)
    if text is None or not generation.config:
        return default
    content = read_config(_file(text), version)
    if content.malformed:
        return default if generation.malformed == "ignored" else None
    if content.invalid:
        return None
    return default if content.backend is None else content.backend


def refusal_to_share(
    step: Step, context: Context, environ: Mapping[str, str], folder: str
) -> str | None:
    """Why a step that writes a keras.json is no safe one.

    Args:
        step: A step of a plan.
        context: What the plan was concluded from.
        environ: The user's variables.
        folder: The working folder.

    Returns:
        A clause to show; None for any other step, a file that nobody else reads, and one whose
        change switches nobody.
    """
    if step.kind != "write-file" or step.path is None or not is_shared(step.path, environ):
        return None
    old = next((c for c in context.snapshot.configs if c.path == step.path), None)
    if old is not None and old.state in ("unreadable", "folder"):
        return None  # every import ends in an error with it
    switched = switched_by(
        step.path,
        old.text if old is not None else None,
        step.value,
        environments_of_user(environ, folder),
        context.snapshot.target.python,
    )
    return clause_of(switched) if switched else None


def clause_of(switched: Sequence[Switched]) -> str:
    """Who would be switched, as a clause that begins with ``it``."""
    told = [
        f"{one.python} (Keras {one.keras}) from {one.before} to "
        + (one.after or "an import that fails")
        for one in switched[:_NAMED]
    ]
    rest = len(switched) - len(told)
    if rest:
        told.append(f"{rest} more")
    listed = ", ".join(told[:-1]) + " and " + told[-1] if len(told) > 1 else told[0]
    return f"it would also switch {listed}, as all your environments read this file"


def is_shared(path: str, environ: Mapping[str, str]) -> bool:
    """Whether a file is the keras.json that all environments of the user read.

    The folder of a KERAS_HOME is not, unless it is that one by another name.
    """
    if os.path.basename(path) != NAME:
        return False
    real = os.path.realpath(os.path.dirname(path))
    shared = (os.path.join(files.home(environ), ".keras"), SHARED_KERAS)
    return real in {os.path.realpath(place) for place in shared}


def environments_of_user(
    environ: Mapping[str, str], folder: str, *, timeout: float = 5.0
) -> tuple[EnvironmentFound, ...]:
    """Every Python with a Keras in the usual places, below the folder, and below HOME.

    Other projects of the user lie below HOME rather than below the working folder.

    Args:
        environ: The user's variables.
        folder: The working folder.
        timeout: Seconds for each of the two searches.
    """
    found: dict[str, EnvironmentFound] = {}
    for place in dict.fromkeys((os.path.realpath(folder), os.path.realpath(files.home(environ)))):
        for one in list_environments(environ, place, timeout=timeout):
            found.setdefault(_key(one.python, one.folder), one)
    return tuple(found.values())


def _others(
    path: str, environments: Sequence[EnvironmentFound], here: str | None
) -> Iterator[tuple[EnvironmentFound, str, Generation]]:
    """The environments but the target's whose Keras reads the file: with version, generation."""
    in_tmp = os.path.dirname(path) == SHARED_KERAS
    mine = None if here is None else _key(here, environment_of(here, {}).folder)
    for one in environments:
        if one.problem is not None or one.python == here or _key(one.python, one.folder) == mine:
            continue
        version = next((p.version for p in one.packages if p.name in _KERAS), None)
        generation = generation_of(version) if version else None
        if version and generation and generation.config_values and (generation.tmp or not in_tmp):
            yield one, version, generation


def _key(python: str, folder: str | None) -> str:
    """One key for all names of an interpreter."""
    return os.path.realpath(folder or python)


def _file(text: str) -> ConfigFile:
    return ConfigFile(
        kind=NAME,
        source="home",
        path=NAME,
        state="read",
        text=text,
        mode=None,
        folder_writable=None,
    )
