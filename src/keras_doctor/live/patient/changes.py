"""What a counterfactual run does differently: entries that are gone, modules that hide."""

import os
import sys


def same_path(one, other):
    """Whether two entries of sys.path are the same place."""
    try:
        return os.path.realpath(one or os.curdir) == os.path.realpath(other or os.curdir)
    except (OSError, ValueError):
        return one == other


def drop_entries(dropped):
    """Takes entries out of sys.path."""
    sys.path[:] = [
        entry
        for entry in sys.path
        if not isinstance(entry, str) or not any(same_path(entry, each) for each in dropped)
    ]


def hidden_module(path):
    """Returns (module name, the folder that it is found in) of a file or package folder."""
    path = os.path.abspath(path)
    folder, base = os.path.split(path)
    if base.split(".")[0] == "__init__":
        folder, base = os.path.split(folder)
    name = base.split(".")[0]
    entry = folder
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        name = package + "." + name
    return name, entry


class Hider:
    """A finder for one module that resolves it as if one folder did not hold it."""

    def __init__(self, name, entry):
        self.name = name
        self.entry = entry
        self.busy = False

    def find_spec(self, name, path=None, target=None):
        """Part of the import protocol."""
        if name != self.name or self.busy:
            return None
        entries = sys.path if path is None else path
        rest = [entry for entry in entries if not same_path(entry, self.entry)]
        self.busy = True
        try:
            for finder in list(sys.meta_path):
                if finder is self or not hasattr(finder, "find_spec"):
                    continue
                if getattr(finder, "__name__", "") == "PathFinder":
                    spec = finder.find_spec(name, rest, target)
                else:
                    spec = finder.find_spec(name, path, target)
                if spec is not None:
                    return spec
        finally:
            self.busy = False
        raise ModuleNotFoundError("No module named %r" % name, name=name)


def hide(paths):
    """Puts a Hider first for each path, and forgets the module if it is loaded from there."""
    for path in paths:
        name, entry = hidden_module(path)
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and path in (file, os.path.dirname(file)):
            del sys.modules[name]
        sys.meta_path.insert(0, Hider(name, entry))
