"""The facts of environments in real folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rules.factory import world

from keras_doctor.model import PathEntry, Snapshot

DEFAULT = world().snapshot


def placed(folder: Path, *, virtual: bool = True, **fields: Any) -> Snapshot:
    """The facts of an environment in a real folder, with a standard library beside it."""
    site, stdlib = folder / "env" / "site", folder / "stdlib"
    site.mkdir(parents=True, exist_ok=True)
    stdlib.mkdir(exist_ok=True)
    prefix = str(folder / "env")
    assert DEFAULT.interpreter is not None
    interpreter = DEFAULT.interpreter._replace(
        prefix=prefix, base_prefix="/usr" if virtual else prefix, stdlib=str(stdlib)
    )
    entry = PathEntry(
        path=str(site), origin="site-packages", where=None, kind="folder", python=None
    )
    target = DEFAULT.target._replace(
        environment=prefix if virtual else None, folder=str(folder / "project")
    )
    return DEFAULT._replace(interpreter=interpreter, target=target, path=(entry,), **fields)
