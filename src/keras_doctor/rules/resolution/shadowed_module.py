"""KD201 shadowed-module."""

from __future__ import annotations

import os
import re

from keras_doctor.knowledge.imports import needed_stdlib
from keras_doctor.model import Change
from keras_doctor.rules.base import RuledOut, finding, seen, sign
from keras_doctor.rules.context import is_inside, same_path
from keras_doctor.rules.remedies import rename
from keras_doctor.rules.stages import PATH, START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, LocalModule, Sign
    from keras_doctor.rules.context import Context


def shadowed_module(context: Context) -> Iterator[Finding]:
    """A local file or folder is found before the package or the standard module of its name.

    What it checks: everything importable in the folders that come first on sys.path (the
    script's folder or the working folder, and PYTHONPATH) against the names that the import
    needs: Keras, its backend, what those require, and the modules of the standard library that an
    import of Keras loads.

    Why it breaks the import: Python takes the first thing on sys.path that answers to the name,
    so ``import keras`` runs the user's own file. The message is mostly about a missing attribute
    or a "partially initialized module (most likely due to a circular import)".

    How it is fixed: rename the file or folder (and nothing else: its ``__pycache__`` does no
    harm).

    Example: a script called ``keras.py``; a folder ``tensorflow`` with notes beside the script;
    ``random.py`` in the project.
    """
    holders = {d.location for d in context.snapshot.distributions}
    found = False
    for local in context.snapshot.local_modules:
        if local.kind == "namespace" or local.entry in holders:
            continue  # a folder with installed distributions in it is another rule's business
        if _hides_a_package(context, local) or _hides_the_standard_library(context, local):
            found = True
            yield _shadow(context, local)
    if not found:
        raise RuledOut("no local file has the name of something that the import needs")


def _hides_a_package(context: Context, local: LocalModule) -> bool:
    if local.name not in context.way_modules:
        return False
    module = context.module(local.name)
    if module is None or module.path is None:
        return False
    wins = same_path(module.path, local.path) or is_inside(module.path, local.path)
    others = [c for c in module.copies if not same_path(c.entry, local.entry)]
    hidden = any(c.kind != "namespace" for c in others) or bool(context.owners(local.name))
    return wins and hidden


def _hides_the_standard_library(context: Context, local: LocalModule) -> bool:
    module = context.module(local.name)
    if module is not None and module.kind in ("builtin", "frozen"):
        return False
    if _breaks_the_start(context, local):
        return True
    return local.name in needed_stdlib() and not context.owners(local.name)


def _breaks_the_start(context: Context, local: LocalModule) -> bool:
    failure = context.snapshot.start.failure
    return bool(failure) and local.path in (failure or "")


def _shadow(context: Context, local: LocalModule) -> Finding:
    package = local.name in context.way_modules
    start = _breaks_the_start(context, local)
    what = f"the package {local.name}" if package else f"Python's own module {local.name}"
    thing = _thing(local)
    shown = context.shown(thing)
    kind = "folder" if local.kind == "package" else "file"
    target = os.path.join(os.path.dirname(thing), "my_" + os.path.basename(thing))
    at_start = context.snapshot.start.mode != "normal" and local.origin == "pythonpath"
    change = (
        Change(kind="drop-path-entry", name=local.entry, value=None)
        if at_start
        else Change(kind="hide-module", name=local.path, value=None)
    )
    evidence = [seen(f"the {kind} {thing}", f"in {local.entry} ({local.origin})")]
    module = context.module(local.name)
    if package and module:
        evidence += [
            seen(f"hidden: {copy.path}", copy.entry)
            for copy in module.copies
            if not same_path(copy.entry, local.entry)
        ]
    if start:
        evidence.append(seen("Python does not start with it on the path", "start of Python"))
    return finding(
        "KD201",
        "shadowed-module",
        thing,
        title=f"Your {kind} {shown} is found before {what}",
        why=(
            f"Python looks into {local.entry} first, so `import {local.name}` runs your {kind} "
            "instead."
        ),
        evidence=evidence,
        stage=START if start else PATH,
        weight="fatal" if start or local.name in _main_names(context) else _weight(package),
        blocks=("python",) if start else ("keras",),
        fixes=[
            rename(
                context,
                thing,
                target,
                f"Rename {shown}, and the imports of your own code that mean it.",
            )
        ],
        signs=_signs(local),
        explains=[f"not-installed:{local.name}", f"namespace-remnant:{local.name}"],
        changes=[change],
    )


def _thing(local: LocalModule) -> str:
    """What the user would rename: the file, or the folder of a package."""
    folder, name = os.path.split(local.path)
    return folder if local.kind == "package" and name.startswith("__init__.") else local.path


def _main_names(context: Context) -> tuple[str, ...]:
    backend = context.choice.backend or "keras"
    return ("keras", backend, *(("tensorflow",) if "tensorflow" in context.script_modules else ()))


def _weight(package: bool) -> str:  # noqa: FBT001 -- a predicate of one call
    return "likely" if package else "risk"


def _signs(local: LocalModule) -> list[Sign]:
    name = re.escape(local.name)
    return [
        sign(file=local.path),
        sign(text=re.escape(local.path)),
        sign("AttributeError", text=rf"module '{name}[.']"),
        sign("ImportError", text=rf"from (partially initialized module )?'{name}[.']"),
        sign("ModuleNotFoundError", text=rf"No module named '{name}\."),
    ]
