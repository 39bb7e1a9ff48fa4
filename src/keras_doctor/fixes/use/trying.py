"""Whether a backend works with this Keras, and what decides once the setting is written.

Nothing is written here: the live run sees the new setting in a private copy of HOME.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.diagnosis import diagnose
from keras_doctor.fixes.use.result import CONFIG, Override
from keras_doctor.fixes.use.shells import VARIABLE
from keras_doctor.knowledge.selection import legacy_switch
from keras_doctor.live import run_imports
from keras_doctor.model import Change, Variable
from keras_doctor.rules.context import Context
from keras_doctor.rules.remedies import backend_change

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.use.places import Place
    from keras_doctor.model import Outcome, Snapshot
    from keras_doctor.rules.selection.explain import Source
    from keras_doctor.targets import Found


def try_out(found: Found, place: Place | None, backend: str, timeout: float) -> Outcome:
    """Import Keras and train one step with the backend selected by the setting alone.

    Args:
        found: The target.
        place: The setting; None: whatever is selected now.
        backend: The backend.
        timeout: Seconds.
    """
    changes: tuple[Change, ...] = ()
    if place is not None and place.kind == CONFIG:
        changes = (Change(kind="unset-variable", name=VARIABLE, value=None),)
        if place.changes:
            changes += (Change(kind="config-text", name=place.path, value=place.text),)
    elif place is not None:
        changes = (backend_change(backend),)
    return run_imports(
        found.target,
        found.environ,
        options=found.options,
        train=True,
        changes=changes,
        wish=backend,
        timeout=timeout,
    )


def passed(outcome: Outcome, backend: str) -> bool:
    """Whether it worked, and with that backend."""
    return outcome.status == "passed" and outcome.backend == backend


def why_not(
    look: Callable[[], Snapshot], place: Place | None, backend: str, outcome: Outcome
) -> str:
    """The first cause of a failed run, as a clause.

    Args:
        look: Collects the facts again, thoroughly.
        place: The setting with which it was run.
        backend: The backend.
        outcome: The run.
    """
    snapshot = look()._replace(script=None)
    if place is not None:
        snapshot = with_setting(_without_variable(snapshot), place, backend)
    context = Context(snapshot, wish=backend, outcomes=(outcome._replace(changes=()),))
    causes = diagnose(context).causes
    if causes:
        return f"{causes[0].title} [{causes[0].code}]"
    if outcome.chain:
        return f"{outcome.chain[-1].type}: {outcome.chain[-1].message}"
    if outcome.status == "passed":
        return f"Keras takes {outcome.backend or 'another backend'} instead"
    return outcome.signal or outcome.status


def with_setting(snapshot: Snapshot, place: Place, backend: str) -> Snapshot:
    """The facts as they are once the setting is written, and seen by a new start."""
    if place.kind == CONFIG:
        text = place.text if place.changes else None
        configs = tuple(
            c._replace(state="read", text=text) if c.path == place.path and text else c
            for c in snapshot.configs
        )
        return snapshot._replace(configs=configs)
    variable = Variable(name=VARIABLE, value=backend, set_by=place.path)
    rest = _without_variable(snapshot)
    return rest._replace(variables=(*rest.variables, variable))


def overrides_of(context: Context, place: Place | None, backend: str) -> tuple[Override, ...]:
    """What comes before the setting and says something else, the strongest first.

    Args:
        context: The world with the setting.
        place: The setting.
        backend: What it says.
    """
    found: list[Override] = []
    if place is not None:
        mine = "config" if place.kind == CONFIG else "environment"
        for source in context.choice.sources:
            if source.kind in (mine, "default"):
                break
            if source.counts and source.value != backend:
                found.append(_override(source))
    return (*found, *_legacy(context))


def _override(source: Source) -> Override:
    value = f"={source.value}" if source.value is not None else ""
    setter = source.where.partition("set by ")[2]
    place = f"set by {setter}" if setter else "set in this shell"
    if source.kind == "code":
        summary = f"{source.where} sets {VARIABLE}{value} itself"
    else:
        summary = f"{VARIABLE}{value} is {place}, and comes first"
    return Override(
        name=source.name,
        where=source.where,
        value=source.value,
        wins=source.wins,
        summary=summary,
    )


def _legacy(context: Context) -> list[Override]:
    switch = legacy_switch()
    variable = context.variables.get(switch["variable"])
    tensorflow = context.backend_distribution("tensorflow")
    if variable is None or variable.value not in switch["on"] or tensorflow is None:
        return []
    return [
        Override(
            name=variable.name,
            where=variable.set_by or "environment",
            value=variable.value,
            wins=False,
            summary=(
                f"{variable.name}={variable.value} keeps tf.keras on TensorFlow whatever is "
                "selected; `import keras` does not mind it"
            ),
        )
    ]


def _without_variable(snapshot: Snapshot) -> Snapshot:
    rest = tuple(each for each in snapshot.variables if each.name != VARIABLE)
    return snapshot._replace(variables=rest)
