"""KD603 mixed-keras-and-tf-keras."""

from __future__ import annotations

import re

from keras_doctor.knowledge.selection import legacy_switch, tf_keras_of
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, listing, seen, sign
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Raised, Sign
    from keras_doctor.rules.context import Context

# A class or an object in a message, as repr() writes it, and where a frame lies.
_CLASS = re.compile(r"<(?:class ')?((?:tf_keras|keras|tensorflow)[\w.]*)")
_FILE = re.compile(r"[/\\](tf_keras|keras|tensorflow(?:_core)?[/\\]python[/\\]keras)[/\\]")
OWN_COPY = "tensorflow.python.keras"
"""The Keras inside TensorFlow."""


def mixed_keras(context: Context) -> Iterator[Finding]:
    """One program uses two packages that are both called Keras.

    What it checks: the Keras that each import of the program leads to (`keras`, `tensorflow.keras`,
    `tf_keras`, the private `tensorflow.python.keras`), as the installed releases have it; and after
    a failure, whether one of them was handed an object of another.

    Why it breaks the import: a layer of one is no layer of the other, though it has the same name.
    The messages speak of tuples without attributes, of layers that are no layers, of optimizers
    that cannot be interpreted.

    How it is fixed: import everything from one of them.

    Example: layers from tf_keras in a model of Keras 3.
    """
    packages = _imported(context)
    found = False
    for outcome in context.failures:
        for raised in outcome.chain:
            names = _foreign(raised)
            if names:
                found = True
                yield _seen_in_the_failure(context, raised, names, packages)
    if len(packages) > 1:
        found = True
        yield _by_imports(context, packages)
    if not found:
        if context.snapshot.script is None and not context.failures:
            raise NotApplicable("no program is known")
        raise RuledOut("the program uses one Keras only")


def _imported(context: Context) -> dict[str, list[Evidence]]:
    """The package behind each import of the program, with the places of the imports."""
    script = context.snapshot.script
    found: dict[str, list[Evidence]] = {}
    for each in script.imports if script else ():
        for path in (each.module, *(f"{each.module}.{name}" for name in each.names)):
            package = package_behind(context, path)
            if package:
                place = seen(each.text, f"{each.path}:{each.line}")
                rows = found.setdefault(package, [])
                if place not in rows:
                    rows.append(place)
                break
    return found


def package_behind(context: Context, path: str) -> str | None:
    """The package that a dotted path leads into; None for what is no Keras, or cannot be told."""
    top = path.partition(".")[0]
    if top in ("keras", "tf_keras"):
        return top
    if f"{path}.".startswith(OWN_COPY + "."):
        return OWN_COPY
    if not f"{path}.".startswith("tensorflow.keras."):
        return None
    tensorflow = context.backend_distribution("tensorflow")
    door = tf_keras_of(tensorflow.version) if tensorflow else None
    if door is None:
        return None
    variable = context.variables.get(legacy_switch()["variable"])
    if door.legacy_switch and variable and variable.value in legacy_switch()["on"]:
        return "tf_keras"
    return "keras" if door.provider == "keras" else OWN_COPY


def _foreign(raised: Raised) -> tuple[str, ...]:
    """The packages that met in a failure; () when it was only one."""
    named = {_family(match) for match in _CLASS.findall(raised.message)}
    if "`keras." in raised.message:
        named.add("keras")
    for frame in reversed(raised.frames):
        if match := _FILE.search(frame.file):
            named.add(_family(match[1].replace("/", ".").replace("\\", ".")))
            break
    named.discard("")
    return tuple(sorted(named)) if len(named) > 1 else ()


def _family(path: str) -> str:
    top = path.partition(".")[0]
    if top in ("keras", "tf_keras"):
        return top
    return OWN_COPY if ".python.keras" in path or path.endswith("python.keras") else ""


def mixing_signs(context: Context) -> list[Sign]:
    """The messages that mixing is known for, as far as a failure says one."""
    if not context.failures:
        return []
    from keras_doctor.knowledge.signatures import signatures
    from keras_doctor.rules.message.match import said

    texts = []
    for signature in signatures():
        if all(meaning.cause != "mixed-keras-and-tf-keras" for meaning in signature.meanings):
            continue
        for outcome in context.failures:
            found = said(signature, outcome)
            if found:
                texts.append(re.escape(found[0]))
    return [sign(printed=text) for text in texts]


def _seen_in_the_failure(
    context: Context, raised: Raised, names: tuple[str, ...], packages: dict[str, list[Evidence]]
) -> Finding:
    evidence = [seen(f"{raised.type}: {raised.message}")]
    for name in names:
        evidence += packages.get(name, [])[:2]
    return _report(context, names, evidence, [sign(text=re.escape(raised.message[:200]))], "likely")


def _by_imports(context: Context, packages: dict[str, list[Evidence]]) -> Finding:
    evidence = [place for places in packages.values() for place in places[:2]]
    return _report(context, tuple(packages), evidence, mixing_signs(context), "risk")


def _report(
    context: Context,
    names: tuple[str, ...],
    evidence: list[Evidence],
    signs: list[Sign],
    weight: str,
) -> Finding:
    script = context.snapshot.target.script
    file = context.shown(script) if script else "the program"
    keep = next((name for name in ("keras", "tf_keras") if name in names), names[0])
    places = _to_change(context, keep) or [evidence[-1].where or file]
    return finding(
        "KD603",
        "mixed-keras-and-tf-keras",
        file,
        title=f"{file} mixes {listing(names)}, which are different packages here",
        why="Objects of one are unknown to the other, though their classes have the same names.",
        evidence=evidence,
        stage=CODE,
        weight=weight,
        subject="keras",
        blocks=("program",),
        fixes=[
            edit("edit-code", place, f"Import everything from {_door(keep)}.", keep)._replace(
                continues=place != places[-1]
            )
            for place in places
        ],
        signs=signs,
    )


def _to_change(context: Context, keep: str) -> list[str]:
    """The first import of another Keras in each file of the program."""
    found: dict[str, str] = {}
    for name, rows in _imported(context).items():
        for row in rows if name != keep else ():
            path, _, line = (row.where or "").rpartition(":")
            first = found.get(path)
            if first is None or int(line) < int(first.rpartition(":")[2]):
                found[path] = f"{path}:{line}"
    return list(found.values())


def _door(package: str) -> str:
    """How a package is imported."""
    return "tensorflow.keras" if package == OWN_COPY else package
