"""Find the Python that the user means, and say why that one.

Without a word from the user it is what they would run: the active virtual environment, the
active conda environment, ``.venv`` or ``venv`` in the folder, the ``python`` first on PATH. The
environment that this tool runs in is not the one that is meant (it may be a throw-away one of
``uvx`` or pipx, whose programs come first on PATH), unless it is named, active, or holds the
packages in question.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from keras_doctor.model import Target
from keras_doctor.targets import files, shims
from keras_doctor.targets.environments import environment_of, is_interpreter, python_in
from keras_doctor.targets.found import Found, TargetError
from keras_doctor.targets.launch import Launch, launch
from keras_doctor.targets.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENTS = ("keras", "tf_keras", "tensorflow", "jax", "torch", "theano", "openvino", "numpy")
_OWN = "this tool's own environment"


class _Choice(NamedTuple):
    python: str
    why: str


class _Search:
    """The places that are looked at, and what was seen there."""

    def __init__(self, environ: Mapping[str, str], folder: str, own: str | None) -> None:
        self.given = dict(environ)
        self.folder = folder
        self.considered: list[str] = []
        self.own = own if own and not self._is_active(own) and not _holds_packages(own) else None
        self.environ = self._without_own(environ)

    def _is_active(self, own: str) -> bool:
        active = (self.given.get("VIRTUAL_ENV"), self.given.get("CONDA_PREFIX"))
        return any(place and files.same_file(place, own) for place in active)

    def is_own(self, folder: str) -> bool:
        """Whether an environment is the one that this tool runs in, and nobody asked for it."""
        return self.own is not None and files.same_file(folder, self.own)

    def _without_own(self, environ: Mapping[str, str]) -> dict[str, str]:
        if self.own is None:
            return dict(environ)
        programs = os.path.join(self.own, files.BIN)
        entries = environ.get("PATH", "").split(os.pathsep)
        kept = [entry for entry in entries if not (entry and files.same_file(entry, programs))]
        if len(kept) == len(entries):
            return dict(environ)
        self.considered.append(f"PATH holds {programs}, {_OWN}: passed over")
        return {**environ, "PATH": os.pathsep.join(kept)}

    def note(self, line: str) -> None:
        """Add a line about a place."""
        self.considered.append(line)


def find_target(
    *,
    python: str | None,
    kernel: str | None,
    project: str | None,
    command: Sequence[str],
    environ: Mapping[str, str],
    folder: str,
    own: str | None = None,
) -> Found:
    """The Python that is meant and how the user would start it.

    Args:
        python: An interpreter, an environment folder, or a name like ``3.11``.
        kernel: The name of a Jupyter kernelspec.
        project: The folder that the user runs in; default: `folder`.
        command: The user's command as typed, () for none.
        environ: The user's environment.
        folder: The user's working folder.
        own: The environment that this tool runs in; default: this process's, if it is one.

    Returns:
        The target, with the environment, options and folder of its start.

    Raises:
        TargetError: There is no such target.
    """
    if python and kernel:
        raise TargetError("--python and --kernel name two Pythons; give one of them")
    place = _project(project, environ, folder)
    search = _Search(environ, place, own or _own_environment())
    state = State(search.environ, place)
    named = _named(python, search) if python else None
    if kernel:
        start, why = _kernel(kernel, search, state)
        named = _Choice(python=start.python, why=why)
    else:
        start = launch("", state, start="interactive", path0=os.path.realpath(place))
    if command:
        meant = _command(command, state, search, named)
        if kernel:
            meant = meant._replace(
                environ={**start.environ, **{name: meant.environ[name] for name in meant.set_by}},
                set_by={**start.set_by, **meant.set_by},
            )
        start = meant
        why = named.why if named else f"the interpreter of the command `{_shown(command)}`"
    elif not kernel:
        choice = named or _implied(search)
        start, why = start._replace(python=choice.python), choice.why
        start = _with_safe_path(start, state)
    return _found(start, why, command, search, place)


def _with_safe_path(start: Launch, state: State) -> Launch:
    from keras_doctor.targets.launch import is_safe_path

    return start._replace(path0=None) if is_safe_path(start.python, (), state) else start


def _own_environment() -> str | None:
    return sys.prefix if sys.prefix != sys.base_prefix else None


def _holds_packages(prefix: str) -> bool:
    """Whether the tool was installed into an environment in which people work."""
    lib = os.path.join(prefix, "Lib" if files.WINDOWS else "lib")
    inner = [""] if files.WINDOWS else files.listing(lib)
    return any(
        os.path.isdir(os.path.join(lib, name, "site-packages", package))
        for name in inner
        for package in _PATIENTS
    )


def _project(project: str | None, environ: Mapping[str, str], folder: str) -> str:
    if project is None:
        return os.path.normpath(folder)
    place = files.absolute(project, environ, folder)
    if not os.path.isdir(place):
        kind = "is not a folder" if os.path.lexists(place) else "does not exist"
        raise TargetError(f"--project {project}: {place} {kind}; name the folder that you run in")
    _check_rights(place)
    return place


def _check_rights(place: str) -> None:
    try:
        os.scandir(place).close()
    except OSError as error:
        raise TargetError(
            f"{place} cannot be read ({error.strerror or error}); "
            "run keras-doctor as a user who may read it"
        ) from error


def _named(name: str, search: _Search) -> _Choice:
    """What ``--python`` names."""
    path = files.absolute(name, search.given, search.folder)
    is_path = "/" in name or os.sep in name or name.startswith("~")
    if os.path.isdir(path) and not _is_version(name):
        return _from_folder(path, name, search)
    if os.path.lexists(path) and (is_path or not _is_version(name)):
        return _from_file(path, name, search)
    if is_path:
        _check_reachable(path, name)
        raise TargetError(
            f"--python {name}: {path} does not exist; give an interpreter, "
            "an environment folder, or a version like 3.11"
        )
    from keras_doctor.targets import named

    found = named.find(name, search.environ, search.folder)
    if found is None:
        known = named.listing(search.environ, search.folder)
        raise TargetError(
            f"--python {name}: no such Python is on PATH or among those of pyenv, uv and conda "
            f"({known}); give the interpreter's path"
        )
    search.note(f"--python {name}: {found[0]} ({found[1]}), taken")
    return _Choice(python=found[0], why=f"--python {name}")


def _is_version(name: str) -> bool:
    from keras_doctor.targets.named import VERSION

    return bool(VERSION.match(name))


def _check_reachable(path: str, name: str) -> None:
    """Tell 'may not be looked into' from 'does not exist'."""
    try:
        os.lstat(path)
    except PermissionError as error:
        raise TargetError(
            f"--python {name}: {path} cannot be reached ({error.strerror}); "
            "run keras-doctor as a user who may read it"
        ) from error
    except OSError:
        pass


def _from_folder(path: str, name: str, search: _Search) -> _Choice:
    _check_rights(path)
    found = python_in(path)
    if found is None:
        for inner in (".venv", "venv"):
            found = python_in(os.path.join(path, inner))
            if found:
                search.note(f"--python {name}: a project, its {inner} is taken")
                return _Choice(python=found, why=f"--python {name}")
        if os.path.basename(path) in ("bin", "Scripts"):
            return _from_folder(os.path.dirname(path), name, search)
        raise TargetError(
            f"--python {name}: the folder {path} holds no Python (no {files.BIN}/python in it); "
            "give an environment's folder or an interpreter"
        )
    search.note(f"--python {name}: {found}, taken")
    return _Choice(python=found, why=f"--python {name}")


def _from_file(path: str, name: str, search: _Search) -> _Choice:
    if os.path.islink(path) and not os.path.exists(path):
        if environment_of(path, search.environ).folder is None:
            raise TargetError(
                f"--python {name}: {path} is a link to {os.readlink(path)}, which does not exist; "
                "give an interpreter that is there"
            )
        search.note(f"--python {name}: {path}, a link that leads nowhere, taken")
        return _Choice(python=path, why=f"--python {name}")
    if os.path.isfile(path) and path.endswith(".py"):
        raise TargetError(
            f"--python {name}: {path} is a program, not an interpreter; "
            f"give it as a command: -- python {name}"
        )
    if not os.path.isfile(path) or not os.access(path, os.X_OK):
        raise TargetError(
            f"--python {name}: {path} is not a program that may be started; give an interpreter"
        )
    try:
        resolved = shims.resolve(path, search.environ, search.folder)
    except TargetError as error:
        raise TargetError(f"--python {name}: {error}; give the interpreter itself") from error
    if not is_interpreter(resolved, search.environ):
        raise TargetError(
            f"--python {name}: {path} is not a Python interpreter; "
            "give one, or an environment folder"
        )
    search.note(f"--python {name}: {resolved}, taken")
    return _Choice(python=resolved, why=f"--python {name}")


def _kernel(name: str, search: _Search, state: State) -> tuple[Launch, str]:
    """What ``--kernel`` names."""
    from keras_doctor.targets import kernels

    own = (os.path.join(sys.prefix, files.BIN, "python"),)
    kernel = kernels.find(name, search.given, search.folder, own)
    if kernel is None:
        names = [one.name for one in kernels.known(search.given, search.folder, own)]
        places = ", ".join(kernels.folders(search.given, search.folder, own))
        known = f"there are {', '.join(sorted(names))}" if names else "there is none at all"
        raise TargetError(
            f"--kernel {name}: there is no such Jupyter kernel ({known}; looked in "
            f"{places or 'no folder, as none exists'}); `jupyter kernelspec list` shows its own"
        )
    search.note(f"--kernel {name}: {kernel.path}, taken")
    jupyter = next(iter(_native_pythons(search)), None)
    started = kernels.start(kernel, state, native=jupyter)
    return started, f"the Jupyter kernel {kernel.name} ({kernel.path})"


def _native_pythons(search: _Search) -> list[str]:
    """The interpreter of the jupyter on PATH."""
    from keras_doctor.targets import shebang

    jupyter = files.which("jupyter", search.environ, search.folder)
    line = shebang.read(jupyter) if jupyter else None
    return [line.interpreter] if line and os.path.isabs(line.interpreter) else []


def _command(
    command: Sequence[str], state: State, search: _Search, named: _Choice | None
) -> Launch:
    """The start of Python that the user's command holds."""
    from keras_doctor.targets.command import follow, launches, shell_line

    line = shell_line(command, state)
    found = follow(line, state) if line is not None else launches(command, state)
    for note in state.notes:
        search.note(note)
    if not found:
        problem = state.problems[0] if state.problems else "there is no Python program in it"
        raise TargetError(
            f"The command `{_shown(command)}` starts no Python: {problem}; "
            "give one that does, or name the interpreter with --python"
        )
    weight = max(one.weight for one in found)
    start = [one for one in found if one.weight == weight][-1]
    if len(found) > 1:
        search.note(f"the command starts Python {len(found)} times: the last program is meant")
    if named:
        search.note(f"the command's own interpreter would be {start.python}")
        return start._replace(python=named.python)
    search.note(f"the command starts {start.python}, taken")
    _compare_with_active(start.python, search)
    return start


def _compare_with_active(python: str, search: _Search) -> None:
    active = search.environ.get("VIRTUAL_ENV")
    if active and environment_of(python, search.environ).folder != os.path.normpath(active):
        search.note(f"VIRTUAL_ENV is set: {active}, but the command does not use it")


def _implied(search: _Search) -> _Choice:
    """What the user would run, when they name nothing."""
    for look in (_active, _beside, _first_on_path):
        choice = look(search)
        if choice is not None:
            return choice
    raise TargetError(
        f"No Python was found (no active environment, no .venv in {search.folder}, no python on "
        "PATH); name one with --python PATH"
    )


def _active(search: _Search) -> _Choice | None:
    kinds = (
        ("VIRTUAL_ENV", "the active virtual environment"),
        ("CONDA_PREFIX", "the active conda environment"),
    )
    for variable, words in kinds:
        place = search.environ.get(variable)
        if not place:
            search.note(f"{variable} is not set")
            continue
        python = python_in(place)
        if python is None:
            search.note(f"{variable} is set: {place}, but there is no Python in it: passed over")
            continue
        search.note(f"{variable} is set: {place}, taken")
        _compare_with_path(place, python, variable, search)
        return _Choice(python=python, why=f"{words} ({variable})")
    return None


def _compare_with_path(place: str, python: str, variable: str, search: _Search) -> None:
    typed = _python_on_path(search)
    if typed and not files.same_file(os.path.dirname(typed), os.path.dirname(python)):
        search.note(
            f"but `python` on PATH is {typed}: typing `python` does not start the environment "
            f"of {variable} ({place})"
        )


def _beside(search: _Search) -> _Choice | None:
    for name in (".venv", "venv"):
        place = os.path.join(search.folder, name)
        python = python_in(place)
        if python is None:
            search.note(f"there is no {name} in {search.folder}")
        elif search.is_own(place):
            search.note(f"{place} is {_OWN}: passed over")
        else:
            search.note(f"{place} is there, taken")
            return _Choice(python=python, why=f"{name} in the working folder")
    return None


def _python_on_path(search: _Search) -> str | None:
    for name in ("python", "python3"):
        for path in files.on_path(name, search.environ, search.folder):
            try:
                return shims.resolve(path, search.environ, search.folder)
            except TargetError as error:
                search.note(f"{path}: {error}")
    return None


def _first_on_path(search: _Search) -> _Choice | None:
    typed = _python_on_path(search)
    if typed is None:
        search.note("there is no python on PATH")
        return None
    name = "python" if "python3" not in os.path.basename(typed) else os.path.basename(typed)
    search.note(f"{typed} is the first {name} on PATH, taken")
    return _Choice(python=typed, why=f"the first {name} on PATH")


def _shown(command: Sequence[str]) -> str:
    text = " ".join(command)
    return text if len(text) < 100 else text[:97] + "…"


def _found(start: Launch, why: str, command: Sequence[str], search: _Search, place: str) -> Found:
    environment = environment_of(start.python, start.environ)
    environ = start.environ
    if environment.folder and search.is_own(environment.folder):
        environ = {**environ, "PATH": search.given.get("PATH", "")}
    target = Target(
        python=start.python,
        chosen=why,
        folder=start.folder,
        start=start.start,
        path0=start.path0,
        script=start.script,
        command=tuple(command),
        environment=environment.folder,
        manager=environment.manager,
    )
    return Found(
        target=target,
        environ=environ,
        argv=tuple(command),
        set_by=dict(start.set_by),
        considered=tuple(search.considered),
        options=start.options,
        module=start.module,
        code=start.code,
        arguments=start.arguments,
        run=_run(command, search),
        run_folder=place,
        run_environ=search.environ,
    )


def _run(command: Sequence[str], search: _Search) -> tuple[str, ...]:
    """The argument list that runs the command as the user's shell would."""
    from keras_doctor.targets.command import shell_line
    from keras_doctor.targets.state import ASSIGNMENT

    if not command:
        return ()
    line = shell_line(command, State(search.environ, search.folder))
    if line is None:
        if files.which(command[0], search.environ, search.folder):
            return tuple(command)
        if ASSIGNMENT.match(command[0]) and not files.WINDOWS:
            return ("env", *command)
        import shlex

        line = shlex.join(command)
    if files.WINDOWS:
        return (search.environ.get("COMSPEC", "cmd.exe"), "/d", "/c", line)
    shell = files.which("bash", search.environ, search.folder) or "/bin/sh"
    return (shell, "-c", line)
