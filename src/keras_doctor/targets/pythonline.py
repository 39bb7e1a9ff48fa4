"""The interpreter's own command line: ``python [options] [-c code | -m module | script]``.

Source: https://docs.python.org/3/using/cmdline.html.
"""

from __future__ import annotations

import os

from keras_doctor.records import NamedTuple
from keras_doctor.targets import files
from keras_doctor.targets.launch import PROGRAM, SERVICE, Launch, launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.targets.state import State

_WITH_VALUE = "WXQ"
_TRANSIENT = "ixhV?"
"""Options that wait for a person, skip a line or only print: no run of ours keeps them."""
_SERVICES = frozenset(
    {"pip", "venv", "virtualenv", "ensurepip", "site", "json.tool", "http.server", "pipx", "uv"}
)


class PythonLine(NamedTuple):
    """The interpreter's arguments, taken apart."""

    options: tuple[str, ...]
    code: str | None
    module: str | None
    script: str | None
    """As typed; ``-`` for the standard input."""
    arguments: tuple[str, ...]
    prints: bool
    """It only prints its version or help."""


def parse(arguments: Sequence[str]) -> PythonLine:
    """Take apart what follows the interpreter's name."""
    options: list[str] = []
    prints = False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            return _line(options, rest, prints=prints, script=word)
        if word == "--":
            script = rest.pop(0) if rest else None
            return _line(options, rest, prints=prints, script=script)
        if word.startswith("--"):
            prints = prints or word in ("--version", "--help") or word.startswith("--help-")
            if word == "--check-hash-based-pycs" and rest:
                options += [word, rest.pop(0)]
            continue
        for index, letter in enumerate(word[1:], 2):
            if letter in "cm":
                value = word[index:] or (rest.pop(0) if rest else "")
                code, module = (value, None) if letter == "c" else (None, value)
                return _line(options, rest, prints=prints, code=code, module=module)
            if letter in _WITH_VALUE:
                value = word[index:] or (rest.pop(0) if rest else "")
                options += [f"-{letter}", value]
                break
            prints = prints or letter in "hV?"
            if letter not in _TRANSIENT:
                options.append(f"-{letter}")
    return _line(options, rest, prints=prints)


def _line(
    options: list[str],
    rest: list[str],
    *,
    prints: bool,
    code: str | None = None,
    module: str | None = None,
    script: str | None = None,
) -> PythonLine:
    return PythonLine(
        options=tuple(options),
        code=code,
        module=module,
        script=script,
        arguments=tuple(rest),
        prints=prints,
    )


def start_python(
    python: str,
    arguments: Sequence[str],
    state: State,
    *,
    document: str | None = None,
    stdin: str | None = None,
) -> Launch:
    """What ``python arguments…`` starts.

    Args:
        python: The interpreter, absolute.
        arguments: What follows it.
        state: The world in which it is started.
        document: The text of a here-document on its standard input.
        stdin: The file that is its standard input.

    Returns:
        The start; its script need not exist.
    """
    line = parse(arguments)
    folder = os.path.realpath(state.folder)
    if line.code is not None:
        return launch(
            python,
            state,
            options=line.options,
            start="code",
            path0=folder,
            code=line.code,
            arguments=line.arguments,
            weight=SERVICE if line.prints else PROGRAM,
        )
    if line.module is not None:
        return _start_module(python, line, state, folder)
    if line.script is not None and line.script != "-":
        return _start_script(python, line, state)
    if stdin and not document:
        document = files.read_text(files.absolute(stdin, state.environ, state.folder))
    return launch(
        python,
        state,
        options=line.options,
        start="code" if document or line.script == "-" else "interactive",
        path0=folder,
        code=document or None,
        arguments=line.arguments,
        weight=SERVICE if line.prints else PROGRAM,
    )


def _start_script(python: str, line: PythonLine, state: State) -> Launch:
    path = files.absolute(line.script or "", state.environ, state.folder)
    real = os.path.realpath(path)
    main = os.path.join(path, "__main__.py")
    is_folder = os.path.isdir(path)
    # A folder or an archive with a __main__ is itself put on the path.
    is_archive = path.endswith((".zip", ".pyz", ".egg", ".whl")) and os.path.isfile(path)
    return launch(
        python,
        state,
        options=line.options,
        start="script",
        path0=path if is_folder or is_archive else os.path.dirname(real),
        script=main if is_folder else path,
        arguments=line.arguments,
        weight=SERVICE if line.prints else PROGRAM,
    )


def _start_module(python: str, line: PythonLine, state: State, folder: str) -> Launch:
    from keras_doctor.targets.tools import module_script

    module = line.module or ""
    found = launch(
        python,
        state,
        options=line.options,
        start="module",
        path0=folder,
        script=local_module(module, folder),
        module=module,
        arguments=line.arguments,
        weight=SERVICE if line.prints or module.split(".")[0] in _SERVICES else PROGRAM,
    )
    return module_script(found, state) if found.script is None else found


def local_module(name: str, folder: str) -> str | None:
    """The file that ``-m name`` runs, when it lies below `folder`."""
    base = os.path.join(folder, *name.split("."))
    for path in (os.path.join(base, "__main__.py"), base + ".py"):
        if os.path.isfile(path):
            return path
    return None
