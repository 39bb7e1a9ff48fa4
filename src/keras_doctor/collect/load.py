"""Read a snapshot from a file's text, wherever it came from."""

from __future__ import annotations

import json

from keras_doctor.codec import CodecError, decode, encode
from keras_doctor.model import Snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

SCHEMA_VERSION = 1
"""Of the snapshots that this version writes; keys are only ever added within one."""
FRAME = "--keras-doctor-"
"""How the marker lines begin between which the collector prints its document."""
MAX_BYTES = 64 << 20
"""The largest snapshot that is read."""


class SnapshotError(ValueError):
    """A text is no snapshot that can be read; one sentence."""


def loads_snapshot(text: str | bytes) -> Snapshot:
    """The snapshot that a text holds.

    Control characters in it stay data: whoever renders them escapes them.

    Args:
        text: JSON, as :func:`dumps_snapshot` writes it; bytes are UTF-8, a byte order mark
            is allowed.

    Raises:
        SnapshotError: It is too large, not JSON, nested too deeply, written by a newer
            version of the tool, or not of a snapshot's shape.
    """
    if len(text) > MAX_BYTES:
        raise SnapshotError(f"the snapshot is larger than {MAX_BYTES >> 20} MiB")
    data = _parse(text)
    if not isinstance(data, dict) or "schema_version" not in data:
        raise SnapshotError("this is not a snapshot: it has no schema_version")
    version = data["schema_version"]
    if type(version) is not int or version < 1:
        raise SnapshotError("this is not a snapshot: its schema_version is no positive integer")
    if version > SCHEMA_VERSION:
        raise SnapshotError(
            f"the snapshot has schema version {version}, this keras-doctor reads up to "
            f"{SCHEMA_VERSION}: update keras-doctor"
        )
    try:
        return decode(Snapshot, data)
    except CodecError as error:
        raise SnapshotError(f"the snapshot is damaged: {error}") from None


def dumps_snapshot(snapshot: Snapshot) -> str:
    """The snapshot as JSON text in pure ASCII, so that undecodable bytes survive a journey."""
    return json.dumps(encode(snapshot), indent=1)


def _parse(text: str | bytes) -> Any:
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return json.loads(_unframed(text), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise SnapshotError("the snapshot is not UTF-8 text") from None
    except RecursionError:
        raise SnapshotError("the snapshot is nested too deeply") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SnapshotError(f"the snapshot is not JSON ({error.msg}, {place})") from None
    except ValueError as error:
        raise SnapshotError(f"the snapshot is not JSON ({error})") from None


def _unframed(text: str) -> str:
    """The document inside what the collector printed, when the text is its saved output."""
    start = text.find(FRAME)
    if start < 0 or text.lstrip("\ufeff \t\r\n").startswith("{"):
        return text.removeprefix("\ufeff")
    marker, _, rest = text[start:].partition("\n")
    return rest.partition(marker.rstrip())[0]


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
