"""A text that shows another backend than the one that was asked for."""

from __future__ import annotations

import re

from keras_doctor.rules.base import finding, seen, sign
from keras_doctor.rules.remedies import set_variable
from keras_doctor.rules.stages import SELECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context

_BACKEND = re.compile(r"\"backend\"\s*:\s*\"([\w.]+)")


def other_backend(context: Context) -> Iterator[Finding]:
    """The setting that was not honoured, where the text shows no other failure."""
    seen_one = context.backend_seen
    if seen_one is None or any(outcome.chain for outcome in context.outcomes):
        return
    for where, asked in _asked(context):
        if asked.partition(".")[0] == seen_one:
            if where == "KERAS_BACKEND":
                yield _set_by_somebody(context, seen_one)
            return
        for cause in ("backend-setting-ignored", "backend-source-conflict"):
            yield _report(
                context,
                cause,
                where,
                title=f"{where} asks for {asked}, and Keras took {seen_one}",
                why=(
                    "The program that ran read another setting: another home folder, a variable "
                    "that was set too late, or a Keras that does not read it."
                ),
                backend=seen_one,
                value=asked,
                mend="Set KERAS_BACKEND where it is started.",
            )
        return


def _set_by_somebody(context: Context, backend: str) -> Finding:
    return _report(
        context,
        "backend-source-conflict",
        "KERAS_BACKEND",
        title=f"KERAS_BACKEND asks for {backend}, whatever keras.json says",
        why=(
            "The variable comes before keras.json. Where you did not set it, the activation "
            "script of a conda environment may have: etc/conda/activate.d/keras_activate."
        ),
        backend=backend,
        value=None,
        mend="Unset it, or change it in the activation script.",
    )


def _report(
    context: Context,
    cause: str,
    culprit: str,
    *,
    title: str,
    why: str,
    backend: str,
    value: str | None,
    mend: str,
) -> Finding:
    from keras_doctor.rules import code_of

    return finding(
        code_of(cause),
        cause,
        culprit,
        title=title,
        why=why,
        evidence=[seen(f"Using {backend} backend", "the text")],
        stage=SELECTION,
        weight="likely",
        fixes=[set_variable(context, "KERAS_BACKEND", value, mend)],
        signs=[sign(printed=r"Using \w+")],
    )


def _asked(context: Context) -> Iterator[tuple[str, str]]:
    """Who asks for which backend, the strongest first."""
    if context.wish:
        yield "you", context.wish
    variable = context.variables.get("KERAS_BACKEND")
    if variable:
        yield "KERAS_BACKEND", variable.value
    for config in context.snapshot.configs:
        if found := _BACKEND.search(config.text or ""):
            yield "keras.json", found[1]
