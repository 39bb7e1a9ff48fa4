"""Start the collector in a Python, and find its document in what comes back."""

from __future__ import annotations

import json
import os

from keras_doctor.codec import CodecError, decode, encode
from keras_doctor.collect.bundle import build_source
from keras_doctor.collect.compiled import OTHER_VERSION, hand_over
from keras_doctor.collect.errors import CollectError
from keras_doctor.collect.load import FRAME, SCHEMA_VERSION
from keras_doctor.model import Snapshot, Start, Target
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from keras_doctor.collect.process import Completed
    from keras_doctor.collect.request import Request

UNSUPPORTED = 94
"""The exit code by which the collector says that its Python is too old."""
MODES: dict[str, tuple[str, ...]] = {"normal": (), "isolated": ("-I",), "bare": ("-I", "-S")}
"""The ways to start the collector, tried in this order, with the options of each."""
_LAST_LINES = 15
READER = """\
import sys
system = sys.modules.get("posix") or sys.modules["nt"]
data = b""
part = b"."
while part:
    part = system.read(0, 1 << 20)
    data += part
exec(compile(data, "<collector>", "exec"), {"__name__": "__main__"})
"""
"""What a Python on this machine is started with instead of ``-``: reading its program by itself it
takes a third longer, because it decodes standard input line by line."""


class Attempt(NamedTuple):
    """One start of the collector."""

    snapshot: Snapshot | None
    unsupported: str | None
    """The version of a Python that is too old."""
    failure: str
    """The last lines that it printed, when there is no snapshot."""
    exit_code: int


def start_after(mode: str, failed: Attempt | None) -> Start:
    """The Start of an attempt: its mode, and how the normal one failed."""
    return Start(
        mode=mode,
        failure=failed.failure if failed else None,
        exit_code=failed.exit_code if failed else None,
    )


def build_payload(
    target: Target,
    request: Request,
    start: Start,
    outside: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The request as plain values, as the patient's part reads it.

    Args:
        target: Whose facts; python and an empty folder may be filled in by the patient.
        request: What to look at.
        start: How this start is made, with what failed before.
        outside: The interpreter to read from outside, for mode ``outside``.
        environ: What it is started with, when that is known here: the listed variables of it tell
            the patient's part what was set while Python started.
    """
    script_folder = os.path.dirname(target.script) if target.script else None
    options = "".join(option[1:] for option in request.options if option[:2] != "--")
    return {
        "marker": f"{FRAME}{os.urandom(12).hex()}--",
        "mode": start.mode,
        "path0": target.path0,
        "folder": target.folder,
        "script_folder": script_folder,
        "ignore_environment": "E" in options or "I" in options,
        "outside": outside,
        "roots": list(request.roots),
        "asked": list(request.asked),
        "backends": {name: list(imports) for name, imports in request.backends.items()},
        "default_backend": request.default_backend,
        "fixed_backend": [
            {"from": list(one.since), "before": list(one.before), "backend": one.backend}
            for one in request.fixed_backends
        ],
        "module_names": list(request.module_names),
        "variables": list(request.variables),
        "environ": None
        if environ is None
        else {name: environ[name] for name in request.variables if name in environ},
        "commands": list(request.commands),
        "watched": list(request.watched),
        "thorough": request.thorough,
        "idle": [
            {"keras": one.keras, "backend": one.backend, "names": list(one.distributions)}
            for one in request.idle
        ],
        "given": {
            "schema_version": SCHEMA_VERSION,
            "tool_version": _tool_version(),
            "target": encode(target),
            "start": encode(start),
            "script": None,
        },
    }


def attempt(
    payload: Mapping[str, Any],
    run: Callable[[Sequence[str], bytes, str], Completed],
    python: str | None = None,
) -> Attempt:
    """Start the collector once.

    Args:
        payload: From :func:`build_payload`.
        run: Starts an interpreter with the given last arguments and standard input; also gets
            the marker of its output.
        python: The interpreter, when it is on this machine: then byte code may do.

    Raises:
        CollectError: The document is damaged: then no other start would help.
        RuntimeError: The collector itself failed, which is a mistake in this program.
    """
    completed = None
    ready = hand_over(payload, python) if python else None
    if ready is not None:
        completed = run(ready.options, ready.data, payload["marker"])
    if completed is None or completed.exit_code == OTHER_VERSION:
        last = ("-c", READER) if python else ("-",)
        completed = run(last, build_source(payload).encode("ascii"), payload["marker"])
    text = find_document(completed.output, payload["marker"])
    if text is None:
        return _failed(completed)
    try:
        data = json.loads(text)
        if completed.exit_code == UNSUPPORTED and "unsupported" in data:
            version = str(data["unsupported"])
            return Attempt(snapshot=None, unsupported=version, failure="", exit_code=UNSUPPORTED)
        if "crashed" in data:
            raise RuntimeError(f"the collector failed: {data['crashed']}")
        if "\\ud" in text:
            data = _repair(data)
        snapshot = decode(Snapshot, data, where="collector")
    except (ValueError, RecursionError, CodecError) as error:
        raise CollectError(f"the collector's answer is damaged: {error}") from None
    return Attempt(snapshot=snapshot, unsupported=None, failure="", exit_code=completed.exit_code)


def find_document(output: bytes, marker: str) -> str | None:
    """The text between the two marker lines; what others printed lies around it."""
    parts = output.split(marker.encode("ascii"))
    return parts[1].decode("ascii", "replace").strip() if len(parts) >= 3 else None


def _failed(completed: Completed) -> Attempt:
    text = (completed.errors or completed.output[-4096:]).decode("utf-8", "replace")
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if completed.timed_out:
        lines.append("(stopped: it did not end within the time limit)")
    failure = "\n".join(lines[-_LAST_LINES:])
    return Attempt(snapshot=None, unsupported=None, failure=failure, exit_code=completed.exit_code)


def _repair(data: Any) -> Any:
    """Names that an ASCII patient could not decode, read again as UTF-8."""
    if isinstance(data, str):
        try:
            return data.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return data
    if isinstance(data, list):
        return [_repair(item) for item in data]
    if isinstance(data, dict):
        return {key: _repair(value) for key, value in data.items()}
    return data


def _tool_version() -> str:
    from keras_doctor import __version__

    return __version__
