"""``ENVIRONMENT.md``: what an environment is for, how to use it, what was verified. Pure."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras_doctor.fixes.use.shells import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model.outcome import Outcome

NAME = "ENVIRONMENT.md"


def note(
    folder: str,
    *,
    keras: str,
    backend: str,
    python: str,
    outcome: Outcome,
    trains: bool,
    reasons: Sequence[str],
    date: str,
    files: Sequence[str],
    entrances: Sequence[tuple[str, str]],
) -> str:
    """The text of the note.

    Args:
        folder: The environment.
        keras: Like ``keras==2.2.5``.
        backend: Its name.
        python: Like ``3.8``.
        outcome: What was tried in it.
        trains: Whether the backend can train.
        reasons: Why this set was chosen.
        date: The day on which it was made.
        files: The files beside this one, by their names.
        entrances: For each kind of shell the command that activates it.
    """
    step = "one training step" if trains else "a model built and a prediction (it cannot train)"
    device = f" on {outcome.device}" if outcome.device else ""
    lines = [
        f"# {keras} on {backend}, Python {python}",
        "",
        (
            f"Made by keras-doctor on {date}. Verified then: `import keras`, the backend "
            f"{backend}, {step}{device}, a model saved and loaded."
        ),
        "",
        "## Activate",
        "",
        "| shell | command |",
        "| --- | --- |",
        *(f"| {shell} | `{command}` |" for shell, command in entrances),
        "",
        (
            f"Its Python also works without that: `{os.path.join(folder, 'bin', 'python')}`. "
            f"Both set {VARIABLE} to {backend}, for this environment alone; the Python by itself "
            "gives way to a value of yours."
        ),
        "",
        "## Why these releases",
        "",
        *(f"- {reason}" for reason in reasons),
        "",
        "## Make it again",
        "",
        *(f"- `{name}`" for name in files),
        "",
    ]
    return "\n".join(lines)
