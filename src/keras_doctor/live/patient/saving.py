"""Saving a model and loading it again, on any Keras from 1.x to 3.x."""

import os


class SavingError(Exception):
    """What was loaded is not what was saved."""

    __module__ = "__main__"


def save_and_load(keras, model, x, folder):
    """Saves a whole model, loads it, and checks that it predicts the same.

    Args:
        keras: the module: keras, tf.keras or tf_keras.
        model: a compiled model.
        x: what it predicts from.
        folder: an existing folder for the file.

    Raises:
        SavingError: when the loaded model predicts something else; whatever Keras raises.
    """
    import numpy as np

    path = os.path.join(folder, "model" + suffix_of(keras))
    before = np.asarray(model.predict(x, verbose=0))
    if hasattr(model, "save"):
        model.save(path)
        loaded = keras.models.load_model(path)
    else:
        # Before 1.0 the weights alone went into the file.
        model.save_weights(path)
        loaded = keras.models.model_from_json(model.to_json())
        loaded.load_weights(path)
        loaded.compile(optimizer="sgd", loss="mse")
    after = np.asarray(loaded.predict(x, verbose=0))
    if before.shape != after.shape or not np.allclose(before, after, atol=1e-5):
        raise SavingError("a loaded model predicts something else than the saved one")


def suffix_of(keras):
    """The format that a release saves in by itself: HDF5 before Keras 3 (keras.io, Saving)."""
    version = str(getattr(keras, "__version__", "")).split(".")[0]
    return ".keras" if version.isdigit() and int(version) >= 3 else ".h5"
