"""Run an installer: uv where there is one, else the pip of the environment, else ours."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from typing import TYPE_CHECKING

from keras_doctor.fixes.downloads import Downloads
from keras_doctor.fixes.pipsettings import uv_options, uv_variables
from keras_doctor.fixes.said import is_unreachable
from keras_doctor.live.process import Child
from keras_doctor.names import normalize
from keras_doctor.records import NamedTuple
from keras_doctor.requirements import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keras_doctor.fixes.request import Request

OFFLINE = "UV_OFFLINE"
"""The variable by which uv takes what it has fetched before, and asks nobody."""
_COUNT_SECONDS = 30.0
"""Seconds that it may take to find out what a request would change."""
_CHANGED = re.compile(r"^ [-+~] ([A-Za-z0-9._-]+)", re.MULTILINE)
"""A line of uv that names what it installs, removes, or would."""
TIMEOUT = 1800.0
"""Seconds for one run: a TensorFlow is half a gigabyte, over whatever network there is."""
HIDDEN = frozenset(
    {
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"),
        *("PIP_TARGET", "PIP_USER", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON"),
    }
)
"""Variables that would lead an installer elsewhere."""


class Installer(NamedTuple):
    """A program that installs into an environment."""

    name: str
    """``uv`` | ``pip``."""
    argv: tuple[str, ...]
    """How it is started, without its command."""


class Installed(NamedTuple):
    """What became of a run."""

    ok: bool
    output: str
    """The end of what it printed."""
    seconds: float


def find_uv(environ: Mapping[str, str]) -> str | None:
    """The uv that was installed with this tool, else the one on the user's PATH."""
    own = os.path.join(os.path.dirname(sys.executable), "uv.exe" if os.name == "nt" else "uv")
    return own if os.access(own, os.X_OK) else shutil.which("uv", path=environ.get("PATH"))


def find_installer(python: str, environ: Mapping[str, str], *, has_pip: bool) -> Installer | None:
    """The installer for an environment.

    Args:
        python: Its interpreter.
        environ: The user's variables.
        has_pip: Whether it has a pip of its own.
    """
    uv = find_uv(environ)
    if uv:
        return Installer("uv", (uv,))
    if has_pip:
        return Installer("pip", (python, "-I", "-m", "pip"))
    if _has_own_pip():
        return Installer("pip", (sys.executable, "-I", "-m", "pip", "--python", python))
    return None


def _has_own_pip() -> bool:
    import importlib.util

    return importlib.util.find_spec("pip") is not None


def uv_environ(environ: Mapping[str, str], prefix: str | None) -> dict[str, str]:
    """The variables that uv is started with.

    Args:
        environ: The user's; those that would lead elsewhere are left out.
        prefix: The environment's folder.
    """
    variables = {name: value for name, value in environ.items() if name not in HIDDEN}
    variables.update(uv_variables(environ, prefix))
    variables.update(UV_NO_PROGRESS="1", UV_PYTHON_DOWNLOADS="never", NO_COLOR="1")
    variables.pop("VIRTUAL_ENV", None)
    return variables


def install(
    installer: Installer,
    request: Request,
    python: str,
    prefix: str | None,
    environ: Mapping[str, str],
    *,
    timeout: float = TIMEOUT,
    progress: Callable[[str], None] | None = None,
) -> Installed:
    """Remove and install what a request says, in one environment.

    Args:
        installer: Which program does it.
        request: What is asked for.
        python: The environment's interpreter.
        prefix: The environment's folder.
        environ: The user's variables; those that would lead elsewhere are left out.
        timeout: Seconds for each run.
        progress: Told how far uv's downloads are.

    Returns:
        What became of it; one that cannot be started, or does not end, has failed too.
    """
    variables = {name: value for name, value in environ.items() if name not in HIDDEN}
    more: tuple[str, ...] = ()
    if installer.name == "uv":
        variables = uv_environ(environ, prefix)
        if request.lock:
            variables.pop("UV_CONSTRAINT", None)  # a lock says it all; uv takes no more
        if progress is not None:
            variables.pop("UV_NO_PROGRESS")
        more = uv_options(environ, prefix)
    else:
        variables.update(
            PIP_USER="0",
            PYTHONNOUSERSITE="1",
            PIP_DISABLE_PIP_VERSION_CHECK="1",
            PIP_NO_INPUT="1",
            NO_COLOR="1",
        )
    done = Installed(ok=True, output="", seconds=0.0)
    with tempfile.TemporaryDirectory(prefix="keras-doctor-") as folder:
        variables["TMPDIR"] = folder  # they leave locks among the temporary files
        for argv in commands(installer, request, python, folder, more):
            watch = Downloads(progress) if progress is not None else None
            one = _run(argv, variables, folder, folder, timeout, watch)
            if not one.ok and installer.name == "uv" and is_unreachable(one.output):
                # What is in its cache may be all that is needed.
                again = _run(argv, {**variables, OFFLINE: "1"}, folder, folder, timeout)
                one = again if again.ok else one
            done = one._replace(seconds=done.seconds + one.seconds)
            if not done.ok:
                break
    return done


def count_changes(
    installer: Installer,
    request: Request,
    python: str,
    prefix: str | None,
    environ: Mapping[str, str],
) -> int | None:
    """How many distributions a request would change; nothing is changed, or fetched but metadata.

    Args:
        installer: Only uv says it quickly.
        request: What would be asked for.
        python: The environment's interpreter.
        prefix: The environment's folder.
        environ: The user's variables.

    Returns:
        None when it cannot be told, as when the requirements contradict each other.
    """
    if installer.name != "uv":
        return None
    variables, more = uv_environ(environ, prefix), uv_options(environ, prefix)
    names = set(request.uninstall)
    with tempfile.TemporaryDirectory(prefix="keras-doctor-") as folder:
        variables["TMPDIR"] = folder
        for argv in commands(installer, request, python, folder, (*more, "--dry-run")):
            if "install" in argv:
                done = _run(argv, variables, folder, folder, _COUNT_SECONDS)
                if not done.ok:
                    return None
                names |= {normalize(match) for match in _CHANGED.findall(done.output)}
    return len(names)


def run_owner(
    argv: Sequence[str], environ: Mapping[str, str], folder: str, *, timeout: float = TIMEOUT
) -> Installed:
    """Run a command of the program that owns an environment.

    Args:
        argv: The command.
        environ: The user's variables; those that would lead elsewhere are left out.
        folder: Where it is started.
        timeout: Seconds.
    """
    variables = {name: value for name, value in environ.items() if name not in HIDDEN}
    variables.update(NO_COLOR="1", PIP_NO_INPUT="1")
    with tempfile.TemporaryDirectory(prefix="keras-doctor-") as temporary:
        variables["TMPDIR"] = temporary
        return _run(argv, variables, folder, temporary, timeout)


def _run(
    argv: Sequence[str],
    variables: Mapping[str, str],
    folder: str,
    mark: str,
    timeout: float,
    watch: Callable[[bytes], None] | None = None,
) -> Installed:
    try:
        child = Child(argv, variables, folder, mark, watch)
    except OSError as error:
        return Installed(ok=False, output=f"{argv[0]} cannot be started: {error}", seconds=0.0)
    ended = child.finish(timeout, lambda _child: None)
    output = ended.output[-20_000:]
    if ended.code is None:
        output += f"\n{argv[0]} did not end within {timeout:.0f} s"
    return Installed(ok=ended.code == 0, output=output, seconds=ended.seconds)


def commands(
    installer: Installer,
    request: Request,
    python: str,
    folder: str,
    more: Sequence[str] = (),
) -> list[tuple[str, ...]]:
    """The command lines of a request; files of constraints are written to `folder`.

    Args:
        installer: Whose they are.
        request: What is asked for.
        python: The environment's interpreter.
        folder: A folder that outlives the commands.
        more: Further options of what installs.
    """
    found = []
    target = ("--python", python) if installer.name == "uv" else ()
    uv = installer.name == "uv"
    head = (*installer.argv, *(("pip",) if uv else ()))
    if request.uninstall:
        yes = () if uv else ("-y",)
        found.append((*head, "uninstall", *target, *yes, *request.uninstall))
    if request.lock:
        hashes = () if request.lock.endswith(".toml") else ("--require-hashes",)
        found.append((*head, "install", *target, "--no-deps", *hashes, "-r", request.lock, *more))
    elif request.requirements:
        options = [*target, *_files(installer, request, folder), *more]
        options += ["--no-deps"] if request.complete else []
        options += ["--exclude-newer", request.before] if request.before and uv else []
        again = [one for one in request.requirements if _name(one) in request.reinstall]
        if installer.name == "uv":
            for name in request.reinstall:
                options += ["--reinstall-package", name]
            again = []
        rest = [one for one in request.requirements if one not in again]
        if rest:
            found.append((*head, "install", *options, *rest))
        if again:
            # Of pip's options these are for all that it is given: what is new needs its own.
            found.append((*head, "install", *options, "--force-reinstall", "--no-deps", *again))
    return found


def _name(requirement: str) -> str:
    found = parse_requirement(requirement)
    return normalize(found.name) if found else requirement


def _files(installer: Installer, request: Request, folder: str) -> list[str]:
    options = []
    lists = [("constraints", "--constraint", request.constraints)]
    if installer.name == "uv":
        lists = [
            ("constraints", "--constraints", request.constraints),
            ("overrides", "--overrides", request.overrides),
        ]
    for name, option, lines in lists:
        if lines:
            path = os.path.join(folder, f"{name}.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in lines))
            options += [option, path]
    return options
