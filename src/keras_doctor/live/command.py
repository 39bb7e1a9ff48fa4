"""Run the user's command once, as typed, and read from outside what became of it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal

from keras_doctor.errors.traceback import find_tracebacks, parse_crash, parse_traceback
from keras_doctor.live.home import PrivateHome
from keras_doctor.live.imports import translated
from keras_doctor.live.judge import Ending, own_frames, signal_name
from keras_doctor.live.process import Child, Ended
from keras_doctor.model.outcome import not_started
from keras_doctor.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keras_doctor.model import Frame, Outcome, Raised

_DUMP_SECONDS = 1.0
_MASKED_LINES = 3
_OUR_ABORT = "Fatal Python error: Aborted"
# Not every system has them all.
_FATAL = ("SIGILL", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGSEGV")
_FATAL_NUMBERS = {int(getattr(signal, name)) for name in _FATAL if hasattr(signal, name)}
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "fish"}

# Native parts of the Keras world, in the list of mapped files: TensorFlow, jaxlib, PyTorch,
# OpenVINO, and the module that Theano compiles for itself at its import.
_MAPPED = re.compile(
    r"/(?:tensorflow|jaxlib|torch|openvino)/[^\n]*\.so|/lazylinker_ext/|/optree/[^\n]*\.so"
)
_KERAS_FILE = re.compile(r"[/\\](?:keras|tf_keras|tensorflow|tensorflow_core)[/\\]")
_WORDS = re.compile(r"^Using \w+ backend\.?\s*$|^Epoch 1/\d+", re.MULTILINE)
# What may hide the exit status of a Python inside a line of the shell.
_MASKS = re.compile(r"[;|&\n]")


class Seen(NamedTuple):
    """What was seen of a command when its time was up."""

    mapped: bool
    """Native parts of the Keras world were loaded."""


def run_command(
    argv: Sequence[str],
    environ: Mapping[str, str],
    folder: str,
    *,
    shell: bool = False,
    timeout: float = 120.0,
    keep: bool = True,
) -> Outcome:
    """Runs a command once, with a private HOME and without writing bytecode.

    Args:
        argv: the command; for a shell one text, or words that are joined.
        environ: its variables.
        folder: its working folder.
        shell: whether bash (else sh) reads it.
        timeout: seconds. Reaching it is no failure when the Keras world had been imported.
        keep: whether what it leaves in HOME by a visible name is moved to the real one.

    Returns:
        What happened, read from the exit status and the output; see `judge_command`.
    """
    words = [argv] if isinstance(argv, str) else list(argv)
    what = " ".join(words) if shell else shlex.join(words)
    blank = not_started("command", what)
    try:
        with PrivateHome(environ, folder, own_program=True, keep=keep) as home:
            variables = dict(home.environ)
            # A crash leaves its frames, and what was printed stays in order.
            variables.setdefault("PYTHONFAULTHANDLER", "1")
            variables.setdefault("PYTHONUNBUFFERED", "1")
            command = _shell_words(words, environ) if shell else _found(words, environ, folder)
            child = Child(command, variables, folder, home.root)
            seen: list[Seen] = []
            ended = child.finish(timeout, lambda each: seen.append(_look_and_stop(each)))
            hides = shell or _is_shell(words)
            ending = judge_command(
                ended, hides=hides, line=what, mapped=bool(seen and seen[0].mapped)
            )
            output = ended.output
            if ended.code is None:
                output = output.partition(_OUR_ABORT)[0]  # our doing, not the program's
            outcome = blank._replace(
                **ending._asdict(), seconds=round(ended.seconds, 3), output=output
            )
            return translated(outcome, home)
    except OSError as error:
        return blank._replace(output=str(error))


def _shell_words(words: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    if os.name == "nt":
        return [environ.get("COMSPEC", "cmd.exe"), "/c", " ".join(words)]
    bash = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    return [bash, "-c", " ".join(words)]


def _found(words: list[str], environ: Mapping[str, str], folder: str) -> list[str]:
    """Looks the program up in the user's PATH, not in ours."""
    if not words:
        raise OSError("the command is empty")
    if os.path.dirname(words[0]):
        return [os.path.join(folder, words[0]), *words[1:]] if os.name == "nt" else words
    path = shutil.which(words[0], path=environ.get("PATH", os.defpath))
    if path is None:
        raise OSError(f"the command {words[0]} was not found in PATH")
    return [path, *words[1:]]


def _is_shell(words: Sequence[str]) -> bool:
    return bool(words) and os.path.basename(words[0]) in _SHELLS


def _look_and_stop(child: Child) -> Seen:
    """Notes what the group has loaded, then has every Python in it write its stack.

    SIGABRT is what faulthandler answers without having been prepared for more; the time is up
    anyway. Processes that are no Python just end.
    """
    group = child.group()
    mapped = any(_maps(pid) for pid in group)
    if os.name != "nt":
        for pid in reversed(group):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGABRT)
        child.wait_a_moment(_DUMP_SECONDS)
    return Seen(mapped=mapped)


def _maps(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as stream:
            return any(_MAPPED.search(line) for line in stream)
    except OSError:
        return False


def judge_command(ended: Ended, *, hides: bool, line: str, mapped: bool) -> Ending:
    """Decides how a command ended, from its exit status and its output.

    - Time limit: `stopped` when its main stack is past the imports (no importlib frame in it)
      and the Keras world was there; without a stack, when it was there; else `hung`.
    - Killed by a signal, or a shell's 128+n, or the shell's or faulthandler's word for it in a
      shell's output: `died`.
    - Exit status 0: `passed`. What was logged and survived is no failure. Only a shell can
      hide a Python's failure (``python x; echo done``): with an operator that does so in the
      line, a traceback that is followed by at most three lines more is taken as uncaught.
    - Any other status: `raised` when there is a traceback and Python's status for it (1) or
      the output ends with it; else `exited`, with the traceback that was printed, if any.

    Args:
        ended: the end of the process.
        hides: whether a shell stands between.
        line: the command.
        mapped: whether the Keras world's native parts were loaded at the time limit.
    """
    output = ended.output
    signal_told, frames = parse_crash(output)
    if ended.code is None:
        chain = parse_traceback(output)
        stopped = _past_imports(frames, output, mapped=mapped)
        return Ending("stopped" if stopped else "hung", None, None, chain, own_frames(frames))
    name = _signal_of(ended.code, signal_told, hides=hides)
    if name is not None:
        return Ending("died", ended.code, name, (), own_frames(frames))
    if ended.code == 0:
        chain = _hidden_failure(output) if hides and _MASKS.search(line) else ()
        return Ending("raised" if chain else "passed", 0, None, chain, ())
    found = [each for each in find_tracebacks(output) if not each.survived]
    chain = parse_traceback(output)
    at_end = bool(found) and found[-1].after <= _MASKED_LINES
    status = "raised" if chain and (ended.code == 1 or at_end) else "exited"
    return Ending(status, ended.code, None, chain, ())


def _signal_of(code: int, told: str | None, *, hides: bool) -> str | None:
    if code < 0:
        return signal_name(-code)
    if hides and code - 128 in _FATAL_NUMBERS:
        return signal_name(code - 128)
    # The word alone may be a program's own text; after status 0 of a bare program it is.
    return told if hides or (told is not None and code != 0) else None


def _hidden_failure(output: str) -> tuple[Raised, ...]:
    found = find_tracebacks(output)
    if found and not found[-1].survived and found[-1].after <= _MASKED_LINES:
        return found[-1].chain
    return ()


def _past_imports(frames: tuple[Frame, ...], output: str, *, mapped: bool) -> bool:
    if any("importlib" in each.file and "_find_and_load" in each.function for each in frames):
        return False
    known = mapped or bool(_WORDS.search(output))
    return known or any(_KERAS_FILE.search(each.file) for each in frames)
