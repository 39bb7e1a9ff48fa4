"""On which backends' stacks a program is looked for, and on which then. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_doctor.create.best import KERAS
from keras_doctor.knowledge.selection import backends
from keras_doctor.knowledge.stacks import stacks

if TYPE_CHECKING:
    from keras_doctor.create.needs import Needs
    from keras_doctor.create.wanted import Wanted

TENSORFLOW, TF_KERAS = "tensorflow", "tf_keras"
_WITHOUT_STACKS = ("numpy", "cntk")
"""Backends that go along with TensorFlow: there are no stacks of their own."""


def tiers(needs: Needs, wanted: Wanted) -> tuple[frozenset[str], ...]:
    """Backends by their distribution: each tier is for what those before it have not all of.

    Where Theano is only imported, beside Keras, a stack of TensorFlow that holds it comes first:
    `import keras` runs there whether or not KERAS_BACKEND is set.
    """
    tops = {use.path.partition(".")[0] for use in needs.uses}
    if TENSORFLOW in tops or TF_KERAS in tops:
        return (frozenset({TENSORFLOW}),)
    said = wanted.backend or (needs.backend if needs.backend_is_set else None)
    if said in backends():
        return (frozenset({TENSORFLOW if said in _WITHOUT_STACKS else said}),)
    usual = needs.backend if needs.backend and KERAS not in tops else TENSORFLOW
    return (frozenset({usual}), frozenset(row.backend for row in stacks()) - {usual})
