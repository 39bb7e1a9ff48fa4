"""KD105 keras-config-invalid."""

from __future__ import annotations

import json

from keras_doctor.knowledge.selection import config_keys
from keras_doctor.model import Change, ConfigFile, Finding, Fix
from keras_doctor.rules.base import NotApplicable, RuledOut, Skip, finding, seen, sign
from keras_doctor.rules.remedies import edit, make_readable, remove, rename
from keras_doctor.rules.stages import CONFIGURATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.context import Context
    from keras_doctor.rules.selection.explain import Source


def keras_config_invalid(context: Context) -> Iterator[Finding]:
    """The keras.json that Keras reads is malformed, unreadable, or has invalid values.

    What it checks: the one file that this Keras reads (``$KERAS_HOME/keras.json``,
    ``~/.keras/keras.json``, or ``/tmp/.keras/keras.json`` when HOME cannot be written): whether
    it can be opened, whether it is JSON (a trailing comma, a byte order mark and an empty file
    are not), and whether floatx, epsilon and image_data_format have values that Keras accepts.

    Why it breaks the import: since 2.0.3 Keras swallows a malformed file and takes its defaults,
    TensorFlow among them, so "No module named 'tensorflow'" is what is seen. A wrong value is an
    AssertionError without text; a file that may not be read is a PermissionError.

    How it is fixed: correct the file, or delete it: Keras writes a new one.

    Example: ``"image_data_format": "channel_last"``.
    """
    generation, source = context.generation, context.choice.config
    if generation is None or source is None or source.config is None:
        raise NotApplicable("no keras.json is read")
    if not generation.config_values:
        raise NotApplicable(f"{generation.title} does not read keras.json")
    if source.config.state != "read":
        yield _unreadable(context, source)
        return
    content = source.content
    if content is None:
        raise NotApplicable("keras.json was not read")
    if content.malformed:
        yield _malformed(context, source, content.malformed)
    elif content.invalid:
        yield _invalid(context, source)
    else:
        raise RuledOut("keras.json is in order")


def _unreadable(context: Context, source: Source) -> Finding:
    config = source.config
    assert config is not None  # noqa: S101 -- the caller looked
    if config.state == "too-large":
        raise Skip("keras.json is too large to be read here")
    mode = f"mode {config.mode:03o}" if config.mode is not None else config.state
    return finding(
        "KD105",
        "keras-config-invalid",
        "keras.json",
        title=f"{context.shown(config.path)} may not be read ({mode})",
        why="Keras opens the file because it exists, and does not survive that it cannot.",
        evidence=[seen(f"{mode}, {config.state}", config.path)],
        stage=CONFIGURATION,
        weight="fatal",
        fixes=[_make_readable(context, config)],
        signs=[sign("PermissionError", "OSError", "IsADirectoryError", text=r"keras\.json")],
        changes=[Change(kind="config-text", name=config.path, value=_good_text(context))],
    )


def _make_readable(context: Context, config: ConfigFile) -> Fix:
    if config.state == "folder":
        aside = config.path + ".d"
        return rename(
            context, config.path, aside, "It is a folder: move it aside, Keras writes a new file."
        )
    return make_readable(context, config.path, "644", "Make it readable.")


def _malformed(context: Context, source: Source, reason: str) -> Finding:
    generation, content = context.generation, source.content
    assert generation is not None  # noqa: S101 -- the caller looked
    assert content is not None  # noqa: S101
    meant, got = content.meant, context.choice.backend
    winner = context.choice.source
    decides = winner is not None and winner.kind == "default" and not generation.fixed
    lost = meant is not None and meant != got and decides
    not_there = got is not None and not context.backend_importable(got)
    fatal = generation.malformed == "error" or (lost and (context.wish == meant or not_there))
    consequence = (
        "and Keras stops"
        if generation.malformed == "error"
        else f"so Keras silently takes its default, {got}"
        if decides
        else "so Keras ignores it"
    )
    return finding(
        "KD105",
        "keras-config-invalid",
        "keras.json",
        title=f"keras.json is not valid JSON, {consequence}",
        why=(
            f"{source.where}: {reason}. "
            + (f"It was meant to select {meant}." if meant and lost else "All of it is lost.")
        ),
        evidence=[seen(reason, source.where)],
        stage=CONFIGURATION,
        weight="fatal" if fatal else "risk",
        blocks=("keras",) if generation.malformed == "error" or not_there else (),
        fixes=_rewrite(context, source, meant),
        signs=[
            sign("JSONDecodeError", "ValueError", text=r"(Expecting|Unexpected UTF-8 BOM|JSON)"),
            *([sign(module=got)] if got and decides else []),
        ],
        explains=[f"backend-not-installed:{got}", "backend-source-conflict:KERAS_BACKEND"]
        if lost
        else [],
        changes=[Change(kind="config-text", name=source.where, value=_good_text(context, meant))],
    )


def _invalid(context: Context, source: Source) -> Finding:
    content = source.content
    assert content is not None  # noqa: S101 -- the caller looked
    key, value, good = content.invalid[0]
    errors = config_keys()["errors"]
    return finding(
        "KD105",
        "keras-config-invalid",
        "keras.json",
        title=f"keras.json has an invalid value: {key} is {value}",
        why=f"{key} must be {good}; Keras ends the import at any other value.",
        evidence=[seen(f"{k} is {v}, it must be {g}", source.where) for k, v, g in content.invalid],
        stage=CONFIGURATION,
        weight="fatal",
        fixes=[
            edit("edit-config", source.where, f"Set {k} to {g.split(' or ')[0]} in {source.where}.")
            for k, _v, g in content.invalid
        ],
        signs=[
            sign(*errors, text=r"\A\Z|configuration"),
            sign("AttributeError", text=r"has no attribute 'get'"),
        ],
        changes=[
            Change(
                kind="config-text",
                name=source.where,
                value=_good_text(context, content.backend),
            )
        ],
    )


def _rewrite(context: Context, source: Source, backend: str | None) -> list[Fix]:
    return [
        edit(
            "edit-config",
            source.where,
            f"Save {source.where} as plain JSON (UTF-8 without a byte order mark).",
            _good_text(context, backend),
        ),
        remove(
            context,
            (source.where,),
            "Or delete it: Keras writes a new one with its defaults.",
            source.where,
            folders=False,
        ),
    ]


def _good_text(context: Context, backend: str | None = None) -> str:
    """A keras.json in order, with the wished or the given backend."""
    generation = context.generation
    names = generation.names if generation else ()
    chosen = next((b for b in (context.wish, backend) if b in names), None)
    default = generation.default if generation else "tensorflow"
    data = {
        "floatx": "float32",
        "epsilon": 1e-07,
        "backend": chosen or default,
        "image_data_format": "channels_last",
    }
    return json.dumps(data, indent=4) + "\n"
