"""What can be imported from the packages of one release: its modules, and the names in each."""

from __future__ import annotations

from collections.abc import Mapping

from keras_doctor.records import NamedTuple
from tools.knowledge.archives import Files
from tools.knowledge.bindings import Facts, read_module

_DEEPEST = 60
"""Star imports of star imports that are followed."""
_FAMILY = tuple(
    f"{name}."
    for name in [
        "keras",
        "tf_keras",
        "keras_applications",
        "keras_preprocessing",
        "tensorflow.keras",
    ]
)
"""What Keras imports from these it offers under its own name."""


class Module(NamedTuple):
    """What can be imported from one module."""

    names: frozenset[str]
    is_open: bool
    """Names that are not listed may be there too."""
    borrowed: frozenset[str] = frozenset()
    """Those of the names that only stand for a module or for something of another package, in a
    module that is no package: its tools, not what it offers."""


Surface = Mapping[str, Module]
"""Dotted path of a module to what is in it."""


class Reader:
    """Reads the modules of one or more distributions that were made to be installed together."""

    def __init__(self, files: Files, outside: Mapping[str, Module] | None = None) -> None:
        self.texts: dict[str, tuple[bytes | None, bool]] = {}
        self.outside = outside or {}
        """Modules of packages that are not in `files`, for star imports."""
        for path in sorted(files):
            stem, _, suffix = path.rpartition(".")
            parts = stem.split("/")
            if not all(part.isidentifier() for part in parts):
                continue
            is_package = parts[-1] == "__init__" and len(parts) > 1
            name = ".".join(parts[:-1] if is_package else parts)
            # A package wins over a module of its name, a text over a compiled module.
            if is_package or name not in self.texts:
                self.texts[name] = (files[path] if suffix == "py" else None, is_package)
        self._facts: dict[str, Facts] = {}
        self._names: dict[str, Module] = {}

    def modules(self) -> list[str]:
        """All modules, with the folders that hold modules but are no packages themselves."""
        found = set(self.texts)
        for name in self.texts:
            parts = name.split(".")
            found.update(".".join(parts[:length]) for length in range(1, len(parts)))
        return sorted(found)

    def facts(self, module: str) -> Facts:
        """The bindings of a module as written."""
        if module not in self._facts:
            text, is_package = self.texts.get(module, (b"", True))
            self._facts[module] = read_module(text, module, is_package=is_package)
        return self._facts[module]

    def module(self, name: str, asking: tuple[str, ...] = ()) -> Module:
        """The names of a module, star imports resolved."""
        if name in self._names:
            return self._names[name]
        facts = self.facts(name)
        names, is_open = set(facts.names), facts.is_open
        for source in facts.stars:
            if source == name or source in asking or len(asking) > _DEEPEST:
                continue
            taken = self.exported(source, (*asking, name))
            is_open |= taken is None or taken.is_open
            names |= taken.names if taken else frozenset()
        if facts.kept is not None:
            kept = facts.kept | facts.documented
            for other in facts.kept_for:
                kept |= self.facts(other).documented if other in self.texts else set()
            names &= kept
        found = Module(frozenset(names), is_open, self._borrowed(name, facts))
        if not asking:  # otherwise a cycle may have cut it short
            self._names[name] = found
        return found

    def _borrowed(self, module: str, facts: Facts) -> frozenset[str]:
        if self.texts.get(module, (b"", True))[1]:
            return frozenset()
        own = (module.partition(".")[0] + ".", *_FAMILY)
        return frozenset(
            name
            for name, target in facts.aliases.items()
            if not target.startswith(own) or target in self.texts or target in self.outside
        )

    def _children(self, package: str) -> frozenset[str]:
        prefix = package + "."
        below = (name[len(prefix) :] for name in self.texts if name.startswith(prefix))
        return frozenset(name for name in below if "." not in name)

    def exported(self, name: str, asking: tuple[str, ...]) -> Module | None:
        """What a star import takes from a module; None when it is not there to be read."""
        if name not in self.texts:
            return self.outside.get(name)
        facts = self.facts(name)
        if facts.exports is not None:
            return Module(frozenset(facts.exports), is_open=False)
        whole = self.module(name, asking)
        # Submodules are attributes of a package as soon as anybody has imported them.
        names = whole.names | self._children(name)
        return Module(
            frozenset(part for part in names if not part.startswith("_")),
            # A compiled or hooked module gives what it has when it is asked.
            whole.is_open,
        )
