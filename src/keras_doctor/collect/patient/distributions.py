"""Every distribution on the path, by an own scan: ``importlib.metadata`` takes 30 times as long."""

import os

from keras_doctor.collect.patient.files import is_folder, names_in, problem, read_bytes, read_text
from keras_doctor.collect.patient.metadata import (
    folder_name_parts,
    parse_headers,
    parse_requires_txt,
    top_levels,
    without_credentials,
)

_HEADERS = 1 << 14
_MOST_HEADERS = 1 << 20
MOST_RECORD = 1 << 26


def scan_distributions(entries):
    """The distributions and leftovers in the entries of the path.

    What a ``.dist-info`` says beyond its name and its import names is left to
    :func:`read_particulars`.

    Args:
        entries: Paths in order; each is looked at once.

    Returns:
        (list of dicts like Distribution, list of dicts like Leftover)
    """
    found = []
    leftovers = []
    links = set()
    for entry in entries:
        names = names_in(entry)
        if not names:
            continue
        if entry.endswith(".egg") and "EGG-INFO" in names:
            found.append(_read_egg(entry, os.path.join(entry, "EGG-INFO"), os.path.basename(entry)))
        special = [
            name for name in names if name.endswith(("-info", ".egg-link")) or name[0] == "~"
        ]
        special.sort()
        for name in special:
            path = os.path.join(entry, name)
            if name[0] == "~":
                leftovers.append(_read_leftover(path, entry, name))
            elif name.endswith(".dist-info"):
                found.append(_read_dist_info(path, entry, name))
            elif name.endswith(".egg-info"):
                found.append(_read_egg(entry, path, name))
            elif name.endswith(".egg-link"):
                links.add((read_text(path, 4096) or "").split("\n")[0].strip())
    for distribution in found:
        if distribution["location"] in links:
            distribution["editable"] = True
    return found, leftovers


def _read_headers(path):
    """The parsed headers of a METADATA file, or None when there is none."""
    data = read_bytes(path, _HEADERS)
    if data is None:
        return None
    if len(data) == _HEADERS and b"\n\n" not in data and b"\n\r\n" not in data:
        data = read_bytes(path, _MOST_HEADERS) or data
    return parse_headers(data)


def _read_dist_info(path, entry, folder):
    name, version = folder_name_parts(folder)
    return {
        "name": name,
        "version": version,
        "location": entry,
        "metadata": path,
        "installer": None,
        "editable": False,
        "origin_url": None,
        "requires": [],
        "requires_python": None,
        "import_packages": _import_names(path + os.sep),
        "tags": [],
        "record": "unread",
    }


def read_particulars(distribution):
    """Fill in what :func:`scan_distributions` leaves out: most of the reading is for these."""
    if distribution["record"] != "unread":
        return
    base = distribution["metadata"] + os.sep
    headers = _read_headers(base + "METADATA")
    if headers is None:
        headers = parse_headers(b"")
        problem("%sMETADATA could not be read" % base)
    distribution["name"] = headers["name"] or distribution["name"]
    distribution["version"] = headers["version"] or distribution["version"]
    distribution["requires"] = headers["requires"]
    distribution["requires_python"] = headers["requires_python"]
    editable, url = _read_direct_url(base + "direct_url.json")
    installer = read_text(base + "INSTALLER", 64)
    wheel = read_text(base + "WHEEL", 1 << 14) or ""
    distribution["installer"] = installer and (installer.strip() or None)
    distribution["editable"] = editable or distribution["editable"]
    distribution["origin_url"] = url
    distribution["tags"] = [line[4:].strip() for line in wheel.splitlines() if line[:4] == "Tag:"]
    distribution["record"] = _record_state(base + "RECORD")


def _read_egg(entry, path, name):
    """An egg-info: a folder as setuptools makes it, or one file as distutils did."""
    base = path + os.sep
    headers = _read_headers(base + "PKG-INFO")
    whole = headers is None and not is_folder(path)
    if whole:
        headers = _read_headers(path)
    if headers is None:
        headers = parse_headers(b"")
        problem("%s has no readable PKG-INFO" % path)
    requires = headers["requires"]
    if not whole and not requires:
        requires = parse_requires_txt(read_text(base + "requires.txt", _MOST_HEADERS) or "")
    stem, version = folder_name_parts(name)
    return {
        "name": headers["name"] or stem,
        "version": headers["version"] or version,
        "location": entry,
        "metadata": path,
        "installer": None,
        "editable": False,
        "origin_url": None,
        "requires": requires,
        "requires_python": headers["requires_python"],
        "import_packages": [] if whole else _import_names(base),
        "tags": [],
        "record": "missing",
    }


def _import_names(base):
    """From top_level.txt, else from the RECORD."""
    listed = read_text(base + "top_level.txt", 1 << 16)
    if listed and listed.strip():
        return [line.strip().replace("/", ".") for line in listed.splitlines() if line.strip()]
    return top_levels(read_text(base + "RECORD", MOST_RECORD) or "")


def _record_state(path):
    try:
        size = os.stat(path).st_size
    except PermissionError:
        return "unreadable"
    except OSError:
        return "missing"
    if not os.access(path, os.R_OK):
        return "unreadable"
    return "present" if size else "empty"


def _read_direct_url(path):
    """(whether it is editable, where it came from)."""
    text = read_text(path, 1 << 16)
    if text is None:
        return False, None
    import json

    try:
        data = json.loads(text)
        url = data["url"]
        editable = bool(data.get("dir_info", {}).get("editable", False))
        return editable, without_credentials(url) if isinstance(url, str) else None
    except Exception as error:
        problem("%s is damaged: %s" % (path, error))
        return False, None


def _read_leftover(path, entry, name):
    """A name with a ``~``: whose it was, when its metadata is still inside."""
    headers = None
    if name.endswith(".dist-info"):
        headers = _read_headers(os.path.join(path, "METADATA"))
    headers = headers or {"name": None, "version": None}
    return {
        "path": path,
        "location": entry,
        "name": headers["name"],
        "version": headers["version"],
    }
