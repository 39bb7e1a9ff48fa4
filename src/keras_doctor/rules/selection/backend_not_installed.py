"""KD102 backend-not-installed."""

from __future__ import annotations

from keras_doctor.knowledge.selection import Generation, backends
from keras_doctor.rules.base import (
    NotApplicable,
    RuledOut,
    finding,
    listing,
    seen,
    sign,
    signs_of_an_empty_package,
)
from keras_doctor.rules.remedies import backend_change, choose_backend, install
from keras_doctor.rules.stages import SELECTION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Evidence, Finding, Fix
    from keras_doctor.rules.context import Context
    from keras_doctor.rules.selection.explain import Source


def backend_not_installed(context: Context) -> Iterator[Finding]:
    """The selected backend is not installed in this interpreter.

    What it checks: whether the import packages of the backend that wins the selection are on
    the path, with code in them, or were ever installed there.

    Why it breaks the import: Keras never looks whether a backend is there. It takes the one that
    is asked for, or its default (TensorFlow since 1.1.0), and imports it. The exception names
    the backend, though mostly the setting is at fault and another backend is installed.

    How it is fixed: ask for the backend that is installed, where the asking is done; or install
    the one that is asked for.

    Example: a forgotten ``KERAS_BACKEND=theano`` in an environment that holds TensorFlow.
    """
    generation, source, name = context.generation, context.choice.source, context.choice.backend
    if generation is None or source is None or name is None:
        raise NotApplicable("no Keras was found")
    known = backends().get(name)
    if known is None or name not in generation.names:
        raise NotApplicable("the name that is asked for is not known")
    missing = [m for m in known.imports if _is_not_there(context, m)]
    if not missing:
        raise RuledOut(f"{name} is installed")
    others = [b for b in context.installed_backends if b != name]
    target = _target(context, generation, others)
    yield finding(
        "KD102",
        "backend-not-installed",
        name if source.kind == "default" or target == name else source.name,
        title=_title(context, source, name, missing, others),
        why=_why(generation, source, name),
        evidence=[
            seen(f"{name} is selected", source.where),
            *(_absent(context, m) for m in missing),
            *(
                seen(f"{b} is installed: {_installed(context, b)}")
                for b in others
                if b != "numpy" or target == "numpy"
            ),
        ],
        stage=SELECTION,
        weight="fatal",
        subject=name,
        fixes=_fixes(context, source, name, missing, target),
        signs=[sign(module=m) for m in missing]
        + [sign(text=rf"(No module named|requires).*\b{m}\b") for m in missing]
        + [
            one
            for m in missing
            if context.folder_of_the_users(m)
            for one in signs_of_an_empty_package(m)
        ],
        explains=[f"not-installed:{m}" for m in (*missing, *known.distributions)],
        changes=[backend_change(target)] if target and target != name else (),
    )


def _is_not_there(context: Context, module: str) -> bool:
    """Nothing answers to the import, and no metadata says that it ever was installed."""
    found = context.module(module)
    if found is None and not context.is_complete:
        return False
    if context.folder_of_the_users(module):
        return True
    return (found is None or found.kind == "missing") and not context.owners(module)


def _absent(context: Context, module: str) -> Evidence:
    own = context.folder_of_the_users(module)
    if own is None:
        return seen(f"no module named {module} on the path")
    return seen(
        f"the only thing that answers to `import {module}` is a folder of yours without code; it "
        f"may stay, a package that is installed comes first",
        own,
    )


def _installed(context: Context, backend: str) -> str:
    distribution = context.backend_distribution(backend)
    return f"{distribution.name} {distribution.version}" if distribution else backend


def _target(context: Context, generation: Generation, others: list[str]) -> str | None:
    """The backend to switch to; None when installing the selected one is the way."""
    if context.wish:
        return context.wish if context.wish in generation.names else None
    candidates = [b for b in others if backends()[b].trains]
    return candidates[0] if candidates else None


def _title(
    context: Context, source: Source, name: str, missing: list[str], others: list[str]
) -> str:
    absent = "is not installed here"
    if backends()[name].imports[0] not in missing:
        absent = f"needs {listing(missing)}, not installed here"
    training = [b for b in others if backends()[b].trains]
    but = f" ({listing(training)} {'is' if len(training) == 1 else 'are'})" if training else ""
    if context.generation is not None and context.generation.fixed:
        return f"Keras {context.keras_version} runs on nothing but {name}, which {absent}"
    if source.kind == "default":
        return (
            f"Nothing asks for a backend (no KERAS_BACKEND, no keras.json), so Keras takes {name}, "
            f"which {absent}{but}"
        )
    return f"{source.name} asks for {name}, which {absent}{but}"


def _why(generation: Generation, source: Source, name: str) -> str:
    if generation.fixed:
        return f"{generation.title} runs on {name} and on nothing else."
    if source.kind == "default":
        return (
            f"{generation.title} imports {name} unless something asks for another backend; it "
            "does not look which one is there."
        )
    return f"{source.name} decides, and Keras imports that backend without looking for another."


def _fixes(
    context: Context, source: Source, name: str, missing: list[str], target: str | None
) -> list[Fix]:
    from keras_doctor.rules.compatibility.fitting import backend_requirement

    main = backends()[name].imports[0]
    needed = [backend_requirement(context, name)] if main in missing else missing
    add = install(context, *needed, summary=f"Or install {listing(needed)} here.")
    fixed = context.generation is not None and context.generation.fixed
    if fixed or target == name or target is None:
        return [add._replace(summary=f"Install {listing(needed)} here.")]
    fixes = list(choose_backend(context, target, source))
    if target not in context.installed_backends:
        wanted = backend_requirement(context, target)
        fixes.append(install(context, wanted, summary=f"And install {target} here."))
    # Where another backend is wished for, this one is of no use.
    return fixes if context.wish else [*fixes, add]
