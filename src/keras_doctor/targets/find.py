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

from keras_doctor.model import Target
from keras_doctor.targets import files
from keras_doctor.targets.environments import environment_of
from keras_doctor.targets.explicit import check_rights, named_python
from keras_doctor.targets.found import Found, TargetError
from keras_doctor.targets.implied import implied_python
from keras_doctor.targets.launch import Launch, launch
from keras_doctor.targets.search import Choice, Search, own_environment
from keras_doctor.targets.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
    search = Search(environ, place, own or own_environment())
    state = State(search.environ, place)
    named = named_python(python, search) if python else None
    if kernel:
        start, why = _kernel(kernel, search, state)
        named = Choice(python=start.python, why=why)
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
        choice = named or implied_python(search)
        start, why = start._replace(python=choice.python), choice.why
        start = _with_safe_path(start, state)
    return _found(start, why, command, search, place)


def _with_safe_path(start: Launch, state: State) -> Launch:
    from keras_doctor.targets.launch import is_safe_path

    return start._replace(path0=None) if is_safe_path(start.python, (), state) else start


def _project(project: str | None, environ: Mapping[str, str], folder: str) -> str:
    if project is None:
        return os.path.normpath(folder)
    place = files.absolute(project, environ, folder)
    if not os.path.isdir(place):
        kind = "is not a folder" if os.path.lexists(place) else "does not exist"
        raise TargetError(f"--project {project}: {place} {kind}; name the folder that you run in")
    check_rights(place)
    return place


def _kernel(name: str, search: Search, state: State) -> tuple[Launch, str]:
    """What ``--kernel`` names."""
    from keras_doctor.targets import kernels

    own = (os.path.join(search.own or sys.prefix, files.BIN, "python"),)
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


def _native_pythons(search: Search) -> list[str]:
    """The interpreter of the jupyter on PATH."""
    from keras_doctor.targets import shebang

    jupyter = files.which("jupyter", search.environ, search.folder)
    line = shebang.read(jupyter) if jupyter else None
    return [line.interpreter] if line and os.path.isabs(line.interpreter) else []


def _command(command: Sequence[str], state: State, search: Search, named: Choice | None) -> Launch:
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


def _compare_with_active(python: str, search: Search) -> None:
    active = search.environ.get("VIRTUAL_ENV")
    if active and environment_of(python, search.environ).folder != os.path.normpath(active):
        search.note(f"VIRTUAL_ENV is set: {active}, but the command does not use it")


def _shown(command: Sequence[str]) -> str:
    text = " ".join(command)
    return text if len(text) < 100 else text[:97] + "…"


def _found(start: Launch, why: str, command: Sequence[str], search: Search, place: str) -> Found:
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
        run_environ=search.run_environ,
    )


def _run(command: Sequence[str], search: Search) -> tuple[str, ...]:
    """The argument list that runs the command as the user's shell would."""
    if not command:
        return ()
    from keras_doctor.targets.command import shell_line
    from keras_doctor.targets.state import ASSIGNMENT

    line = shell_line(command, State(search.environ, search.folder))
    if line is None:
        if files.which(command[0], search.run_environ, search.folder):
            return tuple(command)
        if ASSIGNMENT.match(command[0]) and not files.WINDOWS:
            return ("env", *command)
        import shlex

        line = shlex.join(command)
    if files.WINDOWS:
        return (search.environ.get("COMSPEC", "cmd.exe"), "/d", "/c", line)
    shell = files.which("bash", search.environ, search.folder) or "/bin/sh"
    return (shell, "-c", line)
