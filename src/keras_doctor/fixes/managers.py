"""The programs that own an environment, conda and project managers, and what they would run.

Sources: the lock files of uv, Poetry, PDM, pixi and Pipenv, and what each documents as its
manifest; conda's records, one JSON file for each package in ``conda-meta``.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from keras_doctor.fixes.installer import find_uv
from keras_doctor.fixes.ways import distributions_of
from keras_doctor.model.plan import Command
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import parse_requirement
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import quoted
from keras_doctor.versions import compare_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keras_doctor.model import Distribution, Snapshot
    from keras_doctor.model.plan import DistributionChange, Step

CONDA, UV = "conda", "uv"
_CONDA_PROGRAMS = ("conda", "mamba", "micromamba")
"""All take the same command lines here; the first that is found is meant."""
_PYPROJECT = ("pyproject.toml",)
_LOCKS = {
    "uv.lock": ("uv", (UV, "add"), (UV, "remove"), _PYPROJECT),
    "poetry.lock": ("Poetry", ("poetry", "add"), ("poetry", "remove"), _PYPROJECT),
    "pdm.lock": ("PDM", ("pdm", "add"), ("pdm", "remove"), _PYPROJECT),
    "pixi.lock": (
        "pixi",
        ("pixi", "add", "--pypi"),
        ("pixi", "remove", "--pypi"),
        ("pixi.toml", *_PYPROJECT),
    ),
    "Pipfile.lock": ("Pipenv", ("pipenv", "install"), ("pipenv", "uninstall"), ("Pipfile",)),
}
_MAX_DEPTH = 8
_LARGEST_RECORD = 1 << 26


class ProjectManager(NamedTuple):
    """A project manager whose lock file decides what the environment holds."""

    name: str
    add: tuple[str, ...]
    """The command that puts a requirement into the manifest, without the requirement."""
    lock: str
    """Its lock file."""
    remove: tuple[str, ...] = ()
    """The command that takes a name out of the manifest, without the name."""
    manifests: tuple[str, ...] = ()
    """The files that it may keep the requirements in."""


class OwnersWork(NamedTuple):
    """What the owner of an environment does of a plan."""

    program: str
    """Its command, like ``conda``."""
    folder: str
    """Where its commands are started."""
    steps: tuple[Step, ...]
    """Its commands, in order."""
    rest: tuple[Step, ...]
    """The steps of the plan that they do not do."""
    names: frozenset[str]
    """The distributions that they change, normalized."""


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
            if installers.get(name) == CONDA  # its package may have another name
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
        for name, (manager, add, remove, manifests) in _LOCKS.items():
            lock = os.path.join(folder, name)
            if os.path.isfile(lock) and _belongs(environment, folder, manager):
                paths = tuple(os.path.join(folder, each) for each in manifests)
                return ProjectManager(manager, add, lock, remove, paths)
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


def work_of_owner(
    snapshot: Snapshot,
    steps: Sequence[Step],
    moved: Sequence[DistributionChange],
    changes: Sequence[DistributionChange],
    *,
    wide: bool = False,
) -> OwnersWork | None:
    """A plan as the owner of the environment would carry it out; None: there is none.

    Args:
        snapshot: The facts of the environment.
        steps: What the plan would do by itself.
        moved: The distributions that get another release, come, or go.
        changes: All that change.
        wide: Whether conda may choose the releases, as far as the steps allow: its channels do
            not have all that PyPI has.
    """
    blank = next((step for step in steps if step.requirements), None)
    if blank is None:
        return None
    manager = project_manager(snapshot)
    if manager is not None and moved:
        return _work_of_manager(blank, manager, steps, moved)
    owned = owned_by_conda(snapshot, [normalize(change.name) for change in changes])
    if owned and snapshot.conda is not None:
        return _work_of_conda(blank, snapshot, steps, changes, frozenset(owned), wide=wide)
    return None


def _work_of_manager(
    blank: Step,
    manager: ProjectManager,
    steps: Sequence[Step],
    moved: Sequence[DistributionChange],
) -> OwnersWork:
    named = {name for step in steps for name in distributions_of(step)}
    specs = tuple(
        f"{one.name}=={one.after}"
        for one in moved
        # What comes along with another is the manager's to choose, and no line of the manifest.
        if one.after and (one.before or normalize(one.name) in named)
    )
    gone = tuple(one.name for one in moved if one.after is None)
    lines = [(*manager.remove, *gone)] if gone else []
    lines += [(*manager.add, *specs)] if specs else []
    paths = (*manager.manifests, manager.lock)
    names = frozenset(normalize(one.name) for one in moved)
    return OwnersWork(
        program=manager.add[0],
        folder=os.path.dirname(manager.lock),
        steps=tuple(_owned(blank, manager.name, argv, manager.lock, paths) for argv in lines),
        rest=tuple(_rest(steps, names)),
        names=names,
    )


def _work_of_conda(
    blank: Step,
    snapshot: Snapshot,
    steps: Sequence[Step],
    changes: Sequence[DistributionChange],
    owned: frozenset[str],
    *,
    wide: bool,
) -> OwnersWork:
    prefix = snapshot.conda.prefix if snapshot.conda else ""
    mine = [one for one in changes if normalize(one.name) in owned]
    called = {one.name: conda_name(snapshot, one.name) for one in mine}
    asked = _asked_for(steps, mine) if wide else {}
    gone = tuple(called[one.name] for one in mine if one.after is None)
    lines = [(CONDA, "remove", "--prefix", prefix, *gone)] if gone else []
    for again, option in ((False, ()), (True, ("--force-reinstall",))):
        specs = tuple(
            called[one.name] + asked.get(normalize(one.name), f"={one.after}")
            for one in mine
            if one.after and one.again is again
        )
        if specs:
            lines.append((CONDA, "install", "--prefix", prefix, *option, *specs))
    paths = (os.path.join(prefix, "conda-meta"),)
    return OwnersWork(
        program=CONDA,
        folder=prefix,
        steps=tuple(_owned(blank, CONDA, argv, prefix, paths) for argv in lines),
        rest=tuple(_rest(steps, owned)),
        names=owned,
    )


def _asked_for(steps: Sequence[Step], mine: Iterable[DistributionChange]) -> dict[str, str]:
    """What the releases must be, as conda writes it.

    That is what the steps say; where they say one release, any that lies on the same side of the
    present one and at least as far away.
    """
    found = [parse_requirement(one) for step in steps for one in step.requirements]
    said = {normalize(one.name): one.specifier.replace(" ", "") for one in found if one}
    for change in mine:
        name = normalize(change.name)
        exact = said.get(name, "==").startswith("==")
        if exact and change.before and change.after and not change.again:
            older = compare_key(change.after) < compare_key(change.before)
            said[name] = ("<=" if older else ">=") + change.after
    return said


def conda_name(snapshot: Snapshot, name: str) -> str:
    """What conda calls the package of a distribution: torch comes from ``pytorch``.

    Args:
        snapshot: Of a conda environment; its records are read where the names differ.
        name: The distribution.
    """
    conda = snapshot.conda
    distribution = next(
        (one for one in snapshot.distributions if normalize(one.name) == normalize(name)), None
    )
    if conda is None or distribution is None:
        return name
    known = {normalize(package.name): package.name for package in conda.packages}
    if normalize(name) in known:
        return known[normalize(name)]
    for package in conda.packages:
        record = f"{package.name}-{package.version}-{package.build}.json"
        if _lists(os.path.join(conda.prefix, "conda-meta", record), distribution):
            return package.name
    return name


def _lists(record: str, distribution: Distribution) -> bool:
    """Whether a package's record lists the metadata of a distribution among its files."""
    folder = os.path.basename(distribution.metadata)
    try:
        if os.path.getsize(record) > _LARGEST_RECORD:
            return False
        with open(record, encoding="utf-8") as file:
            return f"/{folder}/" in file.read()
    except (OSError, UnicodeDecodeError):
        return False


def _rest(steps: Sequence[Step], theirs: frozenset[str]) -> Iterator[Step]:
    """The steps that the owner's commands do not do."""
    for step in steps:
        names = distributions_of(step)
        if not names or names - theirs:
            yield step


def _owned(
    blank: Step, name: str, argv: tuple[str, ...], where: str, paths: tuple[str, ...]
) -> Step:
    return blank._replace(
        kind="run-command",
        risk="shown",
        summary=f"Let {name} do it: the environment is its own, by {where}.",
        name=name,
        requirements=(),
        paths=paths,
        commands=(Command(manager=name.lower(), argv=argv, text=quoted(argv)),),
    )


def find_program(name: str, snapshot: Snapshot, environ: Mapping[str, str]) -> str | None:
    """The program that a command of an owner starts, or None when it is not here.

    conda is looked for where its shell function says it is (``CONDA_EXE``, ``MAMBA_EXE``), on
    PATH, and beside the environment: an environment lies in the folder ``envs`` of its conda.
    """
    path = environ.get("PATH")
    if name == UV:
        return find_uv(environ)
    if name != CONDA:
        return shutil.which(name, path=path)
    prefix = snapshot.conda.prefix if snapshot.conda else ""
    places = [environ.get("CONDA_EXE"), environ.get("MAMBA_EXE")]
    places += [shutil.which(each, path=path) for each in _CONDA_PROGRAMS]
    for root in (prefix, os.path.dirname(os.path.dirname(prefix))):
        places += [os.path.join(root, folder, CONDA) for folder in ("condabin", "bin")]
    for place in places:
        if place and os.path.isfile(place) and os.access(place, os.X_OK):
            return place
    return None
