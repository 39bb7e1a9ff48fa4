"""KD605: a private copy of Keras that nobody looks after."""

from __future__ import annotations

import os

from keras_doctor.knowledge.compatibility import private_copies
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, listing, seen, sign
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import CODE
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.compatibility import PrivateCopy
    from keras_doctor.model import Finding, Fix, ScriptImport
    from keras_doctor.rules.context import Context


def private_copy(context: Context) -> Iterator[Finding]:
    """The program imports a private copy of Keras that is no longer looked after.

    What it checks: imports of `tensorflow.python.keras` under a TensorFlow whose public `tf.keras`
    is another package; and whether the failure comes from there.

    Why it breaks the import: the copy still ships, imports and builds models, but it is not tested
    any more, and breaks where the rest of TensorFlow has moved on.

    How it is fixed: import the same names from `keras` or `tensorflow.keras`.

    Example: ``from tensorflow.python.keras.layers import Dense`` under TensorFlow 2.16: the model
    is built, and ``fit`` stops with an AttributeError.
    """
    script = context.snapshot.script
    if script is None:
        raise NotApplicable("no program is known")
    found = False
    for copy in private_copies():
        owner = context.first(copy.distribution) or context.backend_distribution("tensorflow")
        if owner is None or satisfies(owner.version, copy.releases) is not True:
            continue
        uses = [each for each in script.imports if f"{each.module}.".startswith(copy.path + ".")]
        if uses:
            found = True
            folder = os.path.join(owner.location, *copy.path.split("."))
            yield _report(context, copy, uses, folder, f"{owner.name} {owner.version}")
    if not found:
        raise RuledOut("the program imports no private copy of Keras")


def _report(
    context: Context, copy: PrivateCopy, uses: list[ScriptImport], folder: str, owner: str
) -> Finding:
    first = uses[0]
    file = context.shown(first.path)
    # A program that uses Keras by its own name should not get it by another door besides.
    instead = "keras" if "keras" in context.script_modules else copy.instead
    return finding(
        "KD605",
        "api-removed-or-moved",
        os.path.basename(first.path),
        title=f"{file} imports {copy.path}, a private copy that nobody looks after any more",
        why=f"The Keras of {owner} is another package; this copy breaks where the rest moved on.",
        evidence=[seen(each.text, f"{each.path}:{each.line}") for each in uses[:3]],
        stage=CODE,
        weight="risk",
        subject=copy.path,
        blocks=("program",),
        fixes=_fixes(copy, uses, instead),
        signs=[sign(file=folder)],
    )


def _fixes(copy: PrivateCopy, uses: list[ScriptImport], instead: str) -> list[Fix]:
    """One way out: in each file, all lines that import from the copy."""
    files: dict[str, list[ScriptImport]] = {}
    for each in uses:
        files.setdefault(each.path, []).append(each)
    last = next(reversed(files))
    return [
        edit(
            "edit-code",
            f"{path}:{rows[0].line}",
            f"Use {listing(row.text.replace(copy.path, instead) for row in rows[:3])} instead.",
            instead,
        )._replace(continues=path != last)
        for path, rows in files.items()
    ]
