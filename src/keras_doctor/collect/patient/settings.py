"""Configuration files and the listed environment variables."""

import os
import stat

from keras_doctor.collect.patient.files import read_text

MOST_CONFIG = 1 << 16
_TEMPORARY = "/tmp"  # noqa: S108 - written out in Keras, whatever TMPDIR says


def find_configs(request, prefix):
    """A dict like ConfigFile for each file that is read, or that somebody may think is read.

    Keras takes ``$KERAS_HOME/keras.json`` (an empty value means the working folder, ``~`` is
    expanded), else ``~/.keras/keras.json``, else the same under ``/tmp``.
    """
    folder = request["folder"]
    home = os.path.expanduser("~")
    found = []
    if "KERAS_HOME" in os.environ:
        chosen = os.path.expanduser(os.path.join(os.environ["KERAS_HOME"], "keras.json"))
        found.append(_config("keras.json", "KERAS_HOME", os.path.join(folder, chosen)))
    own = _config("keras.json", "home", os.path.join(home, ".keras", "keras.json"))
    own["base_writable"] = os.access(home, os.W_OK)
    found.append(own)
    found.append(_config("keras.json", "tmp", os.path.join(_TEMPORARY, ".keras", "keras.json")))
    found += _unread(request, home, prefix, {one["path"] for one in found})
    found += _theano_configs(home, folder)
    return found


def _unread(request, home, prefix, known):
    """Files of the right name where no Keras looks."""
    places = [home, prefix]
    for folder in (request["folder"], request["script_folder"]):
        if folder:
            places += [folder, os.path.join(folder, ".keras")]
    places.append(os.path.join(prefix, ".keras"))
    found = []
    for place in dict.fromkeys(places):
        path = os.path.join(place, "keras.json")
        if path not in known and os.path.lexists(path):
            found.append(_config("keras.json", "project", path))
    return found


def _theano_configs(home, folder):
    listed = os.environ.get("THEANORC")
    if listed is None:
        return [_config(".theanorc", "home", os.path.join(home, ".theanorc"))]
    found = []
    for part in listed.split(os.pathsep):
        if part:
            path = os.path.join(folder, os.path.expanduser(part))
            found.append(_config(".theanorc", "THEANORC", path))
    return found


def _config(kind, source, path):
    path = os.path.normpath(path)
    entry = {"kind": kind, "source": source, "path": path, "state": "absent", "text": None}
    entry["mode"] = None
    entry["folder_writable"] = _is_writable(os.path.dirname(path))
    try:
        status = os.stat(path)
    except PermissionError:
        entry["state"] = "unreadable"
        return entry
    except (OSError, ValueError):
        return entry
    entry["mode"] = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        entry["state"] = "folder"
    elif status.st_size > MOST_CONFIG:
        entry["state"] = "too-large"
    else:
        entry["text"] = read_text(path, MOST_CONFIG) if stat.S_ISREG(status.st_mode) else None
        entry["state"] = "unreadable" if entry["text"] is None else "read"
    return entry


def _is_writable(folder):
    """Whether a file could be made there; a folder that is missing would be made first."""
    if not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def find_variables(names, conda_variables, started_with, startup):
    """The listed variables that are set, a dict like Variable each.

    Args:
        names: Their names.
        conda_variables: What conda's files set.
        started_with: The listed variables that this Python was started with; None when nobody
            knows them. One that is not among them was set while Python started.
        startup: What Python acted on while it started, dicts like StartupLine.
    """
    sources = {(one["name"], one["value"]): one["set_by"] for one in conda_variables}
    found = []
    for name in names:
        value = os.environ.get(name)
        if value is not None:
            set_by = sources.get((name, value))
            if started_with is not None and started_with.get(name) != value:
                set_by = _setter(name, startup) or set_by
            found.append({"name": name, "value": value, "set_by": set_by})
    return found


def _setter(name, startup):
    """The file and line of the start-up code that names a variable, the last one first."""
    for entry in reversed(startup):
        if entry["kind"] == "code" and name in entry["text"]:
            return "%s:%d" % (entry["path"], entry["line"])
        if entry["kind"] == "customize":
            lines = (read_text(entry["path"], MOST_CONFIG) or "").splitlines()
            for number in range(len(lines), 0, -1):
                if name in lines[number - 1] and not lines[number - 1].lstrip().startswith("#"):
                    return "%s:%d" % (entry["path"], number)
    return None
