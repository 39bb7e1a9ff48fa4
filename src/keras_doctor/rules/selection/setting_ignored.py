"""KD104 backend-setting-ignored."""

from __future__ import annotations

import os

from keras_doctor.knowledge.selection import Generation, backends, meant_by
from keras_doctor.model import Change, Evidence, Finding, Fix
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import backend_change, edit, install, set_variable
from keras_doctor.rules.selection.explain import UNREAD, UNWRITABLE, Source
from keras_doctor.rules.stages import SELECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.context import Context


CONFIG = os.path.join(".keras", "keras.json")


def backend_setting_ignored(context: Context) -> Iterator[Finding]:
    """A setting that asks for a backend is one that this Keras does not read.

    What it checks: requests that have no effect: any request but TensorFlow under Keras 2.4.3 to
    2.15, which run on TensorFlow only; a line of the script that sets KERAS_BACKEND after Keras
    was imported; a keras.json in a folder where nobody reads it (the project, not ``~/.keras``).

    Why it matters: Keras says nothing and takes another backend, its default for instance. Then
    the import runs on the wrong one or fails on one that was never wished for.

    How it is fixed: put the setting where it counts (before the first import; in ``~/.keras`` or
    ``KERAS_HOME``), or install a Keras that has the backend.

    Example: ``os.environ["KERAS_BACKEND"] = "jax"`` below ``import keras``.
    """
    generation = context.generation
    if generation is None:
        raise NotApplicable("no Keras was found")
    found = False
    for source in context.choice.sources:
        if source.counts or not source.value or source.kind == "default":
            continue
        for result in _judge(context, generation, source):
            found = True
            yield result
            return  # one ignored request is enough: the others ask for the same thing
    if not found:
        raise RuledOut("no request is ignored")


def _judge(context: Context, generation: Generation, source: Source) -> Iterator[Finding]:
    got = context.choice.backend
    asked = source.value or ""
    asked = asked if asked in generation.names else meant_by(asked) or asked
    if asked == got or got is None:
        return  # where nothing can be told of the choice, another rule says why
    if generation.fixed:
        yield from _fixed_generation(context, generation, source, asked)
    elif source.kind == "code" and source.setting and not source.setting.before_import:
        yield _too_late(context, source, asked, got)
    elif source.kind == "environment" and not generation.variable:
        yield _unread_variable(context, generation, source, asked)
    elif (
        source.kind == "config"
        and source.remark in (UNREAD, UNWRITABLE)
        and source.config is not None
        and source.config.source != "tmp"
        and asked in generation.names
        and context.wish in (None, asked)
    ):
        yield _unread_file(context, source, asked, got)


def _fixed_generation(
    context: Context, generation: Generation, source: Source, asked: str
) -> Iterator[Finding]:
    if context.wish not in (None, asked):
        return
    # A keras.json may be meant for another environment of the same user.
    explicit = source.kind in ("environment", "code") or context.wish == asked
    if source.remark == UNREAD:
        return
    got = generation.fixed
    installed = context.backend_distribution(asked)
    tail = "" if installed else f" (and {asked} is not installed here)"
    yield finding(
        "KD104",
        "backend-setting-ignored",
        "keras",
        title=(
            f"Keras {context.keras_version} ignores {source.name}={asked}: it runs on {got} only"
            f"{tail}"
        ),
        why=(
            f"{generation.title} is a layer over {got} and reads no backend setting; {asked} "
            "needs another Keras release."
        ),
        evidence=[
            seen(f"{source.name} says {asked}", source.where),
            seen(f"keras {context.keras_version} is installed"),
        ],
        stage=SELECTION,
        weight="fatal" if explicit else "risk",
        blocks=(),
        fixes=[
            _withdraw(context, source, str(got)),
            edit(
                "use-env",
                asked,
                f"If you want {asked}, make an environment with a Keras that has it.",
            ),
        ],
    )


def _withdraw(context: Context, source: Source, got: str) -> Fix:
    """How to take a request back that cannot be met."""
    if source.kind == "code":
        return edit(
            "edit-code", source.where, f"If {got} is what you want, remove the line {source.where}."
        )
    if source.kind == "config":
        return edit(
            "edit-config",
            source.where,
            f'If {got} is what you want, write "backend": "{got}" in {source.where}.',
            got,
        )
    return set_variable(
        context, "KERAS_BACKEND", None, f"If {got} is what you want, unset KERAS_BACKEND."
    )


def _unread_variable(
    context: Context, generation: Generation, source: Source, asked: str
) -> Finding:
    got = context.choice.backend
    config = context.choice.config
    home = context.variables.get("HOME")
    proper = config.where if config else os.path.join(home.value if home else "~", CONFIG)
    return finding(
        "KD104",
        "backend-setting-ignored",
        "KERAS_BACKEND",
        title=f"{generation.title} does not read KERAS_BACKEND: it takes {got}, not {asked}",
        why=f"This release reads {context.shown(proper)} only.",
        evidence=[seen(f"KERAS_BACKEND says {asked}", source.where)],
        stage=SELECTION,
        weight="fatal" if context.wish in (None, asked) else "risk",
        blocks=() if context.backend_importable(got or "") else ("keras",),
        fixes=[
            edit("edit-config", proper, f'Write "backend": "{asked}" in {proper}.', asked),
        ],
        signs=[sign(module=got)] if got else (),
        explains=[f"backend-not-installed:{got}"],
        changes=[Change(kind="config-text", name=proper, value=f'{{"backend": "{asked}"}}\n')],
    )


def _too_late(context: Context, source: Source, asked: str, got: str | None) -> Finding:
    assert source.setting is not None  # noqa: S101 -- the caller looked
    first = _first_keras_import(context)
    explains = [f"backend-not-installed:{got}", "backend-source-conflict:KERAS_BACKEND"]
    return finding(
        "KD104",
        "backend-setting-ignored",
        source.name,
        title=f"{source.name} asks for {asked} after Keras was imported, so Keras stays on {got}",
        why="Keras reads KERAS_BACKEND once, while it is imported.",
        evidence=[
            *first,
            seen(source.setting.text, source.where),
        ],
        stage=SELECTION,
        weight="fatal" if context.wish in (None, asked) else "risk",
        blocks=() if context.backend_importable(got or "") else ("keras",),
        fixes=[
            edit(
                "edit-code",
                source.where,
                f"Move line {source.setting.line} above the first import of keras.",
            ),
            set_variable(
                context, "KERAS_BACKEND", asked, f"Or set KERAS_BACKEND to {asked} in your shell."
            ),
        ],
        signs=[sign(module=got)] if got else (),
        explains=explains,
        changes=[backend_change(asked)],
    )


def _first_keras_import(context: Context) -> list[Evidence]:
    script = context.snapshot.script
    world = ("keras", "tf_keras", "tensorflow")
    for statement in script.imports if script else ():
        if statement.module.partition(".")[0] in world and not statement.guarded:
            return [seen(statement.text, f"{statement.path}:{statement.line}")]
    return []


def _to_be_read(context: Context, source: Source, proper: str) -> list[Fix]:
    """How to have a keras.json read that lies in the wrong place."""
    if source.remark != UNWRITABLE:
        return [edit("rename-file", source.where, f"Move it to {proper}.", proper)]
    if context.generation is None or not context.generation.keras_home:
        return []
    folder = os.path.dirname(source.where)
    return [set_variable(context, "KERAS_HOME", folder, "Point KERAS_HOME at its folder.")]


def _unread_file(context: Context, source: Source, asked: str, got: str | None) -> Finding:
    importable = context.backend_importable(got or "")
    home = context.variables.get("HOME")
    proper = os.path.join(home.value if home else "~", CONFIG)
    missing = "" if importable else f" (and {got} is not installed here)"
    unwritable = source.remark == UNWRITABLE
    shown = context.shown(source.where)
    if os.path.dirname(shown) == "":
        shown += " in the working folder"
    return finding(
        "KD104",
        "backend-setting-ignored",
        source.where,
        title=f"Keras does not read {shown}: it takes {got}, not {asked}{missing}",
        why=(
            "Keras reads the keras.json in your home folder only if that folder may be written; "
            "else it takes the one in /tmp/.keras."
            if unwritable
            else f"Keras reads {context.shown(proper)} (or keras.json in the folder that "
            "KERAS_HOME names) only."
        ),
        evidence=[
            seen(f'"backend": "{asked}"', source.where),
            seen(f"{got} is selected", context.choice.source and context.choice.source.where),
        ],
        stage=SELECTION,
        weight="fatal" if context.wish == asked or not importable else "risk",
        blocks=() if importable else ("keras",),
        fixes=[
            *_to_be_read(context, source, proper),
            set_variable(
                context, "KERAS_BACKEND", asked, f"Or set KERAS_BACKEND to {asked} in your shell."
            ),
            *(() if context.backend_importable(asked) else (_install(context, asked),)),
        ],
        signs=[sign(module=got)] if got else (),
        explains=[f"backend-not-installed:{got}", "backend-source-conflict:KERAS_BACKEND"],
        changes=[Change(kind="set-variable", name="KERAS_BACKEND", value=asked)],
    )


def _install(context: Context, backend: str) -> Fix:
    from keras_doctor.rules.compatibility.fitting import backend_requirement

    needed = backend_requirement(context, backend) if backend in backends() else backend
    return install(context, needed, summary=f"And install {backend} here.")
