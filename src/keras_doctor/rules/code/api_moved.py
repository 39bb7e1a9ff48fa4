"""KD601 api-removed-or-moved."""

from __future__ import annotations

import os
import re

from keras_doctor.names import normalize
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, listing, seen, sign
from keras_doctor.rules.context import is_inside
from keras_doctor.rules.remedies import edit
from keras_doctor.rules.stages import CODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.knowledge.paths import ImportPath
    from keras_doctor.model import Distribution, Finding, Raised
    from keras_doctor.rules.context import Context

_CANNOT_IMPORT = re.compile(r"cannot import name '?(\w+)'? from '?(keras[\w.]*)'?")


def api_removed_or_moved(context: Context) -> Iterator[Finding]:
    """The program imports something that this Keras release no longer has, or not yet.

    What it checks: the import statements of the user's program, and the name that a failed import,
    or a line that takes something of a module, asked for, against the releases in which each path
    of Keras could be imported.

    Why it breaks the import: Keras moved and removed many paths, some in patch releases. The rest
    of the environment may be in order.

    How it is fixed: import the replacement, or install a release that has the old path.

    Example: ``from keras.utils import np_utils``, gone after Keras 2.12.
    """
    version = context.keras_version
    if version is None:
        raise NotApplicable("no Keras was found")
    if not context.is_complete and context.snapshot.script is None:
        raise NotApplicable("what a quoted failure asked for is another rule's matter")
    asked = {**_from_failures(context), **_from_script(context)}
    unknown = [row for row in _not_in_what_is_installed(context) if row[0].code == "KD601"]
    if not asked and not unknown:
        raise NotApplicable("no import of a part of Keras is known")
    from keras_doctor.knowledge.paths import import_paths

    told: set[str] = set()
    for path, where in asked.items():
        entries = import_paths().get(path, ())
        gone = entries and not any(entry.exists_in(version) for entry in entries)
        # One statement is one finding: where the module is gone, its names are too.
        if gone and where[0] not in told:
            told.add(where[0])
            yield _moved(context, version, entries, where)
    for result, place in unknown:
        if place not in told:
            told.add(place)
            yield result
    if not told:
        raise RuledOut("the imports that are known exist in this release")


def _from_script(context: Context) -> dict[str, tuple[str, str]]:
    """Paths that the program imports when it starts: path to (place, statement)."""
    script = context.snapshot.script
    found: dict[str, tuple[str, str]] = {}
    for statement in script.imports if script else ():
        if statement.guarded or statement.module.partition(".")[0] != "keras":
            continue
        place = (f"{statement.path}:{statement.line}", statement.text)
        found[statement.module] = place
        for name in statement.names:
            found[f"{statement.module}.{name}"] = place
    return found


def _from_failures(context: Context) -> dict[str, tuple[str, str]]:
    """Paths that a run asked for and did not get."""
    found: dict[str, tuple[str, str]] = {}
    for outcome in context.failures:
        for raised in outcome.chain:
            if raised.frames and not _is_own(context, raised):
                continue  # two packages that do not go together, not the user's line
            place = raised.frames[-1] if raised.frames else None
            where = f"{place.file}:{place.line}" if place else outcome.what
            text = (place.text if place else None) or raised.message
            match = _CANNOT_IMPORT.search(raised.message)
            if match:
                found[f"{match[2]}.{match[1]}"] = (where, text)
            elif raised.name and raised.name.startswith("keras."):
                found[raised.name] = (where, text)
    return found


def api_never_existed(context: Context) -> Iterator[Finding]:
    """The program imports something that no release of the package ever had.

    What it checks: after a failed import of the user's own line, whether the path that was asked
    for exists in any release of Keras, tf_keras or TensorFlow that was read for the index.

    Why it breaks the import: there is nothing of that name: it is misspelt, written with other
    capitals, or belongs to another package.

    How it is fixed: the name that was meant; where one is near, it is named.

    Example: ``from keras.layers import Relu``; the layer is called ``ReLU``.
    """
    if not context.is_complete:
        raise NotApplicable("what a quoted failure asked for is another rule's matter")
    if not context.failures:
        raise NotApplicable("nothing failed")
    told: set[str] = set()
    for result, place in _not_in_what_is_installed(context):
        if result.code == "KD602" and place not in told:
            told.add(place)
            yield result
    if not told:
        raise RuledOut("what was asked for is, or was, in some release")


_NO_NAME = re.compile(r"cannot import name '?(\w+)'? from '?([\w.]+)'?")
_NO_ATTRIBUTE = re.compile(
    r"\Amodule '((?:keras|tf_keras|tensorflow)[\w.]*)' has no attribute '(\w+)'"
)
_INSIDE = re.compile(r"\A(keras|tf_keras)\.(?:api|_tf_keras\.keras)\.")
"""Where releases of Keras 3 keep their public modules: programs know them without that."""


def _asked_for(raised: Raised) -> tuple[str, str]:
    """The path that an exception says is not there, and what the program does with it."""
    match = _NO_ATTRIBUTE.search(raised.message)
    if match and raised.type == "AttributeError":
        return _INSIDE.sub(r"\1.", f"{match[1]}.{match[2]}"), "uses"
    if raised.type not in ("ImportError", "ModuleNotFoundError"):
        return "", ""
    match = _NO_NAME.search(raised.message)
    return (f"{match[2]}.{match[1]}" if match else raised.name or ""), "imports"


def _not_in_what_is_installed(context: Context) -> Iterator[tuple[Finding, str]]:
    """What a line of the user's own program asked of a whole package, and it does not have it.

    No index is needed for that: the files of the package are as shipped, and the exception was
    raised in the user's line.
    """
    damaged = {normalize(check.distribution) for check in context.snapshot.files if check.anomalies}
    for outcome in context.failures:
        for raised in outcome.chain:
            path, verb = _asked_for(raised)
            top, _, rest = path.partition(".")
            owners = context.owners(top)
            if not rest or not owners or not raised.frames or not _is_own(context, raised):
                continue
            if any(normalize(owner.name) in damaged for owner in owners):
                continue
            frame = raised.frames[-1]
            yield _absent(owners[0], path, raised, verb), f"{frame.file}:{frame.line}"


def _is_own(context: Context, raised: Raised) -> bool:
    """Whether the line that failed is the user's, not a package's."""
    files = [frame.file for frame in raised.frames if not frame.file.startswith("<frozen ")]
    file = files[-1] if files else raised.frames[-1].file
    return not any(is_inside(file, entry.path) for entry in context.snapshot.path[1:])


def _absent(owner: Distribution, path: str, raised: Raised, verb: str) -> Finding:
    from keras_doctor.knowledge.paths import close_paths, known_ranges, replacement_of

    frame = raised.frames[-1]
    file, place = os.path.basename(frame.file), f"{frame.file}:{frame.line}"
    ranges = known_ranges(path)
    never = ranges == ()
    replaced = replacement_of(path)
    near = replaced[1] if replaced else next(iter(close_paths(path, owner.version)), None)
    if never:
        why = "No release of it ever had that path: it is misspelt, or of another package."
    elif ranges:
        spoken = listing([a if a == b else f"{a} to {b}" for a, b in ranges])
        why = f"That path exists in {owner.name} {spoken}."
    else:
        why = "The package is as it was shipped: that path is of another release, or misspelt."
    change = f"Use {near} instead." if near else f"Change the line to what {owner.name} has."
    return finding(
        "KD602" if never else "KD601",
        "api-never-existed" if never else "api-removed-or-moved",
        file,
        title=f"{file} {verb} {path}, which {owner.name} {owner.version} does not have",
        why=why,
        evidence=[
            seen(frame.text or raised.message, place),
            seen(f"{owner.name} {owner.version}, its files are whole", owner.metadata),
        ],
        stage=CODE,
        weight="risk",
        subject=path,
        blocks=("program",),
        fixes=[edit("edit-code", place, change, near)],
        signs=[
            sign(raised.type, text=re.escape(raised.message)),
        ],
    )


def _moved(
    context: Context, version: str, entries: tuple[ImportPath, ...], where: tuple[str, str]
) -> Finding:
    entry = entries[0]
    place, statement = where
    file = place.rpartition(":")[0]
    ranges = listing([f"{a} to {b}" for e in entries for a, b in e.ranges])
    parent, _, name = entry.path.rpartition(".")
    fixes = []
    if entry.replacement:
        fixes.append(
            edit("edit-code", place, f"Use {entry.replacement} instead.", entry.replacement)
        )
    fixes.append(
        edit("use-env", place, f"Or make an environment with a Keras that has it ({ranges}).")
    )
    return finding(
        "KD601",
        "api-removed-or-moved",
        os.path.basename(file) or file,
        title=f"{os.path.basename(file)} imports {entry.path}, which Keras {version} does not have",
        why=f"That path exists in Keras {ranges}.",
        evidence=[seen(statement.strip(), place), seen(f"keras {version}", _metadata(context))],
        stage=CODE,
        weight="likely",
        subject=entry.path,
        blocks=("program",),
        fixes=fixes,
        signs=[
            sign(module=entry.path),
            sign("ImportError", text=rf"cannot import name '{re.escape(name)}'"),
            sign("AttributeError", text=rf"'?{re.escape(parent)}'? has no attribute '{name}'"),
        ],
    )


def _metadata(context: Context) -> str | None:
    return context.keras_distribution.metadata if context.keras_distribution else None
