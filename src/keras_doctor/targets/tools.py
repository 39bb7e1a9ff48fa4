"""Programs written in Python that run somebody's program: which file, and from where.

Sources: pytest's import modes, IPython's ``%run``, Jupyter's working folder (the notebook's),
the command lines of ``torch.distributed.run`` and ``accelerate``.
"""

from __future__ import annotations

import os

from keras_doctor.targets import files
from keras_doctor.targets.launch import PROGRAM, Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.targets.state import State

_RUNNERS = frozenset(
    {"torchrun", "accelerate", "streamlit", "deepspeed", "horovodrun", "coverage", "kernprof",
     "scalene", "py-spy", "memray", "mprof", "debugpy", "gunicorn", "celery"}
)  # fmt: skip
_RUNNER_MODULES = frozenset(
    {"torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch",
     "cProfile", "profile", "pdb", "trace", "runpy", "coverage", "debugpy", "kernprof", "memray",
     "streamlit", "scalene"}
)  # fmt: skip
_KERNEL_OPTIONS = ("--ExecutePreprocessor.kernel_name", "--kernel", "--kernel_name", "-k")


def tool_script(name: str, arguments: Sequence[str], found: Launch, state: State) -> Launch:
    """The start of the launcher `name`, made precise by the file that it is given.

    Args:
        name: The launcher's file name, like ``pytest``.
        arguments: What it is given.
        found: Its start as a mere console script.
        state: The world.

    Returns:
        The same, or one with the script, sys.path[0] and interpreter that count.
    """
    if name in ("pytest", "py.test"):
        return _pytest(arguments, found, state)
    if name.startswith("ipython") or name in _RUNNERS:
        return _script_argument(arguments, found, state)
    if name == "papermill" or name.startswith(("jupyter", "nbconvert")):
        return _notebook(arguments, found, state)
    return found


def module_script(found: Launch, state: State) -> Launch:
    """The same for ``python -m tool``."""
    module = found.module or ""
    if module in ("pytest", "py.test"):
        script = _test_file(found.arguments, state)
        return found._replace(script=script)
    if module in _RUNNER_MODULES or module == "IPython":
        return _script_argument(found.arguments, found, state)
    if module.split(".")[0] in ("jupyter", "nbconvert", "papermill"):
        return _notebook(found.arguments, found, state)
    return found


def _existing(word: str, state: State) -> str | None:
    path = files.absolute(word, state.environ, state.folder)
    return path if os.path.isfile(path) else None


def _script_argument(arguments: Sequence[str], found: Launch, state: State) -> Launch:
    for index, word in enumerate(arguments):
        if word.endswith(".py") and not word.startswith("-"):
            path = files.absolute(word, state.environ, state.folder)
            return found._replace(
                start="script",
                script=path,
                module=None,
                path0=None if found.path0 is None else os.path.dirname(os.path.realpath(path)),
                arguments=tuple(arguments[index + 1 :]),
                weight=PROGRAM,
            )
    return found._replace(weight=PROGRAM)


def _test_file(arguments: Sequence[str], state: State) -> str | None:
    for word in arguments:
        path = _existing(word.split("::")[0], state)
        if path and path.endswith(".py"):
            return path
    return None


def _pytest(arguments: Sequence[str], found: Launch, state: State) -> Launch:
    script = _test_file(arguments, state)
    if script is None:
        return found._replace(weight=PROGRAM)
    # The default import mode puts the first folder above the test that is no package first.
    place = os.path.dirname(os.path.realpath(script))
    while os.path.isfile(os.path.join(place, "__init__.py")) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    return found._replace(script=script, path0=place, weight=PROGRAM)


def _notebook(arguments: Sequence[str], found: Launch, state: State) -> Launch:
    from keras_doctor.targets import kernels

    notebook = next((path for word in arguments if word.endswith(".ipynb")
                     and (path := _existing(word, state))), None)  # fmt: skip
    if notebook is None:
        return found
    name = _kernel_option(arguments) or kernels.of_notebook(notebook)
    folder = os.path.dirname(os.path.realpath(notebook))
    found = found._replace(
        start="notebook",
        script=notebook,
        module=None,
        folder=folder,
        path0=folder,
        weight=PROGRAM,
        arguments=(),
    )
    kernel = kernels.find(name, state.environ, state.folder, (found.python,)) if name else None
    if kernel is None:
        if name:
            state.notes.append(f"{notebook} wants the kernel {name}, which is not there")
        return found
    state.notes.append(f"{notebook} wants the kernel {name}: {kernel.path}")
    started = kernels.start(kernel, state, native=found.python)
    return found._replace(python=started.python, environ=started.environ, set_by=started.set_by)


def _kernel_option(arguments: Sequence[str]) -> str | None:
    for index, word in enumerate(arguments):
        option, equals, value = word.partition("=")
        if option in _KERNEL_OPTIONS:
            if equals:
                return value
            return arguments[index + 1] if index + 1 < len(arguments) else None
    return None
