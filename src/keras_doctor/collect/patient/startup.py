"""What Python acts on while it starts: site folders and their .pth files."""

import os
import sys

from keras_doctor.collect.patient.files import names_in, problem, read_text

_MOST_LINES = 2000
_MOST_PTH = 1 << 18
_EDITABLE = ("__editable__", "_editable_impl_", "easy-install.pth", "__editable___")


def find_venv(executable):
    """The folder of the virtual environment that an interpreter belongs to, or None."""
    folder = os.path.dirname(executable or "")
    for place in (folder, os.path.dirname(folder)):
        if place and os.path.isfile(os.path.join(place, "pyvenv.cfg")):
            return place
    return None


def read_venv(folder):
    """The settings of a pyvenv.cfg, keys in small letters."""
    settings = {}
    for line in (read_text(os.path.join(folder, "pyvenv.cfg"), 1 << 16) or "").splitlines():
        key, found, value = line.partition("=")
        if found:
            settings[key.strip().lower()] = value.strip()
    return settings


def site_folders(world, user):
    """The site folders of a world, in the order in which Python adds them.

    That is the virtual environment's, the user's, the base's. The patient's own ``site``
    module knows the layout of its distribution (Debian's dist-packages, say), also when it was
    started without running it.
    """
    import site

    own = site.getsitepackages([world["prefix"]]) if world["venv"] else []
    base = []
    if world["venv"] is None or world["system_site_packages"]:
        base = site.getsitepackages([world["prefix"], world["base_prefix"]])
    folders = own + ([user] if user else []) + base
    return list(dict.fromkeys(os.path.abspath(folder) for folder in folders))


def user_site(world, mode, ignoring):
    """The user's own site folder when this Python would use it, else None.

    Args:
        world: The interpreter's description.
        mode: How the collector was started; only a normal start can be asked itself.
        ignoring: Whether the start was told to leave variables alone.
    """
    site = sys.modules.get("site")
    if mode == "normal" and site is not None:
        enabled = getattr(site, "ENABLE_USER_SITE", False)
        return getattr(site, "USER_SITE", None) if enabled else None
    if world["venv"] is not None and not world["system_site_packages"]:
        return None
    if os.environ.get("PYTHONNOUSERSITE") and not ignoring:
        return None
    import site

    try:
        return site.getusersitepackages()
    except Exception as error:
        problem("the user site folder could not be told: %s" % error)
        return None


def read_pth_files(folder):
    """What the .pth files of one site folder say, in the order in which they act.

    Returns a list of dicts like StartupLine, ``path`` entries with the folder under "adds".
    """
    lines = []
    names = names_in(folder) or ()
    for name in sorted([name for name in names if name.endswith(".pth")]):
        if name.startswith("."):
            continue
        path = os.path.join(folder, name)
        text = read_text(path, _MOST_PTH)
        if text is None:
            problem("%s could not be read" % path)
            continue
        lines += parse_pth(text, path, folder)
    return lines


def parse_pth(text, path, folder):
    """The lines of one .pth file that do something."""
    found = []
    # Python splits at \n only; other separators belong to the name.
    for number, line in enumerate(text.lstrip("\ufeff").split("\n")[:_MOST_LINES], 1):
        if line.startswith("#") or not line.strip():
            continue
        entry = {"path": path, "line": number, "text": line.strip()[:500], "kind": "code"}
        if not line.startswith(("import ", "import\t")):
            adds = os.path.join(folder, line.rstrip())
            try:
                adds = os.path.abspath(adds)
                exists = os.path.exists(adds)
            except ValueError:  # a null byte
                exists = False
            entry["kind"] = "path" if exists else "missing"
            if exists:
                entry["adds"] = adds
        found.append(entry)
    return found


def is_editable_pth(path):
    """Whether a .pth file was written by an editable install."""
    return os.path.basename(path).startswith(_EDITABLE)
