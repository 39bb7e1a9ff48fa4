"""The first statements in the patient: only ``sys``, before anything can be imported."""

import sys

OLDEST = (3, 6)
UNSUPPORTED = 94
_OWN_MODULES = (
    "_frozen_importlib",
    "_frozen_importlib_external",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "zipimport",
)


def begin(request, own_file):
    """Record how this Python started, then make importing safe.

    A file named like a standard module may lie in any folder of ``sys.path``, and start-up
    code may have installed import hooks: so the path is reduced to the standard library, hooks
    are dropped, and modules that did not come from it are forgotten.

    Args:
        request: What the host asks; only its marker is used here.
        own_file: The file that this program was started as; None, or ``<stdin>`` in old
            versions, when it came over stdin.

    Returns a dict: path (as it was), modules (name to file, of modules with a file), stdlib
    (the entries that were kept), forgotten (kept alive, so that nothing of theirs runs).
    """
    if sys.version_info < OLDEST:
        _refuse(request)
    sys.dont_write_bytecode = True
    if sys.getfilesystemencoding() == "ascii":
        request.update(_as_names(request))
    before = list(sys.path)
    unsafe = not sys.flags.isolated and not getattr(sys.flags, "safe_path", False)
    if own_file not in (None, "<stdin>") and before and unsafe:
        before[0] = ""  # its own folder, where stdin has the working folder
    stdlib = _stdlib_entries(before)
    sys.path[:] = stdlib
    sys.meta_path[:] = [finder for finder in sys.meta_path if _is_own(finder)]
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if _is_own(hook)]
    sys.path_importer_cache.clear()
    files = {}
    forgotten = []
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str):
            files[name] = path
            if name != "__main__" and not _is_inside(path, stdlib):
                forgotten.append(sys.modules.pop(name))
    return {"path": before, "modules": files, "stdlib": stdlib, "forgotten": forgotten}


def _refuse(request):
    version = ".".join([str(number) for number in sys.version_info[:3]])
    sys.stdout.write(
        '\n%s\n{"unsupported": "%s"}\n%s\n' % (request["marker"], version, request["marker"])
    )
    sys.stdout.flush()
    sys.exit(UNSUPPORTED)


def _as_names(value):
    """The texts of a request as this Python spells file names, with surrogates for UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("ascii", "surrogateescape")
    if isinstance(value, list):
        return [_as_names(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_names(item) for key, item in value.items()}
    return value


def _is_own(hook):
    """Whether a finder or path hook is Python's own."""
    return getattr(hook, "__module__", None) in _OWN_MODULES


def _stdlib_entries(path):
    """The entries of ``path`` that are the standard library, by the prefixes of this Python."""
    known = _stdlib_candidates()
    found = [entry for entry in path if entry.rstrip("/\\") in known]
    # Every start loads encodings from the real standard library: the way out for layouts
    # that the prefixes do not describe.
    home = getattr(sys.modules.get("encodings"), "__file__", None)
    if home and not _is_inside(home, found):
        folder = home.replace("\\", "/").rpartition("/")[0].rpartition("/")[0]
        found += [entry for entry in path if entry.replace("\\", "/").rstrip("/") == folder]
    return found


def _stdlib_candidates():
    version = "python%d.%d" % sys.version_info[:2]
    if getattr(sys, "abiflags", "").startswith("t"):
        version += "t"
    zipped = "python%d%d.zip" % sys.version_info[:2]
    known = {getattr(sys, "_stdlib_dir", None)}
    names = ("base_prefix", "base_exec_prefix", "real_prefix", "prefix", "exec_prefix")
    for prefix in {getattr(sys, name, None) for name in names}:
        if not prefix:
            continue
        root = prefix.rstrip("/\\")
        for lib in {"lib", getattr(sys, "platlibdir", "lib")}:
            folder = "/".join([root, lib, version])
            known.update([folder, folder + "/lib-dynload", "/".join([root, lib, zipped])])
            if hasattr(sys, "pypy_version_info"):
                known.add("/".join([root, lib, version.replace("python", "pypy")]))
        if sys.platform == "win32":
            known.update([root + "\\Lib", root + "\\lib", root + "\\DLLs", root + "\\" + zipped])
            known.add(root)
    return known


def _is_inside(path, stdlib):
    for entry in stdlib:
        if path.startswith(entry):
            rest = path[len(entry) :].replace("\\", "/").lower()
            if not rest.startswith("/") and not entry.endswith(("/", "\\")):
                continue
            rest = rest.lstrip("/")
            return not rest.startswith(("site-packages/", "dist-packages/", "lib/site-packages/"))
    return False
