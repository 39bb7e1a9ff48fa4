"""The shared objects of distributions: their names, their processors, what they are linked to."""

import os

from keras_doctor.collect.patient.closure import Closure
from keras_doctor.collect.patient.files import names_in, read_bytes, read_text
from keras_doctor.collect.patient.headers import processors, same_processor
from keras_doctor.collect.patient.loader import Cache
from keras_doctor.collect.patient.native import LOADER_CACHE, MOST_CACHE
from keras_doctor.collect.patient.record import NOT_LOADED

_MOST_OBJECTS = 5000
_MARKS = (".so", ".pyd", ".dylib", ".dll")


# Modules of the standard library that are linked to libraries of the system, and that an import
# of Keras loads.
_LINKED = set("zlib _bz2 _lzma _ctypes _ssl _hashlib _uuid pyexpat _decimal".split())


def look_at_objects(checked, texts, distributions, interpreter, stdlib):
    """The fields of Native about the objects of the checked distributions.

    Args:
        checked: The distributions.
        texts: The text of their RECORD, by the metadata folder.
        distributions: All.
        interpreter: The facts about it.
        stdlib: Whether modules of the standard library are followed too.
    """
    linux = interpreter["platform"].startswith("linux")
    facts = {"named": []}
    modules = []
    for distribution in checked:
        text = texts.get(distribution["metadata"], "")
        paths = recorded_objects(text, _MARKS[:1] if linux else _MARKS)
        names = _module_names(distribution, paths, interpreter["extension_suffixes"])
        if names["foreign"]:
            facts["named"].append(names)
        modules += [(distribution, path) for path in paths if is_module(path)]
    if linux and stdlib:
        modules += _linked_stdlib(interpreter["stdlib"])
    del modules[_MOST_OBJECTS:]
    if not linux:
        facts.update(modules=len(modules), machine=interpreter["machine"])
        facts["problems"] = _foreign_processors(modules, interpreter["machine"])
    elif modules:
        closure = Closure(modules, texts, distributions)
        if closure.loader.own is not None:
            closure.run()
            facts.update(closure.facts())
    return facts


def _linked_stdlib(folder):
    """The modules as those of a distribution called Python."""
    folder = os.path.join(folder, "lib-dynload")
    python = {"name": "Python", "metadata": folder, "location": folder}
    names = sorted(names_in(folder) or ())
    return [(python, name) for name in names if name.partition(".")[0] in _LINKED]


def look_at_driver():
    """The fields of Native about the NVIDIA driver."""
    found = Cache(read_bytes(LOADER_CACHE, MOST_CACHE)).paths("libcuda.so.1")
    text = read_text("/proc/driver/nvidia/version", 4096)
    return {
        "libcuda": found[0] if found else None,
        "driver": text.partition("\n")[0].strip() if text else None,
    }


def recorded_objects(text, marks=_MARKS):
    """Relative paths of the shared objects of a RECORD: a search, and no walk over its lines."""
    found = []
    for mark in marks:
        place = text.find(mark)
        while place >= 0:
            start = text.rfind("\n", 0, place) + 1
            end = text.find("\n", place)
            end = len(text) if end < 0 else end
            path = text[start:end].partition(",")[0]
            name = path.rpartition("/")[2]
            inside = path[:1] not in ("/", '"') and ".." not in path.split("/")
            if inside and (name.endswith(mark) or (mark == ".so" and ".so." in name)):
                found.append(path)
            place = text.find(mark, end)
    return found


def is_module(path):
    """Whether Python can import it by its name: not a mere library, not a test."""
    folder, _, name = path.rpartition("/")
    if not name.endswith((".so", ".pyd")) or [p for p in folder.split("/") if p in NOT_LOADED]:
        return False
    return ".cpython-" in name or ".abi3." in name or not name.startswith("lib")


def _module_names(distribution, paths, suffixes):
    """How many of its extension modules are named for this Python, and how many for another."""
    own = 0
    foreign = []
    for path in paths:
        name = path.rpartition("/")[2]
        stem, _, tag = name.partition(".")
        if tag.startswith(("cpython-", "pypy", "cp3")) and is_module(path):
            if "." + tag in suffixes:
                own += 1
            else:
                foreign.append(path)
    return {
        "distribution": distribution["name"],
        "metadata": distribution["metadata"],
        "own": own,
        "foreign": len(foreign),
        "example": os.path.join(distribution["location"], foreign[0]) if foreign else None,
    }


def _foreign_processors(modules, machine):
    """Problems of kind ``machine``, where no loader's rules are known to us."""
    found = {}
    totals = {}
    for distribution, relative in modules:
        path = os.path.join(distribution["location"], *relative.split("/"))
        names = processors(read_bytes(path, 4096) or b"")
        if not names:
            continue
        key = distribution["metadata"]
        totals[key] = totals.get(key, 0) + 1
        if any(same_processor(name, machine) for name in names):
            continue
        one = found.setdefault(
            key,
            {
                "kind": "machine",
                "distribution": distribution["name"],
                "metadata": key,
                "library": None,
                "needed_by": path,
                "versions": list(names),
                "found": None,
                "by": None,
                "newest": None,
                "otherwise": None,
                "recorded": False,
                "modules": 0,
                "modules_total": 0,
                "examples": [],
            },
        )
        one["modules"] += 1
        one["examples"] = (one["examples"] + [path])[:5]
    for key, one in found.items():
        one["modules_total"] = totals[key]
    return list(found.values())
