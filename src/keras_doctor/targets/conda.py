"""Conda environments by name and by folder, and what activating one sets.

Sources: conda's documentation of ``envs_dirs``, ``~/.conda/environments.txt``,
``conda-meta/state`` (``conda env config vars``) and ``etc/conda/activate.d``.
"""

from __future__ import annotations

import os

from keras_doctor.targets import files
from keras_doctor.targets.state import MAX_DEPTH, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROOTS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "conda")


def roots(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The folders of conda installations that exist: from variables, then the usual places."""
    candidates = [environ.get("CONDA_ROOT"), environ.get("MAMBA_ROOT_PREFIX")]
    for variable in ("CONDA_EXE", "CONDA_PYTHON_EXE", "MAMBA_EXE"):
        program = environ.get(variable)
        if program:
            candidates.append(os.path.dirname(os.path.dirname(program)))
    prefix = environ.get("CONDA_PREFIX")
    if prefix:
        above = os.path.dirname(prefix)
        candidates.append(os.path.dirname(above) if os.path.basename(above) == "envs" else prefix)
    bases = [files.home(environ), "/opt"]
    if files.WINDOWS:
        bases += [environ.get("PROGRAMDATA", ""), environ.get("LOCALAPPDATA", "")]
    candidates += [os.path.join(base, name) for base in bases if base for name in _ROOTS]
    return tuple(dict.fromkeys(path for path in candidates if path and os.path.isdir(path)))


def environments(environ: Mapping[str, str]) -> Iterator[str]:
    """Folders of all conda environments that are known, each once."""
    seen = set()
    for path in _known(environ):
        real = os.path.realpath(path)
        if real not in seen and os.path.isdir(os.path.join(path, "conda-meta")):
            seen.add(real)
            yield path


def _known(environ: Mapping[str, str]) -> Iterator[str]:
    yield from roots(environ)
    for folder in envs_folders(environ):
        for name in files.listing(folder):
            yield os.path.join(folder, name)
    listed = os.path.join(files.home(environ), ".conda", "environments.txt")
    for line in files.read_text(listed).splitlines():
        if line.strip():
            yield line.strip()


def envs_folders(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The folders in which conda looks for environments by name."""
    given = environ.get("CONDA_ENVS_PATH") or environ.get("CONDA_ENVS_DIRS") or ""
    folders = [path for path in given.split(os.pathsep) if path]
    folders += [os.path.join(root, "envs") for root in roots(environ)]
    folders.append(os.path.join(files.home(environ), ".conda", "envs"))
    folders += _condarc(os.path.join(files.home(environ), ".condarc"), environ)
    return tuple(dict.fromkeys(folders))


def _condarc(path: str, environ: Mapping[str, str]) -> list[str]:
    folders = []
    inside = False
    for line in files.read_text(path).splitlines():
        item = line.strip()
        if inside and item.startswith("- "):
            folders.append(files.absolute(item[2:].strip("\"' "), environ, files.home(environ)))
        elif item:
            inside = item.startswith(("envs_dirs:", "envs_path:"))
    return folders


def find(name: str, environ: Mapping[str, str]) -> str | None:
    """The folder of the environment called `name`; ``base`` is the installation itself."""
    if os.sep in name or "/" in name:
        return name if os.path.isdir(name) else None
    for path in environments(environ):
        is_root = path in roots(environ)
        if (is_root and name in ("base", "root")) or (
            not is_root and os.path.basename(path) == name
        ):
            return path
    return None


def activate(name: str, state: State, by: str) -> str | None:
    """Do to `state` what ``conda activate name`` would do, as far as files tell.

    Args:
        name: The name or folder of an environment.
        state: Gets CONDA_PREFIX, PATH and the environment's own variables.
        by: What is said to have set them.

    Returns:
        The environment's folder; None, with a problem noted, when there is none.
    """
    prefix = find(name, state.environ)
    if prefix is None:
        names = sorted({os.path.basename(path) for path in environments(state.environ)})
        known = f"known are {', '.join(names)}" if names else "none was found on this machine"
        state.problems.append(f"there is no conda environment {name} ({known})")
        return None
    state.activate(prefix, by, variable="CONDA_PREFIX")
    for variable, value, where in variables(prefix):
        state.export(variable, value, where)
    return prefix


def variables(prefix: str) -> list[tuple[str, str, str]]:
    """What activating sets: (name, value, file), from activate.d and then conda-meta/state."""
    from keras_doctor.targets.shell import evaluate

    found: list[tuple[str, str, str]] = []
    scripts = os.path.join(prefix, "etc", "conda", "activate.d")
    for name in files.listing(scripts):
        if name.endswith(".sh"):
            path = os.path.join(scripts, name)
            state = State({"CONDA_PREFIX": prefix}, prefix, by=path)
            state.depth = MAX_DEPTH
            evaluate(files.read_text(path), state, lambda _words, _state, _simple: [])
            found += [(key, state.environ[key], path) for key in state.set_by]
    path = os.path.join(prefix, "conda-meta", "state")
    values = files.read_json(path).get("env_vars")
    if isinstance(values, dict):
        found += [(str(key), str(value), path) for key, value in values.items()]
    return found
