"""Run something in the patient, survive what it does, and leave no trace.

`run_imports` runs import statements, and perhaps one training step, in an instrumented child;
`run_command` runs the user's own command once, as typed; `statements_of` says which statements
stand for the user's program. What these need is imported when they are called.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.live.command import run_command
    from keras_doctor.live.imports import run_imports
    from keras_doctor.live.probe import Statement, statements_of

__all__ = ["Statement", "run_command", "run_imports", "statements_of"]

_HOMES = {
    "Statement": "probe",
    "run_command": "command",
    "run_imports": "imports",
    "statements_of": "probe",
}


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used: reading alone needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
