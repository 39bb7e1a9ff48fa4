"""KD903 known-message."""

from __future__ import annotations

import os
import re
import sys

from keras_doctor.knowledge.signatures import signatures
from keras_doctor.model import Ask
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.message.match import holds, said
from keras_doctor.rules.message.stages import stage_of, weight_of
from keras_doctor.rules.remedies import edit, install, set_variable, uninstall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.signatures import Meaning, Remedy, Signature
    from keras_doctor.model import Finding, Fix, Outcome
    from keras_doctor.rules.context import Context

_FIELD = re.compile(r"\{(\w+)\}")


def known_message(context: Context) -> Iterator[Finding]:
    """The failure says something whose meaning is known from elsewhere.

    What it checks: the messages of a failure against those that were seen in public threads, in
    the sources of the packages, or in measurements, each with the causes that it had there.

    Why it breaks the import: some messages tell more than the facts that were read, or are all
    that there is: a text without its environment.

    How it is fixed: as it was where the message was seen.

    Example: "Illegal instruction (core dumped)" from TensorFlow on a processor without AVX.
    """
    if not context.failures:
        raise NotApplicable("nothing failed")
    told: set[tuple[str, str]] = set()
    for outcome in context.failures:
        for signature in signatures():
            found = said(signature, outcome)
            if found is None:
                continue
            for meaning in signature.meanings:
                if meaning.cause == "shadowed-module" and not _may_hide(context, found):
                    continue
                if meaning.when and not holds(meaning.when, context, outcome.output):
                    continue
                result = _finding(context, signature, meaning, found, outcome)
                if (result.cause, result.culprit) not in told:
                    told.add((result.cause, result.culprit))
                    yield result
    if not told:
        raise RuledOut("the failure says nothing that is known from elsewhere")


def _may_hide(context: Context, found: re.Match[str]) -> bool:
    """Whether there is anything that the module of a message could stand in the way of.

    Two files of a program that import each other say the same as one that hides a package.
    """
    name = found.groupdict().get("module")
    if name is None or not context.is_complete:
        return True
    top = name.partition(".")[0]
    installed = top in context.modules or bool(context.owners(top))
    return installed or top in sys.stdlib_module_names


def _finding(
    context: Context,
    signature: Signature,
    meaning: Meaning,
    found: re.Match[str],
    outcome: Outcome,
) -> Finding:
    from keras_doctor.rules import code_of

    code = code_of(meaning.cause)
    line = found[0].strip().splitlines()
    evidence = [seen(line[0][:300] if line else signature.id, outcome.what)]
    evidence.append(seen("seen before with this cause", signature.source))
    facts = context.is_complete  # then a rule that read them knows better
    return finding(
        code,
        meaning.cause,
        _filled(meaning.culprit, found),
        title=_filled(meaning.title, found),
        why=_filled(meaning.why, found),
        evidence=evidence,
        stage=stage_of(code),
        weight="risk" if facts else weight_of(meaning.confidence),
        fixes=[_fix(context, remedy, found) for remedy in meaning.fixes],
        signs=[sign(printed=re.escape(found[0]), weak=facts)],
    )._replace(ask=_ask(meaning, code))


def _ask(meaning: Meaning, code: str) -> Ask | None:
    if meaning.ask is None:
        return None
    return Ask(question=meaning.ask, command=meaning.ask_command, decides=(code,))


def _filled(text: str, found: re.Match[str]) -> str:
    """A text of the signature with what the pattern found in it."""
    groups = found.groupdict()
    return _FIELD.sub(lambda field: (groups.get(field[1]) or field[0])[:200], text)


def _fix(context: Context, remedy: Remedy, found: re.Match[str]) -> Fix:
    name = _filled(remedy.name or "", found)
    summary = _filled(remedy.summary, found)
    if remedy.kind == "install" and name:
        return install(context, *name.split(), summary=summary)
    if remedy.kind == "uninstall" and name:
        return uninstall(context, name, summary)
    if remedy.kind in ("set-env", "unset-env"):
        value = remedy.value if remedy.kind == "set-env" else None
        return set_variable(context, name, value, summary)
    value = _filled(remedy.value, found) if remedy.value else remedy.value
    if remedy.kind == "rename-file" and value and not os.path.dirname(value):
        value = os.path.join(os.path.dirname(name), value)
    return edit(remedy.kind, name, summary, value)
