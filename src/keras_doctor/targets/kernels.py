"""Jupyter kernel specifications: where they are, and which Python they start.

Sources: https://docs.jupyter.org/en/latest/use/jupyter-directories.html and
https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs.
"""

from __future__ import annotations

import os

from keras_doctor.records import NamedTuple
from keras_doctor.targets import files
from keras_doctor.targets.environments import PYTHON_NAME, python_in
from keras_doctor.targets.found import TargetError
from keras_doctor.targets.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keras_doctor.targets.launch import Launch


class Kernel(NamedTuple):
    """A kernelspec as written."""

    name: str
    path: str
    """The kernel.json."""
    argv: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]
    """Its ``env``, unexpanded."""
    display_name: str
    language: str


def folders(environ: Mapping[str, str], folder: str, pythons: Sequence[str] = ()) -> list[str]:
    """The ``kernels`` folders that exist, in Jupyter's order, then those of environments.

    Args:
        environ: The user's environment.
        folder: The working folder.
        pythons: Interpreters whose environments' kernels count too.

    Returns:
        Folders, each once.
    """
    places = [path for path in environ.get("JUPYTER_PATH", "").split(os.pathsep) if path]
    places.append(environ.get("JUPYTER_DATA_DIR") or _user_data(environ))
    prefixes = [os.path.dirname(os.path.dirname(python)) for python in pythons]
    prefixes += [environ.get("VIRTUAL_ENV", ""), environ.get("CONDA_PREFIX", "")]
    jupyter = files.which("jupyter", environ, folder)
    if jupyter:
        prefixes.append(os.path.dirname(os.path.dirname(os.path.realpath(jupyter))))
    prefixes += [os.path.join(folder, name) for name in (".venv", "venv")]
    places += [os.path.join(prefix, "share", "jupyter") for prefix in prefixes if prefix]
    if files.WINDOWS:
        places.append(os.path.join(environ.get("PROGRAMDATA", ""), "jupyter"))
    else:
        places += ["/usr/local/share/jupyter", "/usr/share/jupyter"]
    places.append(os.path.join(files.home(environ), ".ipython"))
    found = (os.path.join(os.path.join(folder, place), "kernels") for place in places)
    return [place for place in dict.fromkeys(found) if os.path.isdir(place)]


def user_folder(environ: Mapping[str, str]) -> str:
    """The folder of the kernels that belong to the user alone; it may not exist."""
    return os.path.join(environ.get("JUPYTER_DATA_DIR") or _user_data(environ), "kernels")


def _user_data(environ: Mapping[str, str]) -> str:
    import sys

    home = files.home(environ)
    if files.WINDOWS:
        return os.path.join(environ.get("APPDATA") or home, "jupyter")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Jupyter")
    base = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    return os.path.join(base, "jupyter")


def known(environ: Mapping[str, str], folder: str, pythons: Sequence[str] = ()) -> Iterator[Kernel]:
    """Every kernelspec that can be read, the first of each name."""
    seen = set()
    for place in folders(environ, folder, pythons):
        for name in files.listing(place):
            path = os.path.join(place, name, "kernel.json")
            kernel = _read(name, path)
            if kernel is not None and kernel.name not in seen:
                seen.add(kernel.name)
                yield kernel


def find(
    name: str, environ: Mapping[str, str], folder: str, pythons: Sequence[str] = ()
) -> Kernel | None:
    """The kernelspec called `name` (letter case does not matter), or None."""
    wanted = name.lower()
    return next((one for one in known(environ, folder, pythons) if one.name == wanted), None)


def _read(name: str, path: str) -> Kernel | None:
    spec = files.read_json(path)
    argv = spec.get("argv")
    if not isinstance(argv, list) or not argv or not all(isinstance(one, str) for one in argv):
        return None
    env = spec.get("env")
    pairs = env.items() if isinstance(env, dict) else ()
    return Kernel(
        name=name.lower(),
        path=path,
        argv=tuple(argv),
        variables=tuple((str(key), str(value)) for key, value in pairs),
        display_name=str(spec.get("display_name", name)),
        language=str(spec.get("language", "python")),
    )


def start(kernel: Kernel, state: State, *, native: str | None = None) -> Launch:
    """How a kernel starts Python.

    Args:
        kernel: The kernelspec.
        state: The user's world.
        native: The interpreter of Jupyter itself, which a bare ``python`` in the spec means.

    Returns:
        The start, with the kernel's own variables.

    Raises:
        TargetError: It is no Python kernel, or its interpreter is not there.
    """
    from keras_doctor.targets.command import launches

    if kernel.language.lower() != "python":
        raise TargetError(
            f"The kernel {kernel.name} ({kernel.path}) runs {kernel.language}, not Python; "
            "give another one with --kernel"
        )
    world = state.copy()
    # A kernel whose first word is missing must say so itself, not with what went wrong before.
    world.problems = []
    for name, value in kernel.variables:
        world.export(name, State.expand(state, value), kernel.path)
    resources = os.path.dirname(kernel.path)
    argv = [word.replace("{resource_dir}", resources) for word in kernel.argv]
    argv[0] = _native(argv[0], kernel, native) or argv[0]
    found = launches(argv, world)
    if not found:
        problem = world.problems[0] if world.problems else "it starts no Python"
        raise TargetError(
            f"The kernel {kernel.name} cannot be started: {problem}; mend {kernel.path} or "
            "give the interpreter with --python"
        )
    folder = os.path.realpath(state.folder)
    return found[-1]._replace(
        start="notebook", path0=folder, script=None, module=None, code=None, arguments=()
    )


def _native(word: str, kernel: Kernel, native: str | None) -> str | None:
    """The interpreter that a bare ``python`` in a spec means.

    Jupyter takes its own, and a spec inside an environment belongs to that one's Jupyter.
    """
    if not PYTHON_NAME.match(word):
        return None
    prefix = os.path.normpath(os.path.join(kernel.path, *[".."] * 5))
    inside = python_in(prefix) if os.path.basename(prefix) not in ("usr", "local") else None
    return inside or native


def of_notebook(path: str) -> str | None:
    """The kernel's name that a notebook's metadata asks for."""
    metadata = files.read_json(path, 64 << 20).get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    name = spec.get("name") if isinstance(spec, dict) else None
    return name if isinstance(name, str) and name else None
