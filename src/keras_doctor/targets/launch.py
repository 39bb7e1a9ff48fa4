"""How one simple command starts Python."""

import os

from keras_doctor.records import NamedTuple
from keras_doctor.targets import files, shims
from keras_doctor.targets.environments import python_version
from keras_doctor.targets.found import TargetError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.targets.state import State

PROGRAM = 3
"""Weight of a command that runs somebody's program."""
TOOL = 2
"""Weight of a program of a package, started by its launcher."""
SERVICE = 1
"""Weight of pip, a version question and the like: meant only if there is nothing else."""


class Launch(NamedTuple):
    """A start of Python that a command line holds."""

    python: str
    options: tuple[str, ...]
    start: str
    """As :attr:`keras_doctor.model.Target.start`."""
    path0: str | None
    script: str | None
    module: str | None
    code: str | None
    arguments: tuple[str, ...]
    folder: str
    environ: dict[str, str]
    set_by: dict[str, str]
    weight: int
    """Of several starts in one line, the last of the greatest weight is meant."""


def launch(
    python: str,
    state: "State",
    *,
    start: str,
    path0: str | None,
    options: tuple[str, ...] = (),
    script: str | None = None,
    module: str | None = None,
    code: str | None = None,
    arguments: tuple[str, ...] = (),
    weight: int = PROGRAM,
) -> Launch:
    """A :class:`Launch` in the world of `state`, with ``sys.path[0]`` as the options leave it."""
    if is_safe_path(python, options, state):
        path0 = None
    return Launch(
        python=python,
        options=options,
        start=start,
        path0=path0,
        script=script,
        module=module,
        code=code,
        arguments=arguments,
        folder=state.folder,
        environ=state.environ,
        set_by=state.set_by,
        weight=weight,
    )


def is_safe_path(python: str, options: tuple[str, ...], state: "State") -> bool:
    """Whether ``sys.path[0]`` is left out: ``-I``, ``-P``, or PYTHONSAFEPATH if it is known.

    Source: https://docs.python.org/3/using/cmdline.html (``-P`` and the variable came together
    with one release; older ones ignore the variable).
    """
    flags = "".join(one[1:] for one in options if one[1:2] != "-" and one[1:2] not in "XW")
    if "I" in flags or "P" in flags:
        return True
    if "E" in flags or not state.environ.get("PYTHONSAFEPATH"):
        return False
    version = python_version(python, state.environ)
    return version is None or version >= _SAFE_PATH_SINCE


_SAFE_PATH_SINCE = (3, 11)


def program(word: str, state: "State") -> str | None:
    """The file that `word` starts, stand-ins resolved; a problem is noted when there is none."""
    found = files.which(word, state.environ, state.folder)
    if found is None:
        path = files.absolute(word, state.environ, state.folder)
        if not ("/" in word or os.sep in word):
            state.problems.append(f"`{word}` is not on PATH")
        elif os.path.islink(path):
            state.problems.append(f"{path} is a link that leads nowhere")
            return path
        elif os.path.exists(path):
            state.problems.append(f"{path} is not a program that may be started")
        else:
            state.problems.append(f"{path} does not exist")
        return None
    try:
        return shims.resolve(found, state.environ, state.folder)
    except TargetError as error:
        state.problems.append(str(error))
        return None
