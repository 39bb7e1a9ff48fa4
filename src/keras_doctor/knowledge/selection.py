"""Which backend each Keras release chooses, accepts and ignores."""

from __future__ import annotations

from functools import cache

from keras_doctor.knowledge import load
from keras_doctor.records import NamedTuple
from keras_doctor.versions import release, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Generation(NamedTuple):
    """Releases of Keras that choose their backend in the same way."""

    name: str
    title: str
    since: str
    before: str | None
    default: str
    default_windows: str | None
    fixed: str | None
    """The one backend that it runs on, whatever any setting says."""
    names: tuple[str, ...]
    external: bool
    """Accepts the name of any importable module with a backend interface."""
    variable: bool
    """Reads KERAS_BACKEND."""
    config: bool
    """Obeys the backend in keras.json."""
    config_values: bool
    """Reads keras.json at all."""
    keras_home: bool
    tmp: bool
    """Falls back to /tmp/.keras when HOME cannot be written."""
    malformed: str
    """``error`` or ``ignored``: what a keras.json that is no JSON does."""
    config_asserts: bool
    """An unknown name in keras.json ends the import even when KERAS_BACKEND decides."""
    empty_variable: str
    """``error`` or ``ignored``: what ``KERAS_BACKEND=`` does."""
    limits: tuple[tuple[str, str], ...]
    """Of some backends, the releases that it was made for: (backend, specifier)."""
    half: bool
    """Another backend than the default leaves half of Keras on the default."""

    @property
    def only(self) -> str | None:
        """The one backend on which all of it runs; None when there are several."""
        return self.fixed or (self.default if self.half else None)

    def runs_on(self, backend: str) -> bool:
        """Whether these releases really run on a backend."""
        return backend in self.names and self.only in (None, backend)

    def default_on(self, platform: str) -> str:
        """The backend that is taken when nothing is set, on ``sys.platform`` `platform`."""
        if platform == "win32" and self.default_windows:
            return self.default_windows
        return self.default


class Backend(NamedTuple):
    """A backend: what it imports and what installs it."""

    name: str
    imports: tuple[str, ...]
    distributions: tuple[str, ...]
    trains: bool


class TfKeras(NamedTuple):
    """What ``tf.keras`` is in a range of TensorFlow releases."""

    provider: str
    """``own`` (a copy inside TensorFlow) or ``keras`` (the separate distribution)."""
    same_minor: bool
    legacy_switch: bool


@cache
def _data() -> dict[str, Any]:
    return load("selection")


@cache
def generations() -> tuple[Generation, ...]:
    """All generations, oldest first."""
    return tuple(
        Generation(
            name=row["name"],
            title=row["title"],
            since=row["since"],
            before=row.get("before"),
            default=row["default"],
            default_windows=row.get("default_windows"),
            fixed=row.get("fixed"),
            names=tuple(row["names"]),
            external=row.get("external", False),
            variable=row["variable"],
            config=row["config"],
            config_values=row["config_values"],
            keras_home=row.get("keras_home", False),
            tmp=row.get("tmp", False),
            malformed=row["malformed"],
            config_asserts=row.get("config_asserts", False),
            empty_variable=row.get("empty_variable", "ignored"),
            half=row.get("half", False),
            limits=tuple(row.get("limits", {}).items()),
        )
        for row in _data()["generation"]
    )


def fixed_ranges() -> tuple[tuple[tuple[int, ...], tuple[int, ...], str], ...]:
    """Releases with one backend only: (since, before, backend), versions as release numbers."""
    return tuple(
        (release(g.since), release(g.before or ""), g.fixed) for g in generations() if g.fixed
    )


def generation_of(version: str) -> Generation | None:
    """The generation of a Keras release, or None for a version that cannot be read."""
    for generation in generations():
        if within(version, generation.since, generation.before):
            return generation
    return None


@cache
def backends() -> dict[str, Backend]:
    """Every backend that some Keras release knows, by name."""
    return {
        row["name"]: Backend(
            name=row["name"],
            imports=tuple(row["imports"]),
            distributions=tuple(row["distributions"]),
            trains=row["trains"],
        )
        for row in _data()["backend"]
    }


def backend_names() -> tuple[str, ...]:
    """The names of all backends that some Keras release knows."""
    return tuple(backends())


def meant_by(name: str) -> str | None:
    """The backend that a misspelt name means, when it is one that people write; else None."""
    plain = name.strip().lower()
    if plain in backends():
        return plain
    alias: str | None = _data()["aliases"].get(plain)
    return alias


def tf_keras_of(tensorflow: str) -> TfKeras | None:
    """What ``tf.keras`` is in a TensorFlow release; None before it existed."""
    for row in _data()["tf_keras"]:
        if within(tensorflow, row["since"], row.get("before")):
            return TfKeras(
                provider=row["provider"],
                same_minor=row.get("same_minor", False),
                legacy_switch=row.get("legacy_switch", False),
            )
    return None


def legacy_switch() -> dict[str, Any]:
    """The switch that makes ``tf.keras`` mean tf_keras: its variable, values and first release."""
    data: dict[str, Any] = _data()["legacy"]
    return data


def config_keys() -> dict[str, Any]:
    """What the values of keras.json must be, and the errors that a wrong one raises."""
    data: dict[str, Any] = _data()["config_keys"]
    return data
