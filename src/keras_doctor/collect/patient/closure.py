"""Extension modules with all that they need: what of it would not load, and why."""

import os
import sys

from keras_doctor.collect.patient.files import is_file, problem, read_text
from keras_doctor.collect.patient.headers import elf_processor
from keras_doctor.collect.patient.loader import Loader

_MOST_NATIVE = 50
_EXAMPLES = 5
_DEEPEST_NEED = 40


class Closure(object):
    """One examination.

    Args:
        modules: Pairs of a distribution and the relative path of an extension module.
        texts: The text of RECORDs, by the metadata folder.
        distributions: All: a library may come from another one.
    """

    def __init__(self, modules, texts, distributions):
        self.modules = modules
        self.texts = texts
        self.distributions = distributions
        self.loader = Loader(sys.executable, os.environ)
        self._totals = {}
        self._problems = {}
        self._unusual = {}
        self._elsewhere = {}
        self._judged = {}

    def run(self):
        """Go through every module."""
        loader = self.loader
        for distribution, relative in self.modules:
            path = distribution["location"] + "/" + relative
            key = distribution["metadata"]
            elf = loader.elf(path)
            if elf is None:
                if is_file(path):
                    self._note(("damaged", path), distribution, path, {"needed_by": path})
                continue
            self._totals[key] = self._totals.get(key, 0) + 1
            if loader.fits(elf):
                for known, details in self._below(elf, (elf,), 0).items():
                    self._note(known, distribution, path, details)
            else:
                said = describe_machine_of(elf)
                details = {"needed_by": path, "versions": [said]}
                self._note(("machine", said), distribution, path, details)

    def _note(self, key, distribution, path, details):
        """A problem, once for all the modules of a distribution that share it."""
        whole = key + (distribution["metadata"],)
        known = self._problems.get(whole)
        if known is None:
            known = {
                "kind": key[0],
                "distribution": distribution["name"],
                "metadata": distribution["metadata"],
                "library": key[1] if key[0] in ("missing", "version") else None,
                "needed_by": details["needed_by"],
                "versions": [],
                "found": details.get("found"),
                "by": details.get("by"),
                "newest": None,
                "otherwise": None,
                "recorded": False,
                "modules": 0,
                "modules_total": 0,
                "examples": [],
            }
            self._problems[whole] = known
        known["modules"] += 1
        known["versions"] = sorted(set(known["versions"]).union(details.get("versions", ())))
        if len(known["examples"]) < _EXAMPLES:
            known["examples"].append(path)

    def _below(self, elf, chain, depth):
        """The problems of an object and of what it needs: key to details."""
        loader = self.loader
        place = (elf.path, loader.inherited(chain))
        if place in self._judged:
            return self._judged[place]
        found = self._judged[place] = {}  # a circle of libraries ends here
        for name in elf.needed:
            path, by = loader.find(name, chain)
            if path is None:
                if not self._comes_otherwise(name):
                    found[("missing", name)] = {"needed_by": elf.path}
                continue
            if by in ("LD_LIBRARY_PATH", "LD_PRELOAD"):
                self._note_taken(name, path, by, chain)
            wanted = elf.needs.get(name)
            if wanted:
                defined = loader.versions(path)
                # A library without any versions is taken as it is, with a warning.
                lacking = [key for key in wanted if key not in defined] if defined else ()
                if lacking:
                    names = loader.names(elf.path, [wanted[key] for key in lacking])
                    details = {"needed_by": elf.path, "versions": names, "found": path, "by": by}
                    found[("version", name, path)] = details
            below = None if by == "loaded" else loader.elf(path)
            if below is not None and depth < _DEEPEST_NEED:
                found.update(self._below(below, (below,) + chain, depth + 1))
        return found

    def _note_taken(self, name, path, by, chain):
        """A variable's library counts only when it hides another one."""
        hidden = self.loader.find_without_variables(name, chain)
        if hidden and name not in self._unusual:
            if os.path.realpath(hidden) != os.path.realpath(path):
                self._unusual[name] = (path, by, hidden)

    def _comes_otherwise(self, name):
        """Whether a distribution brings the library: then its code has ways to load it."""
        if name not in self._elsewhere:
            self._elsewhere[name] = self._look_elsewhere("/" + name + ",")
        return self._elsewhere[name]

    def _look_elsewhere(self, mark):
        for distribution in self.distributions:
            text = self.texts.get(distribution["metadata"])
            if text is None:
                path = os.path.join(distribution["metadata"], "RECORD")
                text = read_text(path, 1 << 26) or ""
                self.texts[distribution["metadata"]] = text
            place = text.find(mark)
            if place >= 0:
                start = text.rfind("\n", 0, place) + 1
                relative = text[start : place + len(mark) - 1]
                if is_file(distribution["location"] + "/" + relative):
                    return True
        return False

    def facts(self):
        """The fields of Native that this examination knows."""
        problems = list(self._problems.values())
        for one in problems:
            one["modules_total"] = self._totals.get(one["metadata"], 0)
            if one["kind"] == "version":
                self._compare(one)
            elif one["kind"] == "missing":
                mark = "/" + one["library"] + ","
                one["recorded"] = any(mark in text for text in self.texts.values())
        problems.sort(key=lambda one: (-one["modules"], one["kind"], one["library"] or ""))
        if len(problems) > _MOST_NATIVE:
            problem("more than %d reasons why modules do not load: not all are listed" % 50)
        libraries = [
            {"library": name, "path": path, "by": by, "hides": hidden}
            for name, (path, by, hidden) in sorted(self._unusual.items())
        ]
        return {
            "modules": len(self.modules),
            "objects": self.loader.count(),
            "machine": describe_machine_of(self.loader.own),
            "libraries": libraries[:_MOST_NATIVE],
            "problems": problems[:_MOST_NATIVE],
        }

    def _compare(self, one):
        """What the library has instead, and whether one without the variables would do."""
        if not one["versions"]:
            return
        family = one["versions"][-1].rpartition("_")[0] + "_"
        defined = self.loader.versions(one["found"]).values()
        names = [name for name in defined if name.startswith(family)]
        one["newest"] = max(names, key=_version_numbers) if names else None
        path = self.loader.find_system(one["library"])
        if path and path != one["found"]:
            if set(one["versions"]) <= set(self.loader.versions(path).values()):
                one["otherwise"] = path


def describe_machine_of(elf):
    """Like ``x86_64, 64 bit``."""
    return "%s, %d bit" % (elf_processor(elf.machine), elf.bits)


def _version_numbers(name):
    parts = name.rpartition("_")[2].split(".")
    return [int(part) if part.isdigit() else -1 for part in parts]
