"""What a keras.json says, and what Keras makes of it."""

from __future__ import annotations

import json
import re

from keras_doctor.knowledge.selection import config_keys
from keras_doctor.records import NamedTuple
from keras_doctor.versions import within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from keras_doctor.model import ConfigFile

_KINDS = {
    "list": "a list",
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "NoneType": "null",
}
BYTE_ORDER_MARK = "\ufeff"


class ConfigContent(NamedTuple):
    """A keras.json, read as the Keras of a generation would."""

    backend: str | None
    """The backend that Keras takes from it; None when it takes none."""
    meant: str | None
    """The backend that the person who wrote it meant, as far as that can be told from a file
    that Keras cannot read."""
    malformed: str | None
    """Why it is no JSON that Keras reads, with the line; None when it is."""
    invalid: tuple[tuple[str, str, str], ...]
    """Values that end the import: (key, value found, values that are good)."""
    automatic: bool
    """Whether it is what Keras writes by itself: then it is no sign of anybody's wish."""


def read_config(config: ConfigFile, version: str) -> ConfigContent:
    """Read the text of a keras.json as Keras `version` reads it."""
    text = config.text or ""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return ConfigContent(
            backend=None,
            meant=_meant_backend(text),
            malformed=_reason(text, error),
            invalid=(),
            automatic=False,
        )
    if not isinstance(data, dict):
        return ConfigContent(
            backend=None,
            meant=None,
            malformed=None,
            invalid=(("the whole file", _KINDS[type(data).__name__], "an object in { }"),),
            automatic=False,
        )
    backend = data.get("backend")
    named = "backend" in data
    return ConfigContent(
        backend=(backend if isinstance(backend, str) else str(backend)) if named else None,
        meant=backend if isinstance(backend, str) else None,
        malformed=None,
        invalid=tuple(_invalid_values(data, version)),
        automatic=_is_automatic(data),
    )


def _reason(text: str, error: Exception) -> str:
    if text.startswith(BYTE_ORDER_MARK):
        return "it starts with a byte order mark, which JSON does not allow"
    if not text.strip():
        return "it is empty"
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: {error.msg}"
    return "it is nested too deeply"


def _meant_backend(text: str) -> str | None:
    match = re.search(r"""["']?backend["']?\s*[:=]\s*["']?([A-Za-z_][\w.]*)""", text)
    return match[1] if match else None


def _invalid_values(data: dict[str, Any], version: str) -> list[tuple[str, str, str]]:
    keys = config_keys()
    found = []
    if "epsilon" in data and not isinstance(data["epsilon"], float):
        found.append(("epsilon", json.dumps(data["epsilon"]), keys["epsilon"]))
    for key in ("floatx", "image_data_format", "image_dim_ordering"):
        known = within(version, keys.get(key + "_since"), keys.get(key + "_before"))
        since = keys.get(key + "_value_since", {})
        good = [value for value in keys[key] if within(version, since.get(value), None)]
        if known and key in data and data[key] not in good:
            found.append((key, json.dumps(data[key]), " or ".join(good)))
    return found


def _is_automatic(data: dict[str, Any]) -> bool:
    """Every release writes exactly these keys, with the default backend of its generation."""
    written = {
        "floatx": ("float32",),
        "epsilon": (1e-07, 1e-08),
        "backend": ("tensorflow", "theano"),
        "image_data_format": ("channels_last",),
        "image_dim_ordering": ("th", "tf"),
    }
    return all(key in written and value in written[key] for key, value in data.items())
