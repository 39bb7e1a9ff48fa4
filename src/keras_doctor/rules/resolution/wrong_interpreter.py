"""KD202 wrong-interpreter."""

from __future__ import annotations

from keras_doctor.rules.base import RuledOut, finding, seen, sign
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import command
from keras_doctor.rules.stages import START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix, PathCommand
    from keras_doctor.rules.context import Context, Elsewhere


def wrong_interpreter(context: Context) -> Iterator[Finding]:
    """Keras is installed, but in another interpreter than the one that runs.

    What it checks: when Keras is not on the path of the Python that runs: whether the ``pip`` that
    is first on PATH belongs to another Python and Keras lies there, or whether it lies in the
    environment of the working folder, which is not the one that is used.

    Why it breaks the import: every Python has packages of its own. ``pip install`` says "already
    satisfied" about its own Python, and ``python`` looks into another one.

    How it is fixed: run the Python that has the packages, or install with the one that runs:
    ``python -m pip`` instead of ``pip``.

    Example: an environment without pip; ``pip`` on PATH is that of a newer Python.
    """
    if context.keras_distribution is not None:
        raise RuledOut("Keras is installed in the Python that runs")
    module = context.module("keras")
    if module is not None and module.kind != "missing":
        raise RuledOut("something on the path answers to the name keras")
    pip = _foreign_pip(context)
    if pip is not None:
        yield _pip(context, pip)
        return
    place = _in_the_folder(context)
    if place is None:
        raise RuledOut("no other Python nearby holds Keras")
    yield _folder(context, place)


def _foreign_pip(context: Context) -> PathCommand | None:
    for found in context.snapshot.commands:
        foreign = found.name in ("pip", "pip3") and found.same_environment is False
        if foreign and any(held.split(" ")[0] == "keras" for held in found.holds):
            return found
    return None


def _in_the_folder(context: Context) -> Elsewhere | None:
    folder = context.snapshot.target.folder
    for place in context.elsewhere:
        inside = is_inside(place.python, folder)
        if inside and any(held.split(" ")[0] == "keras" for held in place.holds):
            return place
    return None


def _here(context: Context) -> tuple[str, str]:
    interpreter = context.snapshot.interpreter
    version = ".".join(interpreter.version.split(".")[:2]) if interpreter else "?"
    return version, context.snapshot.target.python or "python"


def _pip(context: Context, pip: PathCommand) -> Finding:
    version, python = _here(context)
    other = f"Python {pip.python}" if pip.python else "another Python"
    held = ", ".join(pip.holds)
    fixes: list[Fix] = []
    if context.first("pip") is None:
        fixes.append(
            command(
                context,
                "install",
                "Give the Python that runs a pip of its own.",
                (python, "-m", "ensurepip"),
                "pip",
                ("pip",),
            )._replace(continues=True)
        )
    fixes.append(
        command(
            context,
            "install",
            "Install with the Python that runs.",
            (python, "-m", "pip", "install", "keras"),
            "keras",
            ("keras",),
        )
    )
    if pip.interpreter:
        fixes.append(
            command(
                context,
                "use-env",
                f"Or run your program with the Python that has them ({other}).",
                (pip.interpreter,),
                pip.interpreter,
            )
        )
    return _finding(
        "pip",
        f"`pip` installs into {other}, `python` is Python {version}: Keras is there, not here",
        [
            seen(f"pip belongs to {pip.interpreter or other}", pip.path),
            seen(f"there: {held}"),
            seen(f"here: {len(context.snapshot.distributions)} distributions, no keras", python),
        ],
        fixes,
    )


def _folder(context: Context, place: Elsewhere) -> Finding:
    version, python = _here(context)
    return _finding(
        python,
        f"Keras is installed in {place.python}, and you run {python} (Python {version})",
        [
            seen(f"there: {', '.join(place.holds)}", place.python),
            seen("here: no keras", f"{python}: {context.snapshot.target.chosen}"),
        ],
        [
            command(
                context,
                "use-env",
                "Run your program with the Python that has Keras.",
                (place.python,),
                place.python,
            )
        ],
    )


def _finding(culprit: str, title: str, evidence: list[Evidence], fixes: list[Fix]) -> Finding:
    return finding(
        "KD202",
        "wrong-interpreter",
        culprit,
        title=title,
        why="Every Python has packages of its own, and does not see those of another.",
        evidence=evidence,
        stage=START,
        weight="fatal",
        fixes=fixes,
        signs=[sign("ModuleNotFoundError", "ImportError")],
        explains=["not-installed:*"],
    )
