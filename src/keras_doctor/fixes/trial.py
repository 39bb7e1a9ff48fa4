"""What is done in the world of a rehearsal, and what is seen there.

Every function here is called by its name in the process that lives in that world; see
:mod:`keras_doctor.fixes.rehearse.worker`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import tempfile
import threading
from typing import TYPE_CHECKING

from keras_doctor.diagnosis import diagnose
from keras_doctor.experiment import Experiment
from keras_doctor.fixes.edits import Edit, apply_edits
from keras_doctor.gather import elsewhere_of, facts_of
from keras_doctor.live.homefiles import remove_tree
from keras_doctor.model import Examination
from keras_doctor.records import NamedTuple
from keras_doctor.rules.context import Context, is_inside
from keras_doctor.targets import find_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keras_doctor.model import Diagnosis, Snapshot
    from keras_doctor.model.plan import Step


_INSTALLS = re.compile(
    r"(?:\A|[\s/\\])(?:pip[\d.]*|uv|conda|mamba|micromamba|poetry|pdm|pipenv|pixi|easy_install)(?:\.exe)?"
    r"\s(?:[^;&|]*\s)?(?:install|add|sync|update|create)\b"
)


class Asked(NamedTuple):
    """What the user asks for: which Python, how it is started, and what must work."""

    python: str | None
    kernel: str | None
    project: str | None
    command: tuple[str, ...]
    wish: str | None
    timeout: float
    environ: dict[str, str]
    folder: str
    in_place: bool = False
    """Whether the command stands for a program that is not run: what it uses is tried instead."""
    saves: bool = False
    """Whether saving a model and loading it is tried in any case."""


def is_install(command: Sequence[str]) -> bool:
    """Whether a command installs something: then it is not what must work after a repair."""
    return _INSTALLS.search(" ".join(command)) is not None


def examine(
    asked: Asked,
    *,
    run_command: bool,
    keep: bool,
    train: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Examination:
    """Look and try once: the command if asked, the imports, and one training step.

    Args:
        asked: The target and the wish.
        run_command: Whether the user's command is run.
        keep: Whether what it leaves in HOME stays.
        train: Whether one training step is tried after the imports.
        progress: Told before each slow step.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    return Look(asked, progress).run(command=run_command, keep=keep, train=train)


class Look:
    """One look at a target: first at its files, then by trying it.

    Args:
        asked: The target and the wish.
        progress: Told before each slow step.

    Attributes:
        read: What its files alone say; nothing was run.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """

    def __init__(self, asked: Asked, progress: Callable[[str], None] = lambda _: None) -> None:
        self._wish = asked.wish
        self._reading = threading.Lock()
        self._all: Snapshot | None = None
        self._found = found = find_target(
            python=asked.python,
            kernel=asked.kernel,
            project=asked.project,
            command=asked.command,
            environ=asked.environ,
            folder=asked.folder,
        )
        facts = facts_of(found, asked.wish, thorough=False)
        self._experiment = Experiment(
            found,
            facts,
            wish=asked.wish,
            timeout=asked.timeout,
            elsewhere=elsewhere_of(facts, found),
            look_closer=self._all_facts,
            in_place=asked.in_place,
            saves=asked.saves,
            progress=progress,
        )
        self.read = self._examination(diagnose(self._experiment.context()))

    def read_closer(self) -> Examination:
        """What the files say when all of them are read, as is done of what was seen to fail.

        It may be called beside :meth:`run`, from another thread.
        """
        snapshot = self._all_facts()
        context = Context(snapshot, wish=self._wish, elsewhere=self._experiment.elsewhere)
        return self.read._replace(snapshot=snapshot, diagnosis=diagnose(context))

    def run(self, *, command: bool, keep: bool, train: bool = True) -> Examination:
        """Try it, see :func:`examine`."""
        return self._examination(self._experiment.try_once(command=command, keep=keep, train=train))

    def _all_facts(self) -> Snapshot:
        with self._reading:
            if self._all is None:
                self._all = facts_of(self._found, self._wish, thorough=True)
            return self._all

    def _examination(self, diagnosis: Diagnosis) -> Examination:
        return Examination(
            snapshot=self._experiment.snapshot,
            wish=self._wish,
            outcomes=tuple(self._experiment.outcomes),
            diagnosis=diagnosis,
        )


def perform(steps: Sequence[Step], roots: Sequence[str] = ()) -> None:
    """Do the steps that change files by themselves; others are passed over.

    Args:
        steps: In order.
        roots: The environment's folders: what lies below one by its name must not lie elsewhere
            in truth, behind a link.

    Raises:
        OSError: A file could not be changed.
        ValueError: A line that is to be edited is not as it was.
    """
    edits: dict[str, list[Edit]] = {}
    for step in steps:
        for path in (*step.paths, *((step.path,) if step.kind == "drop-line" else ())):
            _refuse_way_out(path or "", roots)
        if step.kind == "edit-code" and step.path:
            edits.setdefault(step.path, []).append(edit_of(step))
        else:
            _do(step)
    for path, changes in edits.items():
        text = apply_edits(read_source(path) or "", changes)
        write_text(path, text, encoding=_encoding(path))


def _do(step: Step) -> None:
    if step.kind == "delete":
        for path in step.paths:
            _delete(path)
    elif step.kind == "chmod":
        for path in step.paths:
            _chmod(path, step.value or "")
    elif step.kind == "write-file" and step.path:
        write_text(step.path, step.value or "")
    elif step.kind == "drop-line" and step.path:
        _drop_line(step.path, step.line or 0, step.old or "")
    elif step.kind == "rename-file" and step.path and step.to:
        if os.path.lexists(step.to):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), step.to)
        os.makedirs(os.path.dirname(step.to), exist_ok=True)
        # An overlay cannot rename a folder of the lower layer: then it is copied.
        shutil.move(step.path, step.to)


def _drop_line(path: str, number: int, old: str) -> None:
    """Take a line out of a file; it may have moved up, when another one went before."""
    lines = (read_source(path) or "").splitlines(keepends=True)
    for index in range(min(number, len(lines)) - 1, -1, -1):
        if lines[index].rstrip("\r\n") == old:
            write_text(path, "".join(lines[:index] + lines[index + 1 :]), encoding=_encoding(path))
            return
    raise ValueError(f"{path} has no line {old!r} any more")


def _refuse_way_out(path: str, roots: Sequence[str]) -> None:
    for root in roots:
        real = os.path.realpath(os.path.dirname(path))
        if is_inside(path, root) and not is_inside(real, os.path.realpath(root)):
            raise PermissionError(errno.EPERM, "it lies behind a link that leads elsewhere", path)


def edit_of(step: Step) -> Edit:
    """The edit of a step of kind ``edit-code``."""
    return Edit(
        path=step.path or "",
        line=step.line or 0,
        old=step.old or "",
        new=step.new or "",
        reason=step.summary,
    )


def read_source(path: str) -> str | None:
    """The text of a program with its own line ends, or None when it cannot be read as one.

    A byte order mark stays in it.
    """
    try:
        with open(path, encoding=_encoding(path), newline="") as text:
            return text.read()
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError):
        return None


def _encoding(path: str) -> str:
    """How a program is encoded, by its own first lines."""
    import tokenize

    with open(path, "rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    return "utf-8" if encoding == "utf-8-sig" else encoding


def write_text(path: str, text: str, *, encoding: str = "utf-8") -> None:
    """Replace a file as a whole, keeping its mode; its folder is made if need be.

    Raises:
        OSError: It cannot be written.
        ValueError: The encoding does not have all of its characters.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mode = None
    descriptor, beside = tempfile.mkstemp(prefix=".keras-doctor-", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding=encoding, newline="") as file:
            file.write(text)
        os.chmod(beside, 0o644 if mode is None else mode | 0o600)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise


def _delete(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(path)
        if os.path.lexists(path):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)
    elif os.path.lexists(path):
        os.unlink(path)


def _chmod(path: str, mode: str) -> None:
    """As chmod does for a number, or for ``u+rX`` in a whole tree, where it is needed at all."""
    if mode.isdigit():
        os.chmod(path, int(mode, 8))
        return
    _make_readable(path)
    if os.path.isdir(path) and not os.path.islink(path):
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                _make_readable(os.path.join(folder, name))


def _make_readable(path: str) -> None:
    info = os.lstat(path)
    if stat.S_ISLNK(info.st_mode):
        return
    wanted = readable_mode(info.st_mode)
    if wanted != info.st_mode:
        os.chmod(path, stat.S_IMODE(wanted))


def readable_mode(mode: int) -> int:
    """A mode with what ``u+rX`` of chmod adds to it."""
    wanted = mode | stat.S_IRUSR
    if stat.S_ISDIR(mode) or mode & 0o111:
        wanted |= stat.S_IXUSR
    return wanted
