"""Where the CPU time of `check --no-live` goes, part by part.

A worker process runs the command twice: what the second run no longer costs are imports and the
reading of the knowledge. In the second run the steps of keras_doctor.api are timed. The
collector's own parts are timed inside the patient, by wrapping functions of the very source text
that the tool sends there.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_doctor import api, collect
from keras_doctor.__main__ import main as keras_doctor
from keras_doctor.collect import process
from keras_doctor.report import text as text_report

# The first run, in a process that has imported nothing else yet.
FIRST = """
import sys, time
start = time.process_time()
from keras_doctor.__main__ import main
out, sys.stdout = sys.stdout, open("/dev/null", "w")
main(["check", "--no-live", "--python", sys.argv[1]])
first = time.process_time() - start
sys.stdout = out
sys.path.insert(0, sys.argv[2])
import json, parts
print(json.dumps(parts.worker(sys.argv[1], first)))
"""
BEGIN = "import time as _time\n_STARTED = _time.process_time()\n"
# Goes before the last line of the collector, which runs it; {namespace} holds its functions.
WRAP = """
import os as _os
_LOADED = _time.process_time()
_SPENT = {{}}
def _timed(name):
    function = {namespace}[name]
    def call(*arguments):
        start = _time.process_time()
        try:
            return function(*arguments)
        finally:
            _SPENT[name] = _SPENT.get(name, 0) + _time.process_time() - start
    {namespace}[name] = call
_timed("scan_distributions")
_timed("check_files")
_exit = _os._exit
def _report(status):
    _SPENT.update(started=_STARTED, loaded=_LOADED, ended=_time.process_time())
    _os.write(2, repr(_SPENT).replace("'", '"').encode())
    _exit(status)
_os._exit = _report  # the collector ends with it
"""
# As text all functions are globals; as byte code the last module runs, and holds them.
LAST_LINES = (
    ("module.run(REQUEST, START)", "module.__dict__"),
    ("run(REQUEST, START)", "globals()"),
)


class Start(NamedTuple):
    """How the tool started the collector."""

    argv: list[str]
    data: bytes
    environ: dict[str, str]
    folder: str | None


def budget(python: Path, variables: Mapping[str, str], rounds: int) -> list[tuple[str, float]]:
    """The parts and their CPU seconds, medians over rounds.

    Args:
        python: The interpreter to examine.
        variables: The user's environment variables.
        rounds: How often.
    """
    measured = []
    for number in range(rounds + 1):
        done = subprocess.run(
            [sys.executable, "-c", FIRST, str(python), str(Path(__file__).parent)],
            env=dict(variables),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        if number:
            measured.append(json.loads(done.stdout))
    return [(part, statistics.median(one[part] for one in measured)) for part in measured[0]]


def worker(python: str, first: float) -> dict[str, float]:
    """Measures one round in this process.

    Args:
        python: The interpreter to examine.
        first: CPU seconds of the first run in this process, imports and all.

    Returns:
        The parts and their CPU seconds, in the order in which they happen.
    """
    bare = _bare(sys.executable)
    patient_bare = _bare(python)
    spent: dict[str, float] = {}
    sent: list[Start] = []
    _time_calls(api, "find_target", spent)
    _time_calls(api, "collect", spent)
    _time_calls(api, "diagnose", spent)
    _time_calls(text_report, "render_check", spent)
    _remember_start(sent)
    second = _own(lambda: _check(python))
    patient = _patient_parts(sent[-1])
    named = {name: spent.get(name, 0.0) for name in ("find_target", "diagnose", "render_check")}
    collecting = spent.get("collect", 0.0)
    return {
        "interpreter start, keras-doctor": bare,
        "imports and knowledge": first - second,
        "finding the target": named["find_target"],
        "interpreter start, patient": patient_bare,
        "the collector's code and imports": patient["code"] - patient_bare,
        "scan of the distributions": patient["scan"],
        "RECORD and the installed files": patient["record"],
        "the other facts, and writing them": patient["rest"],
        "sending, reading and checking the facts": collecting,
        "rules and diagnosis": named["diagnose"],
        "rendering": named["render_check"],
        "the rest: command line, output": second - collecting - sum(named.values()),
    }


def _check(python: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        keras_doctor(["check", "--no-live", "--python", python])


def _own(action: Callable[[], None]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def _bare(python: str) -> float:
    """CPU seconds of an interpreter that does nothing; the least of three."""
    least = float("inf")
    for _ in range(3):
        process = subprocess.Popen([python, "-c", "pass"], stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        least = min(least, usage.ru_utime + usage.ru_stime)
    return least


def _time_calls(module: Any, name: str, spent: dict[str, float]) -> None:
    function = getattr(module, name)

    def timed(*arguments: Any, **keywords: Any) -> Any:
        start = time.process_time()
        try:
            return function(*arguments, **keywords)
        finally:
            spent[name] = spent.get(name, 0.0) + time.process_time() - start

    setattr(module, name, timed)


def _remember_start(sent: list[Start]) -> None:
    run_program = process.run_program

    def remembered(
        argv: Sequence[str],
        data: bytes,
        environ: Mapping[str, str] | None,
        folder: str | None,
        *rest: Any,
    ) -> process.Completed:
        sent.append(Start(list(argv), data, dict(environ or {}), folder))
        return run_program(argv, data, environ, folder, *rest)

    # The name under which the collector's shell calls it.
    vars(collect)["run_program"] = remembered


def _patient_parts(start: Start) -> dict[str, float]:
    """Runs the collector once more as it was started, with its functions wrapped."""
    argv, data = list(start.argv), start.data
    if argv[-2] == "-c":
        argv[-1] = _instrumented(argv[-1])
    else:
        data = _instrumented(data.decode("ascii")).encode("ascii")
    done = subprocess.run(
        argv,
        input=data,
        env=start.environ,
        cwd=start.folder,
        capture_output=True,
        timeout=60,
        check=True,
    )
    spent = json.loads(done.stderr)
    own = spent["ended"] - spent["loaded"]
    return {
        "code": spent["loaded"],
        "scan": spent["scan_distributions"],
        "record": spent["check_files"],
        "rest": own - spent["scan_distributions"] - spent["check_files"],
    }


def _instrumented(program: str) -> str:
    for last, namespace in LAST_LINES:
        head, found, tail = program.rpartition(last)
        if found:
            return f"{BEGIN}{head}{WRAP.format(namespace=namespace)}{last}{tail}"
    raise RuntimeError("the collector does not end as this benchmark expects")
