"""KD404 python-unsupported."""

from __future__ import annotations

from keras_doctor.rules.base import RuledOut, Skip, finding, seen, sign
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import VERSIONS
from keras_doctor.versions import satisfies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context


def python_unsupported(context: Context) -> Iterator[Finding]:
    """This Python is too new or too old for a package on the way.

    What it checks: Requires-Python of every distribution on the way of the import against the
    Python that runs.

    Why it breaks the import: the code uses what this Python does not have, or no longer has. pip
    refuses such an install, so it comes from a copied environment, ``--ignore-requires-python``, or
    an upgrade of Python below the packages.

    How it is fixed: an environment with a Python that the package supports.

    Example: Keras 3.13, which needs Python 3.11, on a Python 3.9.
    """
    interpreter = context.snapshot.interpreter
    if interpreter is None:
        raise Skip("the Python version is not known")
    found = False
    for name in context.way:
        distribution = context.first(name)
        if distribution is None or not distribution.requires_python:
            continue
        if satisfies(interpreter.version, distribution.requires_python) is not False:
            continue
        found = True
        yield finding(
            "KD404",
            "python-unsupported",
            "python",
            title=(
                f"{distribution.name} {distribution.version} needs Python "
                f"{distribution.requires_python}; this is {interpreter.version}"
            ),
            why=f"{distribution.name} was not made for this Python.",
            evidence=[
                seen(f"Requires-Python: {distribution.requires_python}", distribution.metadata),
                seen(f"Python {interpreter.version}", interpreter.executable),
            ],
            stage=VERSIONS,
            weight="risk",
            subject=name,
            fixes=[
                edit(
                    "use-env",
                    distribution.name,
                    f"Make an environment with Python {distribution.requires_python}.",
                )
            ],
            signs=[
                sign(raised_in=f"{distribution.location}/{p}") for p in distribution.import_packages
            ],
        )
    if not found:
        raise RuledOut("every package on the way accepts this Python")
