"""Where Theano compiles, and with what: asked only when Theano is on the way.

Source: theano/configparser.py and theano/configdefaults.py of 0.8 to 1.0.5: THEANO_FLAGS beats the
files, the last of equal names wins, ``base_compiledir`` is ``~/.theano`` unless set, and ``cxx`` is
the g++ of PATH unless set (on macOS clang++).
"""

import os
import sys

from keras_doctor.collect.patient.commands import which


def describe_theano(configs, folder):
    """A dict like Theano.

    Args:
        configs: The configuration files that were found, dicts like ConfigFile.
        folder: The working folder.
    """
    settings = {}
    for one in configs:
        if one["kind"] == ".theanorc" and one["text"]:
            settings.update(_global_settings(one["text"], one["path"]))
    for part in os.environ.get("THEANO_FLAGS", "").split(","):
        name, equals, value = part.partition("=")
        if equals:
            settings[name.strip()] = (value.strip(), "THEANO_FLAGS")
    base, where = settings.get("base_compiledir") or _default_compiledir()
    base = os.path.join(folder, os.path.expanduser(os.path.expandvars(base)))
    cxx, cxx_where = settings.get("cxx", (None, None))
    program = cxx if cxx is not None else _usual_compiler()
    return {
        "compiledir": base,
        "compiledir_where": where,
        "compiledir_writable": _can_be_written(base),
        "cxx": cxx,
        "cxx_where": cxx_where,
        "compiler": which(program) if program else None,
        "compiler_off_path": _off_path(program) if program else None,
    }


# Where compilers lie on Linux and macOS, whatever PATH says (Filesystem Hierarchy Standard).
_USUAL_FOLDERS = ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/local/bin")


def _off_path(program):
    """Where a program lies that PATH does not lead to; None when PATH leads to it, or nowhere."""
    if os.sep in program or which(program):
        return None
    for folder in _USUAL_FOLDERS:
        path = os.path.join(folder, program)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def _usual_compiler():
    return "clang++" if sys.platform == "darwin" else "g++"


def _default_compiledir():
    if os.name == "nt" and os.environ.get("LOCALAPPDATA"):
        return os.path.join(os.environ["LOCALAPPDATA"], "Theano"), None
    return os.path.join("~", ".theano"), None


def _global_settings(text, path):
    """The lines of the section ``[global]``, each with where it stands."""
    found = {}
    section = None
    for number, whole in enumerate(text.splitlines(), 1):
        line = whole.strip()
        if line[:1] == "[" and line[-1:] == "]":
            section = line[1:-1].strip()
        elif section == "global" and line[:1] not in ("#", ";", ""):
            place = min([i for i in (line.find("="), line.find(":")) if i >= 0] or [-1])
            if place >= 0:
                value = line[place + 1 :].strip()
                found[line[:place].strip().lower()] = (value, "%s:%d" % (path, number))
    return found


def _can_be_written(path):
    """Whether a file could be made in a folder that may have to be made first."""
    while not os.path.lexists(path):
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)
