"""What the collector is asked to look at; everything that is knowledge comes in from outside."""

from collections.abc import Mapping

from keras_doctor.records import NamedTuple

VARIABLES = (
    "KERAS_BACKEND",
    "KERAS_HOME",
    "TF_USE_LEGACY_KERAS",
    "THEANO_FLAGS",
    "THEANORC",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "PYTHONSAFEPATH",
    "PYTHONSTARTUP",
    "PYTHONOPTIMIZE",
    "PYTHONDONTWRITEBYTECODE",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "CONDA_SHLVL",
    "PYENV_VERSION",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
    "CUDA_PATH",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "JAX_PLATFORM_NAME",
    "JAX_ENABLE_X64",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_ENABLE_ONEDNN_OPTS",
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION",
    "KERAS_TORCH_DEVICE",
    "KERAS_NNX_ENABLED",
    "KERAS_MAX_EPOCHS",
    "KERAS_MAX_STEPS_PER_EPOCH",
    "PLAIDML_KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "KMP_DUPLICATE_LIB_OK",
    "MKL_THREADING_LAYER",
    "OPENBLAS_CORETYPE",
    "HOME",
    "USERPROFILE",
    "PATH",
)
"""The only environment variables that are ever read; nothing else leaves the target."""

COMMANDS = (
    "python",
    "python3",
    "pip",
    "pip3",
    "uv",
    "conda",
    "jupyter",
    "g++",
    "gcc",
    "cc",
    "nvcc",
    "nvidia-smi",
)
"""Programs that are looked for on PATH."""

MODULE_NAMES = (
    "keras",
    "tf_keras",
    "tensorflow",
    "theano",
    "cntk",
    "jax",
    "jaxlib",
    "torch",
    "openvino",
    "numpy",
    "scipy",
    "h5py",
)
"""Import names that are always resolved, whoever provides them."""

WATCHED = (
    "keras",
    "keras-nightly",
    "tf-keras",
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-gpu",
    "tensorflow-intel",
    "tensorflow-macos",
    "tf-nightly",
    "theano",
    "theano-pymc",
    "cntk",
    "jax",
    "jaxlib",
    "torch",
    "openvino",
)
"""Normalised names of distributions that are listed in other environments."""

BACKENDS: Mapping[str, tuple[str, ...]] = {
    "tensorflow": ("tensorflow",),
    "theano": ("theano",),
    "cntk": ("cntk",),
    "jax": ("jax", "jaxlib"),
    "torch": ("torch",),
    "numpy": ("numpy", "jax", "scipy"),
    "openvino": ("openvino",),
}
"""Backend names to the import names that Keras needs for them.

Source: what each backend imports, reference/backend-selection, measured on the releases."""


class Idle(NamedTuple):
    """What stays idle with the Keras releases of one first number and one backend."""

    keras: int
    backend: str
    distributions: tuple[str, ...]


class FixedBackend(NamedTuple):
    """Keras releases that take one backend whatever is asked."""

    since: tuple[int, ...]
    """First release, inclusive, as numbers: ``(2, 4)``."""
    before: tuple[int, ...]
    """First release that is different again, exclusive."""
    backend: str


class Request(NamedTuple):
    """What to look at. The defaults suit ``import keras``."""

    roots: tuple[str, ...] = ("keras",)
    """Import names of the program: the files of what provides them are checked."""
    asked: tuple[str, ...] = ()
    """Backends asked for by the wish or by lines of the user's program."""
    backends: Mapping[str, tuple[str, ...]] = BACKENDS
    default_backend: str = "tensorflow"
    fixed_backends: tuple[FixedBackend, ...] = ()
    module_names: tuple[str, ...] = MODULE_NAMES
    variables: tuple[str, ...] = VARIABLES
    commands: tuple[str, ...] = COMMANDS
    watched: tuple[str, ...] = WATCHED
    thorough: bool = True
    """Whether to look at everything. Else a first look that costs a third: sizes of files and not
    their contents, no files of the `idle` distributions, and of what is off the way of the
    import only name, version and import packages."""
    idle: tuple[Idle, ...] = ()
    """What imports require and were never seen to load."""
    options: tuple[str, ...] = ()
    """Interpreter options of the user's own start, like ``-s`` or ``-E``."""
