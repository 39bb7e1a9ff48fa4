"""KD106 legacy-keras-switch."""

from __future__ import annotations

from keras_doctor.knowledge.selection import legacy_switch
from keras_doctor.model import Change, Finding
from keras_doctor.rules.base import NotApplicable, RuledOut, finding, seen, sign
from keras_doctor.rules.remedies import edit, install, set_variable
from keras_doctor.rules.stages import SELECTION
from keras_doctor.versions import minor, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.rules.context import Context


def legacy_keras_switch(context: Context) -> Iterator[Finding]:
    """TF_USE_LEGACY_KERAS is on without a tf_keras that goes with this TensorFlow.

    What it checks: when the variable is on (exactly 1, true or True) and TensorFlow knows it
    (2.15 and later): whether tf_keras is installed, and in the same minor version as TensorFlow.

    Why it breaks the import: the switch makes ``tf.keras`` mean the separate package tf_keras.
    Without it TensorFlow says "Keras cannot be imported. Check that it is installed.", or, worse,
    ``from tensorflow.keras.layers import Dense`` silently gives Keras 3. ``import keras`` is not
    affected.

    How it is fixed: install the tf-keras of the same minor version, or unset the variable.

    Example: ``TF_USE_LEGACY_KERAS=1`` with TensorFlow 2.16 and no tf-keras.
    """
    switch = legacy_switch()
    variable = context.variables.get(switch["variable"])
    value, where = (variable.value, "environment") if variable else (None, "")
    if context.snapshot.script:
        for setting in context.snapshot.script.settings:
            kept = setting.default_only and value is not None
            if setting.variable == switch["variable"] and setting.before_import and not kept:
                value, where = setting.value, f"{setting.path}:{setting.line}"
    if value not in switch["on"]:
        raise RuledOut("the switch is off")
    tensorflow = context.backend_distribution("tensorflow")
    if tensorflow is None or not within(tensorflow.version, switch["since"], None):
        raise NotApplicable("no TensorFlow that knows the switch is installed")
    legacy = context.first(switch["distribution"])
    wanted = ".".join(str(part) for part in minor(tensorflow.version))
    if legacy and minor(legacy.version) == minor(tensorflow.version):
        raise RuledOut("tf_keras goes with this TensorFlow")
    uses_it = bool({"tensorflow", switch["import_package"]} & context.script_modules)
    state = f"tf-keras {legacy.version} is" if legacy else "tf-keras is not"
    tail = f", and {wanted} is needed" if legacy else ""
    yield finding(
        "KD106",
        "legacy-keras-switch",
        switch["variable"],
        title=f"{switch['variable']}={value} makes tf.keras mean tf_keras: {state} installed{tail}",
        why=(
            f"TensorFlow {tensorflow.version} takes tf.keras from tf_keras {wanted} while the "
            "variable is on."
        ),
        evidence=[
            seen(f"{switch['variable']} is {value}", where),
            seen(f"{tensorflow.name} {tensorflow.version}", tensorflow.metadata),
            seen(f"{state} installed{tail}", legacy.metadata if legacy else None),
        ],
        stage=SELECTION,
        weight="fatal" if uses_it else "risk",
        blocks=("tf.keras",),
        fixes=[
            install(
                context,
                f"{switch['distribution']}~={wanted}.0",
                summary=f"Install tf-keras {wanted}.",
            ),
            set_variable(
                context,
                switch["variable"],
                None,
                "Or unset the variable: then tf.keras is the Keras that is installed.",
            )
            if where == "environment"
            else edit(
                "edit-code", where, f"Or remove the line {where}: then tf.keras is Keras itself."
            ),
        ],
        signs=[
            sign(text=r"Keras cannot be imported|tf_keras|register_load_context_function"),
            sign(module="tf_keras"),
            sign(module="tensorflow.keras"),
        ],
        explains=["not-installed:tf_keras", "not-installed:tf-keras"],
        changes=[Change(kind="unset-variable", name=switch["variable"], value=None)],
    )
