"""keras-doctor says why `import keras` fails, proves it, and makes it work.

The functions here are the public API; they print nothing, and what they return are the frozen
values of :mod:`keras_doctor.model` that the JSON reports are drawn from. Everything that one of
them needs is imported when it is called.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"
__all__ = ["__version__", "check", "explain", "install_excepthook", "load_ipython_extension"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from keras_doctor.model import Examination


def check(
    *,
    python: str | None = None,
    command: Sequence[str] = (),
    backend: str | None = None,
    live: bool = True,
    timeout: float = 120.0,
) -> Examination:
    """Say why `import keras` fails in a Python, or that it works.

    Args:
        python: An interpreter, an environment folder, or a name like ``3.11``; default: the one
            that ``python`` means in this process's folder and variables.
        command: The user's command; it is run once, unless `live` is false.
        backend: The backend that is wanted.
        live: Whether anything may be run there besides the collector.
        timeout: Seconds for each run.

    Returns:
        The examination: ``.diagnosis.causes`` are in causal order, ``.diagnosis.healthy`` is
        True, False, or None when nothing was run.

    Raises:
        keras_doctor.targets.TargetError: There is no such Python.
        keras_doctor.collect.CollectError: It could not be read.
    """
    from keras_doctor import api

    examination, _ = api.check(
        python=python, command=command, wish=backend, live=live, timeout=timeout
    )
    return examination


def explain(
    failure: str | BaseException,
    *,
    packages: Mapping[str, str] | None = None,
    python: str | None = None,
    backend: str | None = None,
) -> Examination:
    """Say what a failure means that happened anywhere, from its text.

    Args:
        failure: A pasted traceback, a log, an installer's output; or an exception.
        packages: Versions by the name of the distribution, as far as they are known.
        python: The version of the Python that it happened in, like ``3.8``.
        backend: The backend that is wanted.

    Returns:
        The examination: ``.diagnosis.causes`` has the most probable first.
    """
    from keras_doctor import api
    from keras_doctor.errors.facts import Given
    from keras_doctor.names import normalize

    stated = tuple((normalize(name), version) for name, version in (packages or {}).items())
    return api.explain(failure, facts=Given(python=python, packages=stated), wish=backend)


def install_excepthook() -> None:
    """Print the diagnosis after the traceback when this program ends by an import error.

    The hook that was there is called first, and unchanged. Nothing happens for other exceptions,
    nor where the diagnosis itself fails.
    """
    from keras_doctor.hook import install

    install()


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext keras_doctor``: the magic ``%keras_doctor``, and a hint after import errors."""
    from keras_doctor.kernel import load

    load(ipython)
