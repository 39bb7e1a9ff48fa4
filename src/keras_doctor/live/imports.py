"""Run import statements, and perhaps one training step, in the patient."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, TypeVar

from keras_doctor.live.bundle import COMMAND, program_text
from keras_doctor.live.home import PrivateHome
from keras_doctor.live.judge import (
    Ending,
    edges_of,
    first,
    judge_imports,
    read_records,
)
from keras_doctor.live.probe import DEFAULT, Statement
from keras_doctor.live.process import Child, Ended, end_marked
from keras_doctor.model.outcome import not_started

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras_doctor.model import Change, Outcome, Target

MAX_RESULTS = 64 << 20
MAX_WHAT = 2000
_DUMP_SECONDS = 1.0

_T = TypeVar("_T")


def run_imports(
    target: Target,
    environ: Mapping[str, str],
    statements: Sequence[Statement] = DEFAULT,
    *,
    options: Sequence[str] = (),
    train: bool = False,
    save: bool = False,
    changes: Sequence[Change] = (),
    wish: str | None = None,
    timeout: float = 120.0,
) -> Outcome:
    """Runs statements in order, in one child of the target's interpreter.

    It stops at the first that fails. After success Keras is asked for its backend.

    Args:
        target: the Python, the working folder, and what sys.path begins with.
        environ: the variables that the user would start it with.
        statements: what to run; with no import among them, ``import keras`` at their end.
        options: options of the interpreter, like ``-O``.
        train: also train one tiny step; on a backend for inference, build and predict.
        save: also save the model of that step, load it and compare.
        changes: what to do differently: a counterfactual run.
        wish: the backend that the user wants. With another one in use no step is trained: that
            would answer another question. The outcome's kind tells whether one was.
        timeout: seconds.

    Returns:
        What happened; never an exception of the patient's making. A target without an
        interpreter, or one that cannot be started, is `not-started`.
    """
    statements = tuple(statements)
    if all(each.setting is not None for each in statements):
        statements += DEFAULT
    what = "; ".join(each.text for each in statements)[:MAX_WHAT]
    blank = not_started("imports", what + ("; one training step" if train else ""), tuple(changes))
    if target.python is None:
        return blank._replace(output="no interpreter is known")
    applied = _with_variables(environ, changes)
    try:
        settings = [each.setting for each in statements if each.setting is not None]
        homes = [value for variable, value, _default in settings if variable == "KERAS_HOME"]
        with PrivateHome(applied, target.folder, changes=changes, keras_homes=homes) as home:
            spec = _specification(target, home, statements, changes, timeout)
            spec.update(train=train, wish=wish, save=home.root if save else None)
            argv = [target.python, "-B", *options, "-c", COMMAND, spec["program"]]
            ended = _run(argv, home, target.folder, spec, timeout)
            outcome = _outcome(blank, spec, ended, statements)
            return translated(outcome, home)
    except (OSError, ValueError) as error:
        return blank._replace(output=str(error))


def _with_variables(environ: Mapping[str, str], changes: Sequence[Change]) -> dict[str, str]:
    """Returns the variables of a counterfactual run."""
    result = dict(environ)
    for change in changes:
        name = change.name
        if name.startswith("script:"):
            continue
        if change.kind == "set-variable" and change.value is not None:
            result[name] = change.value
        elif change.kind in ("unset-variable", "set-variable"):
            result.pop(name, None)
        elif change.kind == "drop-path-entry" and "PYTHONPATH" in result:
            entries = result["PYTHONPATH"].split(os.pathsep)
            kept = [each for each in entries if not _same(each, name)]
            if kept:
                result["PYTHONPATH"] = os.pathsep.join(kept)
            else:
                del result["PYTHONPATH"]
    return result


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one or os.curdir) == os.path.realpath(other or os.curdir)


def _specification(
    target: Target,
    home: PrivateHome,
    statements: Sequence[Statement],
    changes: Sequence[Change],
    timeout: float,
) -> dict[str, Any]:
    """What the child is told; `patient/start.py` reads it."""
    rows: list[tuple[str, int, str | None, object]] = []
    for each in statements:
        setting = _changed_setting(each, changes)
        if setting is not None:
            variable, value, default_only = setting
            led = variable, home.redirect(variable, value), default_only
            rows.append((each.text, each.line, each.path, led))
        elif each.setting is None:
            rows.append((each.text, each.line, each.path, "use" if each.use else None))
    return {
        "program": os.path.join(home.root, "keras-doctor-child.py"),
        "results": os.path.join(home.root, "results"),
        "crash": os.path.join(home.root, "crash"),
        "path0": target.path0,
        "script": target.script,
        "statements": rows,
        "drop": [each.name for each in changes if each.kind == "drop-path-entry"],
        "hide": [each.name for each in changes if each.kind == "hide-module"],
        "limit": timeout,
    }


def _changed_setting(
    statement: Statement, changes: Sequence[Change]
) -> tuple[str, str, bool] | None:
    """A setting of the script as a counterfactual run has it; None: the line is left out.

    A change of the variable itself is meant to be seen by Keras, so the script's lines about
    it are left out; a change of ``script:NAME`` gives that line another value.
    """
    if statement.setting is None:
        return None
    variable, value, default_only = statement.setting
    for change in changes:
        if change.kind not in ("set-variable", "unset-variable"):
            continue
        if change.name == variable:
            return None
        if change.name == "script:" + variable:
            if change.kind == "unset-variable" or change.value is None:
                return None
            value = change.value
    return variable, value, default_only


def _run(
    argv: Sequence[str], home: PrivateHome, folder: str, spec: dict[str, Any], timeout: float
) -> Ended:
    with open(spec["program"], "x", encoding="utf-8") as stream:
        stream.write(program_text(spec))
    child = Child(argv, home.environ, folder, home.root)
    try:
        return child.finish(timeout, lambda each: _ask_for_stacks(each, spec["crash"]))
    finally:
        end_marked(home.root)


def _ask_for_stacks(child: Child, report: str) -> None:
    """Lets faulthandler write where the child is; on Windows it does so by itself."""
    if os.name == "nt" or not os.path.exists(report):
        return
    child.send_signal(signal.SIGUSR1)
    for _ in range(20):
        if child.wait_a_moment(_DUMP_SECONDS / 20) or os.path.getsize(report):
            break
    child.wait_a_moment(_DUMP_SECONDS / 20)  # the rest of the report


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read(MAX_RESULTS)
    except OSError:
        return b""


def _outcome(
    blank: Outcome,
    spec: dict[str, Any],
    ended: Ended,
    statements: Sequence[Statement],
) -> Outcome:
    records = read_records(_read(spec["results"]))
    report = _read(spec["crash"]).decode("utf-8", "replace")
    try:
        ending = judge_imports(records, ended.code, report, ended.output, spec["program"])
        imports = edges_of(records)
    except (KeyError, TypeError, ValueError, AttributeError):
        # Something in the patient wrote into our file: only the end itself is known.
        records, imports = [], ()
        ending = judge_imports(records, ended.code, report, ended.output, spec["program"])
    text, line = _failed(records, ending, spec["statements"])
    keras = first(records, "keras") or {}
    trained = first(records, "trained") or {}
    training = first(records, "training") is not None
    output = ended.output
    if trained.get("remark"):
        output += f"\nkeras-doctor: {trained['remark']}\n"
    return blank._replace(
        kind="train" if training else "imports",
        what=blank.what if training else "; ".join(each.text for each in statements)[:MAX_WHAT],
        **ending._asdict(),
        failed_statement=text,
        failed_line=line,
        backend=keras.get("backend"),
        keras_version=keras.get("version"),
        keras_file=keras.get("file"),
        device=trained.get("device"),
        imports=imports,
        seconds=round(ended.seconds, 3),
        output=output,
    )


def _failed(
    records: list[dict[str, Any]], ending: Ending, rows: list[tuple[str, int, str | None, Any]]
) -> tuple[str | None, int | None]:
    """The statement that was being run when it ended, and its line in the user's file."""
    if ending.status == "passed":
        return None, None
    raised = first(records, "raised")
    if raised is not None and raised["phase"] != "statement":
        return (raised["what"] if raised["phase"] == "look" else None), None
    if first(records, "keras") is not None:
        return None, None  # the imports passed; it ended in the training step
    begun = [each["number"] for each in records if each.get("record") == "begin"]
    if not begun:
        return None, None
    text, line, path, _setting = rows[begun[-1]]
    return text, line if path is not None else None


def translated(value: _T, home: PrivateHome) -> _T:
    """Returns a value with private paths in all its strings as the user knows them."""
    result: Any = value
    if isinstance(value, str):
        result = home.translate(value)
    elif isinstance(value, tuple):
        items = [translated(item, home) for item in value]
        # A NamedTuple is made through its own constructor, a plain tuple by itself.
        make = getattr(type(value), "_make", tuple)
        result = make(items)
    return result  # type: ignore[no-any-return]
