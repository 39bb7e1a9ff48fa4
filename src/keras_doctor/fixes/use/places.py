"""The files in which a backend is written down, and what they say then."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from keras_doctor.fixes.shared import selected_by
from keras_doctor.fixes.use.result import CONDA, CONFIG, KERNEL, RefusedError
from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.fixes.use.steps import own_kernel, shell_step
from keras_doctor.fixes.ways import with_backend
from keras_doctor.live.home import SHARED_KERAS
from keras_doctor.records import NamedTuple
from keras_doctor.targets import files, kernels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from keras_doctor.knowledge.selection import Generation
    from keras_doctor.model import ConfigFile
    from keras_doctor.model.plan import Step
    from keras_doctor.rules.context import Context

MOST = 1 << 20
"""Bytes of a file that is changed; a larger one is none of these."""


class Place(NamedTuple):
    """One file, as it is and as it would be."""

    kind: str
    path: str
    """As the user knows it; it may be a link."""
    old: bytes | None
    """None: absent."""
    text: str
    changes: bool
    """False when it says that already."""
    remark: str | None = None


def config_place(context: Context, generation: Generation, backend: str) -> Place:
    """The keras.json that this Keras reads for this target.

    Raises:
        RefusedError: It cannot be written, or belongs to all users.
    """
    config = config_of(context, generation)
    way = shell_step(context, backend)
    if config is None:
        raise RefusedError("it is not known which keras.json this Python reads", way)
    if os.path.dirname(config.path) == SHARED_KERAS:
        raise RefusedError(
            f"your home folder cannot be written, so Keras reads {config.path}, and that one "
            "belongs to all users",
            way,
        )
    if config.state not in ("read", "absent"):
        state = {"folder": "is a folder", "too-large": "is too large for one"}
        raise RefusedError(f"{config.path} {state.get(config.state, 'may not be read')}", way)
    old = _read(config.path, way)
    text = None if old is None else old.decode("utf-8", "surrogateescape")
    version = context.keras_version or generation.since
    now = selected_by(text, version, generation, _platform(context))
    _check_rights(config.path, way)
    return Place(
        kind=CONFIG,
        path=config.path,
        old=old,
        text=with_backend(text or "", backend),
        changes=now != backend,
        remark=None
        if text is None or _object(text) is not None
        else f"{config.path} was no JSON that Keras reads; the rest of it is not kept",
    )


def config_of(context: Context, generation: Generation) -> ConfigFile | None:
    """The keras.json that this Keras opens, present or not."""
    read = context.choice.config
    if read is not None:
        return read.config
    found = {c.source: c for c in context.snapshot.configs if c.kind == CONFIG}
    if generation.keras_home and "KERAS_HOME" in found:
        return found["KERAS_HOME"]
    home, tmp = found.get("home"), found.get("tmp")
    if generation.tmp and home is not None and home.base_writable is False:
        return tmp or home
    return home


def kernel_place(
    name: str, context: Context, backend: str, environ: Mapping[str, str], folder: str
) -> Place:
    """The kernelspec of that name.

    Raises:
        RefusedError: It may not be written, or holds something else.
    """
    own = (os.path.join(sys.prefix, files.BIN, "python"),)
    kernel = kernels.find(name, environ, folder, own)
    if kernel is None:
        raise RefusedError(f"there is no Jupyter kernel {name}")
    if not may_write(kernel.path):
        raise RefusedError(
            f"you may not write the kernel {kernel.name} ({kernel.path}); make one of your own, "
            "which comes before it",
            *own_kernel(context, kernel.name, backend),
        )
    old = _read(kernel.path) or b"{}"
    spec = _object(old.decode("utf-8-sig", "replace")) or {}
    return _with_variable(KERNEL, kernel.path, old, spec, "env", backend, indent=1)


def conda_place(context: Context, backend: str) -> Place:
    """The variables of the conda environment, as ``conda env config vars set`` keeps them.

    Raises:
        RefusedError: It is none, or it may not be written.
    """
    target = context.snapshot.target
    way = shell_step(context, backend)
    if target.manager != "conda" or target.environment is None:
        raise RefusedError(f"{target.python} is in no conda environment", way)
    path = os.path.join(target.environment, "conda-meta", "state")
    _check_rights(path, way)
    old = _read(path, way)
    state = {"version": 1} if old is None else _object(old.decode("utf-8", "surrogateescape"))
    if state is None:
        raise RefusedError(f"{path} is damaged: it is no JSON object", way)
    return _with_variable(CONDA, path, old, state, "env_vars", backend, indent=None)


def may_write(path: str) -> bool:
    """Whether this user can replace a file, or make it where its folder is missing too."""
    real = os.path.realpath(path)
    folder = os.path.dirname(real)
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _with_variable(
    kind: str,
    path: str,
    old: bytes | None,
    data: dict[str, Any],
    key: str,
    backend: str,
    *,
    indent: int | None,
) -> Place:
    """A JSON file with KERAS_BACKEND among its variables and all else as it is."""
    variables = data.get(key) or {}
    if not isinstance(variables, dict):
        raise RefusedError(f"{path} is damaged: its {key} is no JSON object")
    new = data | {key: variables | {VARIABLE: backend}}
    # As Jupyter and conda write them.
    text = json.dumps(new, indent=indent, ensure_ascii=kind == KERNEL)
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise RefusedError(f"{path} is damaged: it holds halves of characters") from None
    return Place(
        kind=kind,
        path=path,
        old=old,
        text=text + ("\n" if old and old.endswith(b"\n") else ""),
        changes=variables.get(VARIABLE) != backend,
    )


def _check_rights(path: str, way: Step) -> None:
    if may_write(path):
        return
    folder = os.path.dirname(path)
    if os.path.isdir(folder) or os.path.isdir(os.path.dirname(folder)):
        raise RefusedError(f"you may not write {path}", way)
    raise RefusedError(f"the folder of {folder} does not exist", way)


def _read(path: str, *ways: Step) -> bytes | None:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror or error}", *ways) from None
    if len(data) > MOST:
        raise RefusedError(f"{path} is too large for what it should be", *ways)
    return data


def _object(text: str) -> dict[str, Any] | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _platform(context: Context) -> str:
    interpreter = context.snapshot.interpreter
    return interpreter.platform if interpreter else sys.platform
