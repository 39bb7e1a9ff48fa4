"""Something that a release of a package does not have: who asked decides what that means."""

from __future__ import annotations

import re

from keras_doctor.knowledge.pathindex import path_index
from keras_doctor.rules.message.guesses import Guess
from keras_doctor.rules.message.world import (
    clash_slug,
    distribution_for,
    is_companion,
    is_of_the_world,
    mains,
)
from keras_doctor.rules.remedies import edit
from keras_doctor.versions import compare_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.context import Context
    from keras_doctor.rules.message.asked import Asked

# Paths that no program writes by hand: one package asks the other.
_INSIDE = re.compile(
    r"tensorflow\.(?:compat\.v2|tsl|core)\b|tensorflow\.python\.(?!keras\b)|[\w.]*__internal__"
    r"|keras\.api$|keras\.api\._v"
)


def clash(asked: Asked) -> Iterator[Guess]:
    """Another package asks for what this release does not have."""
    user, top = asked.by.top or "", asked.top
    name, by = distribution_for(asked.module), distribution_for(user)
    mismatch = Guess(
        cause=clash_slug(user, asked.module),
        confidence="likely",
        culprit=by if is_companion(user) or top in mains() else name,
        title=f"{by} and {name} are of releases that do not go together",
        why=f"{by} asks for {asked.path}, which the {name} that is installed does not have.",
        fixes=(
            edit("install", by, f"Install a {by} of the time of that {name}, or the other way."),
        ),
    )
    moved = Guess(
        cause="api-removed-or-moved",
        confidence="likely",
        culprit=by,
        title=f"{by} imports {asked.path}, which this {name} no longer has",
        why=f"{name} moved or removed it; a newer {by} may import it from its new place.",
        fixes=(edit("install", by, f"Install a newer {by}, or a {name} that still has it."),),
    )
    if user == "tf_keras":
        yield mismatch._replace(cause="legacy-keras-switch", culprit="tf-keras")
    if is_of_the_world(user) or top not in mains():
        yield mismatch
        if top in mains():
            yield moved
    elif path_index(top) is None or _INSIDE.match(asked.path):
        yield mismatch
        yield moved
    else:
        yield moved
        yield mismatch
        yield mismatch._replace(
            cause="tensorflow-variant-or-plugin-mismatch", confidence="possible"
        )


def nobodys_line(context: Context, asked: Asked) -> Iterator[Guess]:
    """No frame was quoted, so whose line asked is not known."""
    name = distribution_for(asked.module)
    pair = Guess(
        cause="keras-backend-mismatch",
        confidence="likely",
        culprit=name,
        title="Keras and its backend are of releases that do not go together",
        why=f"A package that asks for {asked.path} expects another release of {name}.",
    )
    if asked.top not in mains() or path_index(asked.top) is None:
        # Nobody's own program is full of these: a package of another time asks.
        if not is_of_the_world(asked.top):
            return
        yield pair._replace(
            cause="undeclared-incompatibility",
            title=f"A package asks for {asked.path}, which the {name} that is installed lacks",
        )
        yield from own_line(context, asked)
    elif _INSIDE.match(asked.path):
        yield pair
        yield from own_line(context, asked)
        yield pair._replace(
            cause="tensorflow-variant-or-plugin-mismatch",
            confidence="possible",
            title=f"A package that uses the inside of {name} is of another time",
        )
    else:
        yield from own_line(context, asked)
        yield pair


def argument(asked: Asked) -> Iterator[Guess]:
    """A function that does not take an argument: it is older or newer than its caller."""
    if asked.by.kind == "package" and asked.by.top != asked.top:
        mismatch = next(clash(asked))
        yield mismatch._replace(
            cause=clash_slug(asked.by.top or "", asked.module),
            why=f"{asked.by.top} calls {asked.path}, which the installed release does not take.",
        )
    elif asked.by.kind in ("user", "interactive"):
        yield Guess(
            cause="api-removed-or-moved",
            confidence="possible",
            culprit=asked.path,
            title=f"The installed {distribution_for(asked.module)} does not take {asked.path}",
            why="The argument came, went or was renamed in another release.",
        )


def misspelt(context: Context, asked: Asked) -> Iterator[Guess]:
    """The user wrote the name in other letters: Python tells capitals apart."""
    for outcome in context.failures:
        lowered = outcome.what.lower()
        if asked.module in lowered and asked.module not in outcome.what:
            yield Guess(
                cause="api-never-existed",
                confidence="likely",
                culprit=asked.module,
                title=f"The import is written with other capitals than {asked.module}",
                why="Names of modules are case-sensitive.",
                fixes=(edit("edit-code", outcome.what, f"Write {asked.module}.", asked.module),),
            )
            return


def own_line(context: Context, asked: Asked) -> Iterator[Guess]:
    """The user's own line asks for what is not there."""
    from keras_doctor.knowledge.paths import exists_in, known_ranges
    from keras_doctor.rules.message.parts import emptied

    path, name = asked.path, distribution_for(asked.module)
    version = _version(context, asked.top)
    if version and exists_in(path, version, context.keras_version) is True:
        yield from emptied(asked)
        return
    ranges = known_ranges(path)
    instead = _instead(path, version)
    shown = f"{name} {version}" if version else f"the installed {name}"
    fixes = (edit("edit-code", path, f"Use {instead} instead.", instead),) if instead else ()
    early = _is_before(version, ranges)
    sure = version and ranges and not early and asked.by.kind != "unknown"
    moved = Guess(
        cause="api-removed-or-moved",
        confidence="certain" if sure else "likely",
        culprit=path,
        title=f"{shown[0].upper()}{shown[1:]} does not have {path}",
        why=f"It is in {name} {_spoken(ranges)}." if ranges else "It was moved or removed.",
        fixes=(*fixes, edit("use-env", name, f"Or use a release of {name} that has {path}.")),
    )
    if ranges == () or early:
        yield Guess(
            cause="api-never-existed",
            confidence="likely",
            culprit=path,
            title=f"{shown[0].upper()}{shown[1:]} never had {path}",
            why=(
                f"It came later: it is in {name} {_spoken(ranges)}."
                if ranges
                else "No release has it: the name is misspelt, or belongs to another package."
            ),
            fixes=fixes or (edit("edit-code", path, "Change the import."),),
        )
    yield moved


def _instead(path: str, version: str | None) -> str | None:
    from keras_doctor.knowledge.paths import close_paths, replacement_of

    replaced = replacement_of(path)
    if replaced is not None:
        return replaced[1]
    return next(iter(close_paths(path, version)), None) if version else None


def _version(context: Context, top: str) -> str | None:
    """The version of the distribution that a package comes from, when it was told."""
    if top == "keras":
        return context.keras_version
    if top == "tensorflow":
        found = context.backend_distribution("tensorflow")
        return found.version if found else None
    owners = context.owners(top)
    return owners[0].version if owners else None


def older_than_known(context: Context, asked: Asked) -> bool:
    """Whether the installed release is older than the first that is known to have a path."""
    from keras_doctor.knowledge.paths import known_ranges

    return _is_before(_version(context, asked.top), known_ranges(asked.path))


def _is_before(version: str | None, ranges: tuple[tuple[str, str], ...] | None) -> bool:
    """Whether a release is older than the first that has a path."""
    return bool(version and ranges) and compare_key(version or "") < compare_key(
        (ranges or (("", ""),))[0][0]
    )


def _spoken(ranges: tuple[tuple[str, str], ...]) -> str:
    return " and ".join(a if a == b else f"{a} to {b}" for a, b in ranges[:3])
