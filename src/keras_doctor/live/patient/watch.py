"""Who imported what: notes the file of the statement that first asked for a module."""

import sys

MAX_EDGES = 2000


def module_file(name):
    """Returns the file of a loaded module, without waking a lazy one; None if not loaded."""
    module = sys.modules.get(name)
    if module is None:
        return None
    try:
        names = object.__getattribute__(module, "__dict__")
        file = names.get("__file__")
        if isinstance(file, str):
            return file
        return next((each for each in names.get("__path__", ()) if isinstance(each, str)), None)
    except BaseException:
        return None


class Watcher:
    """A finder that finds nothing, so that it changes nothing, and remembers who asked."""

    def __init__(self, program, channel):
        self.program = program
        self.channel = channel
        self.noted = {}
        self.waiting = []

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002
        """Part of the import protocol: always None."""
        if "." not in name and name not in self.noted and len(self.noted) < MAX_EDGES:
            self.noted[name] = None
            importer = self._importer()
            self.noted[name] = importer
            self.channel.send("edge", module=name, importer=importer, files=self._files())
            self.waiting.append(name)
        return

    def _importer(self):
        frame = sys._getframe(2)  # noqa: SLF001
        while frame is not None:
            file = frame.f_code.co_filename
            if file == self.program:
                return None
            # importlib.import_module and __import__ stand between the asker and us.
            if not file.startswith("<") and not file.endswith(
                ("importlib/__init__.py", "importlib\\__init__.py")
            ):
                return file
            if file.startswith("<") and not file.startswith("<frozen importlib"):
                return None
            frame = frame.f_back
        return None

    def _files(self):
        """Files of modules that were noted before and are loaded by now."""
        files = {}
        for name in list(self.waiting):
            file = module_file(name)
            if file is not None:
                files[name] = file
                self.waiting.remove(name)
        return files

    def finish(self):
        """Stops watching and reports the files that are still missing."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self.channel.send("files", files=self._files())
