"""Commands that start another command and change little, like ``env`` and ``nohup``."""

from __future__ import annotations

import os

from keras_doctor.targets.state import ASSIGNMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from keras_doctor.targets.state import State

_WITH_VALUE: dict[str, tuple[str, ...]] = {
    "nohup": (),
    "time": ("-f", "-o", "--format", "--output"),
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p", "--class", "--classdata"),
    "exec": ("-a",),
    "command": (),
    "builtin": (),
    "stdbuf": ("-i", "-o", "-e"),
    "setsid": (),
    "timeout": ("-k", "-s", "--kill-after", "--signal"),
    "sudo": ("-u", "-g", "-C", "-h", "-p", "-U", "--user", "--group"),
    "doas": ("-u", "-C"),
    "xvfb-run": ("-n", "-s", "-e", "-f", "-p", "-w", "--server-args", "--server-num"),
    "taskset": (),
    "numactl": ("-N", "-m", "-C", "-i", "-p"),
    "catchsegv": (),
    "caffeinate": ("-t", "-w"),
    "winpty": (),
    "unbuffer": (),
    "arch": (),
    "setarch": (),
    "strace": ("-e", "-o", "-p", "-s", "-u", "-E"),
    "ltrace": ("-e", "-o"),
    "gdb": ("-ex", "-x"),
    "srun": ("-n", "-N", "-c", "-p", "-t", "-J", "-A", "-w", "-o", "-e"),
    "mpirun": ("-n", "-np", "-H", "-x", "--hostfile", "--map-by", "--bind-to"),
    "mpiexec": ("-n", "-np", "-H", "-x", "--hostfile"),
    "dotenv": ("-f", "--file"),
}
"""Wrappers, with their options that take a value in the next word."""
_POSITIONAL = {"timeout": 1, "taskset": 1}
"""Wrappers that take so many words of their own before the command."""
_SUBCOMMAND = {"dotenv": "run"}


def unwrap(words: list[str], world: State) -> list[str]:
    """The command inside its wrappers; `world` is changed as they would change it.

    Args:
        words: A command's words.
        world: Gets and loses the variables that ``env`` sets and unsets.

    Returns:
        The words of the inner command; [] when there is none.
    """
    while words:
        name = os.path.basename(words[0])
        if name == "env":
            words = _env(words[1:], world)
        elif name in _WITH_VALUE:
            words = _skip_options(words[1:], _WITH_VALUE[name], _POSITIONAL.get(name, 0))
            if words and words[0] == _SUBCOMMAND.get(name):
                words = words[1:]
        else:
            return words
    return words


def _skip_options(words: list[str], with_value: tuple[str, ...], positional: int) -> list[str]:
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("--", "--args"):
            break
        if option in with_value and rest:
            rest.pop(0)
    return rest[positional:]


def _env(words: list[str], world: State) -> list[str]:
    """``env [-i] [-u NAME] [-C DIR] [-S TEXT] [NAME=value …] COMMAND``."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        match = ASSIGNMENT.match(word)
        if match:
            world.export(match[1], match[2])
        elif word in ("-i", "-", "--ignore-environment"):
            world.environ.clear()
            world.set_by.clear()
        elif word in ("-u", "--unset", "-C", "--chdir", "-S", "--split-string") and rest:
            _env_option(word, rest.pop(0), rest, world)
        elif word.startswith(("--unset=", "--chdir=", "--split-string=")):
            option, _equals, value = word.partition("=")
            _env_option(option, value, rest, world)
        elif word.startswith(("-u", "-C", "-S")) and len(word) > 2:
            _env_option(word[:2], word[2:], rest, world)
        elif not word.startswith("-"):
            return [word, *rest]
    return []


def _env_option(option: str, value: str, rest: list[str], world: State) -> None:
    if option in ("-u", "--unset"):
        world.unset(value)
    elif option in ("-C", "--chdir"):
        world.enter(value)
    else:
        import shlex

        try:
            rest[:0] = shlex.split(value)
        except ValueError:
            world.problems.append(f"the text after `env {option}` has an open quote")
