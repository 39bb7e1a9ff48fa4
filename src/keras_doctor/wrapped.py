"""A command that was run under `keras-doctor run` and failed: whether and how that is explained."""

from __future__ import annotations

import os
import shlex

from keras_doctor.live.command import judge_command
from keras_doctor.live.process import Ended
from keras_doctor.model.outcome import not_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.model import Examination, Outcome
    from keras_doctor.relay import Relayed

_INTERRUPTED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGKILL", "SIGQUIT")


def concerns_us(ended: Relayed) -> bool:
    """Whether a failure is one of an import or a crash, by what is known of it.

    When stderr did not pass through our hands, only a run of the imports can tell.
    """
    import signal

    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        return name not in _INTERRUPTED
    if ended.stderr is None:
        return True
    return _is_told(_text(ended))


def _text(ended: Relayed) -> str:
    return (ended.stderr or b"").decode("utf-8", errors="replace")


def _is_told(text: str) -> bool:
    """An import error, an error raised inside an import statement, a crash, or a known message."""
    from keras_doctor.errors.given import given_outcomes

    for outcome in given_outcomes(text):
        if outcome.status == "died":
            return True
        for raised in outcome.chain:
            if raised.type in ("ImportError", "ModuleNotFoundError"):
                return True
            if any((f.text or "").startswith(("import ", "from ")) for f in raised.frames):
                return True
        if _is_known(outcome):
            return True
    return False


def _is_known(outcome: Outcome) -> bool:
    from keras_doctor.knowledge.signatures import signatures
    from keras_doctor.rules.message.match import said

    return any(said(signature, outcome) for signature in signatures())


def examine(
    command: tuple[str, ...],
    ended: Relayed,
    *,
    wish: str | None,
    live: bool,
    timeout: float,
    progress: Callable[[str], None],
) -> Examination | None:
    """Say why a command failed that was run already; it is not run again.

    Returns:
        None when the imports pass and the text tells of no other failure.
    """
    from keras_doctor import api
    from keras_doctor.targets import TargetError

    outcome = outcome_of(command, ended)
    try:
        found = api.after(
            command, outcome, wish=wish, live=live, timeout=timeout, progress=progress
        )
    except TargetError:
        if outcome is None:
            return None
        found = api.explain(_text(ended), wish=wish)
    known = [cause for cause in found.diagnosis.causes if cause.cause != "unknown"]
    if outcome is None and not known:
        return None
    return found if _is_about_keras(found, _text(ended)) else None


def _is_about_keras(found: Examination, text: str) -> bool:
    """Whether the program, or what it printed, has to do with the Keras world at all."""
    from keras_doctor.rules.message.world import is_of_the_world, mains

    script = found.snapshot.script
    imported = {each.module.partition(".")[0] for each in script.imports} if script else set()
    if any(map(is_of_the_world, imported)):
        return True
    return any(name in text for name in mains())


def outcome_of(command: tuple[str, ...], ended: Relayed) -> Outcome | None:
    """What became of the command, as a live run of it would have told."""
    if ended.stderr is None and ended.code >= 0:
        return None
    text = _text(ended)
    what = shlex.join(command) if os.name != "nt" else " ".join(command)
    read = Ended(code=ended.code, output=text, seconds=0.0)
    ending = judge_command(read, hides=False, line=what, mapped=False)
    return not_started("command", what)._replace(**ending._asdict(), output=text)
