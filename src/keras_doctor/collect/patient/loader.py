"""Which file the dynamic loader would take for the name of a library, by its own rules.

Sources: ld.so(8) for the order of the places; sysdeps/generic/dl-cache.h of glibc for the layout
of ``/etc/ld.so.cache``; musl's ldso/dynlink.c for its path file. Nothing is loaded.
"""

import os

from keras_doctor.collect.patient.elf import (
    DamagedError,
    defined_versions,
    read_elf,
    version_names,
)
from keras_doctor.collect.patient.files import names_in, read_bytes, read_text, to_text
from keras_doctor.collect.patient.native import LOADER_CACHE, MOST_CACHE

_MAGIC = b"glibc-ld.so.cache1.1"
_MUSL_CONFIG = "/etc"
_DEFAULT = ("/lib", "/usr/lib")
_MOST_DEPTH = 64


class Cache(object):
    """The glibc cache of library names; empty when there is none that can be read."""

    def __init__(self, data):
        start = (data or b"").find(_MAGIC)  # an old cache may stand before it
        self.data = data[start:] if start >= 0 else b""
        self.count = int.from_bytes(self.data[20:24], "little")
        if 48 + 24 * self.count > len(self.data):
            self.data, self.count = b"", 0

    def paths(self, name):
        """The paths that it gives for a name, best first."""
        data, entries = self.data, 48 + 24 * self.count
        wanted = name.encode("utf-8", "surrogateescape") + b"\0"
        found = []
        # A name may be the end of a longer text; only what an entry points at is one.
        place = data.find(wanted, entries)
        while place >= 0 and len(found) < 16:
            key = place.to_bytes(4, "little")
            at = data.find(key, 48, entries)
            while at >= 0 and len(found) < 16:
                if (at - 48) % 24 == 4:
                    value = int.from_bytes(data[at + 4 : at + 8], "little")
                    end = data.find(b"\0", value)
                    if entries <= value < end:
                        found.append((at, to_text(data[value:end])))
                at = data.find(key, at + 1, entries)
            place = data.find(wanted, place + 1)
        found.sort()
        return [path for _, path in found]


class Loader(object):
    """Remembers what it looked up: most objects ask for the same libraries.

    Attributes:
        own: The Elf of the interpreter.
        loaded: Name to path of what is in the process before any package is imported.
    """

    def __init__(self, executable, environ):
        self._elfs = {}
        self._versions = {}
        self._found = {}
        self._places = {}
        self._systems = {}
        self.own = self.elf(os.path.realpath(executable))
        self.loaded = {}
        self.preloaded = set()
        if self.own is None:
            return
        self.cache = Cache(read_bytes(LOADER_CACHE, MOST_CACHE))
        self.variable = library_path(environ.get("LD_LIBRARY_PATH"))
        self.default = _default_folders()
        self._load_preloaded(environ.get("LD_PRELOAD"))
        self.preloaded = set(self.loaded)
        self._load_own(self.own, (self.own,), 0)

    def _load_preloaded(self, value):
        for name in (value or "").replace(":", " ").split():
            path = name if "/" in name else self.find(name, (self.own,))[0]
            elf = path and self.elf(path)
            if elf and self.fits(elf):
                self.loaded[elf.soname or os.path.basename(path)] = path

    def _load_own(self, elf, chain, depth):
        for name in elf.needed:
            if name not in self.loaded and depth < _MOST_DEPTH:
                path = self.find(name, chain)[0]
                found = path and self.elf(path)
                if found:
                    self.loaded[name] = path
                    self._load_own(found, (found,) + chain, depth + 1)

    def elf(self, path):
        """The Elf of a file, or None when it is none, or cannot be read."""
        if path not in self._elfs:
            try:
                self._elfs[path] = read_elf(path)
            except (OSError, DamagedError):
                self._elfs[path] = None
        return self._elfs[path]

    def fits(self, elf):
        """Whether it is for the interpreter's processor."""
        own = self.own
        return (elf.machine, elf.bits, elf.order) == (own.machine, own.bits, own.order)

    def versions(self, path):
        """Hash to name of the versions that a library defines."""
        if path not in self._versions:
            try:
                self._versions[path] = defined_versions(path) or {}
            except (OSError, DamagedError):
                self._versions[path] = {}
        return self._versions[path]

    def names(self, path, places):
        """Names of versions, by the places that ``Elf.needs`` gives."""
        try:
            return version_names(path, places)
        except (OSError, DamagedError):
            return []

    def count(self):
        """How many files were read."""
        return len([elf for elf in self._elfs.values() if elf is not None])

    def find(self, name, chain):
        """(path, by) of a library, or (None, None).

        Args:
            name: As in DT_NEEDED.
            chain: The Elfs that lead to it, the one that needs it first.

        By is ``LD_PRELOAD``, ``loaded``, ``rpath``, ``LD_LIBRARY_PATH``, ``runpath``, ``cache``,
        ``default`` or ``path`` (the name is one).
        """
        loaded = self.loaded.get(name)
        if loaded is not None:
            return loaded, "LD_PRELOAD" if name in self.preloaded else "loaded"
        rpath, runpath = self._own_folders(chain)
        key = (name, rpath, runpath)
        if key not in self._found:
            places = (
                ("rpath", rpath),
                ("LD_LIBRARY_PATH", self.variable),
                ("runpath", runpath),
            )
            self._found[key] = self._search(name, places)
        return self._found[key]

    def find_without_variables(self, name, chain):
        """The library that LD_LIBRARY_PATH or LD_PRELOAD hides, or None."""
        rpath, runpath = self._own_folders(chain)
        return self._search(name, (("rpath", rpath), ("runpath", runpath)))[0]

    def find_system(self, name):
        """The library of that name which the system itself has, or None."""
        return self._system(name)[0]

    def _own_folders(self, chain):
        """(of DT_RPATH, of DT_RUNPATH): the former count only where the latter is not there."""
        first = chain[0]
        rpath = () if first.runpath is not None else self.inherited(chain)
        return rpath, self._folders(first.runpath, first.path) if first.runpath else ()

    def inherited(self, chain):
        """The folders of DT_RPATH that hold for what the first of the chain needs."""
        if chain[-1] is not self.own:
            chain = chain + (self.own,)
        folders = ()
        for elf in chain:
            if elf.rpath and elf.runpath is None:
                folders += self._folders(elf.rpath, elf.path)
        return folders

    def _folders(self, text, path):
        key = (text, os.path.dirname(path))
        if key not in self._places:
            self._places[key] = search_folders(*key)
        return self._places[key]

    def _search(self, name, places):
        if "/" in name:
            return (name, "path") if self.elf(name) else (None, None)
        for by, folders in places:
            for folder in folders:
                if name in (names_in(folder) or ()) and self._is_fit(folder + "/" + name):
                    return folder + "/" + name, by
        return self._system(name)

    def _system(self, name):
        """What is found in the cache or in the system's own folders."""
        if name not in self._systems:
            self._systems[name] = self._search_system(name)
        return self._systems[name]

    def _search_system(self, name):
        for path in self.cache.paths(name):
            if self._is_fit(path):
                return path, "cache"
        for folder in self.default:
            if self._is_fit(folder + "/" + name):
                return folder + "/" + name, "default"
        return None, None

    def _is_fit(self, path):
        elf = self.elf(path)
        return elf is not None and self.fits(elf)


def library_path(value):
    """The folders of LD_LIBRARY_PATH; an empty part is the working folder."""
    if not value:
        return ()
    parts = value.replace(";", ":").split(":")
    return tuple([os.path.abspath(part or ".") for part in parts[:200]])


def search_folders(text, origin):
    """The folders of a DT_RPATH or DT_RUNPATH of a file in the folder ``origin``.

    glibc takes the folder under which it opened the file, links and all, for $ORIGIN.
    """
    found = []
    for part in text.split(":")[:200]:
        folder = part.replace("${ORIGIN}", origin).replace("$ORIGIN", origin)
        if folder:
            found.append(os.path.normpath(folder))
    return tuple(found)


def _default_folders():
    """Where the loader looks when nothing says another place."""
    musl = [name for name in names_in(_MUSL_CONFIG) or () if name.startswith("ld-musl-")]
    for name in sorted(musl):
        text = read_text(_MUSL_CONFIG + "/" + name, 1 << 14) or ""
        parts = text.replace("\n", ":").split(":")
        return tuple([part for part in parts if part])
    import sys

    multiarch = getattr(sys.implementation, "_multiarch", "")
    folders = ["/lib64", "/usr/lib64"]
    if multiarch:
        folders += [folder + "/" + multiarch for folder in _DEFAULT]
    return tuple(folders) + _DEFAULT
