"""KD408 undeclared-incompatibility: a variable asks a package for what is not there."""

from __future__ import annotations

import re

from keras_doctor.knowledge import load
from keras_doctor.model import Change
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import set_variable
from keras_doctor.rules.stages import VERSIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from keras_doctor.model import Finding, Outcome
    from keras_doctor.rules.context import Context


def misleading_variable(context: Context) -> Iterator[Finding]:
    """A variable asks a package for what its release, or this machine, does not have.

    What it checks: after a failure, whether one of the variables is set by which packages on the
    way of the import choose an implementation, a device or a flag, and whether the failure is in
    that choice.

    Why it breaks the import: such a variable is mostly a remedy of some years ago, which a newer
    release no longer knows: ``PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=cpp`` with protobuf 4.

    How it is fixed: unset the variable.

    Example: ``JAX_PLATFORMS=cuda`` where jaxlib was built for the processor alone.
    """
    if not context.failures:
        raise NotApplicable("nothing failed")
    found = False
    for row in load("variables")["variable"]:
        variable = context.variables.get(row["name"])
        if variable is None or not variable.value:
            continue
        for outcome in context.failures:
            said = _said(outcome, row["said"])
            if said is not None:
                found = True
                yield _finding(context, row, variable.value, said)
                break
    if not found:
        raise RuledOut("no variable asks a package for what is not there")


def _said(outcome: Outcome, pattern: str) -> str | None:
    """What the failure says of it: in its message, in its last file, or in what was printed."""
    texts = [f"{raised.type}: {raised.message}" for raised in outcome.chain]
    texts += [raised.frames[-1].file for raised in outcome.chain if raised.frames]
    if not outcome.chain:
        texts.append(outcome.output[-20_000:])
    for text in texts:
        match = re.search(pattern, text)
        if match is not None:
            line = text[text.rfind("\n", 0, match.start()) + 1 :]
            return line.partition("\n")[0][:300]
    return None


def _finding(context: Context, row: dict[str, Any], value: str, said: str) -> Finding:
    name = row["name"]
    of = context.first(row["of"])
    shown = f"{of.name} {of.version}" if of else row["of"]
    return finding(
        "KD408",
        row["cause"],
        name,
        title=f"{name}={value} asks {shown} for what is not there",
        why=row["why"],
        evidence=[seen(f"{name} is {value}", "environment"), seen(said)],
        stage=VERSIONS,
        weight="likely",
        fixes=[set_variable(context, name, None, f"Unset {name}.")],
        signs=[sign(text=row["said"]), sign(printed=row["said"], weak=True)],
        changes=[Change(kind="unset-variable", name=name, value=None)],
    )
