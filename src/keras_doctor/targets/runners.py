"""Environment managers that start a command, like ``uv run`` and ``conda run``.

Each takes what follows its name and returns the command that it would start, after changing the
world as the manager would; None when it starts no command (``uv pip list``), [] with a problem
noted when the environment is not there. Nothing is run: the folders are computed as the
managers compute them.

Sources: https://docs.astral.sh/uv/reference/cli/#uv-run and concepts/projects/config;
poetry's ``EnvManager.generate_env_name``; pipenv's ``Project.virtualenv_name``;
``conda run --help``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from keras_doctor.targets import conda, files
from keras_doctor.targets.environments import python_in
from keras_doctor.targets.state import State

_UV_WITH_VALUE = frozenset(
    {"-p", "--python", "--with", "--with-editable", "--with-requirements", "--extra",
     "--group", "--no-group", "--only-group", "--no-extra", "--env-file", "--project",
     "--directory", "--package", "--index", "--default-index", "-i", "--index-url",
     "--extra-index-url", "-f", "--find-links", "--index-strategy", "--keyring-provider", "-P",
     "--upgrade-package", "--reinstall-package", "--resolution", "--prerelease",
     "--fork-strategy", "--exclude-newer", "--link-mode", "-C", "--config-setting",
     "--no-build-package", "--no-binary-package", "--refresh-package", "--cache-dir",
     "--config-file", "--color", "--allow-insecure-host", "--python-platform"}
)  # fmt: skip
_CONDA_WITH_VALUE = frozenset({"-n", "--name", "-p", "--prefix", "--cwd"})


def uv(words: Sequence[str], world: State) -> list[str] | None:
    """``uv run``: the project's environment, or the one of UV_PROJECT_ENVIRONMENT."""
    rest = list(words)
    _skip(rest, _UV_WITH_VALUE, world)
    if rest[:1] != ["run"]:
        return None
    rest.pop(0)
    options = _skip(rest, _UV_WITH_VALUE, world, flags=("-m", "--module", "-s", "--script"))
    if "--directory" in options:
        world.enter(options["--directory"])
    start = options.get("--project") or world.folder
    folder = _uv_environment(files.absolute(start, world.environ, world.folder), options, world)
    if "--python" in options or "-p" in options:
        world.notes.append("`uv run --python` may make another environment than the one read here")
    if folder is None or python_in(folder) is None:
        wanted = folder or os.path.join(world.folder, ".venv")
        world.problems.append(f"`uv run` would use {wanted}, which is not there (yet): `uv sync`")
        return []
    world.activate(folder, "uv run")
    if not rest:
        return []
    if "-m" in options or "--module" in options:
        return ["python", "-m", *rest]
    if rest[0].endswith(".py") or "-s" in options or "--script" in options:
        return ["python", *_without_inline(rest, world)]
    return rest


def _without_inline(rest: list[str], world: State) -> list[str]:
    """A script that declares its own dependencies runs in an environment of its own."""
    text = files.read_text(files.absolute(rest[0], world.environ, world.folder))
    if "\n# /// script" in "\n" + text:
        world.notes.append(
            f"{rest[0]} declares its own dependencies: `uv run` makes an environment for it alone, "
            "which is not the one read here"
        )
    return rest


def _uv_environment(start: str, options: dict[str, str], world: State) -> str | None:
    active = world.environ.get("VIRTUAL_ENV")
    root = _above(start, "pyproject.toml", "uv.toml")
    if "--active" in options or "--no-project" in options or root is None:
        if active:
            return active
        place = _above(start, ".venv")
        return os.path.join(place, ".venv") if place else None
    # A workspace keeps its environment beside the lock file of its root.
    root = _above(root, "uv.lock") or root
    given = world.environ.get("UV_PROJECT_ENVIRONMENT") or ".venv"
    return os.path.join(root, given)


def _above(start: str, *names: str) -> str | None:
    """The nearest folder from `start` up that holds one of `names`."""
    place = start
    while True:
        if any(os.path.exists(os.path.join(place, name)) for name in names):
            return place
        if os.path.dirname(place) == place:
            return None
        place = os.path.dirname(place)


def _skip(
    rest: list[str],
    with_value: frozenset[str],
    world: State,
    *,
    flags: tuple[str, ...] = (),
) -> dict[str, str]:
    """Take the leading options off `rest`; flags in `flags` are options without a value."""
    options: dict[str, str] = {}
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        option, equals, value = word.partition("=")
        if option in with_value and option not in flags and not equals:
            value = rest.pop(0) if rest else ""
        options[option] = State.expand(world, value)
    return options


def poetry(words: Sequence[str], world: State) -> list[str] | None:
    """``poetry run``: the active environment, the project's ``.venv``, or poetry's own."""
    rest = list(words)
    options = _skip(rest, frozenset({"-C", "--directory", "-P", "--project"}), world)
    if rest[:1] != ["run"]:
        return None
    start = options.get("-C") or options.get("--directory") or world.folder
    root = _above(files.absolute(start, world.environ, world.folder), "pyproject.toml")
    cache = world.environ.get("POETRY_VIRTUALENVS_PATH") or os.path.join(
        world.environ.get("POETRY_CACHE_DIR") or poetry_cache(world.environ), "virtualenvs"
    )
    folder = root and _managed(root, os.path.realpath(root), cache, world)
    return _in(folder, rest[1:], "poetry run", "poetry env info --path", world)


def pipenv(words: Sequence[str], world: State) -> list[str] | None:
    """``pipenv run``: the active environment, the project's ``.venv``, or pipenv's own."""
    rest = list(words)
    _skip(rest, frozenset({"--python", "--pypi-mirror"}), world)
    if rest[:1] != ["run"]:
        return None
    root = _above(world.folder, "Pipfile")
    homes = virtualenv_homes(world.environ)
    folder = None
    for place in homes if root else ():
        pipfile = os.path.join(root or "", "Pipfile")
        folder = folder or _managed(root or "", pipfile, place, world)
    return _in(folder, rest[1:], "pipenv run", "pipenv --venv", world)


def poetry_cache(environ: dict[str, str]) -> str:
    """The cache folder of poetry, as platformdirs computes it."""
    import sys

    home = files.home(environ)
    if files.WINDOWS:
        local = environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
        return os.path.join(local, "pypoetry", "Cache")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Caches", "pypoetry")
    cache = environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(cache, "pypoetry")


def virtualenv_homes(environ: dict[str, str]) -> list[str]:
    """Where pipenv and virtualenvwrapper keep environments."""
    home = files.home(environ)
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    given = environ.get("WORKON_HOME")
    places = [os.path.join(data, "virtualenvs"), os.path.join(home, ".virtualenvs")]
    return [files.absolute(given, environ, home), *places] if given else places


def _managed(root: str, hashed: str, cache: str, world: State) -> str | None:
    """The environment of a project, whose name ends in a hash of a path of the project."""
    active = world.environ.get("VIRTUAL_ENV")
    if active and world.environ.get("CONDA_DEFAULT_ENV") != "base":
        return active
    inside = os.path.join(root, ".venv")
    if python_in(inside):
        return inside
    import base64
    import hashlib

    digest = hashlib.sha256(os.path.normcase(hashed).encode("utf-8", "surrogateescape")).digest()
    mark = "-" + base64.urlsafe_b64encode(digest).decode()[:8]
    names = [name for name in files.listing(cache) if mark in name]
    return os.path.join(cache, names[-1]) if names else None


def _in(folder: str | None, rest: list[str], by: str, ask: str, world: State) -> list[str]:
    if folder is None or python_in(folder) is None:
        world.problems.append(
            f"the environment of `{by}` was not found; give what `{ask}` says with --python"
        )
        return []
    world.activate(folder, by)
    return rest


def conda_run(words: Sequence[str], world: State) -> list[str] | None:
    """``conda run -n NAME | -p PREFIX command``, also mamba's and micromamba's."""
    rest = list(words)
    if rest[:1] != ["run"]:
        return None
    rest.pop(0)
    options = _skip(rest, _CONDA_WITH_VALUE, world)
    name = options.get("-n") or options.get("--name")
    prefix = options.get("-p") or options.get("--prefix")
    if prefix:
        name = files.absolute(prefix, world.environ, world.folder)
    if "--cwd" in options:
        world.enter(options["--cwd"])
    name = name or world.environ.get("CONDA_PREFIX") or "base"
    if conda.activate(name, world, f"conda run {name}") is None:
        return []
    return rest


def active_shell(words: Sequence[str], world: State) -> list[str] | None:
    """``hatch run``, ``pdm run``, ``rye run``, ``pixi run``: the project's own environment."""
    rest = list(words)
    if rest[:1] != ["run"]:
        return None
    places = (".venv", os.path.join(".pixi", "envs", "default"))
    root = _above(world.folder, *places)
    folder = next(
        (path for name in places if root and python_in(path := os.path.join(root, name))), None
    )
    rest.pop(0)
    _skip(rest, frozenset({"-e", "--environment", "-p", "--project"}), world)
    return _in(folder, rest, "run", "the manager", world)


def windows_py(words: Sequence[str], world: State) -> list[str] | None:
    """``py [-3.11] …``: the launcher of Windows (PEP 397)."""
    from keras_doctor.targets.named import by_version

    rest = list(words)
    wanted = None
    if rest and rest[0][:2] in ("-2", "-3"):
        wanted = rest.pop(0)[1:].split("-")[0]
    elif rest and rest[0].startswith("-V:"):
        wanted = rest.pop(0)[3:]
    if wanted is None or (wanted == "3" and world.environ.get("VIRTUAL_ENV")):
        folder = world.environ.get("VIRTUAL_ENV")
        python = python_in(folder) if folder else None
        return [python or "python", *rest]
    python = by_version(wanted, world.environ, world.folder)
    if python is None:
        world.problems.append(f"`py -{wanted}` finds no such Python")
        return []
    return [python, *rest]


Runner = Callable[[Sequence[str], State], list[str] | None]
RUNNERS: dict[str, Runner] = {
    "uv": uv,
    "poetry": poetry,
    "pipenv": pipenv,
    "conda": conda_run,
    "mamba": conda_run,
    "micromamba": conda_run,
    "hatch": active_shell,
    "pdm": active_shell,
    "rye": active_shell,
    "pixi": active_shell,
    "py": windows_py,
}
"""Managers by the name of their program."""
