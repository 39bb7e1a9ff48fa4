"""Facts that a person or a text gave, as a snapshot and an outcome: partial, and judged as such."""

from __future__ import annotations

import re

from keras_doctor.errors.traceback import parse_crash, parse_traceback
from keras_doctor.knowledge.imports import import_name_of
from keras_doctor.knowledge.releases import release
from keras_doctor.model import (
    Distribution,
    Interpreter,
    Machine,
    Module,
    ModuleCopy,
    Outcome,
    Snapshot,
    Start,
    Target,
    Variable,
)
from keras_doctor.model.outcome import not_started
from keras_doctor.names import normalize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SITE = "/site-packages"
"""Where packages are said to lie when no path tells."""
_SITE = re.compile(r"[^\s\"']*?[/\\](?:site|dist)-packages")
_PLATFORMS = {"linux": "linux", "windows": "win32", "macos": "darwin"}


def given_snapshot(
    packages: Mapping[str, str],
    *,
    python: str | None = None,
    system: str | None = None,
    machine: str | None = None,
    variables: Mapping[str, str] | None = None,
    text: str = "",
) -> Snapshot:
    """What is told of an environment, as a snapshot of mode ``given``.

    Nothing is claimed that was not told: a package that is not named may be installed.

    Args:
        packages: Names of distributions and their versions.
        python: Its version, or None.
        system: ``linux``, ``windows`` or ``macos``.
        machine: The processor architecture.
        variables: Environment variables.
        text: The failure's text: the paths in it tell where packages lie.
    """
    found = _SITE.search(text)
    site = found[0] if found else SITE
    distributions = tuple(
        _distribution(name, version, site) for name, version in packages.items() if version
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
            manager=None,
        ),
        start=Start(mode="given", failure=None, exit_code=None),
        interpreter=_interpreter(python, system, machine) if python else None,
        path=(),
        startup=(),
        distributions=distributions,
        leftovers=(),
        files=(),
        modules=modules,
        local_modules=(),
        configs=(),
        variables=tuple(
            Variable(name=name, value=value, set_by=None)
            for name, value in (variables or {}).items()
        ),
        commands=(),
        conda=None,
        machine=_machine(system),
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


def _module(package: str, site: str) -> Module:
    copy = ModuleCopy(
        kind="package", path=f"{site}/{package}/__init__.py", entry=site, readable=True, size=None
    )
    return Module(name=package, kind=copy.kind, path=copy.path, entry=site, copies=(copy,))


def _interpreter(python: str, system: str | None, machine: str | None) -> Interpreter:
    return Interpreter(
        executable="python",
        version=python,
        implementation="cpython",
        soabi=None,
        extension_suffixes=(),
        platform=_PLATFORMS.get(system or "", "linux"),
        machine=machine or "x86_64",
        bits=64,
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


def given_outcome(text: str, what: str = "import keras") -> Outcome:
    """The failure that a text shows, as the outcome of a run."""
    chain = parse_traceback(text)
    signal, frames = parse_crash(text)
    return not_started("imports", what)._replace(
        status="died" if signal and not chain else "raised",
        signal=signal if not chain else None,
        chain=chain,
        crash_frames=frames,
        output=text,
    )


def named(packages: Mapping[str, str]) -> dict[str, str]:
    """Packages by normalised name, versions without what people write around them."""
    found = {}
    for name, version in packages.items():
        match = re.search(r"\d+(?:\.\d+)*(?:[A-Za-z0-9.+]*)", version or "")
        if match:
            found[normalize(name)] = match[0]
    return found
