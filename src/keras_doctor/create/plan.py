"""What would be made: of what the user says, or of what a program needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.create.choose import choose
from keras_doctor.create.infer import infer
from keras_doctor.create.locked import read_lock
from keras_doctor.create.needs import needs_of
from keras_doctor.model.creation import Creation, UnknownImport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keras_doctor.create.wanted import Chosen, Wanted


def plan_of(wanted: Wanted, interpreters: Mapping[str, str], folder: str) -> Creation:
    """What would be made of what the user says.

    Args:
        wanted: What is asked for.
        interpreters: From a version like ``3.8`` to the interpreter.
        folder: Where it would be.

    Raises:
        CreateError: There is no such set.
    """
    return _planned(choose(wanted, interpreters), folder)


def plan_locked(
    path: str, wanted: Wanted, interpreters: Mapping[str, str], folder: str
) -> Creation:
    """What a lock file makes again; arguments as for :func:`plan_for`.

    Raises:
        CreateError: It cannot be read, or there is no such Python here.
    """
    return _planned(read_lock(path, wanted, interpreters), folder)


def plan_for(
    program: str, wanted: Wanted, interpreters: Mapping[str, str], folder: str
) -> Creation:
    """What would be made for a program; arguments as above.

    Args:
        program: A script, a notebook, or a folder of them.
        wanted: What else is asked for.
        interpreters: From a version like ``3.8`` to the interpreter.
        folder: Where it would be.

    Raises:
        CreateError: It cannot be read, or no set is known for it.
    """
    needs = needs_of(program)
    found = infer(needs, wanted, interpreters)
    plan = _planned(found.chosen, folder)
    return plan._replace(
        packages=(*plan.packages, *wanted.others),
        complete=plan.complete and not wanted.others,
        local_modules=needs.local_modules,
        unknown=tuple(UnknownImport(one.module, one.where) for one in found.unknown),
        remarks=found.remarks,
    )


def _planned(chosen: Chosen, folder: str) -> Creation:
    return Creation(
        folder=folder,
        python=chosen.python,
        interpreter=chosen.interpreter,
        backend=chosen.backend,
        keras=chosen.keras,
        packages=chosen.pins or chosen.requirements,
        complete=bool(chosen.pins),
        constraints=chosen.constraints,
        evidence=chosen.evidence,
        reasons=chosen.reasons,
        local_modules=(),
        unknown=(),
        made=False,
        verified=None,
        trained=False,
        imported=None,
        files=(),
        remarks=(),
    )
