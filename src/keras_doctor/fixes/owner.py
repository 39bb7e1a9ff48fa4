"""Who owns an environment, and so who may change it.

Sources: PEP 668 (``EXTERNALLY-MANAGED`` beside the standard library), conda's CEP 22 (the file
``conda-meta/frozen``), the lock files of uv, Poetry, PDM, pixi and Pipenv.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.ways import distributions_of
from keras_doctor.model.plan import Command
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keras_doctor.model import Snapshot
    from keras_doctor.model.plan import DistributionChange, Step

_LOCKS = {
    "uv.lock": ("uv", ("uv", "add"), ("uv", "remove")),
    "poetry.lock": ("Poetry", ("poetry", "add"), ("poetry", "remove")),
    "pdm.lock": ("PDM", ("pdm", "add"), ("pdm", "remove")),
    "pixi.lock": ("pixi", ("pixi", "add", "--pypi"), ("pixi", "remove", "--pypi")),
    "Pipfile.lock": ("Pipenv", ("pipenv", "install"), ("pipenv", "uninstall")),
}
_SYSTEM_PREFIXES = ("/usr",)
_SYSTEM_FOLDERS = ("/System", "/Library/Developer", "/Applications/Xcode.app")
"""On macOS: every Python below them."""
_MAX_DEPTH = 8


class ProjectManager(NamedTuple):
    """A project manager whose lock file decides what the environment holds."""

    name: str
    add: tuple[str, ...]
    """The command that puts a requirement into the manifest, without the requirement."""
    lock: str
    """Its lock file."""
    remove: tuple[str, ...] = ()
    """The command that takes a name out of the manifest, without the name."""


def refusal(snapshot: Snapshot) -> str | None:
    """Why an environment may not be changed in place; None when it may.

    Args:
        snapshot: Its facts.

    Returns:
        One clause, as in "this Python is changed by … only".
    """
    interpreter = snapshot.interpreter
    if interpreter is None:
        return "its interpreter does not start, so that nothing could be tried"
    prefix, environment = interpreter.prefix, snapshot.target.environment
    is_virtual = interpreter.prefix != interpreter.base_prefix
    marker = os.path.join(interpreter.stdlib, "EXTERNALLY-MANAGED")
    if not is_virtual and os.path.exists(marker):
        return f"it is not for installers to change, as {marker} says (PEP 668)"
    of_system = prefix in _SYSTEM_PREFIXES or any(is_inside(prefix, f) for f in _SYSTEM_FOLDERS)
    if not is_virtual and of_system:
        return f"it is the operating system's own Python, in {prefix}"
    frozen = os.path.join(environment or prefix, "conda-meta", "frozen")
    if os.path.exists(frozen):
        return f"it is frozen by {frozen}"
    folders = [entry.path for entry in snapshot.path if entry.origin == "site-packages"]
    for folder in folders[:1] or [prefix]:
        if is_inside(folder, environment or prefix) and not os.access(folder, os.W_OK):
            return f"you may not write to {folder}"
    return None


def owned_by_conda(snapshot: Snapshot, names: Iterable[str]) -> tuple[str, ...]:
    """Those of some distributions whose files conda has installed."""
    if snapshot.conda is None:
        return ()
    packages = {normalize(package.name) for package in snapshot.conda.packages}
    installers = {normalize(one.name): one.installer for one in snapshot.distributions}
    return tuple(
        sorted(
            name
            for name in names
            if installers.get(name) == "conda"  # its package may have another name
            or (name in packages and installers.get(name) is None)
        )
    )


def project_manager(snapshot: Snapshot) -> ProjectManager | None:
    """The project manager to whose project the environment belongs, or None.

    That is the case when a lock file lies above the working folder and the environment lies in
    that project, or is one of those that the manager keeps elsewhere.
    """
    environment = snapshot.target.environment
    if environment is None:
        return None
    for folder in _upwards(snapshot.target.folder):
        for name, (manager, add, remove) in _LOCKS.items():
            lock = os.path.join(folder, name)
            if os.path.isfile(lock) and _belongs(environment, folder, manager):
                return ProjectManager(name=manager, add=add, lock=lock, remove=remove)
    return None


def _belongs(environment: str, folder: str, manager: str) -> bool:
    if is_inside(os.path.realpath(environment), os.path.realpath(folder)):
        return True
    kept = {"Poetry": "pypoetry", "Pipenv": "virtualenvs", "PDM": "pdm"}
    return manager in kept and kept[manager] in environment.split(os.sep)


def _upwards(folder: str) -> Iterator[str]:
    for _ in range(_MAX_DEPTH):
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def steps_of_owner(
    snapshot: Snapshot,
    steps: Sequence[Step],
    moved: Sequence[DistributionChange],
    changes: Sequence[DistributionChange],
) -> tuple[Step, ...] | None:
    """The steps of a plan as the owner of the environment would do them; None: there is none.

    Args:
        snapshot: The facts of the environment.
        steps: What the plan would do by itself.
        moved: The distributions that get another release, come, or go.
        changes: All that change.
    """
    blank = next((step for step in steps if step.requirements), None)
    if blank is None:
        return None
    manager = project_manager(snapshot)
    if manager is not None and moved:
        specs = tuple(f"{one.name}=={one.after}" for one in moved if one.after)
        gone = tuple(one.name for one in moved if one.after is None)
        lines = [(*manager.remove, *gone)] if gone else []
        lines += [(*manager.add, *specs)] if specs else []
        theirs = {normalize(one.name) for one in moved}
        return (
            *(_owned(blank, manager.name, argv, manager.lock) for argv in lines),
            *_rest(steps, theirs),
        )
    owned = owned_by_conda(snapshot, [normalize(change.name) for change in changes])
    if owned and snapshot.conda is not None:
        prefix = snapshot.conda.prefix
        mine = [one for one in changes if normalize(one.name) in owned]
        gone = tuple(one.name for one in mine if one.after is None)
        lines = [("conda", "remove", "--prefix", prefix, *gone)] if gone else []
        for again, option in ((False, ()), (True, ("--force-reinstall",))):
            specs = tuple(f"{o.name}={o.after}" for o in mine if o.after and o.again is again)
            if specs:
                lines.append(("conda", "install", "--prefix", prefix, *option, *specs))
        return (
            *(_owned(blank, "conda", argv, prefix) for argv in lines),
            *_rest(steps, set(owned)),
        )
    return None


def _rest(steps: Sequence[Step], theirs: set[str]) -> Iterator[Step]:
    """The steps that the owner's commands do not do; they wait for these, and so for the user."""
    for step in steps:
        names = distributions_of(step)
        if not names or names - theirs:
            yield step._replace(risk="shown")


def _owned(blank: Step, name: str, argv: tuple[str, ...], where: str) -> Step:
    return blank._replace(
        kind="run-command",
        risk="shown",
        summary=f"Let {name} do it, to which this environment belongs ({where}).",
        name=name,
        requirements=(),
        commands=(Command(manager=name.lower(), argv=argv, text=quoted(argv)),),
    )


def users_of(prefix: str) -> tuple[str, ...]:
    """The running processes that have files of an environment loaded (Linux).

    Returns:
        Each as a clause like ``process 4711 (python -m ipykernel_launcher …)``; those of other
        users cannot be seen.
    """
    found = []
    needle = os.fsencode(os.path.join(os.path.realpath(prefix), ""))
    for pid in _processes():
        if pid == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/maps", "rb") as maps:
                uses = any(needle in line for line in maps)
            if uses:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    words = file.read(400).split(b"\0")
                found.append(_shown(pid, [os.fsdecode(word) for word in words if word]))
        except OSError:
            continue
    return tuple(found)


def _shown(pid: int, words: list[str]) -> str:
    line = " ".join(words)
    line = line if len(line) <= 80 else line[:79] + "…"
    if any("ipykernel" in word for word in words):
        return f"the Jupyter kernel {pid}: restart it"
    return f"process {pid} ({line}): start it again"


def _processes() -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    except OSError:
        return []
