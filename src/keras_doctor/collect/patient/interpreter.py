"""Which Python this is, and the world that it belongs to."""

import os
import sys

from keras_doctor.collect.patient.startup import find_venv, read_venv


def describe_world(stdlib):
    """The interpreter's own facts, and what the other parts need to follow its rules.

    Returns a dict: interpreter (like model.Interpreter), prefix, base_prefix, venv (its
    folder or None), system_site_packages, suffixes (of extension modules), builtins (names),
    frozen (a function).
    """
    import _imp

    base = getattr(sys, "real_prefix", None) or getattr(sys, "base_prefix", sys.prefix)
    venv = find_venv(sys.executable)
    prefix = sys.prefix
    system = None
    if venv is not None:
        prefix = venv
        settings = read_venv(venv)
        system = settings.get("include-system-site-packages", "false").lower() == "true"
    suffixes = _imp.extension_suffixes()
    world = {
        "prefix": prefix,
        "base_prefix": base,
        "venv": venv,
        "system_site_packages": system,
        "suffixes": suffixes,
        "builtins": set(sys.builtin_module_names),
        "frozen": _imp.is_frozen,
    }
    world["interpreter"] = {
        "executable": sys.executable or "",
        "version": _version(),
        "implementation": sys.implementation.name,
        "soabi": _soabi(suffixes),
        "extension_suffixes": suffixes,
        "platform": sys.platform,
        "machine": _machine(),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "free_threaded": "t" in getattr(sys, "abiflags", ""),
        "prefix": prefix,
        "base_prefix": base,
        "stdlib": _stdlib_folder(stdlib),
        "system_site_packages": system,
        "externally_managed": prefix == base
        and os.path.exists(os.path.join(_stdlib_folder(stdlib), "EXTERNALLY-MANAGED")),
    }
    return world


def _version():
    """Like ``3.11.7``; the suffix of a pre-release is the text before the build's remarks."""
    return sys.version.split(" ", 1)[0].rstrip("+")


def _soabi(suffixes):
    """The tag in names like ``.cpython-311-x86_64-linux-gnu.so`` or ``.cp311-win_amd64.pyd``."""
    for suffix in suffixes:
        tag = suffix.strip(".").rpartition(".")[0]
        if "-" in tag and not tag.startswith("abi"):
            return tag
    return None


def _machine():
    """What it was built for, where it says so; else what the system calls itself."""
    built = getattr(sys.implementation, "_multiarch", "")
    if built.endswith(("-linux-gnu", "-linux-musl")):
        return built.partition("-")[0]
    if hasattr(os, "uname"):
        return os.uname().machine
    return os.environ.get("PROCESSOR_ARCHITECTURE", "")


def _stdlib_folder(stdlib):
    for entry in stdlib:
        if os.path.isfile(os.path.join(entry, "os.py")):
            return entry
    return os.path.dirname(os.__file__)
