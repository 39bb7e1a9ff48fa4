"""The facts as rules see them: indexed once, and the questions that several rules ask."""

from __future__ import annotations

import os
import re
from functools import cached_property

from keras_doctor.knowledge.imports import import_name_of
from keras_doctor.knowledge.selection import Generation, backends, generation_of
from keras_doctor.model import Distribution, KerasFound, Module, Outcome, Snapshot
from keras_doctor.names import normalize
from keras_doctor.requirements import applies, parse_requirement
from keras_doctor.rules.selection.explain import Choice, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LIBRARY = re.compile(r"[/\\\\][Ll]ib(?:64)?[/\\\\](?:python\d|\w+\.py$)")
"""A file of a standard library: ``lib/python3.8/…``, or ``Lib\\os.py`` on Windows."""
KERAS_DISTRIBUTIONS = ("keras", "keras-nightly", "keras-core")


class Elsewhere:
    """Another Python on this machine that holds what is missing here."""

    __slots__ = ("holds", "python")

    def __init__(self, python: str, holds: tuple[str, ...]) -> None:
        """Args: its interpreter or folder, and what it holds, like ``keras 3.8.0``."""
        self.python = python
        self.holds = holds


class Context:
    """What is known about one target: a snapshot, what was run, and what the user wishes."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        wish: str | None = None,
        outcomes: tuple[Outcome, ...] = (),
        elsewhere: tuple[Elsewhere, ...] = (),
    ) -> None:
        """Args: the facts; `outcomes` in the order in which they were run."""
        self.snapshot = snapshot
        self.wish = wish
        self.outcomes = outcomes
        self.elsewhere = elsewhere
        self.variables = {variable.name: variable for variable in snapshot.variables}
        self.modules = {module.name: module for module in snapshot.modules}
        self.memory: dict[str, Any] = {}
        """What rules have worked out and share."""
        self.distributions: dict[str, list[Distribution]] = {}
        for distribution in snapshot.distributions:
            self.distributions.setdefault(normalize(distribution.name), []).append(distribution)

    # -- what was run

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The runs that did not pass, counterfactual ones included."""
        return tuple(o for o in self.outcomes if o.status not in ("passed", "stopped"))

    @cached_property
    def works(self) -> bool | None:
        """Whether the world as it is was run and passed; None when it was not tried."""
        real = [o for o in self.outcomes if not o.changes]
        if not real:
            return None
        return all(o.status in ("passed", "stopped") for o in real)

    @cached_property
    def backend_seen(self) -> str | None:
        """The backend that a run of the world as it is ended up with."""
        seen = [o.backend for o in self.outcomes if o.backend and not o.changes]
        return seen[-1] if seen else None

    # -- what is installed

    @property
    def is_complete(self) -> bool:
        """Whether what is not listed is not there: not so when somebody told what they know."""
        return self.snapshot.start.mode != "given"

    def first(self, name: str) -> Distribution | None:
        """The distribution of that name which comes first on the path."""
        found = self.distributions.get(normalize(name))
        return found[0] if found else None

    def owners(self, import_name: str) -> list[Distribution]:
        """The distributions that install an import package, in path order."""
        return [d for d in self.snapshot.distributions if import_name in d.import_packages]

    def module(self, name: str) -> Module | None:
        """What ``import NAME`` would load, if it was looked up."""
        return self.modules.get(name)

    def folder_of_the_users(self, name: str) -> str | None:
        """A plain folder beside the program that answers to an import name, for want of anything.

        Python takes any folder for an empty package when no package of that name is installed.
        Such a folder is the user's, with data or results in it, and in nobody's way once the
        package is there: a package wins over a plain folder, wherever the two lie on the path.
        """
        module = self.modules.get(name)
        if module is None or module.kind != "namespace" or self.owners(name):
            return None
        own = [m for m in self.snapshot.local_modules if m.name == name and m.origin == "script"]
        return own[0].path if own else None

    def is_absent(self, name: str) -> bool:
        """Whether the path was searched for an import name and nothing at all answers to it."""
        module = self.modules.get(name)
        return module is not None and module.kind == "missing"

    def backend_distribution(self, backend: str) -> Distribution | None:
        """The installed distribution that provides a backend, if any."""
        known = backends().get(backend)
        for name in known.distributions if known else (backend,):
            found = self.first(name)
            if found:
                return found
        return None

    def backend_importable(self, backend: str) -> bool:
        """Whether every import package of a backend is on the path with code in it."""
        known = backends().get(backend)
        names = known.imports if known else (backend,)
        kinds = [self.modules[name].kind for name in names if name in self.modules]
        if not kinds:
            return self.backend_distribution(backend) is not None or not self.is_complete
        return all(kind not in ("missing", "namespace") for kind in kinds)

    @cached_property
    def installed_backends(self) -> tuple[str, ...]:
        """The backends that this Keras knows and that are on the path, in its own order."""
        names = self.generation.names if self.generation else tuple(backends())
        return tuple(name for name in names if self.backend_importable(name))

    def distribution_at(self, path: str) -> Distribution | None:
        """The distribution whose import package a file lies in, or None."""
        for distribution in self.snapshot.distributions:
            if not is_inside(path, distribution.location):
                continue
            inside = os.path.relpath(path, distribution.location).replace("\\", "/")
            if _top(inside) in distribution.import_packages:
                return distribution
        if not self.is_complete:
            # A pasted path is of another machine: what follows the folder of packages tells.
            for folder in ("site-packages/", "dist-packages/"):
                _, found, inside = path.replace("\\", "/").rpartition(folder)
                owners = self.owners(_top(inside)) if found else []
                if owners:
                    return owners[0]
        return None

    def is_standard_library(self, path: str) -> bool:
        """Whether a file belongs to Python itself."""
        interpreter = self.snapshot.interpreter
        if "site-packages" in path or "dist-packages" in path:
            return False
        if not self.is_complete:
            return _LIBRARY.search(path) is not None
        return interpreter is not None and is_inside(path, interpreter.stdlib)

    def set_at_start(self, variable: str) -> str | None:
        """The file and line of the start-up code that sets a variable, or None.

        That is a ``sitecustomize.py``, a ``usercustomize.py`` or a line of a .pth file: whatever
        the user's shell says is overruled by it, each time that this Python starts.
        """
        found = self.variables.get(variable)
        if found is None or not found.set_by:
            return None
        path = found.set_by.rpartition(":")[0]
        return found.set_by if any(one.path == path for one in self.snapshot.startup) else None

    # -- Keras

    @cached_property
    def keras_distribution(self) -> Distribution | None:
        """The installed Keras distribution that would be found."""
        module = self.module("keras")
        candidates = [d for name in KERAS_DISTRIBUTIONS for d in self.distributions.get(name, ())]
        for distribution in candidates:
            if module and module.entry and same_path(distribution.location, module.entry):
                return distribution
        return candidates[0] if candidates else None

    @cached_property
    def keras_version(self) -> str | None:
        """The version of that Keras: of its code when that says so, else of its metadata."""
        found = self.keras_distribution
        return found.version if found else None

    @cached_property
    def generation(self) -> Generation | None:
        """The generation of that Keras."""
        if self.keras_version is None and not self.is_complete:
            return self._implied_generation()
        return generation_of(self.keras_version) if self.keras_version else None

    def _implied_generation(self) -> Generation | None:
        """What the paths of a pasted text, or the TensorFlow beside it, tell of its Keras."""
        from keras_doctor.knowledge.compatibility import implied_keras

        tensorflow = self.backend_distribution("tensorflow")
        text = "\n".join(outcome.output[-100_000:] for outcome in self.outcomes)
        version = implied_keras(text, tensorflow.version if tensorflow else None)
        return generation_of(version) if version else None

    @cached_property
    def keras(self) -> KerasFound:
        """The Keras that would be found, for the report."""
        module, distribution = self.module("keras"), self.keras_distribution
        return KerasFound(
            distribution=distribution.name if distribution else None,
            version=self.keras_version,
            path=module.path if module else None,
            generation=self.generation.title if self.generation else None,
        )

    @cached_property
    def choice(self) -> Choice:
        """Which backend would be chosen, by which setting."""
        return explain(self.snapshot, self.generation)

    # -- the way of the import

    @cached_property
    def script_modules(self) -> frozenset[str]:
        """Top-level names that the user's program imports when it starts."""
        script = self.snapshot.script
        if script is None:
            return frozenset()
        return frozenset(i.module.partition(".")[0] for i in script.imports if not i.guarded)

    def shown(self, path: str) -> str:
        """A path as a person would say it: from the working folder, or from home."""
        folder, home = self.snapshot.target.folder, self.variables.get("HOME")
        if is_inside(path, folder) and len(folder) > 1:
            return os.path.relpath(path, folder)
        if home and len(home.value) > 1 and is_inside(path, home.value):
            return os.path.join("~", os.path.relpath(path, home.value))
        return path

    @cached_property
    def marker_environment(self) -> dict[str, str]:
        """The patient's values of the environment markers (PEP 508)."""
        interpreter, machine = self.snapshot.interpreter, self.snapshot.machine
        if interpreter is None:
            return {}
        systems = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
        version = interpreter.version
        return {
            "python_version": ".".join(version.split(".")[:2]),
            "python_full_version": version,
            "implementation_version": version,
            "implementation_name": interpreter.implementation,
            "platform_python_implementation": (
                "CPython" if interpreter.implementation == "cpython" else interpreter.implementation
            ),
            "sys_platform": interpreter.platform,
            "platform_system": systems.get(interpreter.platform, interpreter.platform),
            "platform_machine": interpreter.machine,
            "os_name": "nt" if interpreter.platform == "win32" else "posix",
            "platform_release": machine.release if machine else "",
            "platform_version": "",
        }

    def requirements(self, distribution: Distribution) -> Iterator[tuple[str, str, str]]:
        """Requirements that apply here: (normalised name, specifier, the line as written)."""
        for line in distribution.requires:
            if "extra" in line and ";" in line and "extra" in line.partition(";")[2]:
                continue
            requirement = parse_requirement(line)
            if requirement is None:
                continue
            if applies(requirement.marker, self.marker_environment) is not False:
                yield normalize(requirement.name), requirement.specifier, line

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """Normalised names of the distributions that the user's import starts from."""
        if not self.is_complete:
            return tuple(self.distributions)  # whoever lists a package thinks that it matters
        names: list[str] = []
        if self.keras_distribution:
            names.append(normalize(self.keras_distribution.name))
        wanted = [self.choice.backend, self.wish]
        script = self.script_modules
        wanted += [name for name in backends() if name in script]
        for backend in wanted:
            found = self.backend_distribution(backend) if backend else None
            if found and normalize(found.name) not in names:
                names.append(normalize(found.name))
        if "tf_keras" in script or self.variables.get("TF_USE_LEGACY_KERAS"):
            names.append("tf-keras")
        return tuple(names)

    @cached_property
    def way(self) -> dict[str, tuple[str, ...]]:
        """The distributions on the way of the import.

        From normalised name to who needs it (normalised names; () for a root): the roots and
        what they require, transitively, by declared requirements that apply here.
        """
        found: dict[str, tuple[str, ...]] = dict.fromkeys(self.roots, ())
        queue = list(self.roots)
        while queue:
            name = queue.pop(0)
            distribution = self.first(name)
            if distribution is None:
                continue
            for needed, _specifier, _line in self.requirements(distribution):
                if needed not in found:
                    found[needed] = (name,)
                    queue.append(needed)
                elif found[needed] and name not in found[needed]:
                    found[needed] += (name,)
        return found

    def on_the_way(self, distribution_name: str) -> bool:
        """Whether a distribution is one that the import needs."""
        return normalize(distribution_name) in self.way

    @cached_property
    def way_modules(self) -> frozenset[str]:
        """Top-level import names of the distributions on the way, Keras and its backend first."""
        names = {"keras", *self.script_modules & {"tf_keras", *backends()}}
        if self.choice.backend and self.choice.backend in backends():
            names.update(backends()[self.choice.backend].imports)
        for name in self.way:
            found = self.first(name)
            # What is not installed here may all the same be taken, from somewhere else.
            names.update(found.import_packages if found else (import_name_of(name),))
        return frozenset(names)


def _top(path: str) -> str:
    """The top-level module that a path below a folder of packages belongs to."""
    return path.partition("/")[0].partition(".")[0]


def same_path(left: str, right: str) -> bool:
    """Whether two paths, as text, name the same place (no file system is asked)."""
    return os.path.normcase(os.path.normpath(left)) == os.path.normcase(os.path.normpath(right))


def is_inside(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies below it, as text."""
    path, folder = os.path.normpath(path), os.path.normpath(folder)
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
