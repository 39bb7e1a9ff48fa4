"""From the user's command to the starts of Python in it. Nothing of it is run."""

from __future__ import annotations

import os

from keras_doctor.targets import files, shebang
from keras_doctor.targets.environments import PYTHON_NAME
from keras_doctor.targets.launch import SERVICE, TOOL, Launch, launch, program
from keras_doctor.targets.pythonline import start_python
from keras_doctor.targets.state import ASSIGNMENT, MAX_DEPTH
from keras_doctor.targets.wrappers import unwrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from keras_doctor.targets.shell import Simple
    from keras_doctor.targets.state import State

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_SERVICES = frozenset({"pip", "pip3", "pipx", "virtualenv", "conda", "uv", "poetry", "pipenv"})
_SPECIAL = frozenset("\n;&|<>()$`'\"\\#*?[]~{}=!")
"""Characters that mean something to a shell."""
_TOKENS = frozenset({";", "&&", "||", "|", "|&", "&", "<", ">", ">>", "2>", "2>&1", "2>/dev/null"})


def shell_line(argv: Sequence[str], state: State) -> str | None:
    """The shell text that `argv` holds, or None when it is an ordinary argument list.

    Either one argument is a whole line (``"pip list | grep keras; python train.py"``), or a
    line was split at its spaces, so that operators stand as words or at the end of words.
    """
    if len(argv) == 1:
        word = argv[0]
        is_line = any(letter in word for letter in " \t\n;|&<>")
        if is_line and files.which(word, state.environ, state.folder) is None:
            return word
        return None
    after_code = {index + 1 for index, word in enumerate(argv) if word in ("-c", "-lc", "-ic")}
    split = any(
        word in _TOKENS or (word.endswith(";") and not set(word) & set(" \t\n"))
        for index, word in enumerate(argv)
        if index not in after_code
    )
    if not split:
        return None
    import shlex

    return " ".join(shlex.quote(word) if set(word) & set(" \t\n") else word for word in argv)


def launches(argv: Sequence[str], state: State, simple: Simple | None = None) -> list[Launch]:
    """Every start of Python in a command, in order.

    Args:
        argv: The command; may begin with ``NAME=value`` words.
        state: The world in which it is started; not changed for the caller.
        simple: The parsed shell command that `argv` came from, for its standard input.

    Returns:
        The starts; () with problems noted in `state` when there are none.
    """
    world = state.copy()
    world.depth += 1
    if world.depth > 2 * MAX_DEPTH:
        world.problems.append("the command starts itself through too many others")
        return []
    rest = list(argv)
    while rest and (match := ASSIGNMENT.match(rest[0])):
        world.export(match[1], match[2])
        rest.pop(0)
    rest = unwrap(rest, world)
    if not rest:
        return []
    name = _name(rest[0])
    if PYTHON_NAME.match(name):
        return _python(rest, world, simple)
    if name in _SHELLS:
        return _shell(rest[1:], world)
    from keras_doctor.targets import runners

    runner = runners.RUNNERS.get(name)
    if runner is not None:
        inner = runner(rest[1:], world)
        if inner is not None:
            return launches(inner, world) if inner else []
    return _file(rest, world)


def _name(word: str) -> str:
    name = os.path.basename(word.replace("\\", "/") if files.WINDOWS else word)
    return name[:-4].lower() if name.lower().endswith(".exe") else name


def _python(words: list[str], world: State, simple: Simple | None) -> list[Launch]:
    python = program(words[0], world)
    if python is None:
        return []
    document = stdin = None
    if simple is not None:
        from keras_doctor.targets.shell import expand

        document = simple.document
        stdin = "".join(expand(simple.stdin, world)) if simple.stdin else None
    return [start_python(python, words[1:], world, document=document, stdin=stdin)]


def _shell(words: list[str], world: State) -> list[Launch]:
    """``bash -c LINE [NAME ARGUMENT…]`` or ``bash script.sh ARGUMENT…``."""
    while words and words[0].startswith("-"):
        option = words.pop(0)
        if option in ("-o", "+o", "--rcfile", "--init-file") and words:
            words.pop(0)
        elif not option.startswith("--") and "c" in option[1:]:
            if not words:
                return []
            world.arguments = words[1:] or ["bash"]
            return follow(words[0], world)
    if not words:
        return []
    return _shell_script(files.absolute(words[0], world.environ, world.folder), words, world)


def _shell_script(path: str, words: list[str], world: State) -> list[Launch]:
    text = files.read_text(path)
    if not text:
        world.problems.append(f"the shell script {path} is empty or cannot be read")
        return []
    world.arguments = [path, *words[1:]]
    world.by = path
    return follow(text, world)


def follow(text: str, world: State) -> list[Launch]:
    """Every start of Python in a shell text."""
    if world.depth > MAX_DEPTH:
        world.problems.append("the script starts itself through too many others")
        return []
    if not _SPECIAL.intersection(text):
        # `python train.py`: loading the reader of shell texts would take longer than all else.
        return launches(text.split(), world)
    from keras_doctor.targets.shell import evaluate

    return evaluate(text, world, launches)


def _file(words: list[str], world: State) -> list[Launch]:
    """A program that is a script: its first line says what runs it."""
    path = program(words[0], world)
    if path is None:
        path = files.absolute(words[0], world.environ, world.folder)
        is_script = "/" in words[0] and os.path.isfile(path) and path.endswith((".py", ".sh"))
        if not is_script:
            return []
        # Without the right to be started; the user will be told so by the shell.
    line = shebang.read(path)
    if line is None:
        if path.endswith(".sh"):
            return _shell_script(path, words, world)
        return []
    if _name(line.interpreter) in _SHELLS:
        return _shell_script(path, words, world)
    if not PYTHON_NAME.match(_name(line.interpreter)):
        return []
    python = program(line.interpreter, world)
    if python is None:
        world.problems.append(f"{path} wants the interpreter {line.interpreter}")
        return []
    if not line.is_launcher and "/" in words[0]:
        return [start_python(python, [*line.options, path, *words[1:]], world)]
    return [_console_script(path, python, line, words, world)]


def _console_script(
    path: str, python: str, line: shebang.Shebang, words: list[str], world: State
) -> Launch:
    from keras_doctor.targets.tools import tool_script

    name = _name(words[0])
    found = launch(
        python,
        world,
        options=line.options,
        start="console-script",
        path0=os.path.dirname(os.path.realpath(path)),
        arguments=tuple(words[1:]),
        weight=SERVICE if name in _SERVICES else TOOL,
    )
    return tool_script(name, words[1:], found, world)
