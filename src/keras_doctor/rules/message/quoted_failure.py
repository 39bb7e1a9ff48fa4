"""KD904 quoted-failure."""

from __future__ import annotations

import re

from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.message.asked import asked_in
from keras_doctor.rules.message.cut import cut_off
from keras_doctor.rules.message.folders import by_folders
from keras_doctor.rules.message.guess import guesses
from keras_doctor.rules.message.guesses import rename_it
from keras_doctor.rules.message.settings import other_backend
from keras_doctor.rules.message.shadowing import shadowing_files
from keras_doctor.rules.message.stages import stage_of, weight_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Outcome
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.message.asked import Asked
    from keras_doctor.rules.message.guesses import Guess


def quoted_failure(context: Context) -> Iterator[Finding]:
    """A failure is known by its text alone: what was asked for, of whom, and by whom.

    What it checks: for each module or name that was not found, whose line asked for it (the
    user's, the package's own, another package's), where the file lies, and in which releases it
    exists. Only for a text without its environment: where the facts can be read, they count.

    Why it breaks the import: the same words have another cause by who asked. "No module named
    keras.engine" in the user's own line is an import path that moved; in another package it is a
    release that does not go with this Keras; in Keras itself it is a damaged install.

    How it is fixed: as that cause is. Where several are possible they are listed, the most probable
    first, with what would tell them apart.

    Example: ``ModuleNotFoundError: No module named 'tensorflow.python'``, raised in TensorFlow's
    own ``__init__.py``.
    """
    if context.is_complete or not context.failures:
        raise NotApplicable("the environment itself was examined")
    told: set[tuple[str, str]] = set()
    for result in _all(context):
        if (result.cause, result.culprit) not in told:
            told.add((result.cause, result.culprit))
            yield result
    if not told:
        raise RuledOut("the text names no module and no name that was not found")


def _all(context: Context) -> Iterator[Finding]:
    yield from other_backend(context)
    for outcome in context.failures:
        for file, name in shadowing_files(outcome):
            yield _shadowed(file, name, outcome)
    for asked in asked_in(context):
        for guess in guesses(context, asked):
            yield _finding(asked, guess)
    yield from by_folders(context)
    yield from cut_off(context)


def _finding(asked: Asked, guess: Guess) -> Finding:
    from keras_doctor.rules import code_of

    code = code_of(guess.cause)
    message = asked.raised.message.splitlines()[0] if asked.raised.message else asked.path
    return finding(
        code,
        guess.cause,
        guess.culprit,
        title=guess.title,
        why=guess.why,
        evidence=[seen(f"{asked.raised.type}: {message}", asked.by.path), *guess.evidence],
        stage=stage_of(code),
        weight=weight_of(guess.confidence),
        fixes=guess.fixes,
        signs=[sign(text=re.escape(message))],
    )


def _shadowed(file: str, name: str, outcome: Outcome) -> Finding:
    return finding(
        "KD201",
        "shadowed-module",
        file,
        title=f"Your own {file} has the name of the module {name} and is found first",
        why=f"Python takes the first thing on its path that answers to `import {name}`.",
        evidence=[seen(f"a line of {file} ran as a part of the import", outcome.what)],
        stage=stage_of("KD201"),
        weight="likely" if file.endswith("__init__.py") else "fatal",
        fixes=[rename_it(file)],
        signs=[sign(printed=r"\S")],
    )
