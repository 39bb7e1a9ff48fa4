"""Which release of a backend would go with the Keras that is installed."""

from __future__ import annotations

from keras_doctor.knowledge import measured
from keras_doctor.knowledge.selection import backends
from keras_doctor.rules.compatibility.choice import TIME, day_of
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.knowledge.releases import Release
    from keras_doctor.rules.context import Context


def backend_requirement(context: Context, backend: str) -> str:
    """What to install for a backend: ``tensorflow==2.18.1``, or the bare name.

    The newest release that was measured to work with the series of this Keras; else the newest
    from its time, since newer ones may have dropped what it uses. The bare name when this
    Python can install none of them, or nothing is known.
    """
    name = backends()[backend].distributions[0]
    keras, interpreter = context.keras_distribution, context.snapshot.interpreter
    if keras is None or interpreter is None:
        return name
    rows = _installable(context, name)
    worked = _worked_with(backend, keras.version)
    for row in rows:
        if row.version in worked:
            return f"{name}=={row.version}"
    day = day_of(keras)
    for row in rows:
        if day is not None and row.date is not None and row.date <= _later(day):
            return f"{name}=={row.version}"
    return name


def _installable(context: Context, name: str) -> list[Release]:
    """Newest first; of a package that exists as source only, that."""
    from keras_doctor.knowledge.releases import installable

    interpreter, machine = context.snapshot.interpreter, context.snapshot.machine
    if interpreter is None:
        return []
    found = installable(
        name,
        python=interpreter.version,
        platform=interpreter.platform,
        machine=interpreter.machine,
        libc=machine.libc if machine else None,
    )
    wheels = [one.release for one in found if one.how == "wheel"]
    return wheels or [one.release for one in found]


def _worked_with(backend: str, keras: str) -> set[str]:
    """Releases of a backend that were run with releases of Keras around this one."""
    return {
        edge.release
        for edge in measured.all_edges()
        if edge.subject == backend
        and edge.dependency == "keras"
        and edge.statement == "import keras"
        and compare_key(edge.good[0]) <= compare_key(keras) <= compare_key(edge.good[1])
    }


def _later(day: str) -> str:
    import datetime as dt

    return (dt.date.fromisoformat(day) + dt.timedelta(days=TIME)).isoformat()
