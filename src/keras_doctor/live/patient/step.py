"""One tiny real training step, on any Keras from 1.x to 3.x."""

import sys


class StepError(Exception):
    """Training ran and did not train."""

    __module__ = "__main__"


def cannot_train(backend):
    """Whether a backend is for inference only, by Keras' own documentation."""
    return backend in ("numpy", "openvino")


def train_step(keras, backend):
    """Builds two Dense layers, trains one step, and checks that weights moved.

    Args:
        keras: the module: keras, tf.keras or tf_keras.
        backend: the name of the backend in use.

    Returns:
        (device, remark, model, x): where the weights lie, in lower case, like ``cpu:0``, a
        sentence for people or None, the model, and what it predicts from.

    Raises:
        StepError: when the loss is no number or no weight moved; whatever Keras raises.
    """
    quicken_theano(backend)
    import numpy as np

    model = build(keras)
    x = np.linspace(-1, 1, 24).reshape(8, 3).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    if cannot_train(backend):
        check_prediction(model, x, np)
        remark = "the %s backend cannot train: built and predicted" % backend
        return device_of(model, backend), remark, model, x
    model.compile(optimizer="sgd", loss="mse")
    before = [np.array(weight) for weight in model.get_weights()]
    old = str(getattr(keras, "__version__", "")).startswith(("0.", "1."))
    epochs = {"nb_epoch": 1} if old else {"epochs": 1}
    history = model.fit(x, y, batch_size=8, verbose=0, **epochs)
    loss = float(np.asarray(history.history["loss"][0]))
    if not -1e6 < loss < 1e6:
        raise StepError("the loss of one training step is %r" % loss)
    after = [np.array(weight) for weight in model.get_weights()]
    if not any((before[index] != after[index]).any() for index in range(len(before))):
        raise StepError("one training step moved no weight")
    check_prediction(model, x, np)
    return device_of(model, backend), None, model, x


def build(keras):
    """Returns a model of two Dense layers, three numbers in and one out."""
    if str(getattr(keras, "__version__", "")).startswith("0."):
        __import__("keras.models")
        __import__("keras.layers.core")
        dense = keras.layers.core.Dense
        model = keras.models.Sequential()
        model.add(dense(4, input_dim=3, activation="relu"))
        model.add(dense(1))
        return model
    # The functional way is the only one that no later release of Keras warns about.
    layers = keras.layers
    inputs = layers.Input(shape=(3,))
    outputs = layers.Dense(1)(layers.Dense(4, activation="relu")(inputs))
    return keras.models.Model(inputs, outputs)


def check_prediction(model, x, np):
    """Raises StepError unless the model predicts one number for each row."""
    shape = np.asarray(model.predict(x, verbose=0)).shape
    if shape != (8, 1):
        raise StepError("a prediction has the shape %r instead of (8, 1)" % (shape,))


def quicken_theano(backend):
    """One step is enough: unless told otherwise, do not compile the whole graph with g++."""
    if backend == "theano":
        config = sys.modules["theano"].config
        if config.mode == "Mode":
            config.mode = "FAST_COMPILE"


def device_of(model, backend):
    """Returns where the weights lie, in lower case; None when nothing tells."""
    try:
        if backend == "theano":
            return str(sys.modules["theano"].config.device).lower()
        if backend == "numpy":
            return "cpu"
        weight = model.weights[0]
        weight = getattr(weight, "value", weight)
        if callable(weight):
            weight = model.weights[0]
        if backend == "jax":
            device = sorted(weight.devices(), key=str)[0]
            return "%s:%s" % (device.platform, device.id)
        if backend == "tensorflow":
            return tensorflow_device(str(weight.device or ""))
        return str(weight.device).lower()
    except Exception:
        return None


def tensorflow_device(text):
    """Reads ``/job:localhost/replica:0/task:0/device:CPU:0``; TensorFlow 1 says nothing."""
    if "device:" in text.lower():
        return text.lower().split("device:")[-1]
    tensorflow = sys.modules["tensorflow"]
    gpu = tensorflow.test.gpu_device_name()
    return gpu.lower().split("device:")[-1] if gpu else "cpu:0"
