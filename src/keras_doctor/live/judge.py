"""What a child's records, its end and its output say: pure, from data to an outcome's parts."""

from __future__ import annotations

import json
import signal as signals

from keras_doctor.errors.traceback import parse_crash, parse_traceback
from keras_doctor.model import Frame, ImportEdge, Raised
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_RECORDS = 20000
MAX_EDGES = 2000


class Ending(NamedTuple):
    """The status of a run, and what belongs to it."""

    status: str
    exit_code: int | None
    signal: str | None
    chain: tuple[Raised, ...]
    crash_frames: tuple[Frame, ...]


def read_records(data: bytes) -> list[dict[str, Any]]:
    """Reads framed records; what a dying child left half-written is dropped.

    Args:
        data: lines with a length, each followed by a JSON document of that length.

    Returns:
        The records, in order, up to the first that is not whole.
    """
    records: list[dict[str, Any]] = []
    position = 0
    while len(records) < MAX_RECORDS:
        end = data.find(b"\n", position, position + 20)
        if end < 0 or not data[position:end].isdigit():
            break
        stop = end + 1 + int(data[position:end])
        try:
            record = json.loads(data[end + 1 : stop])
        except (ValueError, RecursionError):
            break
        if not isinstance(record, dict):
            break
        records.append(record)
        position = stop + 1
    return records


def first(records: list[dict[str, Any]], kind: str) -> dict[str, Any] | None:
    """Returns the first record of a kind."""
    return next((each for each in records if each.get("record") == kind), None)


def signal_name(number: int) -> str:
    """Returns ``SIGSEGV`` for 11."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def chain_of(entries: list[dict[str, Any]]) -> tuple[Raised, ...]:
    """Makes the chain of exceptions of a record's plain data."""
    return tuple(
        Raised(
            type=each["type"],
            message=each["message"],
            frames=tuple(
                Frame(file=file, line=line, function=function, text=text)
                for file, line, function, text in each["frames"]
            ),
            link=each["link"],
            name=each["name"],
            path=each["path"],
        )
        for each in entries
    )


def edges_of(records: list[dict[str, Any]]) -> tuple[ImportEdge, ...]:
    """Makes the list of who imported what, in the order of the imports."""
    files: dict[str, str] = {}
    for each in records:
        files.update(each.get("files") or {})
    edges = [each for each in records if each.get("record") == "edge"][:MAX_EDGES]
    return tuple(
        ImportEdge(module=each["module"], file=files.get(each["module"]), importer=each["importer"])
        for each in edges
    )


def own_frames(frames: tuple[Frame, ...], program: str | None = None) -> tuple[Frame, ...]:
    """Returns the frames of the patient's code: without the import system's and the child's."""
    last = max((i for i, each in enumerate(frames) if each.file == program), default=-1)
    rest = frames[last + 1 :]
    return tuple(each for each in rest if not each.file.startswith("<frozen importlib"))


def judge_imports(
    records: list[dict[str, Any]], code: int | None, crash_report: str, output: str, program: str
) -> Ending:
    """Decides how a run of statements ended.

    What the child reported counts before how it ended: after a reported exception or a
    reported success its end says nothing any more.

    Args:
        records: what the child reported.
        code: its exit status, None when the time limit ended it.
        crash_report: what faulthandler wrote.
        output: what was printed.
        program: the child's own file, whose frames are of no interest.
    """
    raised = first(records, "raised")
    if raised is not None:
        status = "exited" if raised["exits"] else "raised"
        exit_code = raised["code"] if raised["exits"] else 1
        return Ending(status, exit_code, None, chain_of(raised["chain"]), ())
    if first(records, "done") is not None:
        return Ending("passed", 0, None, (), ())
    frames = parse_crash(crash_report)[1]
    if code is None:
        return Ending("hung", None, None, (), own_frames(frames, program))
    if code < 0:
        if not frames:  # somebody sent faulthandler elsewhere
            frames = parse_crash(output)[1]
        return Ending("died", code, signal_name(-code), (), own_frames(frames, program))
    if first(records, "start") is None:
        # Python itself, sitecustomize or a .pth file ended it before our first line.
        return Ending("not-started", code, None, parse_traceback(output), ())
    return Ending("exited", code, None, (), ())
