"""One new environment from beginning to end: read, choose, make, try, write down."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.collect.load import loads_snapshot
from keras_doctor.create.accelerator import CPU, accelerator_of, read_driver
from keras_doctor.create.choose import TORCH
from keras_doctor.create.kernel import REQUIREMENT, check_kernel
from keras_doctor.create.like import wanted_like
from keras_doctor.create.make import How, check_folder, make
from keras_doctor.create.plan import plan_for, plan_locked, plan_of
from keras_doctor.create.torchbuild import small_torch
from keras_doctor.create.wanted import CreateError, UnresolvedError
from keras_doctor.fixes.installer import find_uv
from keras_doctor.gather import facts_of
from keras_doctor.knowledge.selection import backends
from keras_doctor.records import NamedTuple
from keras_doctor.targets import find_target
from keras_doctor.targets.named import interpreters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keras_doctor.create.wanted import Wanted
    from keras_doctor.model import Snapshot
    from keras_doctor.model.creation import Creation


_MOST_REFUSED = 12
"""So many newer releases of a backend may refuse a Keras by requirements that were not known."""


_MOST_TRIED = 3
"""So many series of a backend are tried when nobody has seen that they work."""


class Order(NamedTuple):
    """What is ordered."""

    folder: str
    """Where; not there yet, or empty."""
    wanted: Wanted
    program: str | None = None
    """A script, a notebook, or a folder of them: what they import decides the rest."""
    lock: str | None = None
    """A lock file that is made again, instead."""
    like: str | None = None
    """An environment, or a snapshot of one, whose packages it shall hold too."""
    accelerator: str = CPU
    """``cpu``, ``cuda12``, ``cuda13`` or ``auto``."""
    kernel: str | None = None
    """The name of a Jupyter kernel that it becomes."""
    manager: str | None = None
    """``uv``, ``venv``, ``virtualenv`` or ``conda``; None: uv if it is here, else venv."""
    dry_run: bool = False
    """Only say what would be made; nothing is fetched."""
    timeout: float = 120.0
    """Seconds for each run in it."""


def carry_out(
    order: Order, environ: Mapping[str, str], here: str, progress: Callable[[str], None]
) -> Creation:
    """Make what was ordered, or say what would be made.

    Args:
        order: What is wanted, and where.
        environ: The user's variables.
        here: The working folder, to which paths of the order are relative.
        progress: Told before each slow step.

    Raises:
        CreateError: There is no such set, or it did not train; nothing is left behind.
    """
    folder = os.path.join(here, order.folder)
    if not order.dry_run:
        check_folder(folder)
    if order.wanted.before is not None and find_uv(environ) is None:
        raise CreateError(
            "Only uv can leave out what was uploaded later, and it is not here.",
            hint="pip install uv",
        )
    pythons = interpreters(environ, here)
    kernel = check_kernel(order.kernel, environ) if order.kernel else None
    taken, remark = accelerator_of(order.accelerator, read_driver())
    wanted = order.wanted._replace(accelerator=taken)
    if taken == CPU:
        small = _small_torch(order, environ, pythons, progress)
        wanted = wanted._replace(small_torch=small)
    if order.kernel is not None:
        wanted = wanted._replace(others=(*wanted.others, REQUIREMENT))
    if order.like is not None:
        wanted = wanted_like(_snapshot(os.path.join(here, order.like), environ, here), wanted)
    program = order.program and os.path.join(here, order.program)
    lock = order.lock and os.path.join(here, order.lock)
    plan = _plan(wanted, lock, program, pythons, folder)
    plan = plan._replace(remarks=(*plan.remarks, *([remark] if remark else [])))
    if order.dry_run:
        return plan
    how = How(
        folder=folder,
        manager=order.manager,
        before=wanted.before,
        timeout=order.timeout,
        program=program,
        lock=lock,
        kernel=kernel,
    )
    first: CreateError | None = None
    for attempt in range(1, _MOST_REFUSED):
        try:
            return make(plan, how, environ, progress)
        except CreateError as error:
            first = first or error
            refused = isinstance(error, UnresolvedError)
            unseen = plan.evidence == "none" and attempt < _MOST_TRIED
            if lock is not None or program is not None or not (refused or unseen):
                raise
            wanted = wanted._replace(below=_release_of_backend(plan))
            try:
                plan = plan_of(wanted, pythons, folder)._replace(remarks=plan.remarks)
            except CreateError:  # nothing older is left: what went wrong first is the reason
                raise first from None
    return make(plan, how, environ, progress)


def _plan(
    wanted: Wanted,
    lock: str | None,
    program: str | None,
    pythons: Mapping[str, str],
    folder: str,
) -> Creation:
    if lock is not None:
        return plan_locked(lock, wanted, pythons, folder)
    if program is not None:
        return plan_for(program, wanted, pythons, folder)
    return plan_of(wanted, pythons, folder)


def _small_torch(
    order: Order,
    environ: Mapping[str, str],
    pythons: Mapping[str, str],
    progress: Callable[[str], None],
) -> tuple[tuple[str, str], ...]:
    """Builds of torch for the processor: of folders, else, where torch is wanted, of indexes."""
    small = small_torch(environ, pythons)
    if small or order.dry_run or order.wanted.backend != TORCH:
        return small
    from keras_doctor.create.torchindexes import small_torch_on_indexes

    progress("Looking for a build of torch for the processor alone")
    return small_torch_on_indexes(environ, pythons)


def carry_out_all(
    order: Order, environ: Mapping[str, str], here: str, progress: Callable[[str], None]
) -> tuple[tuple[Creation, ...], tuple[tuple[str, CreateError], ...]]:
    """One environment for each backend that the wished Keras runs on, in folders of their names.

    Args:
        order: Its folder is the one that holds them.
        environ: The user's variables.
        here: The working folder.
        progress: Told before each slow step.

    Returns:
        What was made, or would be; and for each other backend why not.
    """
    made, refused = [], []
    for backend in backends():
        one = order._replace(
            folder=os.path.join(order.folder, backend),
            wanted=order.wanted._replace(backend=backend),
            kernel=order.kernel and f"{order.kernel}-{backend}",
        )
        try:
            made.append(carry_out(one, environ, here, progress))
        except CreateError as error:
            refused.append((backend, error))
    return tuple(made), tuple(refused)


def _release_of_backend(plan: Creation) -> str:
    """The series that was tried, like ``2.9``: what one of it requires, all of it do."""
    names = backends()[plan.backend].distributions
    pins = (one.partition("==") for one in plan.packages)
    versions = [version for name, _, version in pins if name.partition("[")[0] in names]
    return ".".join(versions[0].partition("+")[0].split(".")[:2])


def _snapshot(path: str, environ: Mapping[str, str], here: str) -> Snapshot:
    if os.path.isfile(path):
        with open(path, encoding="utf-8") as file:
            return loads_snapshot(file.read())
    found = find_target(
        python=path, kernel=None, project=None, command=(), environ=dict(environ), folder=here
    )
    return facts_of(found, None, thorough=True)
