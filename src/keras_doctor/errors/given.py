"""Facts that a person or a text gave, as a snapshot and an outcome: partial, and judged as such."""

from __future__ import annotations

import re

from keras_doctor.errors.facts import Given, facts_of_text
from keras_doctor.errors.traceback import parse_crash, read_failures
from keras_doctor.knowledge.imports import import_name_of
from keras_doctor.knowledge.releases import known_packages, release
from keras_doctor.model import (
    ConfigFile,
    Distribution,
    Interpreter,
    Machine,
    Module,
    ModuleCopy,
    Outcome,
    Raised,
    Snapshot,
    Start,
    Target,
    Variable,
)
from keras_doctor.model.outcome import not_started

MAX_FAILURES = 20
# What Keras prints at its import, up to 2.4.2.
_USING = re.compile(r"^\s*Using (\w+)(?:\.[\w.]+)? backend", re.MULTILINE)

SITE = "/site-packages"
"""Where packages are said to lie when no path tells."""
_SITE = re.compile(r"(?:^|(?<=[\s\"'(]))[^\s\"'(]{0,400}?[/\\](?:site|dist)-packages", re.MULTILINE)
_PLATFORMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}


def given_snapshot(given: Given, text: str = "") -> Snapshot:
    """What is told of an environment, as a snapshot of mode ``given``.

    Nothing is claimed that was not told: a package that is not named may be installed.

    Args:
        given: The facts.
        text: The failure's text: the paths in it tell where packages lie.
    """
    python = given.python if given.python and "." in given.python else None
    found = _SITE.search(text)
    site = found[0] if found else SITE
    distributions = tuple(
        _distribution(name, version, site) for name, version in given.packages if version
    )
    modules = tuple(
        _module(package, site) for one in distributions for package in one.import_packages
    )
    return Snapshot(
        schema_version=1,
        tool_version="",
        target=Target(
            python=None,
            chosen="as it was told",
            folder="",
            start="script",
            path0=None,
            script=None,
            command=(),
            environment=None,
            manager=given.manager,
        ),
        start=Start(mode="given", failure=None, exit_code=None),
        interpreter=_interpreter(given, python) if python else None,
        path=(),
        startup=(),
        distributions=distributions,
        leftovers=(),
        files=(),
        modules=modules,
        local_modules=(),
        configs=(_config(given.config),) if given.config else (),
        variables=tuple(
            Variable(name=name, value=value, set_by=None) for name, value in given.variables
        ),
        commands=(),
        conda=None,
        machine=_machine(given.system),
        script=None,
        problems=("only what was told is known",),
    )


def _distribution(name: str, version: str, site: str) -> Distribution:
    known = release(name, version)
    package = import_name_of(name).partition(".")[0]
    return Distribution(
        name=name,
        version=version,
        location=site,
        metadata=f"{name} {version}",
        installer=None,
        editable=False,
        origin_url=None,
        requires=(known.requires or ()) if known else (),
        requires_python=known.requires_python if known else None,
        import_packages=(package,),
        tags=(),
        record="unread",
    )


def _config(text: str) -> ConfigFile:
    return ConfigFile(
        kind="keras.json",
        source="home",
        path="~/.keras/keras.json",
        state="read",
        text=text,
        mode=None,
        folder_writable=None,
    )


def _module(package: str, site: str) -> Module:
    copy = ModuleCopy(
        kind="package", path=f"{site}/{package}/__init__.py", entry=site, readable=True, size=None
    )
    return Module(name=package, kind=copy.kind, path=copy.path, entry=site, copies=(copy,))


def _interpreter(given: Given, python: str) -> Interpreter:
    return Interpreter(
        executable="python",
        version=python,
        implementation="cpython",
        soabi=None,
        extension_suffixes=(),
        platform=_PLATFORMS.get(given.system or "", "linux"),
        machine=given.machine or "x86_64",
        bits=given.bits or 64,
        free_threaded=False,
        prefix="",
        base_prefix="",
        stdlib="",
        system_site_packages=None,
    )


def _machine(system: str | None) -> Machine | None:
    if system not in _PLATFORMS:
        return None
    name = {"linux": "Linux", "windows": "Windows", "macos": "Darwin"}[system]
    return Machine(
        system=name, release="", libc=None, cpu_flags=(), memory_mb=None, cpus=None, uid=None
    )


def given_outcomes(text: str, what: str = "the text") -> tuple[Outcome, ...]:
    """The failures that a text shows, each as the outcome of a run, in the order of the text.

    A text that shows no exception and no crash is one failure that only its words tell of.
    """
    blank = not_started("text", what)._replace(output=text)
    chains = read_failures(text)
    signal, frames = parse_crash(text)
    outcomes = [
        blank._replace(
            status="raised",
            chain=chain,
            failed_statement=_statement(chain),
        )
        for chain in chains[-MAX_FAILURES:]
    ]
    if signal:
        outcomes.append(blank._replace(status="died", signal=signal, crash_frames=frames))
    using = _USING.findall(text)
    backend = using[-1].lower() if using else None
    rows = outcomes or [blank._replace(status="raised" if text.strip() else "not-started")]
    return tuple(row._replace(backend=backend) for row in rows)


def _statement(chain: tuple[Raised, ...]) -> str | None:
    """The user's own import statement: that of the outermost frame."""
    for raised in reversed(chain):
        for frame in raised.frames[:1]:
            if frame.text and frame.text.startswith(("import ", "from ")):
                return frame.text
    return None


def told(text: str, given: Given | None = None) -> Snapshot:
    """The snapshot of a text and of what was stated beside it; the statement counts first."""
    shown = facts_of_text(text, known_packages())
    return given_snapshot(given.joined(shown) if given else shown, text)


def folders_of_packages(text: str) -> tuple[str, ...]:
    """The folders of packages whose files a text speaks of, each once."""
    return tuple(dict.fromkeys(found[0] for found in _SITE.finditer(text)))
