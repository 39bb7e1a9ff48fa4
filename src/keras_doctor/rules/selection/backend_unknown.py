"""KD101 backend-unknown."""

from __future__ import annotations

import re

from keras_doctor.knowledge.selection import Generation, generations, meant_by
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, listing, seen, sign
from keras_doctor.rules.remedies import backend_change, choose_backend, edit, install
from keras_doctor.rules.stages import SELECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Fix
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.selection.explain import Source


_AROUND = " \t\r\n\"'"
"""What files of variables and shells leave around a value that was meant without it."""


def backend_unknown(context: Context) -> Iterator[Finding]:
    """KERAS_BACKEND or keras.json names a backend that this Keras does not know.

    What it checks: the name that wins the selection (a line of the script, KERAS_BACKEND,
    keras.json) against the names that the installed Keras release accepts. Names are
    case-sensitive and are not stripped: ``TensorFlow`` and ``"jax "`` are unknown.

    Why it breaks the import: Keras stops before it loads anything, with "Unable to import
    backend" (Keras 2.2 and later) or an AssertionError without text (older ones). Old names die
    with their generation: ``theano`` is unknown to Keras 3, ``jax`` to Keras 2.

    How it is fixed: write the name that this Keras knows, in the place that wins.

    Example: ``KERAS_BACKEND=pytorch`` under Keras 3; the backend is called ``torch``.
    """
    generation, source = context.generation, context.choice.source
    if generation is None or source is None:
        raise NotApplicable("no Keras was found")
    asserted = _asserted_config(context, generation)
    if asserted is not None:
        source = asserted
    name = source.value
    if source.kind == "default" or name is None or name in generation.names:
        if _wish_is_unknown(context, generation):
            yield _unknown_wish(context, generation)
            return
        raise RuledOut("the name that is asked for is known")
    if generation.external and _is_external_backend(context, name):
        raise RuledOut(f"{name} is an external backend")
    target = _meant(context, generation, name)
    yield finding(
        "KD101",
        "backend-unknown",
        source.name,
        title=_title(context, source, name),
        why=(
            f"{_which(context)} knows {listing(generation.names)}, in exactly this "
            "spelling, and stops at any other name before it loads a backend."
        ),
        evidence=[
            seen(f'"{name}" is asked for', source.where),
            seen(f"keras {context.keras_version} is installed", _metadata(context)),
        ],
        stage=SELECTION,
        weight="fatal",
        fixes=_fixes(context, target, source) if target else (),
        signs=[
            sign("ValueError", text=r"(Unable to import backend|Invalid backend|Empty module)"),
            sign("ValueError", "Exception", text=r"Unknown backend"),
            sign("AssertionError", text=r"\A\Z"),
            sign("AttributeError", "ModuleNotFoundError", "ImportError", text=re.escape(name))
            if name
            else sign("AssertionError"),
        ],
        explains=[f"not-installed:{name}", f"backend-not-installed:{name}"],
        changes=[backend_change(target)] if target else (),
    )


def _which(context: Context) -> str:
    """The Keras in a sentence: by its release, else by its generation."""
    if context.keras_version:
        return f"Keras {context.keras_version}"
    return context.generation.title if context.generation else "this Keras"


def _asserted_config(context: Context, generation: Generation) -> Source | None:
    """The keras.json whose name these releases check even when the variable decides."""
    config = context.choice.config
    if not generation.config_asserts or config is None or config.content is None:
        return None
    name = config.content.backend
    return config if name is not None and name not in generation.names else None


def _fixes(context: Context, target: str, source: Source) -> list[Fix]:
    fixes = list(choose_backend(context, target, source))
    if not context.backend_importable(target):
        from keras_doctor.rules.compatibility.fitting import backend_requirement

        needed = backend_requirement(context, target)
        fixes.append(install(context, needed, summary=f"And install {target} here."))
    return fixes


def _wish_is_unknown(context: Context, generation: Generation) -> bool:
    """Nobody asks for the wished backend, and this Keras would not know it anyway."""
    if context.wish is None or context.wish in generation.names:
        return False
    return not any(s.value == context.wish for s in context.choice.sources)


def _unknown_wish(context: Context, generation: Generation) -> Finding:
    wish = context.wish or ""
    having = [g.title for g in generations() if wish in g.names]
    return finding(
        "KD101",
        "backend-unknown",
        "keras",
        title=f"Keras {context.keras_version} has no {wish} backend",
        why=f"{generation.title} knows {listing(generation.names)}.",
        evidence=[seen(f"keras {context.keras_version} is installed", _metadata(context))],
        stage=SELECTION,
        weight="fatal",
        blocks=(),
        fixes=[
            edit(
                "use-env",
                wish,
                f"Make an environment with a Keras that has it: {listing(having[-3:], 'or')}.",
            )
        ],
    )


def _metadata(context: Context) -> str | None:
    return context.keras_distribution.metadata if context.keras_distribution else None


def _title(context: Context, source: Source, name: str) -> str:
    keras = f"Keras {context.keras_version}"
    place = {"environment": "KERAS_BACKEND", "config": "keras.json"}.get(source.kind, source.name)
    if not name and source.kind == "config":
        return f'keras.json asks for the backend "", which {keras} does not know'
    if not name:
        return f"{place} is empty, and {keras} takes that for a name"
    inside = name.strip(_AROUND)
    if inside != name and context.generation and inside in context.generation.names:
        around = "quotation marks" if {'"', "'"} & set(name) else "white space"
        return f"{place} says {inside} with {around} around it, and {keras} takes that for a name"
    return f'{place} asks for "{name}", a backend that {keras} does not know'


def _is_external_backend(context: Context, name: str) -> bool:
    """Dotted names of importable modules, such as plaidml.keras.backend, may be backends."""
    top = name.partition(".")[0]
    return "." in name and bool(context.owners(top))


def _meant(context: Context, generation: Generation, name: str) -> str | None:
    """The backend to offer: the wished one, the one meant by the name, or one that is there."""
    if context.wish in generation.names:
        return context.wish
    meant = meant_by(name)
    if meant in generation.names:
        return meant
    import difflib

    close = difflib.get_close_matches(name.strip().lower(), generation.names, n=1, cutoff=0.75)
    if close:
        return close[0]
    installed = context.installed_backends
    return installed[0] if installed else None
