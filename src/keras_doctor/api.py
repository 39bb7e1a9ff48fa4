"""The verbs of keras-doctor, for programs: the command line is a thin shell around these.

Nothing here prints, and every result is a frozen value of :mod:`keras_doctor.model`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_doctor.model import Examination, Snapshot
    from keras_doctor.targets.inventory import EnvironmentFound

Progress = Callable[[str], None]
"""Called with one sentence before each step that may take long."""


def check(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    live: bool = True,
    train: bool = False,
    timeout: float = 120.0,
    snapshot: Snapshot | None = None,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> tuple[Examination, tuple[str, ...]]:
    """Say why `import keras` fails, or that it works.

    Args:
        python: An interpreter, an environment folder, or a name like ``3.11``.
        kernel: The name of a Jupyter kernelspec.
        project: The folder that the user runs in; default: `folder`.
        command: The user's command as typed; it is run once, unless `live` is false.
        wish: The backend that the user wants, or None.
        live: Whether anything may be run in the target besides the collector.
        train: Whether one real training step is tried after the import.
        timeout: Seconds for each live run.
        snapshot: Facts collected elsewhere; then nothing is collected or run here.
        environ: The user's environment; default: this process's.
        folder: The user's working folder; default: this process's.
        progress: Told before each slow step.

    Returns:
        The examination, and one line for each place that was considered for the target.

    Raises:
        keras_doctor.targets.TargetError: There is no such target.
        keras_doctor.collect.CollectError: The target could not be read.
    """
    raise NotImplementedError


def backends(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    live: bool = True,
    timeout: float = 120.0,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
    progress: Progress | None = None,
) -> tuple[Examination, tuple[str, ...]]:
    """Say which backend is chosen and why, and try every backend that this Keras knows.

    Same arguments, results and errors as :func:`check`; ``diagnosis.backends`` holds one entry
    for each backend that the Keras found knows, with ``importable`` and ``trains`` filled in
    when `live` is true. The user's command is not run.
    """
    raise NotImplementedError


def take_snapshot(
    *,
    python: str | None = None,
    kernel: str | None = None,
    project: str | None = None,
    command: Sequence[str] = (),
    wish: str | None = None,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> Snapshot:
    """Collect every fact about a target without importing its packages (not masked)."""
    raise NotImplementedError


def envs(
    *,
    environ: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> tuple[EnvironmentFound, ...]:
    """List every Python on this machine that holds a Keras or a backend."""
    raise NotImplementedError
