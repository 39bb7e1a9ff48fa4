"""``sys.path`` as the user's program would see it, each entry with its origin."""

import os
import stat

from keras_doctor.collect.patient.files import python_in
from keras_doctor.collect.patient.startup import is_editable_pth, read_pth_files


def pythonpath_entries(value, folder):
    """The entries of a PYTHONPATH value as Python makes them; an empty one is the folder."""
    if not value:
        return []
    return [os.path.abspath(os.path.join(folder, part)) for part in value.split(os.pathsep)]


def build_path(start, mode, path0, python_path, stdlib, user, sites):
    """The path and the start-up lines.

    Args:
        start: ``sys.path`` as the collector found it.
        mode: ``normal`` (start is the truth), else the normal start is modelled.
        path0: What the user's start puts first; None for nothing.
        python_path: Entries of PYTHONPATH that this start obeys.
        stdlib: Entries of the standard library.
        user: The user site folder, or None.
        sites: The site folders in the order in which Python adds them, the user's among them.

    Returns:
        (list of dicts like PathEntry, list of dicts like StartupLine)
    """
    lines = [(folder, read_pth_files(folder)) for folder in sites]
    if mode == "normal":
        path = list(start)
        if path and path[0] == "":
            del path[0]
            path[:0] = [path0] if path0 else []
        else:
            path0 = None
    else:
        path = _model(path0, python_path, stdlib, lines)
    startup = [line for _, added in lines for line in added]
    entries = []
    for index, entry in enumerate(path):
        if index == 0 and path0:
            origin, where = "script", None
        else:
            origin, where = _origin(entry, stdlib, python_path, user, sites, startup)
        entries.append(
            {
                "path": entry,
                "origin": origin,
                "where": where,
                "kind": entry_kind(entry),
                "python": python_in(entry),
            }
        )
    for line in startup:
        line.pop("adds", None)
    return entries, startup


def _model(path0, python_path, stdlib, lines):
    """What the site module would make of the same interpreter."""
    rest = []
    for entry in python_path + stdlib:
        if entry not in rest:
            rest.append(entry)
    for folder, added in lines:
        if not os.path.isdir(folder):
            continue
        for entry in [folder] + [line["adds"] for line in added if line["kind"] == "path"]:
            if entry not in rest:
                rest.append(entry)
    return ([path0] if path0 else []) + rest


def _origin(entry, stdlib, python_path, user, sites, startup):
    """(origin, where) of one entry."""
    if entry in python_path:
        return "pythonpath", "PYTHONPATH"
    if entry in stdlib:
        return "stdlib", None
    if entry == user:
        return "user-site", None
    if entry in sites:
        return "site-packages", None
    for line in startup:
        # A line of code that spells the entry out is what put it there.
        if line.get("adds") == entry or (
            line["kind"] == "code" and entry and entry in line["text"]
        ):
            origin = "editable" if is_editable_pth(line["path"]) else "pth"
            return origin, "%s:%d" % (line["path"], line["line"])
    return "other", None


def entry_kind(path):
    """``folder`` | ``file`` | ``missing`` | ``unreadable``."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        return "unreadable"
    except (OSError, ValueError):
        return "missing"
    if not stat.S_ISDIR(mode):
        return "file"
    return "folder" if os.access(path, os.R_OK | os.X_OK) else "unreadable"
