"""Programs found through PATH, and whose Python they would run."""

import os

from keras_doctor.collect.patient.files import names_in, python_in, read_bytes, to_text
from keras_doctor.collect.patient.metadata import folder_name_parts, normal
from keras_doctor.collect.patient.startup import read_venv


def find_commands(names, prefix, watched):
    """A dict like PathCommand for each name that PATH finds.

    Args:
        names: The programs to look for.
        prefix: The target's environment.
        watched: Normalised names of the distributions to list in other environments.
    """
    found = []
    for name in names:
        path = which(name)
        if path is not None:
            found.append(_describe(name, path, prefix, watched))
    return found


def which(name):
    """The program that PATH finds, or that a path names; None."""
    if os.path.dirname(name):
        return name if os.access(name, os.X_OK) and os.path.isfile(name) else None
    endings = ("",) if os.name != "nt" else (".exe", ".bat", ".cmd")
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for ending in endings:
            path = os.path.join(folder, name + ending)
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    return None


def _describe(name, path, prefix, watched):
    interpreter = script_interpreter(read_bytes(path, 512) or b"")
    entry = {
        "name": name,
        "path": path,
        "interpreter": interpreter,
        "same_environment": None,
        "python": None,
        "holds": [],
    }
    if interpreter is None:
        entry["python"] = _python_of(path) if name.startswith("python") else None
        return entry
    entry["same_environment"] = belongs_to(interpreter, prefix)
    entry["python"] = _python_of(interpreter)
    if not entry["same_environment"]:
        entry["holds"] = _holdings(_environment(interpreter), watched)
    return entry


def script_interpreter(data):
    """The Python that a script's first line names, or None for anything else.

    Launchers with a long path start as a shell script that runs Python on itself.
    """
    lines = data.split(b"\n", 2)
    if not lines[0].startswith(b"#!"):
        return None
    words = to_text(lines[0][2:]).strip()
    if words == "/bin/sh" and len(lines) > 1 and lines[1].startswith(b"'''exec' "):
        words = to_text(lines[1][9:]).strip()
        first = words[1:].partition('"')[0] if words.startswith('"') else words.partition(" ")[0]
    elif os.path.basename(words.partition(" ")[0]) == "env":
        rest = [word for word in words.split()[1:] if not word.startswith("-") and "=" not in word]
        first = (rest and which(rest[0])) or ""
    else:
        first = words.partition(" ")[0]
    program = os.path.basename(first).lower()
    return first if program.startswith(("python", "pypy")) else None


def belongs_to(interpreter, prefix):
    """Whether an interpreter's environment is the one of the prefix.

    Compared are the folders, one link at a time: the real path of every virtual
    environment's python is the base's.
    """
    wanted = os.path.realpath(prefix)
    for _ in range(20):
        if os.path.realpath(_environment(interpreter)) == wanted:
            return True
        if os.path.isfile(os.path.join(_environment(interpreter), "pyvenv.cfg")):
            return False
        if not os.path.islink(interpreter):
            return False
        link = os.readlink(interpreter)
        interpreter = os.path.normpath(os.path.join(os.path.dirname(interpreter), link))
    return False


def _environment(interpreter):
    """The folder of the environment of an interpreter in ``bin`` or ``Scripts``."""
    folder = os.path.dirname(interpreter)
    if os.path.basename(folder).lower() in ("bin", "scripts"):
        return os.path.dirname(folder)
    return folder


def _python_of(interpreter):
    """The version that the path, the environment's settings or its library folder name."""
    named = python_in(os.path.realpath(interpreter))
    if named:
        return named
    environment = _environment(interpreter)
    settings = read_venv(environment)
    version = settings.get("version") or settings.get("version_info")
    if version:
        return ".".join(version.split(".")[:2])
    folders = _library_folders(environment)
    return python_in(folders[0] + "/") if len(folders) == 1 else None


def _library_folders(environment):
    """``lib/python3.*`` of an environment that hold packages."""
    lib = os.path.join(environment, "lib")
    names = sorted(name for name in names_in(lib) or () if name.startswith("python3."))
    return [os.path.join(lib, name) for name in names]


def _holdings(environment, watched):
    """Watched distributions in an environment, like ``keras 3.8.0``, by its folder names."""
    found = []
    folders = [os.path.join(lib, "site-packages") for lib in _library_folders(environment)]
    for folder in folders + [os.path.join(environment, "Lib", "site-packages")]:
        for name in sorted(names_in(folder) or ()):
            if name.endswith((".dist-info", ".egg-info")):
                stem, version = folder_name_parts(name)
                if normal(stem) in watched:
                    found.append("%s %s" % (normal(stem), version))
    return found
