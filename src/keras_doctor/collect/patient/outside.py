"""An environment whose interpreter does not start, read from outside.

The collector then runs in another Python, and nothing of that Python may get into the facts.
"""

import os
import sys

from keras_doctor.collect.patient.files import names_in, python_in
from keras_doctor.collect.patient.startup import read_venv


def describe_outside(executable):
    """The world of an interpreter by its folders alone.

    Args:
        executable: The path of the interpreter that does not start.

    Returns:
        (world as describe_world gives, stdlib entries, site folders, user site or None);
        what the files do not tell is None in ``world["interpreter"]``, or that is None.
    """
    bin_folder = os.path.dirname(executable)
    prefix = os.path.dirname(bin_folder)
    venv = None
    for place in (bin_folder, prefix):
        if os.path.isfile(os.path.join(place, "pyvenv.cfg")):
            venv = prefix = place
    settings = read_venv(venv) if venv else {}
    system = settings.get("include-system-site-packages", "false").lower() == "true"
    base = os.path.dirname(settings["home"]) if settings.get("home") else prefix
    version = settings.get("version") or settings.get("version_info") or _library_version(prefix)
    version = version and ".".join(version.split(".")[:3])
    short = ".".join(version.split(".")[:2]) if version else None
    sites = []
    stdlib = []
    if short:
        prefixes = [prefix] + ([base] if system else [])
        sites = [_site(place, short) for place in prefixes]
        folder = os.path.join(base, "lib", "python" + short)
        stdlib = [folder] if os.path.isdir(folder) else []
    suffixes = _suffixes(short)
    world = {
        "prefix": prefix,
        "base_prefix": base,
        "venv": venv,
        "system_site_packages": system if venv else None,
        "suffixes": suffixes,
        "builtins": set(),
        "frozen": _never,
        "interpreter": None,
    }
    if version:
        world["interpreter"] = {
            "executable": executable,
            "version": version,
            "implementation": settings.get("implementation", "cpython").lower(),
            "soabi": None,
            "extension_suffixes": suffixes,
            "platform": sys.platform,
            "machine": os.uname().machine if hasattr(os, "uname") else "",
            "bits": 64 if sys.maxsize > 2**32 else 32,
            "free_threaded": False,
            "prefix": prefix,
            "base_prefix": base,
            "stdlib": stdlib[0] if stdlib else "",
            "system_site_packages": system if venv else None,
        }
    return world, stdlib, sites, None


def _library_version(prefix):
    """Like ``3.8`` when exactly one Python has its packages there."""
    names = names_in(os.path.join(prefix, "lib")) or ()
    found = [python_in("/%s/" % name) for name in names if name.startswith("python3.")]
    found = [one for one in found if os.path.isdir(_site(prefix, one))]
    return found[0] if len(found) == 1 else None


def _site(prefix, short):
    if sys.platform == "win32":
        return os.path.join(prefix, "Lib", "site-packages")
    return os.path.join(prefix, "lib", "python" + short, "site-packages")


def _suffixes(short):
    if sys.platform == "win32":
        return [".pyd"]
    if not short or not hasattr(os, "uname"):
        return [".abi3.so", ".so"]
    tag = short.replace(".", "") + ("m" if short in ("3.6", "3.7") else "")
    system = "darwin" if sys.platform == "darwin" else os.uname().machine + "-linux-gnu"
    return [".cpython-%s-%s.so" % (tag, system), ".abi3.so", ".so"]


def _never(name):
    """No module is frozen into a Python that cannot be asked."""
    return bool(name and False)
