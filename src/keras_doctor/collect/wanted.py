"""From what the user runs and wishes to what the collector must look at."""

from __future__ import annotations

from keras_doctor.collect.request import FixedBackend, Idle, Request
from keras_doctor.knowledge.imports import idle_distributions, import_names
from keras_doctor.knowledge.selection import backends, fixed_ranges, generations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.model import Script


def request_for(
    script: Script | None = None,
    wish: str | None = None,
    *,
    options: Sequence[str] = (),
    thorough: bool = True,
) -> Request:
    """What to look at for a program and a wish.

    Args:
        script: The user's program; None when nothing of it is known.
        wish: The backend that the user wants, or None.
        options: Interpreter options of the user's own start.
        thorough: Whether to look at everything, see :class:`Request`.
    """
    blank = Request()
    known = backends()
    imported = {i.module.partition(".")[0] for i in script.imports} if script else set()
    asked = {
        s.value
        for s in (script.settings if script else ())
        if s.value and s.variable == "KERAS_BACKEND"
    }
    names = {name.partition(".")[0] for name in import_names()} - set(blank.module_names)
    return blank._replace(
        roots=("keras", *sorted(imported & {"tf_keras", *known})),
        asked=tuple(sorted(asked | ({wish} if wish else set()))),
        backends={name: backend.imports for name, backend in known.items()},
        default_backend=generations()[-1].default,
        fixed_backends=tuple(
            FixedBackend(since=since, before=before, backend=backend)
            for since, before, backend in fixed_ranges()
        ),
        module_names=(*blank.module_names, *sorted(names)),
        options=tuple(options),
        thorough=thorough,
        idle=tuple(
            Idle(keras=keras, backend=backend, distributions=names)
            for (keras, backend), names in idle_distributions().items()
        ),
    )
