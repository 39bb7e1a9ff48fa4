"""The selection and the backends, as the report shows them."""

from __future__ import annotations

from keras_doctor.knowledge.selection import legacy_switch, tf_keras_of
from keras_doctor.model import Api, BackendChoice, BackendState, Selection, SelectionSource

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.rules.context import Context


def selection_of(context: Context) -> Selection:
    """The selection, explained for the report."""
    choice = context.choice
    source = choice.source
    return Selection(
        keras=context.keras,
        backend=BackendChoice(
            name=choice.backend,
            asked_by=source.kind if source else "default",
            where=source.where if source else None,
            honoured=_honoured(context),
        ),
        sources=tuple(
            SelectionSource(
                source=s.name, where=s.where, value=s.value, wins=s.wins, remark=s.remark
            )
            for s in choice.sources
        ),
        apis=_apis(context),
    )


def _honoured(context: Context) -> bool | None:
    """Whether the strongest explicit request is what is chosen; None without a Keras."""
    if context.generation is None:
        return None
    asked = [
        s.value for s in context.choice.sources if s.value and s.kind in ("code", "environment")
    ]
    return not asked or asked[0] == context.choice.backend


def _apis(context: Context) -> tuple[Api, ...]:
    rows = []
    tensorflow = context.backend_distribution("tensorflow")
    door = tf_keras_of(tensorflow.version) if tensorflow else None
    if tensorflow and door:
        variable = context.variables.get(legacy_switch()["variable"])
        legacy = bool(door.legacy_switch and variable and variable.value in legacy_switch()["on"])
        provider = tensorflow
        if door.provider == "keras":
            wanted = legacy_switch()["distribution"] if legacy else "keras"
            provider = context.first(wanted) or tensorflow
        own = provider is tensorflow or legacy
        rows.append(
            Api(
                import_name="tf.keras",
                distribution=provider.name,
                version=provider.version,
                backend="tensorflow" if own else context.choice.backend,
            )
        )
    tf_keras = context.first("tf-keras")
    if tf_keras:
        rows.append(
            Api(
                import_name="tf_keras",
                distribution=tf_keras.name,
                version=tf_keras.version,
                backend="tensorflow",
            )
        )
    return tuple(rows)


def backends_of(context: Context) -> tuple[BackendState, ...]:
    """What is known about each backend without having tried it."""
    names = context.generation.names if context.generation else ()
    rows = []
    for name in names:
        distribution = context.backend_distribution(name)
        passed = [
            o for o in context.outcomes if o.backend == name and o.status in ("passed", "stopped")
        ]
        rows.append(
            BackendState(
                name=name,
                installed=context.backend_importable(name),
                version=distribution.version if distribution else None,
                importable=True if passed else None,
                trains=True if any(o.kind == "train" for o in passed) else None,
                device=next((o.device for o in passed if o.device), None),
                seconds=passed[0].seconds if passed else None,
                reason=None,
            )
        )
    return tuple(rows)
