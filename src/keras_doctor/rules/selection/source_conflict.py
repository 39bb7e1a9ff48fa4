"""KD103 backend-source-conflict."""

from __future__ import annotations

from keras_doctor.knowledge.selection import backends
from keras_doctor.model import Change
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import backend_change, choose_backend, install, set_variable
from keras_doctor.rules.selection.explain import UNREAD, UNWRITABLE, Source
from keras_doctor.rules.stages import SELECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix
    from keras_doctor.rules.context import Context


def backend_source_conflict(context: Context) -> Iterator[Finding]:
    """Environment variable, configuration and code disagree, and the user got the other one.

    What it checks: every place that names a backend, in the order in which this Keras obeys
    them: a line of the script before the import, KERAS_BACKEND, the keras.json that is read
    (KERAS_HOME moves it), the default.

    Why it matters: nothing is raised. Keras runs on another backend than the one wished for, or
    fails on one that nobody asked for knowingly. Without a wish (``--backend``) and with a
    working import, it is a note.

    How it is fixed: change or unset the setting that wins.

    Example: a stale ``KERAS_BACKEND=theano`` beats ``"backend": "tensorflow"`` in keras.json.
    """
    generation, winner = context.generation, context.choice.source
    if generation is None or winner is None or context.choice.backend is None:
        raise NotApplicable("no Keras was found")
    if generation.fixed:
        raise NotApplicable(f"{generation.title} has one backend only")
    got = context.choice.backend
    moved = _moved_config(context, winner)
    if moved is not None:
        yield _keras_home(context, winner, moved)
        return
    losers = [
        s
        for s in context.choice.sources
        if s.value
        and s.value != got
        and s.kind != "default"
        and s.remark not in (UNREAD, UNWRITABLE)
        # A request that this release does not read is another rule's business.
        and (s.counts or s.kind == "config")
    ]
    wish = context.wish
    if wish is None or wish == got:
        # What Keras wrote into keras.json by itself is nobody's wish.
        meant = [s for s in losers if s.explicit]
        if not meant or winner.kind == "default":
            raise RuledOut("the sources agree")
        yield _conflict(context, winner, got, meant[0], meant[0].value or "")
        return
    if wish not in generation.names or not context.backend_importable(got):
        raise RuledOut("another rule explains why the wish is not met")
    if any(s.value == wish and not s.counts and s.kind != "config" for s in context.choice.sources):
        raise RuledOut("the wish is asked for where it is not read")
    beaten = next((s for s in losers if s.value == wish), None)
    yield _conflict(context, winner, got, beaten, wish)


def _conflict(
    context: Context, winner: Source, got: str, loser: Source | None, other: str
) -> Finding:
    wished = context.wish == other
    if loser is not None:
        title = f"{winner.name} says {got} and beats {loser.name}, which says {other}"
    elif winner.kind == "default":
        title = f"Nothing asks for {other} (no KERAS_BACKEND, no keras.json): Keras takes {got}"
    else:
        title = f"{winner.name} asks for {got}, and you want {other}"
    return finding(
        "KD103",
        "backend-source-conflict",
        "KERAS_BACKEND" if winner.kind == "default" else winner.name,
        title=title,
        why="Keras obeys the strongest setting and says nothing of the others.",
        evidence=_evidence(context),
        stage=SELECTION,
        weight="fatal" if wished else "risk",
        blocks=(),
        fixes=[*choose_backend(context, other, winner), *_missing(context, other)],
        changes=[backend_change(other)] if wished else (),
    )


def _missing(context: Context, backend: str) -> list[Fix]:
    if context.backend_importable(backend):
        return []
    from keras_doctor.rules.compatibility.fitting import backend_requirement

    needed = backend_requirement(context, backend) if backend in backends() else backend
    return [install(context, needed, summary=f"And install {backend} here.")]


def _evidence(context: Context) -> list[Evidence]:
    rows = []
    for source in context.choice.sources:
        said = source.value if source.value is not None else "nothing that can be read"
        state = "wins" if source.wins else source.remark or "is overruled"
        rows.append(seen(f"{source.name} says {said}: {state}", source.where))
    if context.backend_seen:
        rows.append(seen(f"Keras ran on {context.backend_seen}", "live run"))
    return rows


def _moved_config(context: Context, winner: Source) -> Source | None:
    """The keras.json in the home folder that KERAS_HOME hides.

    Only when it asks for another backend, one that is there or wished for.
    """
    if winner.config is None or winner.config.source != "KERAS_HOME":
        return None
    for source in context.choice.sources:
        if source.config and source.config.source == "home" and source.value != winner.value:
            good = (context.wish,) if context.wish else context.installed_backends
            if source.value in good:
                return source
    return None


def _keras_home(context: Context, winner: Source, home: Source) -> Finding:
    got, other = winner.value, home.value
    installed = context.backend_importable(got or "")
    tail = "" if installed else ", which is not installed here"
    # The variable decides what this environment sees; the file may be meant for another one.
    return finding(
        "KD103",
        "backend-source-conflict",
        "KERAS_HOME",
        title=f"KERAS_HOME points Keras at another keras.json, which asks for {got}{tail}",
        why=(
            f"With KERAS_HOME set, the keras.json in your home folder, which says {other}, is not "
            "read."
        ),
        evidence=_evidence(context),
        stage=SELECTION,
        weight="fatal" if not installed or context.wish else "risk",
        blocks=() if installed else ("keras",),
        fixes=[
            set_variable(context, "KERAS_HOME", None, f"Unset KERAS_HOME: then {other} is taken."),
            *choose_backend(context, other or "", winner),
        ],
        signs=[sign(module=got)] if got else (),
        explains=[f"backend-not-installed:{got}"],
        changes=[Change(kind="unset-variable", name="KERAS_HOME", value=None)],
    )
