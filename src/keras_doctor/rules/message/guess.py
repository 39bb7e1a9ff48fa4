"""The causes that a missing module or name can have, by who asked for it."""

from __future__ import annotations

import posixpath

from keras_doctor.knowledge.compatibility import lost_since
from keras_doctor.knowledge.imports import distribution_of
from keras_doctor.records import NamedTuple
from keras_doctor.rules.base import seen
from keras_doctor.rules.message.world import clash_slug, is_companion, is_of_the_world, mains
from keras_doctor.rules.remedies import edit, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Fix
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.message.asked import Asked

ESSENTIAL = ("__version__", "__file__", "__path__")
"""What every package of the Keras world has, in all releases."""


class Guess(NamedTuple):
    """One cause that a failure may have."""

    cause: str
    confidence: str
    culprit: str
    title: str
    why: str
    fixes: tuple[Fix, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def guesses(context: Context, asked: Asked) -> Iterator[Guess]:
    """The causes of one missing thing, the most probable first."""
    if "is not a package" in asked.raised.message:
        yield _shadowed(asked)
    elif "unknown location" in asked.raised.message:
        yield from _emptied(asked)
    elif asked.by.kind == "package" and asked.by.top == asked.top:
        yield from _of_itself(asked)
    elif asked.kind == "module" and "." not in asked.module:
        yield from _absent(context, asked)
    elif not is_of_the_world(asked.top) and asked.by.kind != "package":
        return
    elif _is_essential(asked):
        yield from _emptied(asked)
    elif asked.by.kind == "package" and asked.by.top != asked.top:
        yield from _clash(asked)
    else:
        yield from _own_line(context, asked)


def rename_it(file: str) -> Fix:
    """Give a file of the user's another name."""
    folder, name = posixpath.split(file.replace("\\", "/"))
    if name == "__init__.py":
        folder, name = posixpath.split(folder)
    new = posixpath.join(folder, "my_" + name)
    old = posixpath.join(folder, name)
    return edit("rename-file", old, f"Rename {old}, and remove its .pyc file.", new)


def _shadowed(asked: Asked) -> Guess:
    place = asked.loaded_from or f"{asked.top}.py"
    return Guess(
        cause="shadowed-module",
        confidence="certain",
        culprit=place,
        title=f"A file called {asked.top}.py is found before the package {asked.top}",
        why=f"Python says that `{asked.top}` is no package: it is a single file.",
        fixes=(rename_it(place),),
    )


def _emptied(asked: Asked) -> Iterator[Guess]:
    """A package without its contents: only its folder answers to the name."""
    top = asked.top
    yield Guess(
        cause="namespace-remnant",
        confidence="likely",
        culprit=top,
        title=f"Only an empty folder answers to `import {top}`",
        why=f"A folder without {top}'s files imports as an empty namespace, which has nothing.",
        fixes=(edit("delete", top, f"Look where it lies (print({top}.__path__)) and remove it."),),
    )
    yield Guess(
        cause="shadowed-module",
        confidence="likely",
        culprit=f"{top}.py",
        title=f"A file or folder of yours called {top} may be found before the package",
        why=f"Python takes the first thing on its path that answers to `import {top}`.",
        fixes=(rename_it(f"{top}.py"),),
    )
    yield _damaged(asked, "possible")


def _damaged(asked: Asked, confidence: str) -> Guess:
    name = distribution_of(asked.top)
    return Guess(
        cause="missing-files",
        confidence=confidence,
        culprit=name,
        title=f"Files of {name} are missing",
        why=f"{asked.path} is a part of {name} itself, and {name} does not find it.",
        fixes=(_again(name),),
    )


def _again(name: str) -> Fix:
    return edit("reinstall", name, f"Remove {name}, delete what is left of it, install it again.")


def _of_itself(asked: Asked) -> Iterator[Guess]:
    """A package that does not find a part of itself."""
    name = distribution_of(asked.top)
    if asked.halfway:
        yield Guess(
            cause="circular-import",
            confidence="likely",
            culprit=asked.top,
            title=f"{asked.top} is imported again while it is still being loaded",
            why="Something that it imports asks for a name that is not yet there.",
        )
    path = (asked.by.path or "").replace("\\", "/")
    extension = asked.module.rpartition(".")[2].startswith("_") and asked.kind == "module"
    if extension:
        yield Guess(
            cause="abi-mismatch",
            confidence="likely",
            culprit=name,
            title=f"The compiled part of {name} is not for this Python",
            why=f"{asked.path} is an extension module, built for another Python or gone.",
            fixes=(_again(name),),
        )
    if asked.kind == "module":
        yield _damaged(asked, "likely")
        yield Guess(
            cause="interrupted-install",
            confidence="possible",
            culprit=name,
            title=f"The installation of {name} was not completed",
            why="An installer that is stopped leaves a package without some of its files.",
            fixes=(_again(name),),
        )
    else:
        if asked.top in mains() and asked.top != "keras":
            pass
        elif asked.top == "keras" and "backend" in asked.path:
            yield Guess(
                cause="keras-backend-mismatch",
                confidence="likely",
                culprit="keras",
                title="The backend lacks something that this Keras asks of it",
                why=f"{asked.path} comes from the backend's module, which is of another time.",
            )
        yield Guess(
            cause="mixed-version-files",
            confidence="likely",
            culprit=name,
            title=f"Files of two releases of {name} are mixed",
            why=f"{name} asks itself for {asked.path}, which its own files do not have.",
            fixes=(_again(name),),
        )
    if "AppData/Roaming/Python" in path or "/.local/lib/python" in path:
        yield Guess(
            cause="multiple-installations",
            confidence="possible",
            culprit=name,
            title=f"A second copy of {name} in your own user folder is found first",
            why="Packages in the user folder come before those of the environment.",
            evidence=(seen("it was loaded from the user folder", asked.by.path),),
        )


def _absent(context: Context, asked: Asked) -> Iterator[Guess]:
    """A whole package that is not found."""
    top = asked.top
    interpreter = context.snapshot.interpreter
    version = interpreter.version if interpreter else None
    since = lost_since(top, version or "99")
    if since is not None:
        user = asked.by.top or "the package that asks for it"
        yield Guess(
            cause="python-unsupported",
            confidence="certain" if version else "likely",
            culprit=asked.by.top or "Python",
            title=f"{user} is too old for this Python, which has no module {top} any more",
            why=f"{top} was a part of Python until {since}.",
        )
        return
    name = distribution_of(top)
    by = asked.by.top if asked.by.kind == "package" else None
    if by == top:
        return
    absent = Guess(
        cause="not-installed",
        confidence="likely",
        culprit=name,
        title=f"{name} is not installed in the Python that ran"
        + (f"; {by} needs it" if by else ""),
        why="Nothing on the path of that Python answers to the name.",
        fixes=(install(context, name),) if is_of_the_world(top) else (),
    )
    if top not in mains() or by in world_but_companions(by):
        yield absent
        return
    elsewhere = Guess(
        cause="wrong-interpreter",
        confidence="likely",
        culprit="Python",
        title=f"The Python that ran is not the one that {name} was installed into",
        why=f"{name} was installed, and the Python that ran does not find it.",
        fixes=(
            edit(
                "use-env",
                name,
                "Install with the Python that runs: python -m pip install " + name,
            ),
        ),
    )
    said = bool(context.first(name)) or _speaks_of_installing(context)
    yield from (elsewhere, absent) if said else (absent, elsewhere)


def world_but_companions(by: str | None) -> tuple[str, ...]:
    """A package of the Keras world itself, as a tuple; () for others."""
    return (by,) if by and is_of_the_world(by) and not is_companion(by) else ()


def _speaks_of_installing(context: Context) -> bool:
    import re

    pattern = re.compile(
        r"already satisfied|Successfully installed|pip3? (?:list|show|freeze)|conda list"
        r"|which python|jupyter|ipykernel|notebook|sys\.executable|activate ",
        re.IGNORECASE,
    )
    texts = [o.output for o in context.failures] + [o.what for o in context.failures]
    return any(pattern.search(text) for text in texts)


def _is_essential(asked: Asked) -> bool:
    if asked.kind != "attribute" or asked.module not in mains():
        return False
    from keras_doctor.knowledge.paths import always_there

    return asked.name in ESSENTIAL or always_there(asked.path)


def _clash(asked: Asked) -> Iterator[Guess]:
    """Another package asks for what this release does not have."""
    user, top = asked.by.top or "", asked.top
    name, by = distribution_of(top), distribution_of(user)
    slug = clash_slug(user, top)
    clash = Guess(
        cause=slug,
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
    if is_of_the_world(user) or top not in mains():
        yield clash
        if top in mains():
            yield moved
    else:
        yield moved
        yield clash
        yield clash._replace(cause="tensorflow-variant-or-plugin-mismatch", confidence="possible")


def _own_line(context: Context, asked: Asked) -> Iterator[Guess]:
    """The user's own line, or nobody knows whose."""
    from keras_doctor.knowledge.paths import close_paths, exists_in, known_ranges, replacement_of

    top, path = asked.top, asked.path
    name = distribution_of(top)
    version = _version(context, top)
    if version and exists_in(path, version, context.keras_version) is True:
        yield from _emptied(asked)
        return
    ranges = known_ranges(path)
    instead = replacement_of(path)
    if instead is None and version:
        instead = next(iter(close_paths(path, version)), None)
    shown = f"{name} {version}" if version else f"the installed {name}"
    fixes = (edit("edit-code", path, f"Use {instead} instead.", instead),) if instead else ()
    moved = Guess(
        cause="api-removed-or-moved",
        confidence="certain" if version and ranges and asked.by.kind != "unknown" else "likely",
        culprit=path,
        title=f"{shown[0].upper()}{shown[1:]} does not have {path}",
        why=f"It is in {name} {_spoken(ranges)}." if ranges else "It was moved or removed.",
        fixes=(*fixes, edit("use-env", name, f"Or use a release of {name} that has {path}.")),
    )
    never = Guess(
        cause="api-never-existed",
        confidence="likely",
        culprit=path,
        title=f"No release of {name} has {path}",
        why="The name is misspelt, or belongs to another package.",
        fixes=fixes or (edit("edit-code", path, "Change the import."),),
    )
    if ranges == () and asked.by.kind != "unknown":
        yield from (never, moved)
    else:
        yield moved
    if asked.by.kind == "unknown" and top in mains():
        yield Guess(
            cause="keras-backend-mismatch",
            confidence="likely",
            culprit=name,
            title="Keras and its backend are of releases that do not go together",
            why=f"A package that asks for {path} expects another release of {name}.",
        )


def _version(context: Context, top: str) -> str | None:
    """The version of the distribution that a package comes from, when it was told."""
    if top == "keras":
        return context.keras_version
    if top == "tensorflow":
        found = context.backend_distribution("tensorflow")
        return found.version if found else None
    owners = context.owners(top)
    return owners[0].version if owners else None


def _spoken(ranges: tuple[tuple[str, str], ...]) -> str:
    return " and ".join(a if a == b else f"{a} to {b}" for a, b in ranges[:3])
