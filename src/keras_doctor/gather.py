"""The facts of a target: what the collector says, the user's program, and other Pythons."""

from __future__ import annotations

from keras_doctor.collect import collect
from keras_doctor.collect.wanted import request_for
from keras_doctor.model import Variable
from keras_doctor.rules.context import Elsewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.model import Script, Snapshot
    from keras_doctor.targets import Found


def facts_of(found: Found, wish: str | None, *, thorough: bool) -> Snapshot:
    """The facts of a target, its script and who sets its variables included."""
    script = _read_script(found, wish)
    snapshot = collect(
        found.target,
        found.environ,
        request_for(script, wish, options=found.options, thorough=thorough),
    )
    variables = tuple(
        Variable(name=v.name, value=v.value, set_by=v.set_by or found.set_by.get(v.name))
        for v in snapshot.variables
    )
    return snapshot._replace(script=script, variables=variables)


def _read_script(found: Found, wish: str | None) -> Script | None:
    if not (found.target.script or found.module or found.code):
        if found.argv or wish is None:
            return None
        from keras_doctor.targets.programs import choosing_program

        return choosing_program(found.target.folder, wish)
    from keras_doctor.targets.script import read_script

    return read_script(
        found.target.script, module=found.module, code=found.code, folder=found.target.folder
    )


def elsewhere_of(snapshot: Snapshot, found: Found) -> tuple[Elsewhere, ...]:
    """Other Pythons that hold Keras; looked for only when it is missing here."""
    module = next((m for m in snapshot.modules if m.name == "keras"), None)
    if module is not None and module.kind != "missing":
        return ()
    from keras_doctor.targets.inventory import list_environments

    places = list_environments(found.environ, found.target.folder, timeout=5.0)
    here = snapshot.target.python
    return tuple(
        Elsewhere(place.python, tuple(f"{p.name} {p.version}" for p in place.packages))
        for place in places
        if place.python != here and any(p.name == "keras" for p in place.packages)
    )
