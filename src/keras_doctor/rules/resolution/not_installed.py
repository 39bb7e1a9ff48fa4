"""KD206 not-installed."""

from __future__ import annotations

import os

from keras_doctor.knowledge.compatibility import lost_since
from keras_doctor.knowledge.imports import (
    distribution_of,
    distributions_named,
    import_name_of,
    loaded_distributions,
    needed_distributions,
)
from keras_doctor.knowledge.selection import backends, generations
from keras_doctor.rules.base import RuledOut, finding, seen, sign, signs_of_an_empty_package
from keras_doctor.rules.remedies import install, rename
from keras_doctor.rules.stages import FILES, PRESENCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix, LocalModule, Outcome, Raised
    from keras_doctor.rules.context import Context


def not_installed(context: Context) -> Iterator[Finding]:
    """The package, or something that it needs, is simply absent.

    What it checks: whether Keras itself is on the path; whether everything is there that Keras,
    the selected backend and what those need declare; and, when an import was run, whether the
    module that was not found is anywhere on the path.

    Why it breaks the import: "No module named …". A package that was installed with ``--no-deps``,
    or a requirement that was removed later, shows only when it is imported.

    How it is fixed: install what is missing, into the Python that runs (``python -m pip``).

    Example: Keras 3 without optree.
    """
    reported: set[str] = set()
    for result in (*_keras_itself(context), *_requirements(context), *_observed(context)):
        if result.culprit not in reported:
            reported.add(result.culprit)
            yield result
    if not reported:
        raise RuledOut("everything that the import needs is on the path")


def _wanted(context: Context) -> list[str]:
    """The Keras doors that the user's import goes through."""
    script = context.snapshot.script
    doors: list[str] = [
        name for name in ("keras", "tf_keras", "tensorflow") if name in context.script_modules
    ]
    if script is not None and script.imports:
        return doors  # a program that imports no Keras needs none
    return ["keras"]


def _keras_itself(context: Context) -> Iterator[Finding]:
    if "keras" not in _wanted(context) or context.keras_distribution:
        return
    module = context.module("keras")
    if module is None:
        return  # nobody looked
    own = next((m for m in context.snapshot.local_modules if m.name == "keras"), None)
    folder = context.folder_of_the_users("keras")
    if module.kind != "missing" and folder is None:
        if own is not None and own.kind != "namespace":
            yield _only_a_local_one(context, own)
        return
    target = context.snapshot.target
    yield finding(
        "KD206",
        "not-installed",
        "keras",
        title="Keras is not installed in this Python",
        why=(
            "Nothing with code in it answers to `import keras`."
            if folder
            else "Nothing on its path answers to `import keras`."
        ),
        evidence=[
            seen(f"{len(context.snapshot.distributions)} distributions, keras is none of them"),
            seen(f"examined: {target.python}", target.chosen),
            *(
                [seen("a folder of yours answers to `import keras`, without code", folder)]
                if folder
                else []
            ),
            *_elsewhere(context, "keras"),
        ],
        stage=PRESENCE,
        weight="fatal",
        fixes=[_install_keras(context)],
        signs=signs_of_an_empty_package("keras") if folder else [sign(module="keras")],
        # What Keras would bring along is not missing by itself.
        explains=[f"not-installed:{name}" for name in sorted(loaded_distributions() - {"keras"})],
    )


def _only_a_local_one(context: Context, own: LocalModule) -> Finding:
    shown = context.shown(own.path)
    # A folder may be Keras itself, from a checkout of its source; a single file never is.
    return finding(
        "KD206",
        "not-installed",
        "keras",
        title=f"Keras is not installed in this Python; only your own {shown} has that name",
        why=f"`import keras` runs {shown}.",
        evidence=[seen(f"the only thing that answers to the name: {own.path}", own.entry)],
        stage=PRESENCE,
        weight="fatal" if own.kind == "module" else "risk",
        fixes=[
            rename(
                context,
                own.path,
                os.path.join(own.entry, "my_" + os.path.basename(own.path)),
                f"Rename {shown},",
            ),
            _install_keras(context),
        ],
        signs=[sign(module="keras"), sign(file=own.path), sign(text=r"'keras[.']")],
    )


def _install_keras(context: Context) -> Fix:
    """Keras declares no backend: name one, unless there is one."""
    known = backends()
    if context.wish in known and not context.backend_importable(context.wish or ""):
        backend = known[context.wish or ""].distributions[0]
        return install(context, "keras", backend, summary=f"Install Keras and {context.wish}.")
    if any(context.backend_importable(b) for b in known if known[b].trains):
        return install(context, "keras", summary="Install Keras.")
    return install(
        context,
        "keras",
        known[generations()[-1].default].distributions[0],
        summary="Install Keras and a backend; it needs one, and declares none.",
    )


def _elsewhere(context: Context, name: str) -> list[Evidence]:
    return [
        seen(f"{held} is installed in another Python", place.python)
        for place in context.elsewhere[:3]
        for held in place.holds
        if held.split(" ")[0] == name
    ]


def _requirements(context: Context) -> Iterator[Finding]:
    """What a distribution on the way declares and nobody installed."""
    for name, needed_by in context.way.items():
        if context.first(name) or not needed_by:
            continue
        module = import_name_of(name)
        top = module.partition(".")[0]
        found = context.module(top)
        if not context.is_complete:
            continue  # a list of what is there that somebody typed is not complete
        if found is not None and found.kind not in ("missing", "namespace"):
            continue  # there without metadata, as distributions of an operating system may be
        needing = context.first(needed_by[0])
        line = (
            next((line for n, _s, line in context.requirements(needing) if n == name), name)
            if needing
            else name
        )
        direct = any(parent in context.roots for parent in needed_by)
        essential = name in needed_distributions(
            context.keras_version or "", context.choice.backend or ""
        )
        who = f"{needing.name} {needing.version}" if needing else needed_by[0]
        yield finding(
            "KD206",
            "not-installed",
            name,
            title=f"{name} is not installed, and {who} needs it",
            why=f"{who} imports it; without it the import stops.",
            evidence=[seen(f"{who} requires {line}", needing.metadata if needing else None)],
            stage=FILES,
            weight="likely" if direct and essential else "risk",
            fixes=[install(context, _requirement_text(line) or name, summary=f"Install {name}.")],
            signs=[
                sign(module=module),
                sign(module=top),
                sign("ImportError", "ModuleNotFoundError", text=rf"\b({name}|{module})\b"),
            ],
        )


def _was_pythons_own(context: Context, name: str) -> bool:
    """Whether it is a part of the standard library that this Python no longer has."""
    interpreter = context.snapshot.interpreter
    return interpreter is not None and lost_since(name, interpreter.version) is not None


def _requirement_text(line: str) -> str:
    return line.partition(";")[0].strip().replace(" (", "").replace(")", "")


def _observed(context: Context) -> Iterator[Finding]:
    """Modules that a run did not find and that are nowhere on the path."""
    for outcome in context.failures:
        for raised in outcome.chain:
            name = (raised.name or "").partition(".")[0]
            if raised.type != "ModuleNotFoundError" or not name or raised.name != name:
                continue
            if not _is_nowhere(context, name) or _was_pythons_own(context, name):
                continue
            distribution = distribution_of(name)
            importer = raised.frames[-1].file if raised.frames else None
            yield finding(
                "KD206",
                "not-installed",
                distribution,
                title=f"{_shown(name, distribution)} is not installed{_needed_by(context, raised)}",
                why="The import stops where it is asked for.",
                evidence=[
                    seen(f"{raised.type}: {raised.message}", _place(outcome, raised)),
                    *_elsewhere(context, name),
                ],
                stage=FILES,
                weight="risk",
                subject=name,
                fixes=[install(context, distribution)] if _is_known(context, distribution) else (),
                signs=[sign(module=name)],
                blocks=("keras",) if importer else (),
            )
            break


def _is_known(context: Context, distribution: str) -> bool:
    """Whether somebody vouches for the name: our data, or metadata that requires it.

    A name guessed from an import is not offered: it may be anybody's distribution.
    """
    if distribution in loaded_distributions() or distribution in distributions_named():
        return True
    if any(distribution in b.distributions for b in backends().values()):
        return True
    return any(
        name == distribution
        for found in context.snapshot.distributions
        for name, _specifier, _line in context.requirements(found)
    )


def _is_nowhere(context: Context, name: str) -> bool:
    module = context.module(name)
    if module is not None and module.kind != "missing":
        return False
    return not context.owners(name)


def _shown(name: str, distribution: str) -> str:
    return name if name == distribution else f"{name} (distribution {distribution})"


def _place(outcome: Outcome, raised: Raised) -> str:
    if raised.frames:
        return f"{raised.frames[-1].file}:{raised.frames[-1].line}"
    return outcome.what


def _needed_by(context: Context, raised: Raised) -> str:
    """Who asked for it, from the file of the last frame."""
    if not raised.frames:
        return ""
    path = raised.frames[-1].file
    for distribution in context.snapshot.distributions:
        for package in distribution.import_packages:
            for separator in ("/", "\\"):
                prefix = f"{distribution.location}{separator}{package}{separator}"
                if path.startswith(prefix):
                    return f", and {distribution.name} {distribution.version} needs it"
    script = context.snapshot.target.script
    if script and path == script:
        return ", and your program imports it"
    return ""
