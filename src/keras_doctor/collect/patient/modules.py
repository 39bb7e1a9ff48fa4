"""What ``import NAME`` would load, by the path rules, without importing it."""

import os
import stat

from keras_doctor.collect.patient.files import names_in, problem, read_text

MOST_LOCAL = 500


def find_modules(names, entries, world, mapping):
    """A dict like Module for each name, in the order given, each once.

    Args:
        names: Top-level import names.
        entries: ``sys.path`` entries in order.
        world: The interpreter's description.
        mapping: Names that editable finders map to folders or files; these finders come
            last, after the path.
    """
    entries = list(dict.fromkeys(entries))
    return [_find_module(name, entries, world, mapping) for name in dict.fromkeys(names) if name]


def _find_module(name, entries, world, mapping):
    copies = []
    for entry in entries:
        names = names_in(entry)
        if names:
            copy = find_copy(name, entry, names, world["suffixes"])
            if copy is not None:
                copies.append(copy)
    if name in mapping:
        folder, last = os.path.split(mapping[name])
        copy = find_copy(last.partition(".")[0], folder, names_in(folder) or (), world["suffixes"])
        if copy is not None and copy["path"] not in [other["path"] for other in copies]:
            copies.append(copy)
    kind, path, entry = "missing", None, None
    if name in world["builtins"]:
        kind = "builtin"
    elif world["frozen"](name):
        kind = "frozen"
    elif copies:
        regular = [copy for copy in copies if copy["kind"] != "namespace"]
        chosen = (regular or copies)[0]
        kind, path, entry = chosen["kind"], chosen["path"], chosen["entry"]
    return {"name": name, "kind": kind, "path": path, "entry": entry, "copies": copies}


def find_copy(name, entry, names, suffixes):
    """What answers to a name in one entry, as FileFinder decides it; None when nothing does.

    The order is a package's __init__, then a module file, each with extension modules before
    source before bytecode, then a plain folder as a namespace.
    """
    loaders = [(suffix, "extension") for suffix in suffixes]
    loaders += [(".py", "module"), (".pyc", "bytecode")]
    folder = os.path.join(entry, name)
    is_folder = False
    if name in names:
        status = _status(folder)
        is_folder = status is not None and stat.S_ISDIR(status.st_mode)
    if is_folder:
        inside = names_in(folder) or ()
        for suffix, _ in loaders:
            if "__init__" + suffix in inside:
                path = os.path.join(folder, "__init__" + suffix)
                status = _status(path)
                if status is not None and stat.S_ISREG(status.st_mode):
                    return _copy("package", path, entry, status)
    for suffix, kind in loaders:
        if name + suffix in names:
            path = folder + suffix
            status = _status(path)
            if status is not None and stat.S_ISREG(status.st_mode):
                return _copy(kind, path, entry, status)
    if is_folder:
        copy = _copy("namespace", folder, entry, None)
        copy["readable"] = names_in(folder) is not None
        return copy
    return None


def _status(path):
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def _copy(kind, path, entry, status):
    return {
        "kind": kind,
        "path": path,
        "entry": entry,
        "readable": os.access(path, os.R_OK),
        "size": None if status is None else status.st_size,
    }


def find_local_modules(entries, world):
    """Everything importable in the user's own entries, a dict like LocalModule each.

    Args:
        entries: Dicts like PathEntry. Looked at are those that precede the standard library
            or come from the script's start or PYTHONPATH.
        world: The interpreter's description.
    """
    found = []
    seen = set()
    before_stdlib = True
    for entry in entries:
        if entry["origin"] == "stdlib":
            before_stdlib = False
        own = entry["origin"] in ("script", "pythonpath")
        if entry["path"] in seen or not (own or (before_stdlib and entry["origin"] != "stdlib")):
            continue
        seen.add(entry["path"])
        found += _importable_in(entry, world)
    return found


def _importable_in(entry, world):
    names = names_in(entry["path"]) or ()
    stems = sorted({name.partition(".")[0] for name in names})
    stems = [stem for stem in stems if stem.isidentifier() and stem != "__pycache__"]
    if len(stems) > MOST_LOCAL:
        text = "%s holds %d names that may be importable: only the first %d were looked at"
        problem(text % (entry["path"], len(stems), MOST_LOCAL))
        del stems[MOST_LOCAL:]
    found = []
    for stem in stems:
        copy = find_copy(stem, entry["path"], names, world["suffixes"])
        if copy is not None:
            found.append(
                {
                    "name": stem,
                    "kind": copy["kind"],
                    "path": copy["path"],
                    "entry": entry["path"],
                    "origin": entry["origin"],
                }
            )
    return found


def editable_mapping(sites):
    """The names that ``__editable___*_finder.py`` files map, read as text, never run."""
    mapping = {}
    for folder in sites:
        for name in sorted(names_in(folder) or ()):
            if name.startswith("__editable___") and name.endswith("_finder.py"):
                path = os.path.join(folder, name)
                mapping.update(parse_finder(read_text(path, 1 << 20) or "", path))
    return mapping


def parse_finder(text, path):
    """The MAPPING of one finder file: a dict literal of names to paths."""
    import ast

    try:
        for node in ast.parse(text).body:
            target = getattr(node, "target", None) or (getattr(node, "targets", None) or [None])[0]
            if getattr(target, "id", None) == "MAPPING":
                found = ast.literal_eval(node.value)
                return {str(name): str(place) for name, place in found.items()}
    except Exception as error:
        problem("%s could not be understood: %s" % (path, error))
    return {}
