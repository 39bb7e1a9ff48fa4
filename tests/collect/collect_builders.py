"""Model values for the tests of the collector."""

from __future__ import annotations

from typing import Any

from keras_doctor.model import Snapshot, Start, Target


def snapshot(**changes: Any) -> Snapshot:
    """The smallest snapshot."""
    empty: dict[str, Any] = dict.fromkeys(Snapshot._fields, ())
    empty.update(Snapshot._field_defaults)
    target = Target(
        python="/p", chosen="", folder="/", start="code", path0=None, script=None,
        command=(), environment=None, manager=None,
    )  # fmt: skip
    empty.update(
        schema_version=1,
        tool_version="0",
        target=target,
        start=Start(mode="given", failure=None, exit_code=None),
        interpreter=None,
        conda=None,
        machine=None,
        script=None,
        verified=None,
    )
    return Snapshot(**{**empty, **changes})
