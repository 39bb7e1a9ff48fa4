"""A whole package that was not found."""

from __future__ import annotations

import re

from keras_doctor.knowledge.compatibility import lost_since
from keras_doctor.knowledge.selection import backends
from keras_doctor.rules.message.guesses import Guess
from keras_doctor.rules.message.world import distribution_for, is_companion, is_of_the_world, mains
from keras_doctor.rules.remedies import edit, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.context import Context
    from keras_doctor.rules.message.asked import Asked

_USING = re.compile(r"^\s*Using (\w+)(?:\.[\w.]+)? backend", re.MULTILINE)


def absent(context: Context, asked: Asked) -> Iterator[Guess]:
    """The causes of ``No module named NAME`` for a name without dots."""
    top, by = asked.top, asked.by.top if asked.by.kind == "package" else None
    if top.startswith("_") or by == top:
        return  # a compiled part of some package: its message tells more than its name
    interpreter = context.snapshot.interpreter
    since = lost_since(top, interpreter.version if interpreter else "99")
    if since is not None:
        yield _lost(asked, since, known=interpreter is not None)
        return
    yield from _not_honoured(context, asked)
    if _is_the_backend(context, asked):
        yield Guess(
            cause="backend-not-installed",
            confidence="likely",
            culprit=top,
            title=f"Keras is asked for the {top} backend, which is not installed in this Python",
            why="KERAS_BACKEND, keras.json or the default of this Keras names it.",
            fixes=(
                install(context, distribution_for(top)),
                edit("set-env", "KERAS_BACKEND", "Or ask for a backend that is installed."),
            ),
        )
    missing = _missing(context, asked, by)
    if top not in mains() or (by and is_of_the_world(by) and not is_companion(by)):
        yield missing
        return
    # Who reports that a package is not found has mostly installed it, into another Python.
    elsewhere = _elsewhere(top)
    yield from (missing, elsewhere) if by else (elsewhere, missing)


def asked_as_backend(context: Context, asked: Asked) -> Iterator[Guess]:
    """A module of dots that KERAS_BACKEND names, and that is not there."""
    wanted = context.variables.get("KERAS_BACKEND")
    if wanted is None or "." not in wanted.value or asked.kind != "module":
        return
    if f"{wanted.value}.".startswith(asked.module + "."):
        for cause in ("backend-unknown", "backend-not-installed"):
            yield Guess(
                cause=cause,
                confidence="likely",
                culprit="KERAS_BACKEND",
                title=f"KERAS_BACKEND names the module {wanted.value}, which is not there",
                why="Keras 2.2 and 2.3 import what the variable names; other releases know names.",
                fixes=(edit("set-env", "KERAS_BACKEND", "Name a backend that is installed."),),
            )


def _not_honoured(context: Context, asked: Asked) -> Iterator[Guess]:
    """Keras looks for another backend than the one that KERAS_BACKEND asks for."""
    wanted = context.variables.get("KERAS_BACKEND")
    if wanted is None or asked.by.top not in ("keras", None) or wanted.value == asked.top:
        return
    if any(asked.top in backend.imports for backend in backends().values()):
        yield Guess(
            cause="backend-setting-ignored",
            confidence="likely",
            culprit="KERAS_BACKEND",
            title=f"KERAS_BACKEND asks for {wanted.value}, and {asked.top} is looked for",
            why=(
                "The variable was set after the first import of Keras, or this Keras needs "
                f"{asked.top} all the same."
            ),
            fixes=(
                edit(
                    "edit-code",
                    "KERAS_BACKEND",
                    "Set it before anything imports keras, in a restarted kernel; or use a newer "
                    "Keras.",
                ),
            ),
        )


def _lost(asked: Asked, since: str, *, known: bool) -> Guess:
    user = asked.by.top or "The package that asks for it"
    return Guess(
        cause="python-unsupported",
        confidence="certain" if known else "likely",
        culprit=asked.by.top or "Python",
        title=f"{user} is too old for this Python, which has no module {asked.top} any more",
        why=f"{asked.top} was a part of Python until {since}.",
        fixes=(edit("use-env", user, "Use a newer release of it, or an older Python."),),
    )


def _is_the_backend(context: Context, asked: Asked) -> bool:
    """Whether Keras itself asked for it as its backend."""
    top = asked.top
    if not any(top in backend.imports for backend in backends().values()):
        return False
    path = (asked.by.path or "").replace("\\", "/")
    if re.search(r"/keras/(?:src/)?(?:backend|ops|utils/backend_utils)\b", path):
        return True
    said = {name.lower() for o in context.failures for name in _USING.findall(o.output)}
    return top in said


def _missing(context: Context, asked: Asked, by: str | None) -> Guess:
    name = distribution_for(asked.top)
    needed = f"; {by} needs it" if by else ""
    return Guess(
        cause="not-installed",
        confidence="likely",
        culprit=name,
        title=f"{name} is not installed in the Python that ran{needed}",
        why="Nothing on the path of that Python answers to the name.",
        fixes=(install(context, name),) if is_of_the_world(asked.top) else (),
    )


def _elsewhere(top: str) -> Guess:
    name = distribution_for(top)
    return Guess(
        cause="wrong-interpreter",
        confidence="likely",
        culprit="Python",
        title=f"The Python that ran is not the one that {name} was installed into",
        why=f"If {name} was installed, then into another Python: each has packages of its own.",
        fixes=(
            edit(
                "use-env",
                name,
                f"Install with the Python that runs: python -m pip install {name}",
            ),
        ),
    )
