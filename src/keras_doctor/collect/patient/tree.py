"""One walk over the folders of a location that RECORDs of the way know."""

import os

from keras_doctor.collect.patient.files import look_into
from keras_doctor.collect.patient.record import LOADABLE, is_loadable, with_parents


class Tree(object):
    """What really lies in the folders that the records name.

    Attributes:
        files: Relative folder to a dict of loadable file name to size.
        odd: Relative folder to a dict of file name to ``zeros`` or ``unreadable``.
        unreadable: Relative folders that cannot be listed.
        unrecorded: (nearest recorded folder, relative path, path) of loadable files that none
            of the records knows; bounded.
    """

    MOST_UNRECORDED = 5000
    _DEEPEST = 40

    def __init__(self, location, records, texts, contents):
        self.location = location
        self.files = {}
        self.odd = {}
        self.unreadable = set()
        self.unrecorded = []
        self._contents = contents
        self._texts = texts
        self._recorded = set()
        self._tops = {}
        for record in records:
            self._recorded.update(record)
            self._tops.update(record.get("", {}))
        self._names = {}
        for record in records:
            for folder, names in record.items():
                known = self._names.get(folder)
                self._names[folder] = names if known is None else dict(known, **names)
        self._expected = with_parents(self._recorded)
        self._look_at_tops()
        for folder in sorted(self._expected):
            if "/" not in folder:
                self._visit(folder, self.path(folder), inside=False, depth=0)

    def path(self, folder, name=None):
        """The absolute path of a relative folder, or of a file in it."""
        parts = [part for part in folder.split("/") if part]
        return os.path.join(self.location, *(parts + ([name] if name else [])))

    def barrier(self, folder):
        """The folder itself or one above it that cannot be read, or None."""
        while folder and self.unreadable:
            if folder in self.unreadable:
                return folder
            folder = folder.rpartition("/")[0]
        return None

    def _look_at_tops(self):
        """Modules that lie in the location itself; its other files are nobody's business."""
        found = {}
        odd = {}
        for name in self._tops:
            try:
                found[name], state = look_into(os.path.join(self.location, name))
            except OSError:
                continue
            if state and (self._contents or state != "zeros"):
                odd[name] = state
        self._keep("", found, odd)

    def _keep(self, folder, found, odd):
        self.files[folder] = found
        if odd:
            self.odd[folder] = odd

    def _visit(self, folder, path, inside, depth):
        """List one expected folder and go into those below it.

        Args:
            folder: Relative path.
            path: Absolute path.
            inside: Whether a folder above it has recorded files: then it is part of a
                package, and folders that nobody recorded are strangers. A folder like
                ``google`` is shared by distributions that are not on the way.
            depth: Of the recursion.
        """
        inside = inside or folder in self._recorded
        try:
            found, odd, folders = self._list(path)
        except PermissionError:
            self.unreadable.add(folder)
            return
        except OSError:
            return
        self._keep(folder, found, odd)
        recorded = self._names.get(folder)
        if recorded is not None and found.keys() != recorded.keys():
            for name in sorted(found.keys() - recorded.keys()):
                self._stranger(folder, folder + "/" + name, os.path.join(path, name))
        for name in folders:
            below = folder + "/" + name
            if below in self._expected:
                if depth < self._DEEPEST:
                    self._visit(below, path + os.sep + name, inside=inside, depth=depth + 1)
            elif inside and name != "__pycache__" and not self._mentioned(below):
                self._wander(folder, below, path + os.sep + name, depth + 1)

    def _list(self, path):
        """(loadable files with sizes, odd ones, folders) of one folder."""
        found = {}
        odd = {}
        folders = []
        contents = self._contents
        loadable = LOADABLE
        # Read to its end, the iterator closes itself.
        for entry in os.scandir(path):
            name = entry.name
            if name.endswith(loadable) or ".so." in name:
                state = None
                try:
                    if contents:
                        found[name], state = look_into(entry.path)
                    else:
                        status = entry.stat()
                        found[name] = status.st_size
                        if (status.st_mode & 0o444) != 0o444 and not os.access(entry.path, os.R_OK):
                            state = "unreadable"
                except PermissionError:
                    raise  # the folder can be listed but not entered
                except OSError:
                    continue
                if state:
                    odd[name] = state
            elif entry.is_dir():
                folders.append(name)
        return found, odd, folders

    def _mentioned(self, folder):
        """Whether some RECORD lists files in a folder, though none that can be loaded."""
        mark = "\n%s/" % folder
        return any(mark in text or text.startswith(mark[1:]) for text in self._texts)

    def _wander(self, nearest, folder, path, depth):
        """Collect the loadable files of a folder that nobody recorded."""
        if depth > self._DEEPEST or os.path.islink(path):
            return
        try:
            names = sorted(os.listdir(path))
        except OSError:
            return
        for name in names:
            below = path + os.sep + name
            if is_loadable(name):
                self._stranger(nearest, folder + "/" + name, below)
            elif name != "__pycache__" and "." not in name and os.path.isdir(below):
                self._wander(nearest, folder + "/" + name, below, depth + 1)

    def _stranger(self, nearest, relative, path):
        if len(self.unrecorded) < self.MOST_UNRECORDED:
            self.unrecorded.append((nearest, relative, path))
