"""A command that failed under `keras-doctor run`: whether and how that is explained."""

from __future__ import annotations

import os
import re
import shlex

from keras_doctor.live.command import judge_command
from keras_doctor.live.process import Ended
from keras_doctor.model.outcome import not_started

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.model import Examination, Outcome
    from keras_doctor.relay import Relayed

# What installers say when they give up.
_INSTALL = re.compile(
    r"No matching distribution found|ould not find a version that satisfies|Failed building wheel"
    r"|No solution found when resolving|ResolutionImpossible|PackagesNotFoundError"
    r"|Could not install packages due to"
)
_SUSPECT = ("KD402", "KD403", "KD405", "KD407", "KD506")
_INTERRUPTED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGKILL", "SIGQUIT")


def concern(command: tuple[str, ...], ended: Relayed) -> str | None:
    """Whose business a failure is, by what is known of it.

    Returns:
        ``import``: it failed in an import or crashed, or nobody saw how it failed; then the
        imports are run again. ``keras``: it failed later, inside Keras or a backend; then it is
        judged by what was read. None: not ours.
    """
    import signal

    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        return None if name in _INTERRUPTED else "import"
    if _tests_failed(command, ended.code):
        return None
    if not _was_seen(command, ended):
        return "import"
    return _told(_text(ended))


def _tests_failed(command: tuple[str, ...], code: int) -> bool:
    """Whether pytest ran the tests and some failed: that it could not collect is another status.

    Source: pytest's ExitCode: TESTS_FAILED is 1, INTERRUPTED (errors in collection) 2.
    """
    words = {os.path.basename(word) for word in command[:3]}
    return code == 1 and bool(words & {"pytest", "py.test"})


def _was_seen(command: tuple[str, ...], ended: Relayed) -> bool:
    """Whether stderr is where the failure was told.

    A runner of the user's code (pytest, a module of ``-m``) may tell it on stdout, which does not
    pass through here; a program that Python runs itself does not.
    """
    from keras_doctor.errors.given import given_outcomes

    if ended.stderr is None:
        return False
    runs_a_script = len(command) > 1 and command[1].endswith((".py", ".pyw"))
    if runs_a_script or "-c" in command[1:2]:
        return True
    return any(outcome.chain or outcome.signal for outcome in given_outcomes(_text(ended)))


def _text(ended: Relayed) -> str:
    return (ended.stderr or b"").decode("utf-8", errors="replace")


def _told(text: str) -> str | None:
    from keras_doctor.errors.given import given_outcomes
    from keras_doctor.rules.message.asked import place_of
    from keras_doctor.rules.message.world import is_of_the_world

    ours = "keras" if _INSTALL.search(text) else None
    for outcome in given_outcomes(text):
        if outcome.status == "died":
            return "import"
        for raised in outcome.chain:
            if raised.type in ("ImportError", "ModuleNotFoundError"):
                return "import"
            if any((f.text or "").startswith(("import ", "from ")) for f in raised.frames):
                return "import"
            if any(is_of_the_world(place_of(f.file).top or "") for f in raised.frames):
                ours = "keras"
    return ours


def examine(
    command: tuple[str, ...],
    ended: Relayed,
    concern: str,
    *,
    wish: str | None,
    live: bool,
    timeout: float,
    progress: Callable[[str], None],
) -> Examination | None:
    """Say why a command failed that was run already; it is not run again.

    Returns:
        None when nothing is known that would explain it, and its imports are not the matter.
    """
    from keras_doctor import api
    from keras_doctor.targets import TargetError

    outcome = outcome_of(command, ended)
    try:
        found = api.after(
            command,
            outcome,
            wish=wish,
            live=live and concern == "import",
            timeout=timeout,
            progress=progress,
        )
    except TargetError:
        if outcome is None:
            return None
        found = api.explain(_text(ended), wish=wish)
    if outcome is None:
        found = _by_its_request(found, command)
        found = _by_its_code(found, command, ended.code)
    known = [cause for cause in found.diagnosis.causes if cause.cause != "unknown"]
    if not known and (outcome is None or concern != "import"):
        return None
    return found if _is_about_keras(found, f"{_text(ended)} {_line(command)}") else None


def _by_its_request(found: Examination, command: tuple[str, ...]) -> Examination:
    """Where an installer failed unseen: what it was asked for, and no release of it fits here."""
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.install.no_matching import unfit

    if "install" not in command:
        return found
    context = Context(found.snapshot)
    wanted = command[command.index("install") + 1 :]
    causes = tuple(cause for word in wanted for cause in unfit(context, word))
    if not causes:
        return found
    causes = tuple(cause._replace(confidence="certain") for cause in causes)
    return found._replace(diagnosis=found.diagnosis._replace(healthy=False, causes=causes))


def _by_its_code(found: Examination, command: tuple[str, ...], code: int) -> Examination:
    """Where nobody saw how the program failed, and its imports pass: what is suspect all the same.

    Its own lines, and versions that were seen to fail together, be it later than in the import.
    """
    diagnosis = found.diagnosis
    notes = diagnosis.notes
    suspects = tuple(n for n in notes if n.code.startswith("KD6") or n.weight != "risk")
    suspects = suspects or tuple(n for n in notes if n.code in _SUSPECT)
    if diagnosis.causes or not suspects:
        return found
    causes = tuple(each._replace(confidence="likely") for each in suspects)
    notes = tuple(note for note in notes if note not in suspects)
    unseen = not_started("command", _line(command))._replace(status="exited", exit_code=code)
    return found._replace(
        outcomes=(unseen, *found.outcomes),
        diagnosis=diagnosis._replace(healthy=False, causes=causes, notes=notes),
    )


def _is_about_keras(found: Examination, text: str) -> bool:
    """Whether the program, its command or what it printed has to do with the Keras world."""
    from keras_doctor.rules.message.world import is_of_the_world, mains

    script = found.snapshot.script
    imported = {each.module.partition(".")[0] for each in script.imports} if script else set()
    if any(map(is_of_the_world, imported)):
        return True
    return any(name in text for name in mains())


def _line(command: tuple[str, ...]) -> str:
    return shlex.join(command) if os.name != "nt" else " ".join(command)


def outcome_of(command: tuple[str, ...], ended: Relayed) -> Outcome | None:
    """What became of the command, as a live run of it would have told."""
    if ended.code >= 0 and not _was_seen(command, ended):
        return None
    text = _text(ended)
    what = _line(command)
    read = Ended(code=ended.code, output=text, seconds=0.0)
    ending = judge_command(read, hides=False, line=what, mapped=False)
    return not_started("command", what)._replace(**ending._asdict(), output=text)
