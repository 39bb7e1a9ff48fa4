"""One walk over the folders of a location that RECORDs of the way know."""

import os
import stat

from keras_doctor.collect.patient.files import look_into
from keras_doctor.collect.patient.record import NOT_LOADED, is_loadable, with_parents

# Asking below an open folder spares the kernel the way through all those above it.
_RELATIVE = os.stat in os.supports_dir_fd and os.listdir in os.supports_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NONBLOCK", 0)


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
        self._texts = {}
        self._recorded = set()
        self._tops = {}
        for record, text in zip(records, texts):  # noqa: B905 - Python 3.6 has no strict
            for top in {folder.partition("/")[0] for folder in record}:
                self._texts.setdefault(top, []).append(text)
            self._recorded.update(record)
            self._tops.update(record.get("", {}))
        self._names = {}
        for record in records:
            for folder, names in record.items():
                known = self._names.get(folder)
                self._names[folder] = names if known is None else dict(known, **names)
        self._below = {}
        for folder in with_parents(self._recorded):
            above, _, name = folder.rpartition("/")
            self._below.setdefault(above, set()).add(name)
        self._look_at_tops()
        if not contents and _RELATIVE and self._is_whole():
            return
        for folder in sorted(self._below.get("", ())):
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

    def _is_whole(self):
        """Whether every recorded file is there as recorded and may be read; keeps their sizes.

        A look at these files alone, without listing what else lies beside them, costs half of
        the whole walk. Where anything is amiss the walk is made.
        """
        for folder, recorded in self._names.items():
            if not folder:
                continue
            try:
                handle = os.open(self.location + os.sep + folder, _FOLDER)
            except OSError:
                return False
            try:
                found = _sizes(recorded, handle)
            finally:
                os.close(handle)
            if found is None or (found != recorded and _differ(found, recorded)):
                return False
            self.files[folder] = found
        return True

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
        recorded = self._names.get(folder, {})
        inside = inside or folder in self._recorded
        try:
            names, found, odd = _look_at(path, recorded, self._contents)
        except PermissionError:  # also when the folder can be listed but not entered
            self.unreadable.add(folder)
            return
        except OSError:
            return
        self._keep(folder, found, odd)
        expected = self._below.get(folder, ())
        below = sorted(names.intersection(expected))
        if inside:
            names.difference_update(recorded, expected)
            for name in sorted(names):
                relative = folder + "/" + name
                if is_loadable(name):
                    if recorded:
                        self._stranger(folder, relative, path + os.sep + name)
                elif _may_hold_modules(name, path) and not self._mentioned(relative):
                    self._wander(folder, relative, path + os.sep + name, depth + 1)
        if depth < self._DEEPEST:
            for name in below:
                self._visit(folder + "/" + name, path + os.sep + name, inside, depth + 1)

    def _mentioned(self, folder):
        """Whether some RECORD lists files in a folder, though none that can be loaded."""
        mark = "\n%s/" % folder
        texts = self._texts.get(folder.partition("/")[0], ())
        return any(mark in text or text.startswith(mark[1:]) for text in texts)

    def _wander(self, nearest, folder, path, depth):
        """Collect the loadable files of a folder that nobody recorded."""
        if depth > self._DEEPEST:
            return
        try:
            names = sorted(os.listdir(path))
        except OSError:
            return
        for name in names:
            below = path + os.sep + name
            if is_loadable(name):
                self._stranger(nearest, folder + "/" + name, below)
            elif _may_hold_modules(name, path):
                self._wander(nearest, folder + "/" + name, below, depth + 1)

    def _stranger(self, nearest, relative, path):
        if len(self.unrecorded) < self.MOST_UNRECORDED and os.path.exists(path):
            self.unrecorded.append((nearest, relative, path))


def _may_hold_modules(name, above):
    """Whether it is a folder, and of a name that an import may lead to; no link."""
    if "." in name or name in NOT_LOADED:
        return False
    try:
        return stat.S_ISDIR(os.lstat(above + os.sep + name).st_mode)
    except OSError:
        return False


def _look_at(path, recorded, contents):
    """(names in a folder, sizes of the recorded files in it, dict of name to state of odd ones).

    Args:
        path: The folder.
        recorded: Names of the files to look at.
        contents: Whether to look into the files.

    Raises:
        OSError: The folder cannot be listed, or not be entered.
    """
    handle = os.open(path, _FOLDER) if _RELATIVE else None
    try:
        names = set(os.listdir(path if handle is None else handle))
        start = path + os.sep
        found = {}
        odd = {}
        for name in recorded:
            if name not in names:
                continue
            state = None
            try:
                if contents:
                    found[name], state = look_into(start + name)
                else:
                    if handle is None:
                        status = os.stat(start + name)
                    else:
                        status = os.stat(name, dir_fd=handle)
                    found[name] = status.st_size
                    if (status.st_mode & 0o444) != 0o444 and not os.access(start + name, os.R_OK):
                        state = "unreadable"
            except PermissionError:
                raise
            except OSError:
                continue
            if state:
                odd[name] = state
        return names, found, odd
    finally:
        if handle is not None:
            os.close(handle)


def _differ(found, recorded):
    """Whether a size is another one than a record states; some state none."""
    return any(recorded[name] not in (None, found[name]) for name in recorded)


def _sizes(names, handle, stat_file=os.stat):
    """The sizes of files in an open folder; None unless all are there and may be read by all."""
    try:
        found = [stat_file(name, dir_fd=handle) for name in names]
    except OSError:
        return None
    for status in found:
        if status.st_mode & 0o444 != 0o444:
            return None
    return dict(zip(names, [status.st_size for status in found]))  # noqa: B905
